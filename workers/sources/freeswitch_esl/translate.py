"""What an event or a table of mod_callcenter says, as values. Pure.

Times are FreeSWITCH's, epoch seconds. What is left unread, and why: calls_answered and calls_abandoned of the list of
queues count since the module was loaded, and abandoned calls among them that timed out or pressed a key; CC-Count is
the number of those waiting after each change, which the list of members gives with their names.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from app.core.floor.fields import good_name
from workers.sources.freeswitch_esl.tables import rows
from workers.systems.faults import TranslateError

SUBCLASS = "callcenter::info"
WAITING = frozenset({"Waiting", "Trying"})
ANSWERED, ABANDONED = "Answered", "Abandoned"
_STATES = WAITING | {ANSWERED, ABANDONED}
_EARLIEST, _LATEST = 315_532_800, 4_102_444_800  # 1980 to 2100
_WHOLE = re.compile(r"[0-9]{1,18}")


class Came(NamedTuple):
    """A caller came into a queue; again: one who had given up, and takes the old place."""

    queue: str
    member: str
    at: float
    again: bool


class Reached(NamedTuple):
    """An agent took the call; whether the two get connected is seen a moment later."""

    queue: str
    member: str
    at: float
    agent: str


class Parted(NamedTuple):
    """An agent's part is over; connected: the two did talk."""

    queue: str
    member: str
    at: float
    connected: bool


class Gone(NamedTuple):
    """The stay is over. why: "" after a talk, else the reason that a wait was cancelled for.

    answered_at, agent: of the talk, where there was one.
    """

    queue: str
    member: str
    at: float
    why: str
    answered_at: float | None = None
    agent: str | None = None


class AgentChanged(NamedTuple):
    """An agent's status or state, whichever changed."""

    agent: str
    status: str | None
    state: str | None


class Member(NamedTuple):
    """A row of the list of members: joined at, answered at, gone at; 0 where that has not happened."""

    queue: str
    member: str
    joined: int
    rejoined: int
    answered: int
    gone: int
    agent: str
    state: str


class Agent(NamedTuple):
    """A row of the list of agents. ready_at: not offered calls before; free_at: done with the last call's wrap-up."""

    name: str
    status: str
    state: str
    ready_at: int
    free_at: int
    elsewhere: bool


class Tier(NamedTuple):
    """An agent's place in a queue."""

    queue: str
    agent: str


Happened: TypeAlias = Came | Reached | Parted | Gone | AgentChanged


def happened(event: Mapping[str, str]) -> Happened | None:
    """Return what an event tells; None when it is none of those that matter. Raises TranslateError."""
    if event.get("event-subclass") != SUBCLASS:
        return None
    read = _ACTIONS.get(event.get("cc-action", ""))
    return None if read is None else read(event)


def queues(body: bytes) -> list[str]:
    """Return the names in a list of queues. Raises TranslateError."""
    return [_listed(row, "name") for row in _all(rows(body, "queues", ["name"]), "queues")]


def members(body: bytes) -> list[Member]:
    """Return the rows of a list of members. Raises TranslateError: of a list that is not whole nothing is believed."""
    columns = [
        "queue", "uuid", "joined_epoch", "rejoined_epoch", "bridge_epoch", "abandoned_epoch", "serving_agent", "state",
    ]  # fmt: skip
    return [_listed_member(row) for row in _all(rows(body, "members", columns), "members")]


def agents(body: bytes) -> list[Agent]:
    """Return the rows of a list of agents. Raises TranslateError."""
    columns = ["name", "status", "state", "wrap_up_time", "last_bridge_end", "ready_time"]
    with_calls = b"external_calls_count" in body.partition(b"\n")[0]
    wanted = [*columns, "external_calls_count"] if with_calls else columns
    return [
        Agent(
            _listed(row, "name"),
            row["status"],
            row["state"],
            _whole(row, "ready_time"),
            (ended + _whole(row, "wrap_up_time")) if (ended := _whole(row, "last_bridge_end")) else 0,
            with_calls and _whole(row, "external_calls_count") > 0,
        )
        for row in _all(rows(body, "agents", wanted), "agents")
    ]


def tiers(body: bytes) -> list[Tier]:
    """Return the rows of a list of tiers. Raises TranslateError."""
    columns = ["queue", "agent"]
    return [Tier(_listed(row, "queue"), _listed(row, "agent")) for row in _all(rows(body, "tiers", columns), "tiers")]


