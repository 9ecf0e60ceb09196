"""The board of a gate, ready as HTML: the same piece for the page, for /partials/board and for the live socket."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from jinja2 import Environment

from app.core.floor.metric import Metric
from app.core.floor.view import FloorView
from app.core.gate.decision import Check
from app.ports import HistoryPoint
from app.services.container import Services
from app.services.published import GateState, Published
from app.services.shapes import Shape
from app.services.standing import standing
from app.web.sparkline import Sparkline, sparkline
from app.web.views import Board, board, watched_queues

TREND = timedelta(minutes=30)
TREND_POINTS = 30
KEPT_CLOCK_SECONDS = 30.0
KEPT_WALL_SECONDS = 1.0


class Kept(NamedTuple):
    """A queue's last half hour as read from history, and when: by our clock and by the wall's stopwatch."""

    points: Sequence[HistoryPoint]
    at: datetime
    read_at: float


class Boards:
    """Builds boards. History behind the sparklines is read at most once a second and twice a clock minute per queue."""

    def __init__(self, templates: Environment) -> None:
        self._partial = templates.get_template("partials/board.html")
        self._kept: dict[str, Kept] = {}

    async def of(self, services: Services, state: GateState, published: Published) -> Board:
        """Return a gate's board as of now."""
        now = services.clock.now()
        queues = watched_queues(state, published.view)
        trends = {
            queue: await self._trend(services, queue, published.view, state.decision.checks, now) for queue in queues
        }
        return board(published, state, now, services.evaluator.floor.targets, trends)

    async def html(self, services: Services, state: GateState, published: Published) -> str:
        """Return a gate's board as HTML."""
        return self.render(await self.of(services, state, published))

    def render(self, shown: Board) -> str:
        """Return a board as HTML."""
        return self._partial.render(board=shown)

    async def live_view(self, services: Services, state: GateState, published: Published) -> Shape:
        """Return what the page's frames carry."""
        return {"state": state.decision.verdict, "html": await self.html(services, state, published)}

    async def _trend(
        self, services: Services, queue: str, view: FloorView, checks: Sequence[Check], now: datetime
    ) -> Sparkline:
        points = await self._history(services, queue, now)
        values: list[tuple[datetime, float | None]] = [(point.at, point.value) for point in points]
        newest = view.reading(queue, Metric.BACKLOG)
        if newest is not None:
            values = [(at, value) for at, value in values if at < newest.observed_at]
            values.append((newest.observed_at, newest.value))
        limit = next((check.limit for check in checks if (check.queue, check.metric) == (queue, Metric.BACKLOG)), None)
        return sparkline(values, now - TREND, now, limit=limit)

    async def _history(self, services: Services, queue: str, now: datetime) -> Sequence[HistoryPoint]:
        kept = self._kept.get(queue)
        if kept and not _outdated(kept, now):
            return kept.points
        series = await services.history.points(queue, Metric.BACKLOG, now - TREND, now, TREND_POINTS + 1)
        self._kept[queue] = Kept(series.points, now, time.monotonic())
        return series.points


def _outdated(kept: Kept, now: datetime) -> bool:
    aged = abs((now - kept.at).total_seconds())
    return aged > KEPT_CLOCK_SECONDS and time.monotonic() - kept.read_at > KEPT_WALL_SECONDS


def present(services: Services, gate: str | None) -> tuple[Published, GateState | None]:
    """Return what is published and how a gate stands in it; None for the gate `default`, or else the first one."""
    published = services.evaluator.published
    name = gate or ("default" if "default" in published.gates else min(published.gates, default="default"))
    return published, standing(published, name, services.clock.now(), time.monotonic())
