"""Who is on the floor, as far as a queue_log tells. Pure.

ADDMEMBER, REMOVEMEMBER, PAUSE and their like say it outright. Members written into queues.conf never get such a line,
so an agent who takes a call is taken to be there, and to have left after twenty minutes without a further call.
"""

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

INFERRED_FOR_SECONDS = 20 * 60

Call = tuple[str, str]  # (callid, queue)


class Staffing(NamedTuple):
    """Agents of one queue. staffed = busy + available; who is on break and not on a call is in none of them."""

    staffed: int
    busy: int
    available: int


@dataclass(slots=True)
class _Member:
    """stated: the log said so, not only inferred from a call. seen_at: last sign of life, epoch seconds."""

    stated: bool
    seen_at: int
    paused: bool = False


class AgentBoard:
    """Members of each queue, their breaks and their calls. An agent on a call of one queue is busy in all of theirs."""

    def __init__(self) -> None:
        self._members: dict[str, dict[str, _Member]] = {}
        self._signed_in: set[str] = set()
        self._calls: dict[Call, str] = {}
        self._busy: Counter[str] = Counter()

    def add(self, queue: str, agent: str, at: int, *, paused: bool = False) -> None:
        """The agent joined the queue."""
        self._members.setdefault(queue, {})[agent] = _Member(stated=True, seen_at=at, paused=paused)

    def remove(self, queue: str, agent: str) -> None:
        """The agent left the queue. A call still going on is not cut by that."""
        self._members.setdefault(queue, {}).pop(agent, None)

    def pause(self, queue: str | None, agent: str, at: int, *, paused: bool) -> None:
        """The agent went on a break or came back, in one queue or (None) in all of theirs."""
        if queue is not None:
            self.add(queue, agent, at, paused=paused)
            return
        for members in self._members.values():
            if agent in members:
                members[agent].paused = paused

    def sign_in(self, agent: str) -> None:
        """The agent signed in without naming a queue: calls tell which, and no silence makes them leave."""
        self._signed_in.add(agent)

    def sign_out(self, agent: str) -> None:
        """The agent signed out of everything."""
        self._signed_in.discard(agent)
        for members in self._members.values():
            members.pop(agent, None)

    def take(self, call: Call, agent: str, at: int) -> None:
        """The agent took a call."""
        self.finish(call, at)
        self._calls[call] = agent
        self._busy[agent] += 1
        members = self._members.setdefault(call[1], {})
        members.setdefault(agent, _Member(stated=False, seen_at=at)).seen_at = at

    def finish(self, call: Call, at: int) -> None:
        """The call is over; unknown ones are ignored."""
        agent = self._calls.pop(call, None)
        if agent is None:
            return
        self._busy[agent] -= 1
        if not self._busy[agent]:
            del self._busy[agent]
        if member := self._members.get(call[1], {}).get(agent):
            member.seen_at = at

    def restart(self, at: int) -> None:
        """Asterisk started anew: no call survives, and members count as inferred until the log speaks of them again."""
        self._calls.clear()
        self._busy.clear()
        self._signed_in.clear()
        for members in self._members.values():
            for member in members.values():
                member.stated, member.seen_at = False, at

    def staffing(self, queue: str, at: int) -> Staffing | None:
        """Return the queue's agents at `at`; None when the log never spoke of an agent of this queue."""
        members = self._members.get(queue)
        if members is None:
            return None
        busy = available = 0
        for agent, member in members.items():
            if agent in self._busy:
                busy += 1
            elif not member.paused and self._is_there(agent, member, at):
                available += 1
        return Staffing(busy + available, busy, available)

    def is_empty(self, queue: str) -> bool:
        """Return whether the queue has no member at all, present or not."""
        return not self._members.get(queue)

    def _is_there(self, agent: str, member: _Member, at: int) -> bool:
        return member.stated or agent in self._signed_in or at - member.seen_at <= INFERRED_FOR_SECONDS
