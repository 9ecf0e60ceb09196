"""Asterisk's queue_log as contact events and observations. Pure: lines in, payloads and counts out.

One stay of one call in one queue is one contact. Its id is `callid/queue/second it entered`, because one call may
visit several queues, and one queue more than once; a second visit within the same second gets `.2`. The id comes
from the ENTERQUEUE line alone, so reading a file again, from wherever, names the same stay alike. Lines of a stay
whose ENTERQUEUE was not read are counted and left out: any id made up for them would double the contact one day.

Waits and talks come from the difference of the lines' times, not from the data fields: these are seconds in CONNECT,
milliseconds in RINGNOANSWER, and move about between versions.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from fnmatch import fnmatchcase

from app.core.floor.contact import ContactEvent
from app.core.floor.observation import Observation
from app.ports.stream import Payload
from workers.sources.queue_log.agents import AgentBoard
from workers.sources.queue_log.lines import NO_CALLS, NONE, Line, Malformed, parse_line
from workers.sources.queue_log.stays import CONTACT_EVENTS, STAY_LIMIT_SECONDS, Stays, instant
from workers.sources.tally import Tally

HEARTBEAT_SECONDS = 30
SILENCE_LIMIT_SECONDS = 7 * 86400  # a log silent for longer proves nothing about the floor

_SWEEP_SECONDS = STAY_LIMIT_SECONDS // 4
_PAUSES = {"PAUSE": True, "PAUSEALL": True, "UNPAUSE": False, "UNPAUSEALL": False}
# What is not named here or in CONTACT_EVENTS says nothing about the floor and is skipped, counted by name: RINGNOANSWER
# and RINGCANCELED (the customer waits on), AGENTDUMP (the agent hung up before the talk began; the customer waits on),
# PENALTY, RINGINUSE, CONFIGRELOAD, OUTCALL, and what others write there: FreePBX's DID, Wazo's FULL, any QueueLog().


class Translator:
    """Turns lines, in file order, into payloads. Keeps the open stays and who is on the floor in between.

    heartbeat_seconds: every so many seconds of the log's own time each queue's agents and contacts in progress are
    observed, also through quiet hours; None leaves that to `observe`. queues: name patterns to keep.
    """

    def __init__(
        self,
        source: str = "queue_log",
        *,
        queues: Sequence[str] = ("*",),
        channel: str | None = "voice",
        heartbeat_seconds: int | None = HEARTBEAT_SECONDS,
    ) -> None:
        self.tally = Tally()
        self._source, self._channel, self._patterns = source, channel, tuple(queues)
        self._heartbeat = heartbeat_seconds
        self._board = AgentBoard()
        self._stays = Stays(source, channel, self._board, self.tally)
        self._heard_at: dict[str, int] = {}
        self._now: int | None = None
        self._swept_at = 0
        self._doubted: tuple[Line, int] | None = None

    @property
    def newest_at(self) -> int | None:
        """When the newest line was written, epoch seconds by Asterisk's clock; None before the first."""
        return self._now

    def line(self, text: str) -> list[Payload]:
        """Return what one line says; [] when it says nothing, was malformed, or awaits the next line's word."""
        self.tally.lines += 1
        line = parse_line(text)
        if isinstance(line, Malformed):
            self.tally.fault(line.reason)
            return []
        return [payload for believed in self._believed(line) for payload in self._read(believed)]

    def end(self) -> None:
        """Count a last line that nothing confirmed."""
        if self._doubted is not None:
            self._refuse_doubted()

    def observe(self, at: datetime) -> list[Observation]:
        """Return one observation per queue as of `at`: agents, where the log speaks of any, and contacts in progress.

        A queue without members, open contacts or lines for seven days is no longer observed.
        """
        return list(self._observe(int(at.timestamp()), at))

    # --- which time to believe ---

    def _believed(self, line: Line) -> Iterator[Line]:
        """Yield the lines whose time can be believed now.

        A line more than seven days ahead of the one before is believed only once the next one is not far behind it:
        one damaged time must not make all that follows come late.
        """
        if self._doubted is not None:
            doubted = self._doubted[0]
            if line.at < doubted.at - SILENCE_LIMIT_SECONDS:
                self._refuse_doubted()
            else:
                self._doubted = None
                yield doubted
        if self._now is not None and line.at > self._now + SILENCE_LIMIT_SECONDS:
            self._doubted = line, self.tally.lines
        else:
            yield line

    def _refuse_doubted(self) -> None:
        if self._doubted is not None:
            self.tally.fault("its time is more than seven days ahead of the lines around it", self._doubted[1])
        self._doubted = None

    # --- one line ---

    def _read(self, line: Line) -> Iterator[Payload]:
        yield from self._heartbeats(line.at)
        self._now = max(line.at, self._now or 0)
        if line.event == "QUEUESTART":
            yield from self._restart()
        elif line.queue != NONE and not any(fnmatchcase(line.queue, pattern) for pattern in self._patterns):
            self.tally.skip("other queue")
        elif line.event in CONTACT_EVENTS:
            yield from self._contact(line)
        else:
            self._staff(line)
        if self._now - self._swept_at >= _SWEEP_SECONDS:
            self._swept_at = self._now
            self._stays.sweep(self._now)

    def _contact(self, line: Line) -> Iterator[ContactEvent]:
        if line.queue == NONE or line.callid in NO_CALLS:
            self.tally.skip(f"{line.event} without a call")
            return
        self._heard_at[line.queue] = line.at
        yield from self._stays.line(line)

    def _restart(self) -> Iterator[ContactEvent]:
        """Asterisk started: what was open ended unseen, at the last line before for all that can be known."""
        yield from self._stays.close_all(max(self._heard_at.values(), default=0))
        self._board.restart(self._now or 0)

    def _staff(self, line: Line) -> None:
        queue = None if line.queue == NONE else line.queue
        if line.agent in ("", NONE):
            self.tally.skip(line.event)
            return
        if queue is not None:
            self._heard_at[queue] = line.at
        match line.event:
            case "ADDMEMBER" if queue:
                self._board.add(queue, line.agent, line.at, paused=line.paused)
            case "REMOVEMEMBER" if queue:
                self._board.remove(queue, line.agent)
            case "PAUSE" | "PAUSEALL" | "UNPAUSE" | "UNPAUSEALL":
                self._board.pause(queue, line.agent, line.at, paused=_PAUSES[line.event])
            case "AGENTLOGIN" | "AGENTCALLBACKLOGIN":
                self._board.sign_in(line.agent)
            case "AGENTLOGOFF" | "AGENTCALLBACKLOGOFF":
                self._board.sign_out(line.agent)
            case event:
                self.tally.skip(event)

    # --- observations ---

    def _heartbeats(self, until: int) -> Iterator[Observation]:
        """Yield the observations due from the newest line on and before the second `until`, for seven days at most."""
        if self._heartbeat is None or self._now is None:
            return
        first = -(-self._now // self._heartbeat) * self._heartbeat
        for at in range(first, min(until, self._now + SILENCE_LIMIT_SECONDS), self._heartbeat):
            yield from self._observe(at, instant(at))

    def _observe(self, at: int, observed_at: datetime) -> Iterator[Observation]:
        for queue, heard_at in self._heard_at.items():
            in_progress = self._stays.in_progress[queue]
            if at - heard_at > SILENCE_LIMIT_SECONDS and self._board.is_empty(queue) and not in_progress:
                continue
            staffing = self._board.staffing(queue, at)
            yield Observation(
                queue=queue,
                observed_at=observed_at,
                source=self._source,
                channel=self._channel,
                contacts_in_progress=in_progress,
                agents_staffed=staffing.staffed if staffing else None,
                agents_available=staffing.available if staffing else None,
                agents_busy=staffing.busy if staffing else None,
            )
