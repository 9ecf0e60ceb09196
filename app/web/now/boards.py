"""The board of a gate, ready as HTML: the same piece for the page, for /partials/board and for the live socket.

A frame goes to everybody who watches a gate, again with each change, so it stays small: of very many queues and checks
it has those to look at first, the others are fetched by who wants them; what never changes is in the page, not in it.
"""

import re
import time
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from jinja2 import Environment

from app.core.campaign.campaign import Campaign
from app.core.floor.metric import Metric
from app.ports.campaigns import Wave
from app.services.container import Services
from app.services.published import GateState, Published
from app.services.shapes import Shape
from app.services.standing import standing
from app.web.now.coming import coming
from app.web.now.flights import Flights, Going, flights
from app.web.now.tiles import Sight
from app.web.now.trends import Trends
from app.web.now.views import Beside, Board, board, queues_in_sight, sight_of, watched_queues, zone_of
from app.web.outlook.sendings import reader_of, sendings
from app.web.outlook.words import Reader
from app.web.pulse.pulses import Pulses

MAX_FLIGHTS = 8
LOG_KEPT_SECONDS = 1.0
_INDENT = re.compile(r"\n\s+")


class Mark(NamedTuple):
    """How far a gate's log had come, and when that was read, by the wall's stopwatch."""

    place: int
    read_at: float


class Boards:
    """Builds boards."""

    def __init__(self, templates: Environment) -> None:
        self._partial = templates.get_template("partials/board.html")
        self._pulses = Pulses(templates)
        self._trends = Trends()
        self._waves: dict[str, tuple[Wave, Sequence[Wave]]] = {}
        self._marks: dict[str, Mark] = {}

    async def of(self, services: Services, state: GateState, published: Published) -> Board:
        """Return a gate's board as of now."""
        now, view = services.clock.now(), published.view
        sight = sight_of(state, view, now)
        trends = {}
        for queue in queues_in_sight(sight, watched_queues(state, view)):
            limit = _limit(sight, queue)
            trends[queue] = await self._trends.of(services.history, queue, view, now, limit=limit)
        beside = Beside(
            trends,
            await self._on_their_way(services, state, now),
            coming_of(services, state, reader_of(services, state)),
            await self.log_mark(services, state.gate),
        )
        return board(published, state, now, services.evaluator.floor.targets, beside)

    async def html(self, services: Services, state: GateState, published: Published) -> str:
        """Return a gate's board as HTML."""
        return self.render(await self.of(services, state, published))

    def render(self, shown: Board) -> str:
        """Return a board as HTML."""
        return _INDENT.sub("\n", self._partial.render(board=shown))

    async def live_view(self, services: Services, state: GateState, published: Published) -> Shape:
        """Return what the page's frames carry: the pulse of every page, and the board."""
        pulse = await self._pulses.live_view(services, state, published)
        return pulse | {"html": await self.html(services, state, published)}

    async def log_mark(self, services: Services, gate: str) -> int:
        """Return how far a gate's log has come, read at most once a second; a note of this process counts at once."""
        mark, now = self._marks.get(gate), time.monotonic()
        if mark is None or now - mark.read_at > LOG_KEPT_SECONDS:
            mark = self._marks[gate] = Mark(await services.events.last(gate), now)
        return mark.place + services.notes.changes(gate)

    async def _on_their_way(self, services: Services, state: GateState, now: datetime) -> Flights:
        """Return the sends in flight and the campaigns on their way through a gate, the latest permits only."""
        permits, gate = services.permits, state.gate
        going = [await self._going(services, campaign) for campaign in services.campaigns.on_their_way(gate)]
        live = permits.in_flight(gate, MAX_FLIGHTS)
        return flights(live, permits.must_stop, going, now=now, zone=zone_of(state))

    async def _going(self, services: Services, campaign: Campaign) -> Going:
        progress, next_at = services.campaigns.progress(campaign), services.campaigns.book.next_wave_at(campaign)
        waves = await self._waves_of(services, campaign.id, progress.wave)
        return Going(campaign, progress.spent.sent_last_hour, waves, next_at)

    async def _waves_of(self, services: Services, campaign_id: str, last: Wave | None) -> Sequence[Wave]:
        """Return a campaign's waves, read anew where the last one, which is in memory, is another one than before."""
        if last is None:
            return ()
        known = self._waves.get(campaign_id)
        if known is None or known[0] != last:
            earlier = [wave for wave in await services.campaigns.waves(campaign_id) if wave.number < last.number]
            known = self._waves[campaign_id] = last, [*earlier, last]
        return known[1]


def _limit(sight: Sight, queue: str) -> float | None:
    check = sight.gravest(queue, Metric.BACKLOG)
    return check.limit if check else None


def coming_of(services: Services, state: GateState, reader: Reader) -> str:
    """Return when the next sender's mail may go, by what the gate would tell its tool."""
    sending = sendings(services, state.gate)[0]
    asked = services.answering.request(sending.left, sending.id or None)
    answered = services.answering.look(state.gate, asked).answered
    out = asked.facts.spent.outstanding if asked.facts else 0
    return coming(state, sending, answered, reader, out=out)


def present(services: Services, gate: str | None) -> tuple[Published, GateState | None]:
    """Return what is published and how a gate stands in it; None for the gate `default`, or else the first one."""
    published = services.evaluator.published
    name = gate or ("default" if "default" in published.gates else min(published.gates, default="default"))
    return published, standing(published, name, services.clock.now(), time.monotonic())
