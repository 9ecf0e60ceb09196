"""What the board's outlook asks for every half minute: how much may go, and what is ahead, in words and numbers."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import JSONResponse, Response

from app.core.floor.metric import Metric
from app.core.forecast.breach import Breach
from app.core.forecast.limits import OutlookLimits
from app.core.forecast.outlook import Outlook
from app.core.gate.foresight import Predicted
from app.errors import HoldfireError
from app.services.container import Services
from app.services.published import GateState
from app.web.now.boards import present
from app.web.outlook.captions import caption, table
from app.web.outlook.chart import METRICS, Ahead
from app.web.outlook.sendings import reader_of, sendings
from app.web.outlook.view import Sending, headline, likeliest_to_break
from app.web.outlook.words import limit_of
from app.web.tools import NOT_FOUND, GateQuery, ServicesDep, Tools, ToolsDep
from app.web.typed import LONGEST, NotRead, read_audience
from app.web.visitors import Visitor

REFRESH_SECONDS, SOONEST_SECONDS = 30.0, 3.0

router = APIRouter()


class OutlookQuery(GateQuery):
    """What is looked at, and for whom. campaign None: whose turn it is next; "": other mail."""

    campaign: str | None = Field(default=None, max_length=200)
    queue: str = Field(default="", max_length=200)
    metric: str = Field(default="", max_length=60)
    audience: str = Field(default="", max_length=LONGEST)


@router.get("/partials/outlook")
async def show_outlook(
    _: Visitor, services: ServicesDep, tools: ToolsDep, query: Annotated[OutlookQuery, Query()]
) -> Response:
    """Return the words as HTML, what is expected as a sentence and a table, and what can be chosen."""
    _published, state = present(services, query.gate)
    if state is None:
        return Response(status_code=NOT_FOUND)
    senders = sendings(services, state.gate)
    sending = next((each for each in senders if each.id == query.campaign), senders[0])
    said = headline(state, sending, reader_of(services, state))
    body = {
        "said": tools.templates.get_template("partials/outlook_said.html").render(outlook=said, gate=state.gate),
        "refresh_seconds": _refresh_seconds(services, state),
        "campaigns": [{"value": each.id, "text": each.title} for each in senders],
        "campaign": sending.id,
    }
    return JSONResponse(
        body | await _drawn(services, tools, state, sending, query), headers={"Cache-Control": "no-store"}
    )


def _refresh_seconds(services: Services, state: GateState) -> float:
    """Return after how many seconds on the wall there may be something new."""
    wall = services.clock.wall_seconds(REFRESH_SECONDS) if state.foresight else 0.0
    return min(REFRESH_SECONDS, max(SOONEST_SECONDS, wall))


NOTHING_DRAWN: dict[str, Any] = {"caption": "", "table": None, "queues": [], "fault": ""}


async def _drawn(
    services: Services, tools: Tools, state: GateState, sending: Sending, query: OutlookQuery
) -> dict[str, Any]:
    """Return what is expected; nothing of it where it is not known, or the fault that was made."""
    try:
        audience = read_audience(query.audience)
        made, seen = await tools.outlooks.outlook(services.outlook_questions, state.gate, audience, sending.id or None)
    except (NotRead, HoldfireError) as fault:
        return NOTHING_DRAWN | {"fault": str(fault)}
    if seen is None or made.gathered is None:
        return NOTHING_DRAWN
    limits = made.gathered.known.limits
    queue, metric = choice(seen, limits, likeliest_to_break(state, sending), query)
    ahead = Ahead(made.at, seen, limits, queue, metric, audience, reader_of(services, state))
    return {
        "caption": caption(ahead),
        "table": table(ahead)._asdict(),
        "queues": [{"value": each.queue, "text": ahead.reader.title(each.queue)} for each in seen.without.queues],
        "queue": queue,
        "metric": metric,
        "fault": "",
    }


def choice(
    seen: Outlook, limits: OutlookLimits, likeliest: Predicted | None, query: OutlookQuery
) -> tuple[str, Metric]:
    """Return the queue and metric to draw: those asked for where they exist, else those that are likeliest to break.

    likeliest: what breaks first if more is sent; what breaks with the send that was asked about goes before it.
    """
    queues = {each.queue: float(each.offered.sum()) for each in seen.without.queues}
    breaching: list[Breach | Predicted] = list(seen.with_send.verdict.breaches) if seen.with_send else []
    breaching += [likeliest] if likeliest else []
    drawable = [(each.queue, each.metric) for each in breaching if each.metric in METRICS and each.queue in queues]
    own = [each for each in drawable if each[0] == query.queue]
    limited = [metric for metric in METRICS if limit_of(limits, metric) is not None]
    usual = max(queues, key=lambda queue: queues[queue]), (limited or METRICS)[0]
    queue, metric = next(iter(own or drawable), usual)
    return (
        query.queue if query.queue in queues else queue,
        Metric(query.metric) if query.metric in METRICS else metric,
    )
