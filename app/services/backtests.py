"""Backtests: what a policy's gate would have said over stored minutes, worked out where nobody waits for an answer."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.backtest.backtest import backtest
from app.core.backtest.comparison import Comparison, compared, kept_limits
from app.core.backtest.history import MINUTE, Looks, minutes_before
from app.core.backtest.report import Report
from app.core.gate.policy import Policy, PolicyRefused, parse_policy
from app.core.gate.rule import Rule, parse_rules
from app.core.problem import Problem
from app.errors import HoldfireError, Invalid
from app.ports.backtest import MinuteReader, Wanted
from app.ports.clock import Clock
from app.ports.computing import Computing
from app.services.gates import Gates

DEFAULT_SPAN = timedelta(days=28)
LONGEST_SPAN = timedelta(days=400)
MOST_AT_ONCE = 3
RETRY_SECONDS = 5

Progress = Callable[[float], None]


class Busy(HoldfireError):
    """A backtest has to wait until others are done. is_own: among these is one of the same asker."""

    def __init__(self, detail: str, *, is_own: bool) -> None:
        super().__init__(detail)
        self.is_own = is_own


@dataclass(frozen=True, slots=True)
class Question:
    """What to walk: the gate's newest policy, or a stored version, or a document of its own; and over what.

    until None: now; start None: 28 days before. breach: what a real breach is, as rules of a policy; None: the policy's
    own hold limits.
    """

    gate: str
    start: datetime | None = None
    until: datetime | None = None
    document: Mapping[str, object] | None = None
    version: int | None = None
    breach: Sequence[object] | None = None


@dataclass(frozen=True, slots=True)
class Backtest:
    """A report with what it is of. version None: of a document that is not saved. is_cut: the span ended after now."""

    gate: str
    policy: Policy
    version: int | None
    report: Report
    is_cut: bool
    is_own_breach: bool


class Backtests:
    """Walks policies over history. computing: where; one backtest per asker at a time, and few altogether."""

    def __init__(self, gates: Gates, minutes: MinuteReader, computing: Computing, clock: Clock) -> None:
        self._gates, self._minutes, self._computing, self._clock = gates, minutes, computing, clock
        self._askers: list[str] = []

    async def run(self, question: Question, asker: str, progress: Progress | None = None) -> Backtest:
        """Return how the policy would have done. progress: only where computing is done in this process.

        Raises NotFound for the gate, its policy or the version, Invalid for a bad document or span, Busy, and
        NotComputed when it took too long.
        """
        start, until, is_cut = self._span(question)
        policy, version = await self._policy(question)
        breach = _breach(question.breach)
        with self._turn(asker):
            walk = Walk(self._minutes, policy, start, until, breach)
            report = await self._computing.run(walked, walk, *(() if progress is None else (progress,)))
        return Backtest(question.gate, policy, version, report, is_cut, bool(breach))

    async def compare(self, policies: Sequence[Policy], judge: Policy, span: timedelta, asker: str) -> Comparison:
        """Return how policies would have done over a span that ends now; `judge` says what hours were bad.

        Raises Busy, and NotComputed when it took too long.
        """
        until = _floor(self._clock.now())
        with self._turn(asker):
            return await self._computing.run(walked_beside, self._minutes, policies, judge, until - span, until)

    def _span(self, question: Question) -> tuple[datetime, datetime, bool]:
        """Return whole minutes that are over by now, and whether more was asked for."""
        now = _floor(self._clock.now())
        until = _ceil(question.until) if question.until else now
        start = _floor(question.start) if question.start else min(until, now) - DEFAULT_SPAN
        if start >= until:
            raise _refused("/from", f"{start.isoformat()} must be before to, {until.isoformat()}")
        if start >= now:
            raise _refused("/from", f"{start.isoformat()} has not been yet: history ends now, at {now.isoformat()}")
        if until - start > LONGEST_SPAN:
            days = f"{LONGEST_SPAN.days} days"
            raise _refused("/from", f"{start.isoformat()} is more than {days} before to, {until.isoformat()}")
        return start, min(until, now), until > now

    async def _policy(self, question: Question) -> tuple[Policy, int | None]:
        if question.document is None:
            saved = await self._gates.policy(question.gate, question.version)
            return parse_policy(saved.document), saved.version
        await self._gates.newest_version(question.gate)  # the gate must be there
        if question.version is not None:
            raise Invalid("the question was refused", [Problem("/version", "give a version or a policy, not both")])
        try:
            return parse_policy(question.document), None
        except PolicyRefused as refused:
            problems = [Problem(f"/policy{problem.pointer}", problem.detail) for problem in refused.problems]
            raise Invalid("the policy was refused", problems) from refused

    @contextmanager
    def _turn(self, asker: str) -> Iterator[None]:
        if asker in self._askers:
            raise Busy("another backtest that you asked for is still running; wait for it", is_own=True)
        if len(self._askers) >= MOST_AT_ONCE:
            raise Busy(f"{MOST_AT_ONCE} backtests are running already; ask again in some seconds", is_own=False)
        self._askers.append(asker)
        try:
            yield
        finally:
            self._askers.remove(asker)


@dataclass(frozen=True, slots=True)
class Walk:
    """All that a backtest needs, wherever it is worked out."""

    minutes: MinuteReader
    policy: Policy
    start: datetime
    until: datetime
    breach: tuple[Rule, ...]


def walked(walk: Walk, progress: Progress = lambda _: None) -> Report:
    """Return the report of a walk: half of the way is reading."""
    rules = (*walk.policy.rules, *walk.breach)
    before = minutes_before(rules, walk.policy.stale_after_seconds)
    count = (walk.until - walk.start) // MINUTE
    metrics = frozenset(rule.metric for rule in rules)
    wanted = Wanted(walk.policy.queues, metrics, walk.start - before * MINUTE, before + count - 1)
    history = walk.minutes.read(wanted, lambda share: progress(share / 2))
    return backtest(
        walk.policy, history, Looks(before - 1, count), walk.breach, lambda share: progress((1 + share) / 2)
    )


def walked_beside(
    minutes: MinuteReader, policies: Sequence[Policy], judge: Policy, start: datetime, until: datetime
) -> Comparison:
    """Return the courses of several policies over one reading of history."""
    limits = kept_limits(judge)
    everyone = (*policies, judge)
    before = max(minutes_before((*each.rules, *limits), each.stale_after_seconds) for each in everyone)
    count = (until - start) // MINUTE
    patterns = tuple(dict.fromkeys(pattern for each in everyone for pattern in each.queues))
    metrics = frozenset(rule.metric for rule in (*limits, *(rule for each in everyone for rule in each.rules)))
    history = minutes.read(Wanted(patterns, metrics, start - before * MINUTE, before + count - 1))
    return compared(policies, judge, history, Looks(before - 1, count))


def _breach(given: Sequence[object] | None) -> tuple[Rule, ...]:
    problems: list[Problem] = []
    rules = parse_rules(list(given or ()), "/breach", problems)
    if problems:
        raise Invalid("what a breach is was refused; write it as rules of a policy", problems)
    return rules


def _refused(pointer: str, detail: str) -> Invalid:
    return Invalid("the span was refused", [Problem(pointer, detail)])


def _floor(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def _ceil(at: datetime) -> datetime:
    return at if at == _floor(at) else _floor(at) + MINUTE
