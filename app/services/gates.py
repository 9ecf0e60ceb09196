"""Gates and their policies: made, listed, changed and taken away; the evaluator is told of each change."""

from collections.abc import Callable, Mapping, Sequence

from app.core.event import HOLDFIRE, Actor, Event, EventType
from app.core.gate.policy import PolicyRefused, parse_policy
from app.core.problem import Problem
from app.errors import Invalid, NotFound
from app.ports.clock import Clock
from app.ports.gates import GateStore, PolicyVersion

MAX_NAME = 63
NAME_RULE = f"1 to {MAX_NAME} lower-case letters, digits and hyphens, beginning with a letter or digit"
_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


class Gates:
    """All gates. on_change(gate, newest policy or None) and on_delete(gate) run after the change is durable."""

    def __init__(
        self,
        store: GateStore,
        clock: Clock,
        on_change: Callable[[str, PolicyVersion | None], None] = lambda _gate, _policy: None,
        on_delete: Callable[[str], None] = lambda _gate: None,
    ) -> None:
        self._store, self._clock = store, clock
        self._on_change, self._on_delete = on_change, on_delete

    async def names(self) -> Sequence[str]:
        """Return all gates' names, sorted."""
        return await self._store.gates()

    async def create(self, name: str, actor: Actor = HOLDFIRE, reason: str = "") -> None:
        """Add a gate; it is unknown until it has a policy. Raises Invalid for a bad name, Conflict for one taken."""
        if not 1 <= len(name) <= MAX_NAME or not _NAME_CHARACTERS.issuperset(name) or name.startswith("-"):
            raise Invalid(f"{name!r} cannot name a gate", [Problem("/name", f"a gate's name is {NAME_RULE}")])
        event = self._event(EventType.GATE_CREATED, name, actor, reason)
        await self._store.create_gate(name, event.at, event)
        self._on_change(name, None)

    async def delete(self, name: str, actor: Actor = HOLDFIRE, reason: str = "") -> None:
        """Take a gate away; its decisions stay in the log. Raises NotFound."""
        await self._store.delete_gate(name, self._event(EventType.GATE_DELETED, name, actor, reason))
        self._on_delete(name)

    async def policy(self, gate: str, version: int | None = None) -> PolicyVersion:
        """Return one version (default: the newest). Raises NotFound for the gate or the version."""
        saved = await self._store.policy(gate, version)
        if saved is None:
            which = "no policy yet" if version is None else f"no version {version} of its policy"
            raise NotFound(f"gate {gate!r} has {which}")
        return saved

    async def newest_version(self, gate: str) -> int:
        """Return the number of the newest version, 0 when there is none. Raises NotFound for the gate."""
        saved = await self._store.policy(gate)
        return saved.version if saved else 0

    async def versions(self, gate: str, before: int | None = None, limit: int = 100) -> Sequence[PolicyVersion]:
        """Return versions below `before` (None: all), newest first, at most `limit`. Raises NotFound."""
        return await self._store.policy_versions(gate, before, limit)

    async def save(
        self,
        gate: str,
        document: Mapping[str, object],
        *,
        author: str,
        reason: str,
        expected: int,
        actor: Actor | None = None,
    ) -> PolicyVersion:
        """Append a version and return it; `expected` is the version the author saw, 0 for none.

        author: who is shown beside the version; actor: who did it, None for holdfire itself in the author's name.

        Raises Invalid with one problem per fault of the document, NotFound, or Conflict when somebody was faster.
        """
        try:
            parse_policy(document)
        except PolicyRefused as refused:
            raise Invalid("the policy was refused; nothing was changed", refused.problems) from refused
        by = actor or Actor(HOLDFIRE.id, author)
        event = self._event(EventType.POLICY_SAVED, gate, by, reason)
        saved = await self._store.save_policy(
            gate, document, author=author, reason=reason, at=event.at, expected=expected, event=event
        )
        self._on_change(gate, saved)
        return saved

    def _event(self, kind: EventType, gate: str, actor: Actor, reason: str = "") -> Event:
        return Event(kind, self._clock.now(), actor, f"gate/{gate}", reason, gate)
