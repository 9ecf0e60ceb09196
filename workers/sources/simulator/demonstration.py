"""Puts the pieces of a demonstration together: clock, simulation, feed and email tool, as one background job."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from app.core.campaign.briefing import Question, Words
from app.core.campaign.machine import CampaignStep
from app.core.event import HOLDFIRE, Actor
from app.core.gate.policy import WEEKDAYS, default_policy_document
from app.core.simulation.simulation import Simulation
from app.core.simulation.twins import Twins
from app.services.container import Services
from workers.sources.simulator.center import OPENS, QUEUES, TIME_ZONE, WARM_UP
from workers.sources.simulator.clock import DemoClock
from workers.sources.simulator.email_tool import EmailTool
from workers.sources.simulator.scenarios import PlannedSend, Scenario
from workers.sources.simulator.twins import TwinDays
from workers.sources.simulator.worker import SOURCE, SimulatorWorker
from workers.sources.worker import either

GATE = "default"
MAX_AUDIENCE_PER_WAVE = 100_000
WARM_UP_STEP = timedelta(seconds=30)
NOTICE_MINUTES = 30
SEED = 8  # a day on which each scenario shows what it is meant to show
MARKETING, WORKFORCE = Actor("demo-marketing", "Mia, marketing"), Actor("demo-workforce", "Will, workforce")
LEADS = {"orders-voice": "Olga", "care-chat": "Chen"}
BRIEFING = Words(
    offer="20 % off everything in the spring range, for one week, with the code SPRING20.",
    recipients="Customers who bought in the last twelve months and agreed to get offers.",
    questions=(
        Question("Does the code work on what I ordered yesterday?", "No. Offer free returns if they want to reorder."),
        Question("Why is my size sold out?", "Sizes come back on Thursdays; offer to note the customer's wish."),
    ),
    acknowledge_by=tuple(LEADS),
)


def demo_policy() -> Mapping[str, object]:
    """Return the default policy for the center's queues and hours, with a limit per wave, notice and briefing."""
    return default_policy_document() | {
        "queues": sorted(QUEUES),
        "time_zone": TIME_ZONE,
        "max_audience_per_wave": MAX_AUDIENCE_PER_WAVE,
        "notice_minutes": NOTICE_MINUTES,
        "briefing": "required",
        "send_windows": [{"days": [*WEEKDAYS], "from": "07:00", "to": "20:00"}],
    }


