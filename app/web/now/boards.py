"""The board of a gate, ready as HTML: the same piece for the page, for /partials/board and for the live socket."""

import time
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from jinja2 import Environment

from app.core.floor.metric import Metric
from app.core.floor.view import FloorView
from app.core.gate.decision import Check
from app.services.container import Services
from app.services.published import GateState, Published
from app.services.shapes import Shape
from app.services.standing import standing
from app.web.now.flights import Flights, flights
from app.web.now.sparkline import Sparkline, sparkline
from app.web.now.views import Board, board, watched_queues, zone_of
from app.web.pulse.pulses import Pulses

TREND = timedelta(minutes=30)
TREND_POINTS = 30
KEPT_CLOCK_SECONDS = 30.0
KEPT_WALL_SECONDS = 1.0
SEEN = 60
MAX_FLIGHTS = 8
SEEN_EVERY_SECONDS = 15.0


Values = list[tuple[datetime, float | None]]


class Kept(NamedTuple):
    """A queue's last half hour as read from history, and when: by our clock and by the wall's stopwatch."""

    values: Values
    at: datetime
    read_at: float


class Boards:
    """Builds boards. History behind the sparklines is read at most once a second and twice a clock minute per queue."""

    def __init__(self, templates: Environment) -> None:
        self._partial = templates.get_template("partials/board.html")
        self._pulses = Pulses(templates)
        self._kept: dict[str, Kept] = {}
        self._seen: dict[str, deque[tuple[datetime, float | None]]] = {}

    async def of(self, services: Services, state: GateState, published: Published) -> Board:
        """Return a gate's board as of now."""
        now = services.clock.now()
        queues = watched_queues(state, published.view)
        trends = {
            queue: await self._trend(services, queue, published.view, state.decision.checks, now) for queue in queues
        }
        going = on_their_way(services, state.gate, now, zone_of(state))
        return board(published, state, now, services.evaluator.floor.targets, trends, going=going)

    async def html(self, services: Services, state: GateState, published: Published) -> str:
        """Return a gate's board as HTML."""
        return self.render(await self.of(services, state, published))

    def render(self, shown: Board) -> str:
        """Return a board as HTML."""
        return self._partial.render(board=shown)

    async def live_view(self, services: Services, state: GateState, published: Published) -> Shape:
        """Return what the page's frames carry: the pulse of every page, and the board."""
        pulse = await self._pulses.live_view(services, state, published)
        return pulse | {"html": await self.html(services, state, published)}

    async def _trend(
        self, services: Services, queue: str, view: FloorView, checks: Sequence[Check], now: datetime
    ) -> Sparkline:
        past = await self._history(services, queue, now)
        written_until = past[-1][0] if past else now - TREND
        values = dict(past) | {at: value for at, value in self._newest(queue, view) if at >= written_until}
        limit = next((check.limit for check in checks if (check.queue, check.metric) == (queue, Metric.BACKLOG)), None)
        return sparkline(list(values.items()), now - TREND, now, limit=limit)

    def _newest(self, queue: str, view: FloorView) -> Sequence[tuple[datetime, float | None]]:
        """Return what was seen lately, the present value last: history is written a few seconds behind it."""
        seen = self._seen.setdefault(queue, deque(maxlen=SEEN))
        reading = view.reading(queue, Metric.BACKLOG)
        if reading is None:
            return ()
        while seen and (reading.observed_at - seen[-1][0]).total_seconds() <= 0:
            seen.pop()
        shown = [*seen, (reading.observed_at, reading.value)]
        if not seen or (reading.observed_at - seen[-1][0]).total_seconds() >= SEEN_EVERY_SECONDS:
            seen.append(shown[-1])
        return shown

    async def _history(self, services: Services, queue: str, now: datetime) -> Values:
        kept = self._kept.get(queue)
        if kept and not _outdated(kept, now):
            return kept.values
        series = await services.history.points(queue, Metric.BACKLOG, now - TREND, now, TREND_POINTS + 1)
        kept = self._kept[queue] = Kept([(point.at, point.value) for point in series.points], now, time.monotonic())
        return kept.values


def on_their_way(services: Services, gate: str, now: datetime, zone: ZoneInfo) -> Flights:
    """Return the sends in flight and the campaigns on their way through a gate, the latest permits only."""
    permits, campaigns = services.permits, services.campaigns.on_their_way(gate)
    sent = {each.id: permits.spent_by_campaign(each.id, now).sent_last_hour for each in campaigns}
    return flights(permits.in_flight(gate, MAX_FLIGHTS), permits.must_stop, campaigns, sent, now=now, zone=zone)


def _outdated(kept: Kept, now: datetime) -> bool:
    aged = abs((now - kept.at).total_seconds())
    return aged > KEPT_CLOCK_SECONDS and time.monotonic() - kept.read_at > KEPT_WALL_SECONDS


def present(services: Services, gate: str | None) -> tuple[Published, GateState | None]:
    """Return what is published and how a gate stands in it; None for the gate `default`, or else the first one."""
    published = services.evaluator.published
    name = gate or ("default" if "default" in published.gates else min(published.gates, default="default"))
    return published, standing(published, name, services.clock.now(), time.monotonic())
