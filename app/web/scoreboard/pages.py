"""The scoreboard at `/scoreboard`: what the sends cost the floor, and what the floor cost the sends."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from app.core.debrief.scoreboard import Line
from app.services.scoreboard_shapes import line_shape
from app.web.campaigns.desk import DeskDep, zone_of_gate
from app.web.exports import Row as FileRow
from app.web.exports import Sheet
from app.web.format import iso, zone_name
from app.web.scoreboard.span import PRESETS, BoardQuery, Days, days_of, order_of, ordered
from app.web.scoreboard.view import row, tiles
from app.web.visitors import Visitor

INVALID = 422
DEFAULT_GATE = "default"
COLUMNS = (
    *("campaign", "title", "gate", "kind", "began_at", "is_final", "is_waiting", "never_went", "messages"),
    *("contacts", "per_1000", "per_1000_low", "per_1000_high", "is_distinguishable"),
    *("slam_minutes", "avoided_minutes", "wanted_at", "granted_at", "delay_seconds"),
    *("notice_asked_minutes", "notice_minutes", "keeps_notice", "is_briefed", "complaints"),
    *("new", "lost", "kept", "net", "currency"),
)
SHEET = Sheet("scoreboard", COLUMNS)

router = APIRouter()


@router.get("/scoreboard")
async def show_scoreboard(desk: DeskDep, who: Visitor, query: Annotated[BoardQuery, Query()]) -> Response:
    """Return the scoreboard of some days, or its campaigns as a file."""
    services = desk.services
    now, gates = services.clock.now(), sorted(services.evaluator.published.gates)
    zone = zone_of_gate(services, query.gate or (DEFAULT_GATE if DEFAULT_GATE in gates else next(iter(gates), "")))
    days = days_of(query, now, zone)
    board = await services.scoreboards.board(days.start, days.end, query.gate or None)
    lines = ordered(board.lines, query.sort)
    if query.format and not days.faults:
        return SHEET.answer(query.format, (_cells(each) for each in lines), now)
    return desk.page(
        "pages/scoreboard.html",
        status=INVALID if days.faults else 200,
        query=query,
        days=days,
        presets=_presets(desk.request, days, query),
        order=order_of(query.sort),
        head=_Head(desk.request, query.sort),
        tiles=tiles(board.totals),
        totals=board.totals,
        rows=[row(each, zone) for each in lines],
        is_valued=any(each.figures for each in lines),
        gates=gates,
        zone=(zone_name(now, zone), iso(now)),
        may_value=who.may("campaigns"),
    )


def _cells(line: Line) -> FileRow:
    shape = line_shape(line)
    return [shape[name] for name in COLUMNS]


def _presets(request: Request, days: Days, query: BoardQuery) -> list[tuple[str, str, bool]]:
    """Return (words, where they lead, whether that is shown) for the spans up to today that are asked for most."""
    bare, is_today = request.url.remove_query_params(["from", "to", "format"]), not query.until
    found = []
    for count in PRESETS:
        first = date.fromordinal(days.today.toordinal() - count + 1)
        url = bare.include_query_params(**{"from": first.isoformat()})
        found.append((f"{count} days", f"{url.path}?{url.query}", is_today and days.count == count))
    return found


class _Head:
    """Where the headings of columns lead, and how the table is ordered by them."""

    def __init__(self, request: Request, sort: str) -> None:
        self._url = request.url.remove_query_params(["sort", "format"])
        self._name, self._is_down = order_of(sort)

    def href(self, name: str) -> str:
        """Return where a column's heading leads: the largest first, and the other way at the second press."""
        goes_down = not (self._name == name and self._is_down)
        url = self._url.include_query_params(sort=f"-{name}" if goes_down else name)
        return f"{url.path}?{url.query}"

    def sorted(self, name: str) -> str:
        """Return aria-sort of a column, "" for one that the table is not ordered by."""
        if name != self._name:
            return ""
        return "descending" if self._is_down else "ascending"
