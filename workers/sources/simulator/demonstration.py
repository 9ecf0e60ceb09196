"""Puts the pieces of a demonstration together: clock, simulation, feed and email tool, as one background job."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC
from random import Random

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
        self._starts = (OPENS - WARM_UP).astimezone(UTC)
        self._url, self._served = "", asyncio.Event()
        self.clock = DemoClock(self._starts, WARM_UP, speed)

    def serves(self, url: str) -> None:
        """Take note that requests are answered at `url` from now on."""
        self._url = url
        self._served.set()

    async def run(self, services: Services, stop: asyncio.Event) -> None:
        """Set the gate up, then let the floor live until `stop` is set."""
        await _set_up(services)
        simulation = Simulation(self._scenario.plan, self._starts, self._chance, source=SOURCE)
        worker = SimulatorWorker(simulation, self.clock, services.ingest, services.sources, self._scenario.silences)
        self.clock.run()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(worker.run(stop))
            if await self._opened(stop):
                tool = EmailTool(
                    self._scenario.send,
                    opens_at=self._starts,
                    clock=self.clock,
                    url=self._url,
                    mail=worker.launch,
                    say=self._tell,
                )
                tasks.create_task(tool.run(stop))

    async def _opened(self, stop: asyncio.Event) -> bool:
        """Wait for the server and for the end of the warm-up, announce; False when `stop` came first."""
        ended = asyncio.create_task(stop.wait())
        served = asyncio.create_task(self._served.wait())
        warm = asyncio.create_task(self.clock.sleep(WARM_UP.total_seconds()))
        await asyncio.wait((ended, asyncio.gather(served, warm)), return_when=asyncio.FIRST_COMPLETED)
        opened = not ended.done()
        for task in (ended, served, warm):
            task.cancel()
        if opened:
            self._announce(self._url)
        return opened

    def _chance(self, process: str) -> Random:
        return Random(f"{self._seed}/{process}")  # noqa: S311 - chance that can be repeated, not secrets

    def _tell(self, line: str) -> None:
        self._say(f"{self.clock.now().astimezone(OPENS.tzinfo):%a %H:%M}  email tool: {line}")


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
