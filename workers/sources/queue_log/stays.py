"""The stays of calls in queues, from the lines that begin, move and end them. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.core.floor.contact import ContactEvent, ContactEventKind
from workers.sources.naming import acceptable
from workers.sources.queue_log.agents import AgentBoard, Call
from workers.sources.queue_log.lines import NONE, Line
from workers.sources.tally import Tally

STAY_LIMIT_SECONDS = 4 * 3600  # as long as the floor, by default, waits for a contact's next event

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# How a wait ends unanswered. Who gave up, or was let go or dropped by the center, is an abandonment, as Asterisk itself
# counts them (record_abandoned() in app_queue.c). Not so EXITWITHKEY: the customer chose the way out that was offered
# (voicemail, a callback, another menu) and left the queue for it: offered, neither answered nor abandoned.
_WAIT_ENDS: dict[str, tuple[ContactEventKind, str | None]] = {
    "ABANDON": (ContactEventKind.ABANDONED, None),
    "EXITWITHTIMEOUT": (ContactEventKind.ABANDONED, "exit_with_timeout"),
    "EXITEMPTY": (ContactEventKind.ABANDONED, "exit_empty"),
    "WITHDRAW": (ContactEventKind.ABANDONED, "withdrawn"),
    "SYSCOMPAT": (ContactEventKind.ABANDONED, "channels_not_compatible"),  # an ABANDON follows and finds it closed
    "EXITWITHKEY": (ContactEventKind.TRANSFERRED, "exit_with_key"),
}
# How a talk ends. TRANSFER is what Asterisk up to 11 wrote for transfers.
_TALK_ENDS: dict[str, tuple[ContactEventKind, str | None]] = {
    "COMPLETEAGENT": (ContactEventKind.COMPLETED, "agent_hung_up"),
    "COMPLETECALLER": (ContactEventKind.COMPLETED, "caller_hung_up"),
    "BLINDTRANSFER": (ContactEventKind.TRANSFERRED, "blind_transfer"),
    "ATTENDEDTRANSFER": (ContactEventKind.TRANSFERRED, "attended_transfer"),
    "TRANSFER": (ContactEventKind.TRANSFERRED, "transfer"),
}
CONTACT_EVENTS = frozenset({"ENTERQUEUE", "CONNECT", *_WAIT_ENDS, *_TALK_ENDS})


@dataclass(slots=True)
class _Stay:
    """One call in one queue, not over yet. moved_at: its newest instant, epoch seconds."""

    contact_id: str
    moved_at: int
    agent: str | None = None
    answered: bool = False


class Stays:
    """The open stays. Each line in, the contact events it means out; the board learns who is on which call."""

    def __init__(self, source: str, channel: str | None, board: AgentBoard, tally: Tally) -> None:
        self._source, self._channel, self._board, self._tally = source, channel, board, tally
        self._open: dict[Call, _Stay] = {}
        self._entries: dict[Call, tuple[int, int]] = {}  # when it last entered, and how often in that second
        self.in_progress: Counter[str] = Counter()  # answered and not over, by queue

    def line(self, line: Line) -> Iterator[ContactEvent]:
        """Yield the events of one line of CONTACT_EVENTS."""
        call = line.callid, line.queue
        if line.event == "ENTERQUEUE":
            yield from self._enter(line, call)
        elif call not in self._open:
            self._tally.skip(f"{line.event} without ENTERQUEUE")
        elif line.event == "CONNECT":
            yield from self._connect(line, call)
        else:
            yield from self._leave(line, call)

    def close_all(self, at: int) -> Iterator[ContactEvent]:
        """End every open stay at `at`, the last instant before a restart: no call survives that."""
        for call in list(self._open):
            yield self._close(call, at, "queue_start")

    def sweep(self, now: int) -> None:
        """Give up stays that said nothing for four hours, so that lost ends cannot fill the memory."""
        for call, stay in list(self._open.items()):
            if now - stay.moved_at > STAY_LIMIT_SECONDS:
                self._forget(call, now)
                self._tally.skip("stay without an end")
        self._entries = {call: entry for call, entry in self._entries.items() if now - entry[0] <= STAY_LIMIT_SECONDS}

    def _enter(self, line: Line, call: Call) -> Iterator[ContactEvent]:
        entered_at, visits = self._entries.get(call, (None, 0))
        if call in self._open:
            if entered_at == line.at:
                self._tally.skip("ENTERQUEUE repeated")
                return
            # A call cannot stand twice in one queue: the end of its earlier stay was never written.
            yield self._close(call, line.at, "entered_again")
        visits = visits + 1 if entered_at == line.at else 1
        self._entries[call] = line.at, visits
        suffix = f".{visits}" if visits > 1 else ""
        stay = self._open[call] = _Stay(acceptable(f"{line.callid}/{line.queue}/{line.at}{suffix}"), line.at)
        yield self._event(stay, line.queue, ContactEventKind.QUEUED, line.at)

    def _connect(self, line: Line, call: Call) -> Iterator[ContactEvent]:
        stay = self._open[call]
        if stay.answered:
            self._tally.skip("CONNECT repeated")
            return
        stay.answered = True
        self.in_progress[line.queue] += 1
        if line.agent not in ("", NONE):
            stay.agent = acceptable(line.agent)
            self._board.take(call, line.agent, line.at)
        yield self._event(stay, line.queue, ContactEventKind.ANSWERED, line.at)

    def _leave(self, line: Line, call: Call) -> Iterator[ContactEvent]:
        stay = self._open[call]
        if line.event in _WAIT_ENDS and stay.answered:
            self._tally.skip(f"{line.event} after CONNECT")
            return
        kind, reason = _WAIT_ENDS.get(line.event) or _TALK_ENDS[line.event]
        self._forget(call, line.at)
        yield self._event(stay, line.queue, kind, line.at, reason)

    def _close(self, call: Call, at: int, reason: str) -> ContactEvent:
        """End a stay whose end was not written: a wait as abandoned, a talk as completed."""
        stay = self._open[call]
        self._forget(call, at)
        kind = ContactEventKind.COMPLETED if stay.answered else ContactEventKind.ABANDONED
        return self._event(stay, call[1], kind, at, reason)

    def _forget(self, call: Call, at: int) -> None:
        if self._open.pop(call).answered:
            self.in_progress[call[1]] -= 1
        self._board.finish(call, at)

    def _event(
        self, stay: _Stay, queue: str, kind: ContactEventKind, at: int, reason: str | None = None
    ) -> ContactEvent:
        stay.moved_at = max(stay.moved_at, at)  # a clock set back between two lines must not make a wait negative
        return ContactEvent(
            stay.contact_id, queue, kind, instant(stay.moved_at), self._source, self._channel, stay.agent, None, reason
        )


def instant(epoch: int) -> datetime:
    """Return epoch seconds as an aware UTC instant."""
    return _EPOCH + timedelta(seconds=epoch)
