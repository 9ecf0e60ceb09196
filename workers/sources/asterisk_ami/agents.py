"""Who can take a call now, counted from a queue's members. Pure.

| Asterisk's device state | counted as |
|---|---|
| 1 NOT_INUSE | available, unless on a break or still wrapping up the last call (then busy) |
| 2 INUSE, 3 BUSY, 6 RINGING, 7 RINGINUSE, 8 ONHOLD | busy: no further call can reach them |
| 4 INVALID, 5 UNAVAILABLE | not there (unregistered) |
| 0 UNKNOWN | nothing, or available where the configuration says that such devices can be rung |

An agent on a call of any queue is busy whatever the device says; one on a break and not on a call is counted nowhere.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple

from workers.sources.asterisk_ami.translate import Member

_UNKNOWN, _FREE = 0, 1
_GONE = frozenset({4, 5})


class Staffing(NamedTuple):
    """Agents of one queue: staffed = busy + available. in_call: those on a call of this queue."""

    staffed: int
    available: int
    busy: int
    in_call: int


class Talk(NamedTuple):
    """An agent on a call: who, and when the call before ended, which tells this call from others."""

    agent: str
    after: int


@dataclass(slots=True)
class _Agent:
    name: str
    status: int = _UNKNOWN
    paused: bool = False
    in_call: bool = False
    last_call: int = 0
    wrap_up: int = 0

    def learn(self, said: Member) -> None:
        """Take over what was said; what was not said stays."""
        self.name = said.name
        self.status = self.status if said.status is None else said.status
        self.paused = self.paused if said.paused is None else said.paused
        self.in_call = self.in_call if said.in_call is None else said.in_call
        self.last_call = self.last_call if said.last_call is None else said.last_call
        self.wrap_up = self.wrap_up if said.wrap_up is None else said.wrap_up


@dataclass(slots=True)
class Agents:
    """The members of every queue. unknown_is_free: take a call to a device of unknown state for possible.

    wrap_up_seconds: the queues' own wrapuptime, which AMI does not tell; a member's own goes before it.
    """

    unknown_is_free: bool = False
    wrap_up_seconds: float = 0.0
    _members: dict[str, dict[str, _Agent]] = field(default_factory=dict)

    def learn(self, said: Member) -> None:
        """Take over what an event says of one member."""
        members = self._members.setdefault(said.queue, {})
        if said.removed:
            members.pop(said.interface, None)
        else:
            members.setdefault(said.interface, _Agent(said.name)).learn(said)

    def replace(self, queues: Iterable[str], said: Iterable[Member], touched: frozenset[tuple[str, str]]) -> None:
        """Take over a list of all queues' members; those of whom events came meanwhile are newer and stay."""
        before, self._members = self._members, {queue: {} for queue in queues}
        for queue, interface in touched:
            if (agent := before.get(queue, {}).get(interface)) and queue in self._members:
                self._members[queue][interface] = agent
        for member in said:
            if (member.queue, member.interface) not in touched:
                known = before.get(member.queue, {}).get(member.interface)
                if member.in_call is None and known is not None:  # an Asterisk that does not list it
                    self.learn(member._replace(in_call=known.in_call))
                else:
                    self.learn(member)

    def take(self, queue: str, interface: str, name: str) -> None:
        """A member has a caller."""
        self._members.setdefault(queue, {}).setdefault(interface, _Agent(name)).in_call = True

    def finish(self, queue: str, interface: str, at: float) -> None:
        """A member's call is over."""
        if agent := self._members.get(queue, {}).get(interface):
            agent.in_call, agent.last_call = False, int(at)

    def talks(self, queue: str) -> dict[str, Talk]:
        """Return the calls of a queue that are going on, by the agent's interface."""
        members = self._members.get(queue, {})
        return {name: Talk(agent.name, agent.last_call) for name, agent in members.items() if agent.in_call}

    def logged_in(self, queue: str) -> int:
        """Return what Asterisk calls LoggedIn: members whose device can be reached, those on a break among them."""
        return sum(agent.status not in _GONE for agent in self._members.get(queue, {}).values())

    def staffing(self, queue: str, at: float) -> Staffing:
        """Return the queue's agents at an instant of Asterisk's clock."""
        members = self._members.get(queue, {})
        kinds = Counter(self._kind(interface, agent, at) for interface, agent in members.items())
        available, busy = kinds[_Kind.AVAILABLE], kinds[_Kind.BUSY]
        return Staffing(busy + available, available, busy, sum(agent.in_call for agent in members.values()))

    def _kind(self, interface: str, agent: _Agent, at: float) -> "_Kind":
        if agent.in_call:
            return _Kind.BUSY
        if agent.paused or agent.status in _GONE:
            return _Kind.NOWHERE
        if agent.status == _UNKNOWN:
            if self._on_any_call(interface):
                return _Kind.BUSY
            if not self.unknown_is_free:
                return _Kind.NOWHERE
        elif agent.status != _FREE:
            return _Kind.BUSY
        wraps_up = agent.last_call > 0 and at < agent.last_call + (agent.wrap_up or self.wrap_up_seconds)
        return _Kind.BUSY if wraps_up else _Kind.AVAILABLE

    def _on_any_call(self, interface: str) -> bool:
        members = (queue.get(interface) for queue in self._members.values())
        return any(member.in_call for member in members if member is not None)


class _Kind(Enum):
    NOWHERE = auto()
    AVAILABLE = auto()
    BUSY = auto()
