"""Core values for tests, with everything a test does not care about filled in."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from app.core.event import Actor, Event, EventType
from app.core.floor.contact import ContactEvent, ContactEventKind
from app.core.floor.observation import Observation

NOW = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    """Return the instant that many seconds after NOW (before it when negative)."""
    return NOW + timedelta(seconds=seconds)


def an_observation(
    queue: str = "orders-voice", observed_at: datetime = NOW, source: str = "acd-1", **fields: Any
) -> Observation:
    """Return an observation of one queue; without any field it reports a backlog of 0."""
    return Observation(queue, observed_at, source, **(fields or {"backlog": 0}))


def a_contact(
    event: str = "queued",
    at: datetime = NOW,
    contact_id: str = "c-1",
    queue: str = "orders-voice",
    source: str = "acd-1",
    **fields: Any,
) -> ContactEvent:
    """Return one contact event."""
    return ContactEvent(contact_id, queue, ContactEventKind(event), at, source, **fields)


def contacts(table: str, queue: str = "orders-voice", source: str = "acd-1") -> list[ContactEvent]:
    """Return the events of a table, one contact per line, instants in seconds after NOW.

    "c-1: queued 0, answered 12, completed 80" is three events.
    """
    events = []
    for line in filter(None, map(str.strip, table.splitlines())):
        contact_id, story = line.split(":")
        for step in story.split(","):
            kind, seconds = step.split()
            events.append(a_contact(kind, after(float(seconds)), contact_id, queue, source))
    return events


def an_event(kind: EventType = EventType.GATE_CREATED, at: datetime = NOW, **members: Any) -> Event:
    """Return an event by ann about a gate, with these members instead."""
    return replace(Event(kind, at, Actor("key1", "ann"), "gate/default"), **members)
