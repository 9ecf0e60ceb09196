"""Why: the reasons and checks of one decision, built from the values it was decided by."""

from dataclasses import dataclass, replace
from datetime import datetime
from math import inf

from app.core.floor.metric import DEFINITIONS, Metric
from app.core.gate import foretold, wording
from app.core.gate.decision import Check, CheckStatus, Reason, ReasonCode
from app.core.gate.foresight import BLIND as BLIND_OUTLOOK
from app.core.gate.foresight import HELD, Foresight, Standing
from app.core.gate.policy import Policy
from app.core.gate.rule import Rule
from app.core.gate.rules import BLIND, Finding, Grade, timer_ends_at
from app.core.gate.windows import Hours

_CODES = {
    Metric.BACKLOG: ReasonCode.BACKLOG_HIGH,
    Metric.OLDEST_WAIT_SECONDS: ReasonCode.OLDEST_WAIT_HIGH,
    Metric.ABANDONMENT_RATIO: ReasonCode.ABANDONMENT_HIGH,
    Metric.CONTACTS_IN_PROGRESS: ReasonCode.CONTACTS_IN_PROGRESS_HIGH,
    Metric.AGENTS_STAFFED: ReasonCode.AGENTS_STAFFED_LOW,
    Metric.AGENTS_AVAILABLE: ReasonCode.AGENTS_AVAILABLE_LOW,
    Metric.AGENTS_BUSY: ReasonCode.AGENTS_BUSY_HIGH,
    Metric.OCCUPANCY_RATIO: ReasonCode.OCCUPANCY_HIGH,
    Metric.SPEED_TO_ANSWER_SECONDS: ReasonCode.SPEED_TO_ANSWER_HIGH,
    Metric.SERVICE_LEVEL_RATIO: ReasonCode.SERVICE_LEVEL_LOW,
    Metric.HANDLE_TIME_SECONDS: ReasonCode.HANDLE_TIME_HIGH,
}
_TRUST = {metric: place for place, metric in enumerate(DEFINITIONS)}
_WITHIN = frozenset({Grade.GOOD, Grade.TOO_FEW})
_PLAIN_STATUS = {
    Grade.IGNORED: CheckStatus.IGNORED,
    Grade.MISSING: CheckStatus.MISSING,
    Grade.STALE: CheckStatus.STALE,
    Grade.TOO_FEW: CheckStatus.TOO_FEW,
    Grade.GOOD: CheckStatus.PASS,
    Grade.BETWEEN: CheckStatus.PASS,
    Grade.BAD: CheckStatus.PENDING,
}


@dataclass(frozen=True, slots=True)
class NoPolicy:
    """Explains a gate that has no policy."""

    def reasons(self) -> tuple[Reason, ...]:
        """Return the one reason there is."""
        message = "the gate has no policy, so nothing can be judged; save one"
        return (Reason(ReasonCode.DATA_NO_POLICY, message, binding=True),)

    def checks(self) -> tuple[Check, ...]:
        """Return none: without rules nothing is checked."""
        return ()

    def queues_looked_at(self) -> int:
        """Return 0: without rules no queue is looked at."""
        return 0


