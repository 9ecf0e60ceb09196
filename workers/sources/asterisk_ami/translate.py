"""What one AMI message says of queues, members and callers, as values. Pure.

Fields as app_queue.c writes them; whole seconds unless said otherwise. What is left unread, and why:

* Holdtime, TalkTime of QueueParams and QueueSummary: integer moving averages over all calls ever, (3 x old + new) / 4.
  They stand still while nobody is answered, so they look best when things are worst.
* Completed, Abandoned, ServicelevelPerf: counted since the last reset, reload or restart, over no window.
* RingTime: seconds in AgentConnect, milliseconds in AgentRingNoAnswer. Nothing here needs it.
* LoggedIn counts members on a break too, Available those whose device is not known to be free (UNKNOWN): agents are
  counted from the members themselves, see agents.py; LoggedIn serves only to notice that something was missed.
* QueueCallerLeave comes after an answer as after any other end, so it ends no wait by itself: see stays.py.
"""

import re
from typing import NamedTuple, TypeAlias

from app.core.floor.fields import good_name
from workers.sources.asterisk_ami.frames import Message
from workers.systems.faults import TranslateError

LONGEST_SECONDS = 7 * 86_400
_EARLIEST, _LATEST = 315_532_800.0, 4_102_444_800.0  # 1980 to 2100; Asterisk is younger
_WHOLE = re.compile(r"[0-9]{1,12}")
_INSTANT = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")


class Joined(NamedTuple):
    """A caller came into a queue. at: Asterisk's time, epoch seconds; None where it does not stamp its events."""

    queue: str
    call: str
    at: float | None


class Left(NamedTuple):
    """A caller is no longer in line: answered, gone or sent elsewhere."""

    queue: str
    call: str
    at: float | None


class Abandoned(NamedTuple):
    """A wait ended unanswered: hung up, timed out, no agent left, withdrawn, or no common codec."""

    queue: str
    call: str
    at: float | None
    waited: int


class Connected(NamedTuple):
    """An agent has the caller."""

    queue: str
    call: str
    at: float | None
    waited: int
    interface: str
    agent: str


class Completed(NamedTuple):
    """The talk is over. by: "caller", "agent" or "transfer"."""

    queue: str
    call: str
    at: float | None
    waited: int
    talked: int
    interface: str
    agent: str
    by: str


class Member(NamedTuple):
    """An agent of a queue, as far as a message says: None where it says nothing. status: 0 to 8, see agents.py.

    last_call: when the last call ended, Asterisk's epoch seconds; 0: none yet. removed: no longer a member.
    """

    queue: str
    interface: str
    name: str
    status: int | None = None
    paused: bool | None = None
    in_call: bool | None = None
    last_call: int | None = None
    wrap_up: int | None = None
    removed: bool = False


class Listed(NamedTuple):
    """A queue that is there."""

    queue: str


class Waiting(NamedTuple):
    """A caller in line, and how long so far."""

    queue: str
    call: str
    waited: int


class Summary(NamedTuple):
    """How many callers are in a queue's line, and members whose device can be reached."""

    queue: str
    callers: int
    logged_in: int


Happened: TypeAlias = Joined | Left | Abandoned | Connected | Completed | Member
Told: TypeAlias = Listed | Member | Waiting | Summary

_MEMBER_EVENTS = frozenset(
    {
        "QueueMemberStatus", "QueueMemberAdded", "QueueMemberRemoved", "QueueMemberPause", "QueueMemberPenalty",
        "QueueMemberRinginuse",
        "QueueMemberPaused",  # before Asterisk 12.2
    }
)  # fmt: skip
OF_QUEUES = _MEMBER_EVENTS | {
    "QueueCallerJoin", "QueueCallerLeave", "QueueCallerAbandon", "AgentConnect", "AgentComplete", "AgentCalled",
    "AgentDump", "AgentRingNoAnswer",
}  # fmt: skip


