"""Trying a mapping at `/sources/try`: paste what a system says, see what holdfire makes of it. Nothing is stored."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi import Form as FormBody
from pydantic import BaseModel
from starlette.responses import Response

from app.errors import Invalid
from app.services.container import Services
from app.services.trials import Trial
from app.web.account.center import center_zone
from app.web.moments import zoned
from app.web.sources.trial_view import missed_row, seen_row, verdict
from app.web.tools import ServicesDep, Tools, ToolsDep
from app.web.visitors import OwnForm, PolicyVisitor

OK, INVALID = 200, 422
SHOWN = 200
EXAMPLE = """\
[[sources]]
type = "http-json"
url = "https://acd.example/live"

[sources.mapping]
rows = "queues"
queue_from = "name"
channel = "voice"

[sources.mapping.metrics]
backlog = "waiting"
oldest_wait_seconds = { from = "oldestMs", unit = "milliseconds" }
"""
EXAMPLE_SAMPLE = '{"queues": [{"name": "orders-voice", "waiting": 12, "oldestMs": 94500}]}'

router = APIRouter(prefix="/sources")


class TryForm(BaseModel):
    """A configured source or a table of one's own, and what its system says."""

    source: str = ""
    table: str = ""
    sample: str = ""


class TryQuery(BaseModel):
    """Which source is to be tried."""

    source: str = ""


@router.get("/try")
async def show_try(
    request: Request,
    _: PolicyVisitor,
    services: ServicesDep,
    tools: ToolsDep,
    query: Annotated[TryQuery, Query()],
) -> Response:
    """Return the form, with an example that works."""
    form = TryForm(source=query.source, table=EXAMPLE, sample="" if query.source else EXAMPLE_SAMPLE)
    return _page(request, services, tools, form)


@router.post("/try")
async def try_sample(
    request: Request,
    _: OwnForm,
    _who: PolicyVisitor,
    services: ServicesDep,
    tools: ToolsDep,
    form: Annotated[TryForm, FormBody()],
) -> Response:
    """Return what would come in and what would be rejected."""
    trials = services.trials
    try:
        of_source = trials.try_source(form.source, form.sample) if form.source else None
        trial = await (of_source or trials.try_table(form.table, form.sample))
    except Invalid as fault:
        faults = {problem.pointer.removeprefix("/"): problem.detail for problem in fault.problems}
        return _page(request, services, tools, form, faults=faults)
    return _page(request, services, tools, form, trial=trial)


def _page(
    request: Request,
    services: Services,
    tools: Tools,
    form: TryForm,
    *,
    faults: dict[str, str] | None = None,
    trial: Trial | None = None,
) -> Response:
    zone, now = center_zone(services), services.clock.now()
    return tools.page(
        request,
        "pages/source_try.html",
        status=INVALID if faults else OK,
        form=form,
        faults=faults or {},
        sources=services.trials.sources,
        kinds=services.trials.kinds,
        tried=trial is not None,
        verdict=verdict(trial) if trial else "",
        seen=[seen_row(each, zone) for each in trial.seen[:SHOWN]] if trial else [],
        missed=[missed_row(each) for each in trial.missed[:SHOWN]] if trial else [],
        shown=SHOWN,
        cut=trial is not None and max(len(trial.seen), len(trial.missed)) > SHOWN,
        zoned=zoned(now, zone),
    )