@dataclass(frozen=True, slots=True)
class Findings:
    """Explains a decision taken by a policy.

    remembering: those of found that remember something. blind: whether any has no usable data. unmatched: the queue
    patterns that found no queue. hours None: the policy has no send windows. unjudged: nothing at all was there to
    judge by. outlook None: the policy has none; outlook_since: when it began to hold.
    """

    policy: Policy
    now: datetime
    found: list[Finding]
    remembering: list[Finding]
    blind: bool
    unmatched: tuple[str, ...]
    hours: Hours | None
    unjudged: bool
    outlook: Standing | None = None
    outlook_since: datetime | None = None
    foresight: Foresight | None = None

    def reasons(self) -> tuple[Reason, ...]:
        """Return the reasons in the order of decide.py's header; the first is the binding one."""
        held = sorted(
            (f for f in self.remembering if f.memory and f.memory.holding and f.grade not in BLIND), key=_urgency
        )
        blind = sorted((f for f in self.found if f.grade in BLIND), key=_blindness) if self.blind else []
        reasons = [
            *self._closed(),
            *(self._held(finding) for finding in held),
            *self._foretold(),
            *(self._no_queue(pattern) for pattern in self.unmatched),
            *(self._blind(finding) for finding in blind),
            *self._unjudged(),
            *self._unforeseen(),
        ]
        return (replace(reasons[0], binding=True), *reasons[1:]) if reasons else ()

    def checks(self) -> tuple[Check, ...]:
        """Return a check per rule and queue, then the send window's, then the outlook's."""
        return (*(self._check(finding) for finding in self.found), *self._window_check(), *self._outlook_check())

    def queues_looked_at(self) -> int:
        """Return how many queues the rules looked at: each was looked at by all of them."""
        return len(self.found) // max(1, len(self.policy.rules))

    # --- reasons ---

    def _closed(self) -> list[Reason]:
        if self.hours is None or self.hours.is_open:
            return []
        return [Reason(ReasonCode.OUTSIDE_SEND_WINDOW, self._hours_sentence(self.hours))]

    def _held(self, finding: Finding) -> Reason:
        rule, reading = finding.rule, finding.reading
        return Reason(
            _CODES[rule.metric],
            f"{finding.queue}: {self._held_sentence(finding)}",
            metric=rule.metric,
            queue=finding.queue,
            observed=reading.value if reading else None,
            op=rule.op,
            limit=rule.hold_limit if finding.grade is Grade.BAD else rule.resume_limit,
            unit=DEFINITIONS[rule.metric].unit,
            window_seconds=reading.window_seconds if reading else None,
            as_of=reading.observed_at if reading else None,
            since=finding.memory.changed_at if finding.memory else None,
        )

    def _held_sentence(self, finding: Finding) -> str:
        rule, reading = finding.rule, finding.reading
        if reading is None or reading.value is None or finding.grade is Grade.TOO_FEW:
            said = wording.too_few(rule, reading) if reading else wording.name_of(rule)
            return f"{said}, {self._release(finding)}"
        unit = DEFINITIONS[rule.metric].unit
        limit = rule.hold_limit if finding.grade is Grade.BAD else rule.resume_limit
        value, bound = wording.pair(reading.value, limit, unit)
        said = wording.phrase(rule.metric, value, reading.window_seconds)
        if finding.grade is Grade.BAD:
            return f"{said}, limit {bound}"
        if finding.grade is Grade.BETWEEN:
            return f"{said}, resumes at {bound} or {'less' if rule.op == '<=' else 'more'}"
        return f"{said}, back within limits, {self._release(finding)}"

    def _release(self, finding: Finding) -> str:
        clears_at = timer_ends_at(finding)
        if clears_at is None:
            return "releasing at once"
        return f"releasing at {wording.clock_time(clears_at, self.now, self.policy.time_zone)} if it stays so"

    def _foretold(self) -> list[Reason]:
        if self.outlook is None or self.outlook not in HELD or self.foresight is None:
            return []
        return [foretold.held(self.foresight, self.policy, self.outlook, self.outlook_since, self.now)]

    def _unforeseen(self) -> list[Reason]:
        if self.outlook is None or self.outlook not in BLIND_OUTLOOK:
            return []
        return [foretold.blind(self.foresight, self.outlook, self.now)]

    def _no_queue(self, pattern: str) -> Reason:
        return Reason(ReasonCode.DATA_NO_QUEUES, f"no queue on the floor matches {pattern!r}")

    def _blind(self, finding: Finding) -> Reason:
        rule, reading = finding.rule, finding.reading
        return Reason(
            ReasonCode.DATA_STALE if finding.grade is Grade.STALE else ReasonCode.DATA_MISSING,
            f"{finding.queue}: {self._blind_sentence(finding)}",
            metric=rule.metric,
            queue=finding.queue,
            observed=_finite(reading.value) if reading else None,
            unit=DEFINITIONS[rule.metric].unit,
            window_seconds=reading.window_seconds if reading else rule.window_seconds,
            as_of=reading.observed_at if reading else None,
            since=finding.memory.changed_at if finding.memory else None,
        )

    def _blind_sentence(self, finding: Finding) -> str:
        rule, reading = finding.rule, finding.reading
        if finding.grade is Grade.STALE and reading is not None:
            return wording.stale(rule, reading, self.now, self.policy.stale_after_seconds)
        return wording.missing(rule, reading, self.now, known_before=finding.memory is not None)

    def _unjudged(self) -> list[Reason]:
        if not self.unjudged:
            return []
        message = "none of the metrics that the policy judges was ever reported, so there is nothing to decide by"
        return [Reason(ReasonCode.DATA_MISSING, message)]

    # --- checks ---

    def _check(self, finding: Finding) -> Check:
        rule, reading, status = finding.rule, finding.reading, _status(finding)
        value = _finite(reading.value) if reading else None
        return Check(
            rule.metric,
            finding.queue,
            status,
            value=value,
            op=rule.op,
            limit=rule.hold_limit,
            resume_limit=rule.resume_limit,
            margin=None if value is None else _margin(rule, value),
            unit=DEFINITIONS[rule.metric].unit,
            window_seconds=reading.window_seconds if reading else rule.window_seconds,
            samples=reading.samples if reading else None,
            as_of=reading.observed_at if reading else None,
            since=_since(finding),
            clears_at=timer_ends_at(finding) if status is CheckStatus.RECOVERING else None,
            detail=self._detail(finding, status),
        )

    def _detail(self, finding: Finding, status: CheckStatus) -> str:
        if finding.grade in BLIND:
            return self._blind_sentence(finding)
        if status is CheckStatus.IGNORED:
            return f"{wording.name_of(finding.rule)} was never reported, and the rule ignores that"
        if status is CheckStatus.TOO_FEW and finding.reading is not None:
            return wording.too_few(finding.rule, finding.reading)
        if status is CheckStatus.PENDING:
            holds_at = timer_ends_at(finding) or self.now
            return f"past the limit, holding at {wording.clock_time(holds_at, self.now, self.policy.time_zone)}"
        return self._held_sentence(finding) if finding.memory and finding.memory.holding else ""

    def _window_check(self) -> list[Check]:
        if self.hours is None:
            return []
        status = CheckStatus.PASS if self.hours.is_open else CheckStatus.HOLDING
        clears_at = None if self.hours.is_open else self.hours.changes_at
        return [Check(None, None, status, clears_at=clears_at, detail=self._hours_sentence(self.hours))]

    def _outlook_check(self) -> list[Check]:
        if self.outlook is None:
            return []
        return [foretold.check(self.foresight, self.policy, self.outlook, self.outlook_since, self.now)]

    def _hours_sentence(self, hours: Hours) -> str:
        zone = self.policy.time_zone
        at = None if hours.changes_at is None else wording.clock_time(hours.changes_at, self.now, zone)
        if hours.is_open:
            return f"inside the send windows until {at} ({zone})" if at else "inside the send windows"
        return f"outside the send windows, the next one opens at {at} ({zone})" if at else "outside the send windows"


