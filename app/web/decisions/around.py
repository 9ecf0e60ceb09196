"""What both logs need from the services: the reader of their lines, and pages of any length as a file."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Self, TypeVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.requests import Request

from app.services.container import Services
from app.web.decisions.filters import Asked, SpanQuery, shown_zone
from app.web.decisions.view import Reader
from app.web.now.boards import present
from app.web.now.views import zone_of

SHOWN = 50
FILE_PAGE = 500
OWN = frozenset({"before", "after", "format"})
Row = TypeVar("Row")


async def reader_of(services: Services, query: SpanQuery) -> Reader:
    """Return for whom a log is written: in the zone of its gate, or of the gate shown first."""
    _published, state = present(services, query.gate)
    _published, usual = (_published, state) if state else present(services, None)
    center = zone_of(usual) if usual else ZoneInfo("UTC")
    titles = {queue: own.title for queue, own in services.evaluator.floor.targets.items() if own.title}
    people = {user.id: user.name for user in await services.accounts.all()}
    names = people | {key.id: key.name for key in await services.keys.all()}
    return Reader(names, titles, shown_zone(query.zone, center), services.clock.now())


async def every_page(
    page: Callable[..., Awaitable[Sequence[Row]]],
    cells: Callable[[Row], Sequence[object]],
    place: Callable[[Row], object],
) -> AsyncIterator[Sequence[Sequence[object]]]:
    """Yield all rows there are, newest first, in pages of cells. page(limit=…, before=…) reads one."""
    rows = await page(limit=FILE_PAGE)
    yield [cells(row) for row in rows]
    while len(rows) == FILE_PAGE and (rows := await page(limit=FILE_PAGE, before=place(rows[-1]))):
        yield [cells(row) for row in rows]


@dataclass(frozen=True, slots=True)
class Leaf(Generic[Row]):
    """One page of a log: its rows, and where the next newer and older ones are; None where there are none."""

    rows: Sequence[Row]
    newer: str | None
    older: str | None
    newest: str | None

    @classmethod
    def of(cls, request: Request, path: str, found: Sequence[Row], asked: Asked, place: Callable[[Row], str]) -> Self:
        """Return the page of what was found, which is one row more than is shown where more follow."""
        is_backward, is_more = "after" in asked.place, len(found) > SHOWN
        rows = found[-SHOWN:] if is_backward else found[:SHOWN]
        has_newer = is_more if is_backward else "before" in asked.place
        return cls(
            rows,
            newer=_link(request, path, after=place(rows[0])) if rows and has_newer else None,
            older=_link(request, path, before=place(rows[-1])) if rows and (is_backward or is_more) else None,
            newest=_link(request, path) if asked.place else None,
        )


def _link(request: Request, path: str, **members: str) -> str:
    """Return the URL of another page of the same log: the same query with another place in it."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in OWN]
    return f"{path}?{urlencode([*kept, *members.items()])}"
