"""The why-panel: one row per rule and queue, the worst first, the deciding one marked. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.core.floor.metric import DEFINITIONS
from app.core.gate.decision import Check, CheckStatus, Decision, Reason
from app.core.gate.rule import Rule
from app.web.format import NONE, clock_time, count, duration, iso, margin, measure, retitled

# Per status: the state whose colour and shape the row wears, its word, and its place in the order of gravity.
STATUSES = {
    CheckStatus.HOLDING: ("hold", "holding", 0),
    CheckStatus.MISSING: ("unknown", "missing", 1),
    CheckStatus.STALE: ("unknown", "stale", 1),
    CheckStatus.RECOVERING: ("throttle", "recovering", 2),
    CheckStatus.PENDING: ("throttle", "pending", 3),
    CheckStatus.TOO_FEW: ("neutral", "too few", 4),
    CheckStatus.PASS: ("send", "passes", 5),
    CheckStatus.IGNORED: ("neutral", "not reported", 6),
}
FINE = frozenset({CheckStatus.PASS, CheckStatus.TOO_FEW, CheckStatus.IGNORED})
BLIND = frozenset({CheckStatus.MISSING, CheckStatus.STALE})
BAR_LIMIT_AT = 0.62  # where on the bar the limit's mark stands; the rest shows how far past it a value is
OPS = {"<=": "≤", ">=": "≥"}


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One printed row. fill: the value's length on a bar 0..1 whose limit stands at `limit_at`; None: no bar.

    until is when the row's timer ends, for a page that counts down; remaining says it in words now.
    said: the reasons of the decision that this row stands for, word for word.
    """

    key: str
    state: str
    word: str
    fine: bool
    binding: bool
    queue: str
    title: str
    window: str
    value: str
    limit: str
    resume: str
    margin: str
    fill: float | None
    limit_at: float
    until: str
    remaining: str
    detail: str
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """What rows are made from: the decision, its policy's rules, the queues' titles, and now in the center's zone."""

    decision: Decision
    rules: Sequence[Rule]
    titles: Mapping[str, str]
    now: datetime
    zone: ZoneInfo

    @property
    def binding(self) -> Reason | None:
        """The reason that decides."""
        return next((reason for reason in self.decision.reasons if reason.binding), None)


def check_rows(panel: Panel, least: int | None = None) -> list[CheckRow]:
    """Return a row for every check, worst first, and before them one for every reason that no check stands for.

    least: so many rows at least, and all that are not fine; None: every one.
    """
    checks, binding = panel.decision.checks, panel.binding
    shown = {(check.metric, check.queue) for check in checks}
    loose = [reason for reason in panel.decision.reasons if (reason.metric, reason.queue) not in shown]
    ordered = sorted(checks, key=lambda check: _gravity(check, binding))
    if least is not None:
        ordered = ordered[: max(least - len(loose), sum(check.status not in FINE for check in checks))]
    return [_reason_row(reason) for reason in loose] + [_row(panel, check) for check in ordered]


def checks_in_words(decision: Decision) -> str:
    """Return how many checks there are, and how many of them do not pass."""
    shown = {(check.metric, check.queue) for check in decision.checks}
    loose = sum((reason.metric, reason.queue) not in shown for reason in decision.reasons)
    bad = loose + sum(check.status not in FINE for check in decision.checks)
    return count(loose + len(decision.checks), "check") + (f", {bad} not passing" if bad else ", all passing")


def _is(check: Check, reason: Reason | None) -> bool:
    """Return whether a reason is about this check; two rules on one metric are told apart by their window."""
    if reason is None or check.status in FINE:
        return False
    same_window = reason.window_seconds is None or reason.window_seconds == check.window_seconds
    return (check.metric, check.queue) == (reason.metric, reason.queue) and same_window


def _gravity(check: Check, binding: Reason | None) -> tuple[bool, int, float, str, str]:
    closeness = 0.0
    if check.margin is not None and check.limit is not None:
        closeness = check.margin / (abs(check.limit) or 1.0)
    return (not _is(check, binding), STATUSES[check.status][2], closeness, check.queue or "", check.metric or "")