def _status(finding: Finding) -> CheckStatus:
    if finding.grade in BLIND or finding.memory is None or not finding.memory.holding:
        return _PLAIN_STATUS[finding.grade]
    return CheckStatus.RECOVERING if finding.grade in _WITHIN else CheckStatus.HOLDING


def _since(finding: Finding) -> datetime | None:
    memory = finding.memory
    if memory is None:
        return None
    return memory.changed_at if memory.holding else memory.pending_since


def _margin(rule: Rule, value: float) -> float:
    """Return how far the value is on the good side of the hold limit."""
    return rule.hold_limit - value if rule.op == "<=" else value - rule.hold_limit


def _finite(value: float | None) -> float | None:
    return value if value is not None and -inf < value < inf else None


def _urgency(finding: Finding) -> tuple[bool, int, float, str, str]:
    """Order holding rules: what is still out before what recovers, then trust, then how far out, then names."""
    value = finding.reading.value if finding.reading else None
    excess = -inf if value is None else -_margin(finding.rule, value) / (abs(finding.rule.hold_limit) or 1.0)
    return finding.grade in _WITHIN, _TRUST[finding.rule.metric], -excess, finding.queue, finding.rule.key


def _blindness(finding: Finding) -> tuple[int, bool, str, str]:
    """Order missing and stale readings: by trust, what is missing before what is old, then names."""
    return _TRUST[finding.rule.metric], finding.grade is Grade.STALE, finding.queue, finding.rule.key
