"""Which column of a schedule's file says what: as its user names them, or by the headings that exports have."""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from app.core.gate.fields import listed, shown
from app.core.problem import Problem
from app.core.staffing.refused import StaffingRefused
from app.core.staffing.table import Row, Table

HEADER_WITHIN = 25


class Role(StrEnum):
    """What a column says. START: date and time at once; or DATE and TIME, each in a column of its own."""

    START = "start"
    DATE = "date"
    TIME = "time"
    END = "end"
    AGENTS = "agents"
    QUEUE = "queue"


# Headings by letters and digits alone, the best first. Agents: net of breaks and absence before merely scheduled ones.
# "Net staffing" is not among them: exports mean by it how many are too many or too few.
HEADINGS: Mapping[Role, Sequence[str]] = {
    Role.START: (
        "startsat", "startdatetime", "starttimestamp", "datetime", "dateandtime", "datetimestart", "timestamp",
        "intervalstart", "intervalstarttime", "periodstart", "intervaldatetime", "start", "starttime", "begin", "from",
        "interval", "time", "beginn", "zeitpunkt",
    ),
    Role.DATE: (
        "date", "scheduledate", "shiftdate", "intervaldate", "startdate", "businessdate", "day", "datum", "tag",
    ),
    Role.TIME: (
        "time", "interval", "intervalstart", "intervalstarttime", "starttime", "timeofday", "intervaltime", "period",
        "periodstart", "start", "begin", "from", "halfhour", "quarterhour", "timeinterval", "uhrzeit", "zeit", "von",
        "intervall", "beginn",
    ),
    Role.END: (
        "endsat", "enddatetime", "endtimestamp", "intervalend", "intervalendtime", "periodend", "endtime", "end", "to",
        "until", "stop", "bis", "ende",
    ),
    Role.AGENTS: (
        "open", "agentsopen", "openagents", "openpositions", "positionsopen", "netagents", "agentsnet", "netscheduled",
        "scheduledopen", "scheduledopenagents", "scheduledopenstaff", "agentsavailable", "availableagents", "available",
        "staffed", "agentsstaffed", "staffedagents", "staffing", "agents", "scheduled", "agentsscheduled", "sched",
        "scheduledagents", "scheduledstaff", "scheduledstaffing", "scheduledheadcount", "scheduledfte", "positions",
        "headcount", "staff", "fte", "agenten", "geplant", "besetzung", "anwesend",
    ),
    Role.QUEUE: (
        "queue", "queuename", "skill", "skillname", "splitskill", "split", "workgroup", "workgroupname", "skillgroup",
        "contacttype", "ctname", "planninggroup", "planningunit", "staffgroup", "staffgroupname", "agentgroup", "group",
        "lob", "lineofbusiness", "activity", "warteschlange", "gruppe",
    ),
}  # fmt: skip
Columns = Mapping[Role, int]


def find_columns(table: Table, named: Mapping[Role, str]) -> tuple[Row, Columns]:
    """Return the header's row and the place of each column that is there; what the user named must be there.

    The header is the first of the file's first lines in which a time and agents can be told: titles may stand above it.
    Raises StaffingRefused, and says what was looked for.
    """
    first: Problem | None = None
    for row in table.rows[:HEADER_WITHIN]:
        columns = _columns_of(row, named)
        fault = _unknown(row, named) or _missing(columns)
        if not fault:
            if doubles := list(_doubles(row, columns, named)):
                raise StaffingRefused(doubles)
            return row, columns
        first = first or Problem(f"/lines/{row.line}", f"line {row.line}: {fault}{_headings(row)}")
    raise StaffingRefused([first or Problem("", "the file has no lines")])


def _columns_of(row: Row, named: Mapping[Role, str]) -> dict[Role, int]:
    keys = [_key(cell) for cell in row.cells]
    found = {role: keys.index(_key(name)) for role, name in named.items() if _key(name) in keys}

    def look_for(role: Role) -> None:
        """Note the column of a role that was not named: the one whose heading fits best, where one does."""
        place = found.get(role, _best(keys, HEADINGS[role], taken=set(found.values())))
        if role not in named and place is not None:
            found[role] = place

    if Role.START not in named:
        look_for(Role.DATE)
        look_for(Role.TIME if Role.DATE in found else Role.START)
        if Role.DATE in found and Role.TIME not in found:
            found[Role.START] = found.pop(Role.DATE)  # a column called Date that has the time as well
    for role in (Role.END, Role.AGENTS, Role.QUEUE):
        look_for(role)
    return found


def _best(keys: Sequence[str], headings: Sequence[str], taken: set[int]) -> int | None:
    places = [place for heading in headings for place, key in enumerate(keys) if key == heading and place not in taken]
    return places[0] if places else None


def _missing(columns: Columns) -> str:
    """Return what cannot be told for want of a column, "" when nothing."""
    timed = Role.START in columns or {Role.DATE, Role.TIME} <= columns.keys()
    if timed and Role.AGENTS in columns:
        return ""
    if timed:
        return "no column has the agents (open, staffed, scheduled, …)"
    when = "when an interval begins (a timestamp, or a date and a time)"
    return f"no column has {when}" if Role.AGENTS in columns else f"no column has the agents, and none has {when}"


def _unknown(row: Row, named: Mapping[Role, str]) -> str:
    keys = {_key(cell) for cell in row.cells}
    unknown = [shown(name) for name in named.values() if _key(name) not in keys]
    return f"there is no column {listed(unknown)}" if unknown else ""


def _doubles(row: Row, columns: Columns, named: Mapping[Role, str]) -> Iterator[Problem]:
    keys = [_key(cell) for cell in row.cells]
    for role, place in columns.items():
        if keys.count(keys[place]) > 1:
            detail = f"line {row.line}: {keys.count(keys[place])} columns are called {shown(row.cells[place])}"
            yield Problem(f"/lines/{row.line}", f"{detail}, so the {role} cannot be told; name them apart")
    if len(set(columns.values())) < len(columns):
        twice = listed([shown(name) for name in named.values()])
        yield Problem(f"/lines/{row.line}", f"line {row.line}: one column cannot say two things; you named {twice}")


def _headings(row: Row) -> str:
    cells = [cell for cell in row.cells if cell]
    said = ", ".join(shown(cell) for cell in cells[:12])
    return f"; it has {said}. Name the columns yourself, as agents_column=Open"


def _key(heading: str) -> str:
    return re.sub(r"[^0-9a-zäöüßéèà]", "", heading.lower())
