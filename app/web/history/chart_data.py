"""Reads what a chart needs: the metric's history, the policy's rule on it, the gate's verdicts meanwhile."""

from datetime import datetime, timedelta
from typing import NamedTuple

from app.core.floor.metric import Metric
from app.ports.decisions import DecisionRow
from app.services.container import Services
from app.services.published import GateState
from app.web.history.charts import Chart
from app.web.now.views import zone_of
from app.web.spans import Span, verdict_spans

RANGES = {"2h": timedelta(hours=2), "6h": timedelta(hours=6), "24h": timedelta(hours=24)}
DEFAULT_RANGE = "2h"
POINTS = 360
MAX_CHANGES = 1000


class Choice(NamedTuple):
    """What of the floor is looked at: a queue, a metric, and how far back."""

    queue: str
    metric: Metric
    range: str


async def chart_of(services: Services, state: GateState, choice: Choice) -> Chart:
    """Return all a chart of that choice shows, up to now."""
    until = services.clock.now()
    start = until - RANGES[choice.range]
    series = await services.history.points(choice.queue, choice.metric, start, until, POINTS)
    rules = state.policy.rules if state.policy else ()
    return Chart(
        queue=choice.queue,
        metric=choice.metric,
        start=start,
        until=until,
        step_seconds=series.step_seconds,
        points=series.points,
        rule=next((rule for rule in rules if rule.metric is choice.metric), None),
        spans=await _spans(services, state, start, until),
        zone=zone_of(state),
    )


async def _spans(services: Services, state: GateState, start: datetime, until: datetime) -> list[Span]:
    """Return the gate's verdicts over the span. What stands now is known even before it is written down."""
    decisions = services.decisions
    inside = await decisions.page(gate=state.gate, kind="transition", start=start, limit=MAX_CHANGES)
    earlier = await decisions.page(gate=state.gate, kind="transition", until=start, limit=1)
    rows: list[DecisionRow] = sorted([*inside, *earlier], key=lambda row: row.at)
    return verdict_spans(rows, start, until, state.decision.verdict)
