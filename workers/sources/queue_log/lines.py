"""One line of an Asterisk queue_log, taken apart. Pure.

`epoch|callid|queue|agent|event|data1|data2|...`, as ast_queue_log() in Asterisk's main/logger.c writes it. Only the
first five fields are the same for every event and every version; what follows varies in number (ATTENDEDTRANSFER),
grew over time (1.4-era rows are shorter) and in ENTERQUEUE holds the caller's number, so it is not kept.
"""

import re
from typing import NamedTuple

from app.core.floor.fields import good_name

NONE = "NONE"
NO_CALLS = frozenset({NONE, "REALTIME", "MANAGER", "CLI"})  # who caused an event where no call did

_FIELDS = 5
_EARLIEST = 315_532_800  # 1980-01-01; Asterisk is younger
_LATEST = 4_102_444_800  # 2100-01-01
_EVENT = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_EPOCH = re.compile(r"[0-9]{1,12}")


class Line(NamedTuple):
    """One line. at: seconds since 1970 UTC. queue and agent: "NONE" when the event has none.

    callid is the call's uniqueid or one of NO_CALLS. paused: of ADDMEMBER only, the member joined on a break.
    """

    at: int
    callid: str
    queue: str
    agent: str
    event: str
    paused: bool = False


class Malformed(NamedTuple):
    """Why a line could not be taken apart; never quotes the line, which may hold a caller's number."""

    reason: str


def parse_line(text: str) -> Line | Malformed:
    """Return the line's parts, or what is wrong with it."""
    # Where a file was cut short under a writer that does not append, it begins with NUL bytes.
    fields = text.strip("\x00\r\n").split("|", _FIELDS)
    if len(fields) < _FIELDS:
        return Malformed(f"has {len(fields)} fields, at least {_FIELDS} are needed")
    epoch, callid, queue, agent, event = (part.strip() for part in fields[:_FIELDS])
    if not _EPOCH.fullmatch(epoch) or not _EARLIEST <= int(epoch) < _LATEST:
        return Malformed("the first field is not seconds since 1970 between the years 1980 and 2100")
    if not _EVENT.fullmatch(event):
        return Malformed("the fifth field is not an event's name")
    if not (good_name(callid) and good_name(queue) and (agent == "" or good_name(agent))):
        return Malformed("call, queue or agent is empty, longer than 128 characters or not printable")
    paused = event == "ADDMEMBER" and fields[_FIELDS:] == ["PAUSED"]
    return Line(int(epoch), callid, queue, agent, event, paused)