class Demonstration:
    """One run of a scenario. The same seed gives the same customers and agents.

    say gets lines for people, announce the URL once the warm-up has passed and requests are answered. folder: where
    the email tool keeps its script.
    """

    def __init__(
        self,
        scenario: Scenario,
        speed: float,
        *,
        say: Callable[[str], None],
        announce: Callable[[str], None],
        folder: Path,
        seed: int = SEED,
    ) -> None:
        self._scenario, self._say, self._announce, self._seed = scenario, say, announce, seed
        self._folder, self._sent, self._surge = folder, 0, scenario.surge
        self._opens = OPENS.astimezone(UTC)
        self._starts = self._opens - WARM_UP
        self._planned_at = self._starts + timedelta(seconds=scenario.send.planned_at)
        self._url, self._served = "", asyncio.Event()
        self._twins = TwinDays(scenario, self._starts, self._chance) if scenario.send.asks_gate else None
        self.clock = DemoClock(self._starts, speed)

    @property
    def twins(self) -> Callable[[], Twins] | None:
        """What reads both days so far; None where the campaign asks nobody, so that there is no gated one."""
        return None if self._twins is None else self._twins.read

    def serves(self, url: str) -> None:
        """Take note that requests are answered at `url` from now on."""
        self._url = url
        self._served.set()

    async def run(self, services: Services, stop: asyncio.Event) -> None:
        """Set the gate up, let the warm-up pass, then let the floor live until `stop` is set."""
        await _set_up(services, self._scenario.send, self._planned_at)
        worker = self._worker(services)
        await self._warm_up(services, worker, stop)
        self.clock.run()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(worker.run(stop))
            if await self._opened(stop):
                tasks.create_task(self._email_tool(worker).run(stop))

    def _worker(self, services: Services) -> SimulatorWorker:
        simulation = Simulation(self._scenario.plan, self._starts, self._chance, source=SOURCE)
        return SimulatorWorker(
            simulation,
            self.clock,
            services.ingest,
            services.sources,
            self._scenario.silences,
            beside=None if self._twins is None else self._twins.advance,
        )

    def _email_tool(self, worker: SimulatorWorker) -> EmailTool:
        return EmailTool(
            self._scenario.send,
            opens_at=self._starts,
            clock=self.clock,
            url=self._url,
            mail=lambda people: self._mail(worker, people),
            say=lambda line: self._tell(f"email tool: {line}"),
            folder=self._folder,
        )

    def _mail(self, worker: SimulatorWorker, people: int) -> int:
        """Mail the next `people` of the campaign's list; the scenario's surge comes once enough is out."""
        first, self._sent = self._sent, self._sent + people
        if self._surge is not None and self._sent >= self._surge.after_sent:
            self._tell(f"{self._surge.why}: {self._surge.contacts} people call within minutes")
            worker.launch(self._surge.campaign())
            if self._twins is not None:
                self._twins.happens(self._surge.campaign(), self.clock.now())
            self._surge = None
        if self._twins is not None:
            self._twins.mailed(people, self.clock.now())
        return worker.mail(self._scenario.send.whole(), first, people)

    async def _warm_up(self, services: Services, worker: SimulatorWorker, stop: asyncio.Event) -> None:
        """Move the clock to the opening in steps, each fed and evaluated before the next."""
        published = asyncio.Event()
        unsubscribe = services.evaluator.subscribe(lambda _: published.set())
        while self.clock.now() < self._opens and not stop.is_set():
            self.clock.move_to(min(self._opens, self.clock.now() + WARM_UP_STEP))
            published.clear()
            await worker.feed(self.clock.now())
            await either(published.wait(), stop.wait())
        unsubscribe()

    async def _opened(self, stop: asyncio.Event) -> bool:
        """Wait for the server and announce it; False when `stop` came first."""
        await either(self._served.wait(), stop.wait())
        if stop.is_set():
            return False
        self._announce(self._url)
        return True

    def _chance(self, process: str) -> Random:
        return Random(f"{self._seed}/{process}")  # noqa: S311 - chance that can be repeated, not secrets

    def _tell(self, line: str) -> None:
        self._say(f"{self.clock.now().astimezone(OPENS.tzinfo):%a %H:%M}  {line}")


async def _set_up(services: Services, send: PlannedSend, planned_at: datetime) -> None:
    """Make gate, queues and campaign as the two departments would have done the day before."""
    if GATE not in await services.gates.names():
        await services.gates.create(GATE, HOLDFIRE)
    await services.gates.save(
        GATE,
        demo_policy(),
        author=WORKFORCE.name,
        actor=WORKFORCE,
        reason="limits and queues of the demonstration",
        expected=await services.gates.newest_version(GATE),
    )
    for queue, targets in QUEUES.items():
        await services.queues.save(queue, targets, WORKFORCE)
    if send.asks_gate:
        await _announce(services, send, planned_at)


async def _announce(services: Services, send: PlannedSend, planned_at: datetime) -> None:
    """Announce the campaign and brief the contact center, which acknowledges."""
    await services.campaigns.create(
        {
            "id": send.campaign,
            "title": "Spring sale",
            "gate": GATE,
            "audience": send.audience,
            "contacts_per_1000": send.contacts_per_1000,
            "earliest_start": planned_at.isoformat(),
            "release": {"mode": "by-tool"},
        },
        MARKETING,
    )
    await services.campaigns.take(send.campaign, CampaignStep.SCHEDULE, MARKETING, "as agreed on Friday")
    await services.briefings.save(send.campaign, BRIEFING, MARKETING, expected=0)
    for team, lead in LEADS.items():
        await services.briefings.acknowledge(send.campaign, team, lead, None, WORKFORCE)
