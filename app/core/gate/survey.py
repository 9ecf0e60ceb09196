"""How every rule of a policy stands on every queue: looked at whole, or only where anything can have changed.

Theory of operation: how a rule stands on a queue follows from the reading, from what it remembers and from the instant.
Without memory the instant matters in two ways only: a usable reading becomes stale when `stale_at` passes it, and one
from the future becomes plausible. So from one look to the next a Surveyor looks again at queues whose readings may
differ, at those with a rule that remembers something or a reading from the future, and at those whose oldest usable
reading has gone stale. All else it keeps; where it cannot be sure that it may, it looks at everything.
"""

import fnmatch
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from app.core.floor.view import FloorView
from app.core.gate.decision import RuleMemory
from app.core.gate.policy import Policy
from app.core.gate.rules import Finding, Grade, Look, grade, remember

Rules = Mapping[tuple[str, str], RuleMemory]

_BAD, _STALE, _MISSING = Grade.BAD, Grade.STALE, Grade.MISSING
_NEVER = datetime.max.replace(tzinfo=UTC)


class Survey(NamedTuple):
    """What was found on the floor, queue by queue in order, each by every rule. Nothing in it is ever changed.

    remembering: the findings with a memory. blind: whether any data is missing or stale. fresh_since: the oldest usable
    observation; as_of: the oldest one, stale or not.
    """

    found: list[Finding]
    unmatched: tuple[str, ...]
    rules: Rules
    remembering: list[Finding]
    blind: bool
    fresh_since: datetime | None
    as_of: datetime | None


Surveying = Callable[[FloorView, Policy, Rules, Look], Survey]
# What tells which queues' readings may differ between an earlier view and a later one; None: it cannot be told.
Changes = Callable[[FloorView, FloorView], Collection[str] | None]


class _Row(NamedTuple):
    """One queue. fresh and as_of: its oldest usable and its oldest observation, _NEVER where there is none.

    restless: whether time alone may change it, besides making it stale.
    """

    found: list[Finding]
    fresh: datetime
    as_of: datetime
    blind: bool
    restless: bool


def survey(view: FloorView, policy: Policy, remembered: Rules, at: Look) -> Survey:
    """Return how everything stands now, looked at whole."""
    return Surveyor(lambda _earlier, _later: None)(view, policy, remembered, at)