def happened(message: Message) -> Happened | None:
    """Return what an event tells; None when it is none of those that matter. Raises TranslateError.

    Left out on purpose: AgentCalled, AgentRingNoAnswer and AgentDump, after which the caller waits on.
    """
    event = message.get("event", "")
    if event in _MEMBER_EVENTS:
        return _member(message, removed=event == "QueueMemberRemoved")
    return _of_caller(event, message)


def _of_caller(event: str, message: Message) -> Happened | None:
    match event:
        case "QueueCallerJoin":
            return Joined(*_call(message))
        case "QueueCallerLeave":
            return Left(*_call(message))
        case "QueueCallerAbandon":
            return Abandoned(*_call(message), _seconds(message, "holdtime"))
        case "AgentConnect":
            return Connected(*_call(message), _seconds(message, "holdtime"), *_agent(message))
        case "AgentComplete":
            durations = _seconds(message, "holdtime"), _seconds(message, "talktime")
            return Completed(*_call(message), *durations, *_agent(message), message.get("reason", ""))
        case _:
            return None


def told(message: Message) -> Told | None:
    """Return what one item of a list tells (QueueStatus, QueueSummary); None for others. Raises TranslateError."""
    match message.get("event", ""):
        case "QueueParams":
            return Listed(_name(message, "queue"))
        case "QueueMember":
            return _member(message)
        case "QueueEntry":
            queue, call, _ = _call(message)
            return Waiting(queue, call, _seconds(message, "wait"))
        case "QueueSummary":
            return Summary(_name(message, "queue"), _whole(message, "callers"), _whole(message, "loggedin"))
        case _:
            return None


def stamped(message: Message) -> float | None:
    """Return a message's Timestamp in epoch seconds, None without a sensible one."""
    text = message.get("timestamp", "")
    at = float(text) if _INSTANT.fullmatch(text) else 0.0
    return at if _EARLIEST <= at < _LATEST else None


def _call(message: Message) -> tuple[str, str, float | None]:
    return _name(message, "queue"), _name(message, "uniqueid"), stamped(message)


def _agent(message: Message) -> tuple[str, str]:
    interface = _name(message, "interface", "location")
    return interface, message.get("membername") or message.get("name") or interface


def _member(message: Message, *, removed: bool = False) -> Member:
    return Member(
        _name(message, "queue"),
        *_agent(message),
        status=_optional(message, "status"),
        paused=_flag(message, "paused"),
        in_call=_flag(message, "incall"),
        last_call=_optional(message, "lastcall"),
        wrap_up=_optional(message, "wrapuptime"),
        removed=removed,
    )


def _name(message: Message, *headers: str) -> str:
    value = next((message[header] for header in headers if message.get(header)), "")
    if not good_name(value):
        raise _fault(message, headers[0], "is absent, longer than 128 characters or not printable")
    return value


def _flag(message: Message, header: str) -> bool | None:
    value = _optional(message, header)
    return None if value is None else value != 0


def _optional(message: Message, header: str) -> int | None:
    return _whole(message, header) if message.get(header) else None


def _seconds(message: Message, header: str) -> int:
    value = _whole(message, header)
    if value > LONGEST_SECONDS:
        raise _fault(message, header, "is longer than seven days")
    return value


def _whole(message: Message, header: str) -> int:
    value = message.get(header, "")
    if not _WHOLE.fullmatch(value):
        raise _fault(message, header, "is not a whole number")
    return int(value)


def _fault(message: Message, header: str, what: str) -> TranslateError:
    return TranslateError(f"{header} of {_known(message.get('event', ''))} {what}")


def _known(event: str) -> str:
    """Return an event's name where it is one of app_queue's: anything else might hold anything."""
    return event if event in OF_QUEUES or event in _LISTS else "an event"


_LISTS = frozenset({"QueueParams", "QueueMember", "QueueEntry", "QueueSummary"})
