"""The chart beside a plan: one queue's next hours without and with the send, as a figure, in words and as a table."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, Response

from app.errors import HoldfireError
from app.services.container import Services
from app.web.campaigns.desk import Desk, DeskDep
from app.web.outlook.captions import caption, table
from app.web.outlook.chart import Ahead, figure
from app.web.outlook.pages import OutlookQuery, choice
from app.web.outlook.sendings import reader_of
from app.web.plan.form import PlanQuery
from app.web.plan.pages import Question, ask
from app.web.plan.result import audience_of
from app.web.visitors import Visitor

NOTHING_DRAWN: dict[str, Any] = {"figure": None, "caption": "", "table": None, "queues": []}

router = APIRouter()


class FigureQuery(PlanQuery):
    """A plan's question, and in whose colours its chart is drawn."""

    theme: Literal["dark", "light"] = "dark"


@router.get("/partials/plan")
async def show_figure(desk: DeskDep, _: Visitor, query: Annotated[FigureQuery, Query()]) -> Response:
    """Return the figure with its caption and table, and what can be chosen; nothing of it where it is not known."""
    question = await ask(desk, query)
    if isinstance(question, Response):
        return Response(status_code=question.status_code)
    drawn = await _drawn(desk, question, query.theme) if question.is_whole else NOTHING_DRAWN
    return JSONResponse(drawn, headers={"Cache-Control": "no-store"})


async def _drawn(desk: Desk, question: Question, theme: str) -> dict[str, Any]:
    services, state, campaign = desk.services, question.state, question.campaign
    audience, questions = audience_of(services, campaign, question.form), services.outlook_questions
    if not audience:
        return NOTHING_DRAWN
    name, kind = (campaign.id, "") if campaign else (None, question.form.kind)
    try:
        minute = questions.start_minute(state.gate, question.form.start_at)
        made, seen = await desk.tools.outlooks.outlook(
            questions, state.gate, audience, name, start_minute=minute, kind=kind
        )
    except HoldfireError:
        return NOTHING_DRAWN  # the plan beside it says why
    if seen is None or made.gathered is None:
        return NOTHING_DRAWN
    limits, sought = made.gathered.known.limits, OutlookQuery(queue=question.query.queue, metric=question.query.metric)
    queue, metric = choice(seen, limits, None, sought)
    ahead = Ahead(made.at, seen, limits, queue, metric, audience, reader_of(services, state), _sent(services, question))
    return {
        "figure": figure(ahead, theme),
        "caption": caption(ahead),
        "table": table(ahead)._asdict(),
        "queues": [{"value": each.queue, "text": ahead.reader.title(each.queue)} for each in seen.without.queues],
        "queue": queue,
        "metric": metric,
    }


def _sent(services: Services, question: Question) -> str:
    """Return when the send goes, in words."""
    reader, start_at = reader_of(services, question.state), question.form.start_at
    return "now" if start_at is None or start_at <= reader.now else f"at {reader.minute(start_at)}"