class Surveyor:
    """Surveys for one gate again and again, at the cost of what changed. Not for use from several threads.

    changes tells which queues' readings may differ between two views.
    """

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._view: FloorView | None = None
        self._policy: Policy | None = None
        self._at: Look | None = None
        self._on_floor: tuple[str, ...] = ()
        self._queues: tuple[str, ...] = ()  # those that the policy picks
        self._places: dict[str, int] = {}
        self._unmatched: tuple[str, ...] = ()
        self._rows: list[_Row] = []
        self._found: list[Finding] = []
        self._fresh: list[datetime] = []
        self._as_of: list[datetime] = []
        self._least = _NEVER, _NEVER
        self._restless: set[int] = set()
        self._blind = 0
        self._rules: Rules = {}

    def __call__(self, view: FloorView, policy: Policy, remembered: Rules, at: Look) -> Survey:
        """Return how everything stands now. remembered: what each rule remembers of each queue."""
        on_floor = tuple(view.queues())
        again = self._to_look_at(view, policy, remembered, at, on_floor)
        if again is None:
            again = self._begin(policy, on_floor)
        self._view, self._at = view, at
        if again:
            self._look(again, view, policy, remembered, at)
        remembering = [f for place in sorted(self._restless) for f in self._rows[place].found if f.memory is not None]
        rules = {(f.rule.key, f.queue): f.memory for f in remembering if f.memory is not None}
        if self._unmatched and remembered:
            rules |= {key: kept for key, kept in remembered.items() if key[1] not in on_floor}
        self._rules = _unless_same(rules, remembered)
        fresh, as_of = (None if least is _NEVER else least for least in self._least)
        return Survey(self._found, self._unmatched, self._rules, remembering, self._blind > 0, fresh, as_of)

    def _to_look_at(
        self, view: FloorView, policy: Policy, remembered: Rules, at: Look, on_floor: tuple[str, ...]
    ) -> list[int] | None:
        """Return the places of the queues to look at again, in order; None: all are to be looked at anew."""
        before = self._at
        if self._view is None or before is None or self._policy is not policy or at.now < before.now:
            return None
        changed = self._changes(self._view, view)
        if (
            changed is None
            or on_floor != self._on_floor
            or (remembered is not self._rules and remembered != self._rules)
        ):
            return None
        places = self._places
        again = {places[queue] for queue in changed if queue in places} | self._restless
        if self._least[0] <= at.stale_at:
            again.update(place for place, fresh in enumerate(self._fresh) if fresh <= at.stale_at)
        return sorted(again)

    def _begin(self, policy: Policy, on_floor: tuple[str, ...]) -> list[int]:
        """Forget everything, and return the places of all queues that the policy picks."""
        self._queues, self._unmatched = select(policy.queues, on_floor)
        queues = self._queues
        self._policy, self._on_floor = policy, on_floor
        self._places = {queue: place for place, queue in enumerate(queues)}
        self._rows = [_UNSEEN] * len(queues)
        self._found = list[Finding]()
        self._fresh, self._as_of = [_NEVER] * len(queues), [_NEVER] * len(queues)
        self._least, self._blind, self._restless = (_NEVER, _NEVER), 0, set()
        return list(range(len(queues)))

    def _look(self, again: Sequence[int], view: FloorView, policy: Policy, remembered: Rules, at: Look) -> None:
        """Look at the queues of these places and put what is found in the place of what was; what was told stays."""
        width = len(policy.rules)
        found = self._found = list(self._found)
        before, after = list[_Row](), list[_Row]()
        for place in again:
            row = _look(self._queues[place], view, policy, remembered, at)
            before.append(self._rows[place])
            after.append(row)
            self._rows[place], self._fresh[place], self._as_of[place] = row, row.fresh, row.as_of
            found[place * width : (place + 1) * width] = row.found
            (self._restless.add if row.restless else self._restless.discard)(place)
        self._blind += sum(row.blind for row in after) - sum(row.blind for row in before)
        self._least = (
            _least(self._least[0], self._fresh, (row.fresh for row in before), (row.fresh for row in after)),
            _least(self._least[1], self._as_of, (row.as_of for row in before), (row.as_of for row in after)),
        )


def _look(queue: str, view: FloorView, policy: Policy, remembered: Rules, at: Look) -> _Row:
    """Look at one queue by every rule. Runs for every queue that changed, each second: nothing is built twice."""
    found: list[Finding] = []
    blind = restless = False
    fresh = as_of = _NEVER
    for rule in policy.rules:
        reading = view.reading(queue, rule.metric, rule.window_seconds)
        before = remembered.get((rule.key, queue)) if remembered else None
        graded = grade(rule, reading, before, at)
        after = None
        if before is not None or graded is _BAD:
            after = remember(rule, graded, before, at)
            restless = restless or after is not None
        found.append(Finding(rule, queue, reading, graded, after))
        if graded is _STALE or graded is _MISSING:
            blind = True
        if reading is None:
            continue
        if graded is _MISSING:
            restless = True
            continue
        as_of = min(as_of, reading.observed_at)
        if graded is not _STALE:
            fresh = min(fresh, reading.observed_at)
    return _Row(found, fresh, as_of, blind, restless)


_UNSEEN = _Row([], _NEVER, _NEVER, blind=False, restless=False)


def _least(least: datetime, values: Sequence[datetime], gone: Iterable[datetime], came: Iterable[datetime]) -> datetime:
    """Return the least of the values, of which some came in the place of others: looked for only if the least went."""
    if least is not _NEVER and least in gone:
        return min(values)
    return min(least, *came) if values else _NEVER


@lru_cache(maxsize=1024)
def select(patterns: tuple[str, ...], queues: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the queues that any pattern matches, in order, and the patterns that match none."""
    matchers = [re.compile(fnmatch.translate(pattern)).match for pattern in patterns]
    matched = tuple(queue for queue in queues if any(match(queue) for match in matchers))
    unmatched = tuple(pattern for pattern, match in zip(patterns, matchers, strict=True) if not any(map(match, queues)))
    return matched, unmatched


def _unless_same(rules: dict[tuple[str, str], RuleMemory], remembered: Rules) -> Rules:
    same = len(rules) == len(remembered) and all(kept is remembered.get(key) for key, kept in rules.items())
    return remembered if same else rules