def clock(body: bytes) -> int | None:
    """Return the epoch seconds that `strepoch` tells, None when it tells none."""
    text = body.decode(errors="replace").strip()
    at = int(text) if _WHOLE.fullmatch(text) else 0
    return at if _EARLIEST <= at < _LATEST else None


def _came(event: Mapping[str, str]) -> Came:
    return Came(*_member(event), _stamp(event), again=event["cc-action"].endswith("resume"))


def _reached(event: Mapping[str, str]) -> Reached:
    return Reached(*_member(event), _time(event, "cc-agent-answered-time"), _name(event, "cc-agent"))


def _parted(event: Mapping[str, str]) -> Parted:
    return Parted(*_member(event), _stamp(event), event.get("cc-agent-bridged", "true") == "true")


def _gone(event: Mapping[str, str]) -> Gone:
    at = _time(event, "cc-member-leaving-time")
    if event.get("cc-cause") == "Cancel":
        return Gone(*_member(event), at, event.get("cc-cancel-reason", "") or "NONE")
    return Gone(*_member(event), at, "", _time(event, "cc-agent-answered-time"), _name(event, "cc-agent"))


def _status(event: Mapping[str, str]) -> AgentChanged:
    return AgentChanged(_name(event, "cc-agent"), _name(event, "cc-agent-status"), None)


def _state(event: Mapping[str, str]) -> AgentChanged:
    return AgentChanged(_name(event, "cc-agent"), None, _name(event, "cc-agent-state"))


_ACTIONS: Mapping[str, Callable[[Mapping[str, str]], Happened]] = {
    "member-queue-start": _came,
    "member-queue-resume": _came,
    "bridge-agent-start": _reached,
    "bridge-agent-end": _parted,
    "member-queue-end": _gone,
    "agent-status-change": _status,
    "agent-state-change": _state,
}


def _listed_member(row: Mapping[str, str]) -> Member:
    if row["state"] not in _STATES:
        raise TranslateError("the list of members has a state that is not known")
    joined = _whole(row, "joined_epoch")
    if not _EARLIEST <= joined < _LATEST:
        raise TranslateError("joined_epoch of the list of members is no time")
    return Member(
        _listed(row, "queue"),
        _listed(row, "uuid"),
        joined,
        _whole(row, "rejoined_epoch"),
        _whole(row, "bridge_epoch"),
        _whole(row, "abandoned_epoch"),
        row["serving_agent"],
        row["state"],
    )


def _all(found: Iterator[Mapping[str, str] | None], what: str) -> Sequence[Mapping[str, str]]:
    whole = []
    for row in found:
        if row is None:
            raise TranslateError(f"the list of {what} has a row with other columns than its first line names")
        whole.append(row)
    return whole


def _member(event: Mapping[str, str]) -> tuple[str, str]:
    return _name(event, "cc-queue"), _name(event, "cc-member-uuid")


def _name(event: Mapping[str, str], header: str) -> str:
    value = event.get(header, "")
    if not good_name(value):
        raise TranslateError(f"{header} of an event is absent, longer than 128 characters or not printable")
    return value


def _listed(row: Mapping[str, str], column: str) -> str:
    value = row[column]
    if not good_name(value):
        raise TranslateError(f"{column} of a list is empty, longer than 128 characters or not printable")
    return value


def _time(event: Mapping[str, str], header: str) -> float:
    value = event.get(header, "")
    if not _WHOLE.fullmatch(value) or not _EARLIEST <= int(value) < _LATEST:
        raise TranslateError(f"{header} of an event is no time")
    return float(value)


def _stamp(event: Mapping[str, str]) -> float:
    """Return when an event happened; FreeSWITCH stamps it in microseconds."""
    value = event.get("event-date-timestamp", "")
    if not _WHOLE.fullmatch(value) or not _EARLIEST <= int(value) / 1e6 < _LATEST:
        raise TranslateError("event-date-timestamp of an event is no time")
    return int(value) / 1e6


def _whole(row: Mapping[str, str], column: str) -> int:
    value = row[column] or "0"
    if not _WHOLE.fullmatch(value):
        raise TranslateError(f"{column} of a list is not a whole number")
    return min(int(value), _LATEST)
