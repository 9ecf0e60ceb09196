"""The board at `/`, and its two pieces alone: what a script fetches when no live socket is to be had."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.core.floor.metric import DEFINITIONS, Metric
from app.services.container import Services
from app.services.published import GateState
from app.web.assets import asset_url
from app.web.history.chart_data import DEFAULT_RANGE, RANGES, Choice
from app.web.now.activity import ask_rows, change_rows
from app.web.now.boards import present
from app.web.now.views import Board, zone_of
from app.web.outlook.chart import METRICS
from app.web.outlook.sendings import reader_of, sendings
from app.web.outlook.view import headline
from app.web.tools import NOT_FOUND, GateQuery, ServicesDep, ToolsDep
from app.web.twins.words import shown_twins
from app.web.visitors import Visitor

LATEST = 12
NO_STORE = {"Cache-Control": "no-store"}

router = APIRouter()


class BoardQuery(GateQuery):
    """A board's URL: its gate, and what its chart shows. A choice that does not exist is not an error."""

    queue: str = ""
    metric: str = ""
    range: str = ""


@router.get("/")
async def show_board(
    request: Request, _: Visitor, services: ServicesDep, tools: ToolsDep, query: Annotated[BoardQuery, Query()]
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
        origin=f"{request.url.scheme}://{request.headers.get('host', 'localhost')}",
        choice=_choice(shown, state, query),
        metrics=list(DEFINITIONS.values()),
        ranges=list(RANGES),
        twins=tools.twins and shown_twins(tools.twins()),
        **_outlook(services, state),
        **await _activity(services, state),
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


@router.get("/partials/activity")
async def show_activity(
    request: Request, _: Visitor, services: ServicesDep, tools: ToolsDep, query: Annotated[GateQuery, Query()]
) -> Response:
    """Return the last asks and changes as one piece of HTML."""
    _published, state = present(services, query.gate)
    if state is None:
        return Response(status_code=NOT_FOUND)
    return tools.page(request, "partials/activity.html", gate=state.gate, **await _activity(services, state))


@router.get("/favicon.ico")
async def favicon() -> Response:
    """Lead browsers that ask at the root to the mark of the state nobody has looked at."""
    return RedirectResponse(asset_url("favicons/unknown.svg"))


def _choice(shown: Board, state: GateState, query: BoardQuery) -> Choice:
    """Return what the chart shows first: what the URL says where that exists, else the backlog of the busiest queue."""
    queues = [tile.queue for tile in shown.tiles]
    deciding = [reason.queue for reason in state.decision.reasons if reason.queue in queues]
    busiest = max(shown.tiles, key=lambda tile: tile.backlog.amount, default=None)
    usual = deciding[0] if deciding else busiest.queue if busiest else None
    return Choice(
        query.queue if query.queue in queues else usual or "",
        Metric(query.metric) if query.metric in list(Metric) else Metric.BACKLOG,
        query.range if query.range in RANGES else DEFAULT_RANGE,
    )


def _outlook(services: Services, state: GateState) -> dict[str, Any]:
    """Return what the outlook says as the page is delivered, from memory; the chart is fetched by its script."""
    senders = sendings(services, state.gate)
    return {
        "outlook": headline(state, senders[0], reader_of(services, state)),
        "senders": senders,
        "outlook_metrics": [DEFINITIONS[metric] for metric in METRICS],
    }


async def _activity(services: Services, state: GateState) -> dict[str, Any]:
    now, zone = services.clock.now(), zone_of(state)
    asks = await services.decisions.page(gate=state.gate, kind="asked", limit=LATEST)
    changes = await services.decisions.page(gate=state.gate, kind="transition", limit=LATEST)
    titles = {queue: own.title for queue, own in services.evaluator.floor.targets.items() if own.title}
    names = {key.id: key.name for key in await services.keys.all()}
    return {"asks": ask_rows(asks, names, now, zone), "changes": change_rows(changes, titles, now, zone)}
