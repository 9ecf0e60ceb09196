"""How a source listens to a system that tells what happens as it happens: in one loop, whatever the system."""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from app.core.floor.contact import ContactEvent
from app.core.floor.observation import Observation
from app.ports.stream import Payload
from workers.sources.worker import Surroundings, deliver_surely
from workers.systems.faults import SourceFault

WAKE_SECONDS = 0.5
OBSERVE_SECONDS = 1.0  # between two observations that events give rise to

Heard = TypeVar("Heard")
Heard_contra = TypeVar("Heard_contra", contravariant=True)
Heard_co = TypeVar("Heard_co", covariant=True)


class Speaking(Protocol[Heard_co]):
    """A session in which a system speaks."""

    async def hear(self, seconds: float) -> Sequence[Heard_co]:
        """Return what comes within so many seconds, as soon as anything does. Raises SourceFault."""

    def close(self) -> None:
        """Let go of the session."""


class Ear(Protocol[Heard_contra]):
    """Who understands a system: asks what is due, takes in what comes."""

    def ask_what_is_due(self) -> None:
        """Ask for whatever the time has come for."""

    def take_one(self, heard: Heard_contra) -> Sequence[ContactEvent]:
        """Take in one thing and return what happened by it. Raises SourceFault when it makes no sense."""

    def is_confirmed(self) -> bool:
        """Return whether the system has confirmed what is held, since this was asked last."""

    def observe(self, now: datetime) -> Sequence[Observation]:
        """Return how all queues stand by what is held and confirmed."""

    def report(self) -> None:
        """Say in the source's health how it goes."""


async def listen(
    ear: Ear[Heard], session: Speaking[Heard], around: Surroundings, stop: asyncio.Event, wake_seconds: float
) -> None:
    """Send on what is heard until `stop` is set. Raises SourceFault when the session is over or makes no sense.

    How the queues stand is sent when the system confirms it, and at most once a second when something has happened.
    """
    stirred, observed_at = False, time.monotonic()
    try:
        while not stop.is_set():
            ear.ask_what_is_due()
            heard = await session.hear(min(WAKE_SECONDS, wake_seconds))
            fault, payloads = _taken(ear, heard)
            stirred, confirmed = stirred or bool(heard), fault is None and ear.is_confirmed()
            if confirmed or (fault is None and stirred and time.monotonic() - observed_at >= OBSERVE_SECONDS):
                stirred, observed_at = False, time.monotonic()
                payloads += ear.observe(around.clock.now())
            await deliver_surely(around.ingest, payloads, stop)
            if fault is not None:
                raise fault
            if confirmed or payloads:
                ear.report()
    finally:
        session.close()


def _taken(ear: Ear[Heard], heard: Sequence[Heard]) -> tuple[SourceFault | None, list[Payload]]:
    """Return what was heard as payloads, up to a fault where there is one: what is held by then must have been sent."""
    payloads: list[Payload] = []
    for each in heard:
        try:
            payloads += ear.take_one(each)
        except SourceFault as fault:
            return fault, payloads
    return None, payloads
