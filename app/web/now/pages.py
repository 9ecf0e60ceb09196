"""The board at `/`, and its pieces alone: what a script fetches when no live socket is to be had, or for who asks."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.core.floor.metric import DEFINITIONS, Metric
from app.core.floor.view import FloorView
from app.services.container import Services
from app.services.published import GateState
from app.web.assets import asset_url
from app.web.history.choice import DRAWN, RANGES, Behind, Choice, Layer, read_choice
from app.web.now.boards import present
from app.web.now.checks import check_rows
from app.web.now.logs import asked_of, log_of
from app.web.now.tiles import Sight, tile
from app.web.now.views import (
    ROWS_IN_SIGHT,
    panel_of,
    queues_in_sight,
    sight_of,
    titles_of,
    watched_queues,
)
from app.web.outlook.chart import METRICS
from app.web.outlook.sendings import reader_of, sendings
from app.web.outlook.view import headline
from app.web.tools import NOT_FOUND, GateQuery, ServicesDep, ToolsDep
from app.web.twins.words import shown_twins
from app.web.visitors import Visit, Visitor

NO_STORE = {"Cache-Control": "no-store"}
LAYER_WORDS = {
    Layer.HELD: ("▮", "Held"),
    Layer.SENDS: ("↑", "Sends"),
    Layer.NOTES: ("★", "Notes"),
    Layer.DEPLOYS: ("⬟", "Deploys"),
    Layer.CHANGES: ("✚", "Overrides and policies"),
    Layer.GAPS: ("▬", "No data"),
    Layer.OUTLOOK: ("◗", "Outlook"),
}
BEHIND_WORDS = {Behind.YESTERDAY: ("┄", "Yesterday"), Behind.LAST_WEEK: ("╌", "Last week")}
ACTING = ("campaigns", "permits", "policies")

router = APIRouter()


class BoardQuery(GateQuery):
    """A board's URL: its gate, and what its charts show. A choice that does not exist is not an error."""

    queue: str = ""
    range: str = ""
    behind: str | None = None
    hide: str = ""


@router.get("/")
async def show_board(
    request: Request, who: Visitor, services: ServicesDep, tools: ToolsDep, query: Annotated[BoardQuery, Query()]
) -> Response:
    """Return the whole page."""
    published, state = present(services, query.gate)
    if state is None:
        return tools.no_gate(request, query.gate)
    shown = await tools.boards.of(services, state, published)
    return tools.page(
        request,
        "pages/board.html",
        board=shown,
        auth=services.settings.auth == "on",
        may_make_keys=who.may("admin"),
        origin=f"{request.url.scheme}://{request.headers.get('host', 'localhost')}",
        definitions=list(DEFINITIONS.values()),
        twins=tools.twins and shown_twins(tools.twins(), present(services, None)[1]),
        acting=_acting(who),
        **_charts(services, state, query),
        **_outlook(services, state),
        **await log_of(services, state, who),
        **await asked_of(services, state),
    )


@router.get("/partials/board")
async def show_board_alone(
    _: Visitor, services: ServicesDep, tools: ToolsDep, query: Annotated[GateQuery, Query()]
) -> Response:
    """Return verdict, checks and tiles as one piece of HTML."""
    published, state = present(services, query.gate)
    if state is None:
        return Response(status_code=NOT_FOUND)
    return HTMLResponse(await tools.boards.html(services, state, published), headers=NO_STORE)


@router.get("/partials/checks")
async def show_other_checks(
    request: Request, _: Visitor, services: ServicesDep, tools: ToolsDep, query: Annotated[GateQuery, Query()]
) -> Response:
    """Return the checks that the board leaves out of sight, all of them fine."""
    _published, state = present(services, query.gate)
    if state is None:
        return Response(status_code=NOT_FOUND)
    panel = panel_of(state, titles_of(services.evaluator.floor.targets), services.clock.now())
    rows = check_rows(panel)[len(check_rows(panel, ROWS_IN_SIGHT)) :]
    return tools.page(request, "partials/checks.html", rows=rows)


@router.get("/partials/queues")
async def show_other_queues(
    request: Request, _: Visitor, services: ServicesDep, tools: ToolsDep, query: Annotated[GateQuery, Query()]
) -> Response:
    """Return the queues that have no tile on the board, as a table."""
    published, state = present(services, query.gate)
    if state is None:
        return Response(status_code=NOT_FOUND)
    sight = sight_of(state, published.view, services.clock.now())
    titles = titles_of(services.evaluator.floor.targets)
    others = _others(sight, watched_queues(state, published.view))
    tiles = [tile(sight, queue, titles.get(queue, queue), None) for queue in others]
    return tools.page(request, "partials/queues.html", tiles=tiles)


@router.get("/favicon.ico")
async def favicon() -> Response:
    """Lead browsers that ask at the root to the mark of the state nobody has looked at."""
    return RedirectResponse(asset_url("favicons/unknown.svg"))


def _others(sight: Sight, watched: tuple[str, ...]) -> list[str]:
    seen = set(queues_in_sight(sight, watched))
    return sorted((queue for queue in watched if queue not in seen), key=sight.place)


def _acting(who: Visit) -> str:
    """Return what of all that can be done on the board the visitor may do; the board's frames are the same for all."""
    return " ".join(scope for scope in ACTING if who.may(scope))


def _charts(services: Services, state: GateState, query: BoardQuery) -> dict[str, Any]:
    """Return what the charts' forms offer, and what they show first."""
    titles, view = titles_of(services.evaluator.floor.targets), services.evaluator.published.view
    queues = [(queue, titles.get(queue, queue)) for queue in watched_queues(state, view)]
    choice = _choice(view, state, query, [queue for queue, _ in queues])
    return {
        "choice": choice,
        "queues": queues,
        "ranges": RANGES,
        "drawn": [DEFINITIONS[metric] for metric in DRAWN],
        "layers": LAYER_WORDS,
        "behind": BEHIND_WORDS,
    }


def _weight(view: FloorView, queue: str) -> tuple[float, float]:
    """Return how much there is to look at: who waits, then who works there."""
    backlog, staffed = view.reading(queue, Metric.BACKLOG), view.reading(queue, Metric.AGENTS_STAFFED)
    return (backlog.value if backlog else None) or 0.0, (staffed.value if staffed else None) or 0.0


def _choice(view: FloorView, state: GateState, query: BoardQuery, queues: list[str]) -> Choice:
    """Return what the charts show first: what the URL says where that exists, else the deciding or busiest queue."""
    deciding = [reason.queue for reason in state.decision.reasons if reason.queue in queues]
    usual = deciding[0] if deciding else max(queues, key=lambda queue: _weight(view, queue), default="")
    queue = query.queue if query.queue in queues else usual
    return read_choice(queue, query.range, query.behind, query.hide)


def _outlook(services: Services, state: GateState) -> dict[str, Any]:
    """Return what the outlook says as the page is delivered, from memory; the rest is fetched by its script."""
    senders = sendings(services, state.gate)
    return {
        "outlook": headline(state, senders[0], reader_of(services, state)),
        "senders": senders,
        "outlook_metrics": [DEFINITIONS[metric] for metric in METRICS],
    }
