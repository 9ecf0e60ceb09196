"""A whole holdfire that can look ahead: weeks of history, a floor that reports, and a policy that wants an outlook."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from app.core.debrief.window import STEP
from app.store.flows import add_flows
from tests.support.builders import an_observation
from tests.support.debriefing import a_day, a_flow
from tests.support.whole import Whole, a_whole

VOICE = "orders-voice"
AGENTS, PER_STEP = 28, 20.0  # 20 contacts in 5 minutes at most, each of 5 minutes: a load of 20
OUTLOOK = {"service_level_ratio": 0.8, "backlog": 20, "horizon_minutes": 60}
LOOK_SECONDS = 20


@asynccontextmanager
async def a_seeing_whole(folder: Path, **members: Any) -> AsyncIterator[Whole]:
    """Yield a holdfire whose default gate wants an outlook; one queue has a past and 28 agents. None is made yet."""
    async with a_whole(folder, auth="off") as whole:
        await a_usual_past(whole)
        await whole.policy(**{"outlook": OUTLOOK} | members)
        await report(whole)
        yield whole


async def a_usual_past(
    whole: Whole,
    queue: str = VOICE,
    per_step: float = PER_STEP,
    days: int = 16,
    *,
    is_known_at_night: bool = True,
    **members: Any,
) -> None:
    """Write down days of a queue's flows up to now, each the same; members: of all flows, in place of their own."""
    until = whole.clock.now()
    begin = (until - timedelta(days=days)).replace(minute=0)
    day = np.roll(a_day(per_step), -12 * begin.hour)
    counts = np.resize(day, (until - begin) // STEP)
    flows = [
        a_flow(queue, begin + place * STEP, count, abandoned=0.05 * count, wait_seconds=9.0 * count)._replace(**members)
        for place, count in enumerate(counts.tolist())
        if count or is_known_at_night
    ]
    await whole.store.database.write(lambda connection: add_flows(connection, flows))


async def report(whole: Whole, queue: str = VOICE, seconds: float = 1, **gauges: Any) -> None:
    """Report the floor as of so many seconds on, and evaluate. A gauge that is None is left out."""
    whole.clock.move(seconds)
    told = {"backlog": 0, "agents_staffed": AGENTS, "agents_busy": 20, **gauges}
    said = {name: value for name, value in told.items() if value is not None}
    await whole.tell(an_observation(queue, whole.clock.now(), **said))


async def look(whole: Whole, gate: str = "default") -> Any:
    """Return a gate's outlook (GateOutlook) of what is now, and let the gate decide by it."""
    made = await whole.services.outlooks.look(whole.services.evaluator.published.gates[gate])
    assert made is not None
    await whole.evaluate()
    return made


async def look_later(whole: Whole, seconds: float = LOOK_SECONDS, **gauges: Any) -> Any:
    """Report the floor as of so many seconds on, and return the outlook of it."""
    await report(whole, seconds=seconds, **gauges)
    return await look(whole)
