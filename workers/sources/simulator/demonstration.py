"""Puts the pieces of a demonstration together: clock, simulation, feed and email tool, as one background job."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, timedelta
from random import Random
from typing import Any

from app.core.gate.policy import WEEKDAYS, default_policy_document
from app.core.simulation.simulation import Simulation
from app.services.container import Services
from workers.sources.simulator.center import OPENS, QUEUES, TIME_ZONE, WARM_UP
from workers.sources.simulator.clock import DemoClock
from workers.sources.simulator.email_tool import EmailTool
from workers.sources.simulator.scenarios import Scenario
from workers.sources.simulator.worker import SOURCE, SimulatorWorker

GATE = "default"
MAX_AUDIENCE_PER_WAVE = 100_000
WARM_UP_STEP = timedelta(seconds=30)
SEED = 8  # a day on which each scenario shows what it is meant to show


def demo_policy() -> Mapping[str, object]:
    """Return the default policy for the center's queues, hours and time zone, with a limit per wave."""
    return default_policy_document() | {
        "queues": sorted(QUEUES),
        "time_zone": TIME_ZONE,
        "max_audience_per_wave": MAX_AUDIENCE_PER_WAVE,
        "send_windows": [{"days": [*WEEKDAYS], "from": "07:00", "to": "20:00"}],
    }


class Demonstration:
    """One run of a scenario. The same seed gives the same customers and agents.

    say gets lines for people, announce the URL once the warm-up has passed and requests are answered.
    """

    def __init__(
        self,
        scenario: Scenario,
        speed: float,
        *,
        say: Callable[[str], None],
        announce: Callable[[str], None],
        seed: int = SEED,
    ) -> None:
        self._scenario, self._say, self._announce, self._seed = scenario, say, announce, seed
        self._opens = OPENS.astimezone(UTC)
        self._starts = self._opens - WARM_UP
        self._url, self._served = "", asyncio.Event()
        self.clock = DemoClock(self._starts, speed)

    def serves(self, url: str) -> None:
        """Take note that requests are answered at `url` from now on."""
        self._url = url
        self._served.set()

    async def run(self, services: Services, stop: asyncio.Event) -> None:
        """Set the gate up, let the warm-up pass, then let the floor live until `stop` is set."""
        await _set_up(services)
        worker = self._worker(services)
        await self._warm_up(services, worker, stop)
        self.clock.run()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(worker.run(stop))
            if await self._opened(stop):
                tasks.create_task(self._email_tool(worker).run(stop))

    def _worker(self, services: Services) -> SimulatorWorker:
        simulation = Simulation(self._scenario.plan, self._starts, self._chance, source=SOURCE)
        return SimulatorWorker(simulation, self.clock, services.ingest, services.sources, self._scenario.silences)

    def _email_tool(self, worker: SimulatorWorker) -> EmailTool:
        return EmailTool(
            self._scenario.send,
            opens_at=self._starts,
            clock=self.clock,
            url=self._url,
            mail=worker.launch,
            say=self._tell,
        )

    async def _warm_up(self, services: Services, worker: SimulatorWorker, stop: asyncio.Event) -> None:
        """Move the clock to the opening in steps, each fed and evaluated before the next."""
        published = asyncio.Event()
        unsubscribe = services.evaluator.subscribe(lambda _: published.set())
        while self.clock.now() < self._opens and not stop.is_set():
            self.clock.move_to(min(self._opens, self.clock.now() + WARM_UP_STEP))
            published.clear()
            await worker.feed(self.clock.now())
            await _either(published.wait(), stop.wait())
        unsubscribe()

    async def _opened(self, stop: asyncio.Event) -> bool:
        """Wait for the server and announce it; False when `stop` came first."""
        await _either(self._served.wait(), stop.wait())
        if stop.is_set():
            return False
        self._announce(self._url)
        return True

    def _chance(self, process: str) -> Random:
        return Random(f"{self._seed}/{process}")  # noqa: S311 - chance that can be repeated, not secrets

    def _tell(self, line: str) -> None:
        self._say(f"{self.clock.now().astimezone(OPENS.tzinfo):%a %H:%M}  email tool: {line}")


async def _either(*waits: Coroutine[Any, Any, object]) -> None:
    """Return as soon as one of them is done."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()


async def _set_up(services: Services) -> None:
    if GATE not in await services.gates.names():
        await services.gates.create(GATE)
    await services.gates.save(
        GATE,
        demo_policy(),
        author="demo",
        reason="limits and queues of the demonstration",
        expected=await services.gates.newest_version(GATE),
    )
    for queue, targets in QUEUES.items():
        await services.queues.save(queue, targets)
