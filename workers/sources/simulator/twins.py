"""The day a second time: the same customers and agents, its campaign mailed all at once and nobody asked."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.core.floor.contact import ContactEvent
from app.core.floor.observation import Observation
from app.core.simulation.campaign import Campaign
from app.core.simulation.daybook import DayBook
from app.core.simulation.randomness import Rngs
from app.core.simulation.simulation import Simulation
from app.core.simulation.twins import Day, Twins
from workers.sources.simulator.center import QUEUES, TIME_ZONE, local
from workers.sources.simulator.scenarios import Scenario

AT_ONCE_PER_SECOND = 1000.0
SHOWN_FROM, SHOWN_TO = "08:00", "21:00"


class TwinDays:
    """Runs the ungated day beside the gated one and keeps the account of both.

    Nothing of the ungated day reaches holdfire: it has a simulation and a floor of its own. starts: when the gated
    simulation started; rngs: what that one draws from.
    """

    def __init__(self, scenario: Scenario, starts: datetime, rngs: Rngs) -> None:
        self._send, self._starts, self._until = scenario.send, starts, starts
        self._planned_at = starts + timedelta(seconds=scenario.send.planned_at)
        self._end = starts + timedelta(seconds=local(SHOWN_TO))
        self._ungated = Simulation(scenario.plan, starts, rngs, observe_every_seconds=None)
        self._ungated.mail(self._send.whole(AT_ONCE_PER_SECOND), 0, self._send.audience, self._planned_at)
        self._at_once, self._gated = DayBook(starts, QUEUES), DayBook(starts, QUEUES)
        self._is_sent = False

    def advance(self, now: datetime, happened: Sequence[ContactEvent | Observation]) -> None:
        """Let the ungated day pass up to `now` too; happened: what did on the gated one. After its end: nothing."""
        if self._until >= self._end:
            return
        self._until = min(now, self._end)
        if not self._is_sent and self._until >= self._planned_at:
            self._is_sent = True
            self._at_once.mailed(self._send.audience, self._planned_at)
        self._at_once.take(self._ungated.advance(self._until), self._until)
        self._gated.take(happened, self._until)

    def mailed(self, people: int, at: datetime) -> None:
        """Note that the gated day's campaign went to so many more people."""
        if at < self._end:
            self._gated.mailed(people, at)

    def happens(self, surge: Campaign, at: datetime) -> None:
        """Let what people call for on the gated day, at that instant, be the same on the other."""
        self._ungated.launch(surge, at)

    def read(self) -> Twins:
        """Return both days so far, at the queue that most of the campaign's contacts come to."""
        queue = max(self._send.shares, key=lambda name: self._send.shares[name])
        return Twins(
            self._day(self._at_once, queue),
            self._day(self._gated, queue),
            QUEUES[queue].title or queue,
            self._send.audience,
            self._planned_at,
            self._starts + timedelta(seconds=local(SHOWN_FROM)),
            self._until,
            self._end,
            ZoneInfo(TIME_ZONE),
        )

    def _day(self, book: DayBook, queue: str) -> Day:
        shown = self._starts + timedelta(seconds=local(SHOWN_FROM))
        of_queue, of_center = (
            [each for each in book.series(queues) if each.until > shown] for queues in ((queue,), QUEUES)
        )
        return Day(of_queue, of_center, book.waves)
