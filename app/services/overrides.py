"""Overrides: made, listed, ended, and kept in memory for the evaluator; people are reminded before one ends."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from functools import partial

from app.core.event import HOLDFIRE, Actor, Event, EventType
from app.core.gate.override import Override, OverrideState
from app.core.gate.policy import DEFAULT_OVERRIDE_MINUTES
from app.errors import HoldfireError, Invalid, NotFound
from app.ports.clock import Clock
from app.ports.overrides import OverrideStore
from app.services.override_draft import OverrideDraft, override_of
from app.services.published import Published

log = logging.getLogger(__name__)

MOST_AT_ONCE = 100
REMINDED_BEFORE = timedelta(minutes=15)
LOOK_SECONDS = 1.0
LOOK_WALL_SECONDS = 0.2


class Overrides:
    """All overrides whose end is not written down yet are in memory. on_change runs after a change is durable."""

    def __init__(
        self,
        store: OverrideStore,
        clock: Clock,
        published: Callable[[], Published],
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._clock, self._published, self._on_change = store, clock, published, on_change
        self._open: dict[str, Override] = {}

    async def load(self) -> None:
        """Read all overrides whose end is not written down yet."""
        self._open = {each.id: each for each in await self._store.open_overrides()}

    def of(self, gate: str) -> Sequence[Override]:
        """Return a gate's overrides that may apply now, or did until a moment ago."""
        return tuple(each for each in self._open.values() if each.gate == gate)

    def forget(self, gate: str) -> None:
        """Leave out the overrides of a gate that was deleted."""
        self._open = {name: each for name, each in self._open.items() if each.gate != gate}

    # --- what people do ---

    async def create(self, gate: str, draft: OverrideDraft, actor: Actor) -> Override:
        """Return a new override; answers follow it from now on. Raises NotFound, or Invalid with all that is wrong."""
        now, override_id = self._clock.now(), f"ovr_{secrets.token_hex(8)}"
        override = override_of(draft, override_id, gate, actor.name, now, most_minutes=self._most_minutes(gate))
        if len(self.of(gate)) >= MOST_AT_ONCE:
            raise Invalid(f"gate {gate!r} has {MOST_AT_ONCE} overrides that have not ended; end some first")
        event = _event(EventType.OVERRIDE_CREATED, override, now, actor, override.comment)
        await self._store.add_override(override, replace(event, after=override_document(override)))
        self._keep(override)
        return override

    async def end(self, gate: str, override_id: str, actor: Actor, reason: str = "") -> Override:
        """Return the override, ended now: it stays in the list. One that has ended stays as it is. Raises NotFound."""
        await self.override(gate, override_id)
        now = self._clock.now()

        def step(former: Override) -> tuple[Override, Event] | None:
            if former.closed_at is not None or former.state(now) is OverrideState.EXPIRED:
                return None
            ended = replace(former, ends_at=now, closed_at=now)
            event = _event(EventType.OVERRIDE_ENDED, ended, now, actor, reason)
            return ended, replace(event, before=override_document(former), after=override_document(ended))

        ended = await self._store.change_override(override_id, step)
        self._keep(ended)
        return ended

    async def override(self, gate: str, override_id: str) -> Override:
        """Return one of a gate's overrides, ended ones too. Raises NotFound."""
        found = await self._store.override(override_id)
        if found.gate != gate:
            raise NotFound(f"gate {gate!r} has no override {override_id!r}")
        return found

    async def overrides(
        self, gate: str, *, before: tuple[datetime, str] | None = None, limit: int = 100, only_open: bool = False
    ) -> Sequence[Override]:
        """Return a gate's overrides, newest first; only_open leaves out the ended ones. Raises NotFound."""
        ends_after = self._clock.now() if only_open else None
        found = await self._store.overrides(gate, ends_after=ends_after, before=before, limit=limit)
        known = self._published().gates
        if not found and gate not in known:
            raise NotFound(f"there is no gate {gate!r}; known: {', '.join(sorted(known)) or 'none yet'}")
        return found

    async def count_uses(self, uses: Mapping[str, tuple[int, datetime]]) -> None:
        """Note how many answers each override took part in, and when the last one was."""
        await self._store.count_uses(uses)

    # --- what time does ---

    async def run(self, stop: asyncio.Event) -> None:
        """Remind of overrides that end soon, and write down the end of those that have ended, until `stop`."""
        while not stop.is_set():
            try:
                await self.look()
            except (HoldfireError, OSError) as fault:
                log.warning("overrides_not_followed", extra={"error": str(fault)})
            with suppress(TimeoutError):
                pause = max(self._clock.wall_seconds(LOOK_SECONDS), LOOK_WALL_SECONDS)
                await asyncio.wait_for(stop.wait(), pause)

    async def look(self) -> None:
        """Write down each reminder and each end that is due. What was written down once is not again."""
        now = self._clock.now()
        for override in tuple(self._open.values()):
            if now >= override.ends_at:
                step = _expired
            elif override.reminded_at is None and now >= reminded_from(override):
                step = _reminded
            else:
                continue
            try:
                self._keep(await self._store.change_override(override.id, partial(step, now)))
            except NotFound:  # its gate was deleted meanwhile
                self._open.pop(override.id, None)

    def _keep(self, override: Override) -> None:
        """Have what is in memory follow what is written down."""
        if override.closed_at is None:
            self._open[override.id] = override
        else:
            self._open.pop(override.id, None)
        self._on_change()

    def _most_minutes(self, gate: str) -> float:
        state = self._published().gates.get(gate)
        return state.policy.max_override_minutes if state and state.policy else DEFAULT_OVERRIDE_MINUTES


def reminded_from(override: Override) -> datetime:
    """Return when people are reminded of an override's end: 15 minutes before it, or a quarter of its time if less."""
    return override.ends_at - min(REMINDED_BEFORE, (override.ends_at - override.starts_at) / 4)


def override_document(override: Override) -> dict[str, object]:
    """Return what an event says of an override."""
    shown = ("id", "gate", "effect", "starts_at", "ends_at", "created_by", "comment", "even_without_data")
    document: dict[str, object] = {name: getattr(override, name) for name in shown}
    return document | {"matchers": [asdict(matcher) for matcher in override.matchers]}


def _expired(now: datetime, former: Override) -> tuple[Override, Event] | None:
    if former.closed_at is not None or now < former.ends_at:
        return None
    closed = replace(former, closed_at=now)
    event = _event(EventType.OVERRIDE_EXPIRED, closed, now, HOLDFIRE, former.comment)
    return closed, replace(event, after=override_document(closed))


def _reminded(now: datetime, former: Override) -> tuple[Override, Event] | None:
    if former.reminded_at is not None or former.closed_at is not None:
        return None
    reminded = replace(former, reminded_at=now)
    event = _event(EventType.OVERRIDE_EXPIRING, reminded, now, HOLDFIRE, former.comment)
    return reminded, replace(event, after=override_document(reminded))


def _event(what: EventType, override: Override, at: datetime, actor: Actor, reason: str) -> Event:
    return Event(what, at, actor, f"override/{override.id}", reason, gate=override.gate)