def _row(panel: Panel, check: Check) -> CheckRow:
    if check.metric is None:
        return _plain_row(panel, check)
    state, word, _ = STATUSES[check.status]
    definition, op = DEFINITIONS[check.metric], OPS.get(check.op or "", "")
    until, remaining = _timer(panel, check)
    known = check.value is not None and check.limit is not None and check.status not in BLIND
    return CheckRow(
        key="-".join(str(part) for part in (check.metric, check.limit, check.queue)),
        state=state,
        word=word,
        fine=check.status in FINE,
        binding=_is(check, panel.binding),
        queue=panel.titles.get(check.queue or "", check.queue or ""),
        title=definition.title,
        window="" if check.status is CheckStatus.TOO_FEW else _window(check),
        value=measure(check.value, check.unit),
        limit=NONE if check.limit is None else f"{op} {measure(check.limit, check.unit)}",
        resume=NONE if check.resume_limit is None else f"{op} {measure(check.resume_limit, check.unit)}",
        margin=NONE if check.status in BLIND else margin(check.margin, check.unit),
        fill=_fill(check.value or 0.0, check.limit or 0.0) if known else None,
        limit_at=BAR_LIMIT_AT,
        until=until,
        remaining=remaining,
        detail=_detail(check, panel.now, panel.zone),
        said=_said(panel, check),
    )


def _plain_row(panel: Panel, check: Check) -> CheckRow:
    """Return a row without numbers: the send windows, or a part of the policy that decides nothing yet."""
    until, remaining = _timer(panel, check)
    state, word, _ = STATUSES[check.status]
    closed = check.status is CheckStatus.HOLDING
    return _sentence_row(
        key=f"part-{check.detail.partition(' ')[0]}",
        state=state,
        word="closed" if closed else word,
        fine=check.status in FINE,
        binding=_is(check, panel.binding),
        title=check.detail,
        until=until,
        remaining=remaining,
        said=_said(panel, check),
    )


def _said(panel: Panel, check: Check) -> tuple[str, ...]:
    """Return what the decision says about a check; what the row says itself is not said again."""
    reasons = (reason.message for reason in panel.decision.reasons if _is(check, reason))
    return tuple(message for message in reasons if message != check.detail)


def _timer(panel: Panel, check: Check) -> tuple[str, str]:
    """Return when a check's running timer ends and how long that is from now; empty texts without one."""
    ends_at = check.clears_at
    if check.status is CheckStatus.PENDING and check.since is not None:
        rules = (rule for rule in panel.rules if (rule.metric, rule.hold_limit) == (check.metric, check.limit))
        ends_at = next((check.since + timedelta(seconds=rule.hold_for_seconds) for rule in rules), None)
    if ends_at is None or ends_at <= panel.now:
        return "", ""
    return iso(ends_at), f"{duration((ends_at - panel.now).total_seconds() // 1)} left"


def _window(check: Check) -> str:
    samples = "" if check.samples is None else f", {check.samples:,} contacts"
    return "" if check.window_seconds is None else f"over {duration(check.window_seconds)}{samples}"


def _fill(value: float, limit: float) -> float:
    share = 1.0 if limit == 0 and value > 0 else value / limit if limit else 0.0
    return round(min(1.0, max(0.0, share * BAR_LIMIT_AT)), 3)


def _detail(check: Check, now: datetime, zone: ZoneInfo) -> str:
    """Return what the row's numbers do not say: since when, or why there is nothing to judge."""
    if check.status in {CheckStatus.HOLDING, CheckStatus.RECOVERING} and check.since is not None:
        return f"since {clock_time(check.since, zone, today=now)}"
    if check.status is CheckStatus.STALE and check.as_of is not None:
        return f"last seen {clock_time(check.as_of, zone, today=now)}"
    return "" if check.status in {CheckStatus.PASS, CheckStatus.PENDING} else check.detail


def _reason_row(reason: Reason) -> CheckRow:
    unknown = reason.code.startswith("data_")
    return _sentence_row(
        key=f"reason-{reason.code}-{reason.queue or ''}-{reason.message}",
        state="unknown" if unknown else "hold",
        word="unknown" if unknown else "holding",
        binding=reason.binding,
        title=reason.message,
    )


def _sentence_row(
    *,
    key: str,
    state: str,
    word: str,
    binding: bool,
    title: str,
    fine: bool = False,
    until: str = "",
    remaining: str = "",
    said: tuple[str, ...] = (),
) -> CheckRow:
    return CheckRow(
        key=key,
        state=state,
        word=word,
        fine=fine,
        binding=binding,
        queue="",
        title=retitled(title, {}),
        window="",
        value="",
        limit="",
        resume="",
        margin="",
        fill=None,
        limit_at=BAR_LIMIT_AT,
        until=until,
        remaining=remaining,
        detail="",
        said=said,
    )
