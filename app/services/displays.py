"""Screens on the wall: each shows one gate by a token of its own, which opens nothing else and can be revoked.

A screen has nobody who signs in, so its token stands in its address. It has a form of its own (hfd_…) that logs hide,
and is worth 200 random bits, of which only the SHA-256 is kept. All screens are in memory: to know one costs no query,
and a revoked one's sockets close at once.
"""

import asyncio
import logging
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

from app.core.campaign.wording import text_faults
from app.core.event import Actor, Event, EventType
from app.core.floor.fields import name_fault
from app.core.gate.windows import is_zone
from app.core.problem import Problem
from app.errors import HoldfireError, Invalid, NotFound
from app.ports.clock import Clock
from app.ports.displays import Display, DisplayStore
from app.services.tokens import digest_of, random_text

log = logging.getLogger(__name__)

PREFIX = "hfd_"
TOKEN_FORM = re.compile(rf"{PREFIX}[a-z2-7]{{40}}")
MAX_NAME, MAX_QUEUES = 60, 20
LOOK_SECONDS = 5.0
SEEN_EVERY = timedelta(minutes=1)

WALL = "/wall/{token}"

GateNames = Callable[[], Awaitable[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class DisplayPlan:
    """A screen to be made. queues (): all that the gate watches; zone None: that of the gate's policy."""

    name: str
    gate: str
    queues: tuple[str, ...] = ()
    zone: str | None = None


class Displays:
    """All screens, held in memory; `load` brings in what other processes changed."""

    def __init__(self, store: DisplayStore, gates: GateNames, clock: Clock) -> None:
        self._store, self._gates, self._clock = store, gates, clock
        self._by_digest: dict[bytes, Display] = {}
        self._open: dict[str, set[Callable[[], None]]] = defaultdict(set)
        self._seen: set[str] = set()
        self._changes = 0
        self._noted_at = clock.now() - SEEN_EVERY

    async def load(self) -> None:
        """Read all screens anew, and close the sockets of those that are good no more."""
        before: int | None = None
        while before != self._changes:  # what was read while a screen was made or taken down is of neither time
            before = self._changes
            found = await self._store.displays()
        self._by_digest = {display.secret_sha256: display for display in found}
        good = {display.id for display in self._by_digest.values() if display.revoked_at is None}
        for display_id in [each for each in self._open if each not in good]:
            self._close(display_id)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`: note which screens show something, and see what other processes changed."""
        while not stop.is_set():
            try:
                await self.note_seen()
                await self.load()
            except (HoldfireError, OSError) as fault:
                log.warning("displays_not_looked_at", extra={"error": str(fault)})
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)

    async def create(self, plan: DisplayPlan, actor: Actor) -> tuple[Display, str]:
        """Return a new screen and, this once, its token. Raises Invalid for a bad name, gate, queue or zone."""
        if faults := await self._faults(plan):
            raise Invalid("the screen was refused; nothing was made", faults)
        text, now = PREFIX + random_text(40), self._clock.now()
        display = Display(
            *(f"dsp_{random_text(8)}", plan.name, plan.gate, plan.queues, plan.zone),
            secret_sha256=digest_of(text),
            created_at=now,
            created_by=actor.name,
        )
        after = {"name": plan.name, "gate": plan.gate, "queues": list(plan.queues), "zone": plan.zone}
        made = Event(EventType.DISPLAY_CREATED, now, actor, f"display/{display.id}", gate=plan.gate, after=after)
        await self._store.add_display(display, made)
        self._know(display)
        return display, text

    async def all(self) -> Sequence[Display]:
        """Return all screens, revoked ones too, oldest first."""
        return await self._store.displays()

    async def find(self, display_id: str) -> Display:
        """Return one screen, also a revoked one. Raises NotFound."""
        found = next((display for display in await self._store.displays() if display.id == display_id), None)
        if found is None:
            raise NotFound(f"there is no screen {display_id!r}")
        return found

    async def revoke(self, display_id: str, actor: Actor) -> Display:
        """Return the screen, revoked: it shows nothing from now on, and its sockets close. Raises NotFound."""
        display = await self.find(display_id)
        event = Event(EventType.DISPLAY_REVOKED, self._clock.now(), actor, f"display/{display_id}", gate=display.gate)
        revoked = await self._store.revoke_display(display_id, event.at, event)
        self._know(revoked)
        self._close(display_id)
        return revoked

    def authenticate(self, text: str) -> Display | None:
        """Return the screen whose token a text is, None when it is unknown or revoked. It counts as seen."""
        if not TOKEN_FORM.fullmatch(text):
            return None
        display = self._by_digest.get(digest_of(text))
        if display is None or display.revoked_at is not None:
            return None
        self._seen.add(display.id)
        return display

    def showing(self, display_id: str) -> int:
        """Return how many sockets a screen has open: on how many devices it shows something now."""
        return len(self._open.get(display_id, ()))

    @contextmanager
    def watching(self, display: Display, over: Callable[[], None]) -> Iterator[None]:
        """Have `over` called once a screen is revoked, also since it was let in; meanwhile it counts as seen."""
        known = self._by_digest.get(display.secret_sha256)
        if known is None or known.revoked_at is not None:
            asyncio.get_running_loop().call_soon(over)
        self._open[display.id].add(over)
        try:
            yield
        finally:
            watchers = self._open.get(display.id, set())
            watchers.discard(over)
            if not watchers:
                self._open.pop(display.id, None)

    async def note_seen(self) -> None:
        """Write down which screens were seen since the last time, at most once a minute."""
        now = self._clock.now()
        self._seen.update(self._open)
        if not self._seen or now - self._noted_at < SEEN_EVERY:
            return
        self._noted_at = now
        seen, self._seen = self._seen, set()
        await self._store.mark_displays_seen(seen, now)

    def _know(self, display: Display) -> None:
        self._by_digest[display.secret_sha256] = display
        self._changes += 1

    def _close(self, display_id: str) -> None:
        for over in self._open.get(display_id, ()):
            over()

    async def _faults(self, plan: DisplayPlan) -> list[Problem]:
        faults = list(text_faults(plan.name, "/name", MAX_NAME))
        if not faults and not plan.name.isprintable():
            faults.append(Problem("/name", "it has a line break; say in one line where the screen hangs"))
        if plan.gate not in (gates := await self._gates()):
            faults.append(Problem("/gate", f"there is no gate {plan.gate!r}; known: {', '.join(gates) or 'none yet'}"))
        if len(plan.queues) > MAX_QUEUES:
            faults.append(Problem("/queues", f"there are {len(plan.queues)}; at most {MAX_QUEUES} are allowed"))
        named = ((place, name_fault(queue)) for place, queue in enumerate(plan.queues[:MAX_QUEUES]))
        faults += [Problem(f"/queues/{place}", fault) for place, fault in named if fault]
        if plan.zone is not None and not is_zone(plan.zone):
            faults.append(Problem("/zone", f"{plan.zone!r} is no time zone; write one such as America/Chicago"))
        return faults


def wall_path(token: str) -> str:
    """Return where a screen is to be opened."""
    return WALL.format(token=token)
