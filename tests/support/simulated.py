"""Simulated floors for tests: small plans, seeded generators, and the stays of contacts read back from events."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from app.core.floor.contact import ContactEvent, ContactEventKind
from app.core.floor.observation import Observation
from app.core.simulation.plan import FloorPlan, QueuePlan, Shift
from app.core.simulation.randomness import Duration, Exponential, Rngs
from app.core.simulation.rates import Rates
from app.core.simulation.simulation import Simulation

START = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
THREE_MINUTES = Exponential(180)
Happening = ContactEvent | Observation


def seeded(seed: int) -> Rngs:
    return lambda name: Random(f"{seed}/{name}")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def a_queue(
    name: str = "orders",
    *,
    per_hour: float = 0.0,
    hours: float = 1000.0,
    agents: int = 1,
    service: Duration = THREE_MINUTES,
    **more,
) -> QueuePlan:
    """A queue with a steady stream of contacts and one shift that lasts as long."""
    shifts = more.pop("shifts", (Shift(agents, 0, hours * 3600),) if agents else ())
    return QueuePlan(name, Rates((per_hour / 3600,), hours * 3600), service, shifts, **more)


def a_simulation(
    *queues: QueuePlan, seed: int = 1, observe: float | None = None, source: str = "acd", **more
) -> Simulation:
    return Simulation(FloorPlan(queues, **more), START, seeded(seed), source=source, observe_every_seconds=observe)


@dataclass(slots=True)
class Stay:
    """What became of one contact; instants in seconds after START, floats, None where it did not come to that."""

    contact_id: str
    queue: str
    queued: float
    answered: Any = None
    abandoned: Any = None
    completed: Any = None
    agent: str | None = None
    campaign: str | None = None

    @property
    def wait(self) -> Any:
        end = self.answered if self.answered is not None else self.abandoned
        return None if end is None else end - self.queued


def contact_events(happenings: Iterable[Happening]) -> Iterator[ContactEvent]:
    return (each for each in happenings if isinstance(each, ContactEvent))


def stays(happenings: Iterable[Happening]) -> Sequence[Stay]:
    """Return the stays in order of arrival. Fails on an event that comes twice or before the contact was queued."""
    found: dict[str, Stay] = {}
    for event in contact_events(happenings):
        seconds = (event.at - START).total_seconds()
        if event.event is ContactEventKind.QUEUED:
            assert event.contact_id not in found, f"{event.contact_id} was queued twice"
            found[event.contact_id] = Stay(event.contact_id, event.queue, seconds, campaign=event.campaign)
            continue
        stay = found[event.contact_id]
        assert getattr(stay, event.event) is None, f"{event.contact_id} was {event.event} twice"
        setattr(stay, event.event, seconds)
        stay.agent = event.agent or stay.agent
    return list(found.values())
