"""The why-panel: one row per rule and queue, the worst first, the deciding one marked. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.core.floor.metric import DEFINITIONS
from app.core.gate.decision import Check, CheckStatus, Decision, Reason, ReasonCode
from app.web.format import NONE, clock_time, duration, iso, margin, measure

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
    CheckStatus.NOT_EVALUATED: ("neutral", "not evaluated", 7),
}
FINE = frozenset({CheckStatus.PASS, CheckStatus.TOO_FEW, CheckStatus.IGNORED, CheckStatus.NOT_EVALUATED})
BLIND = frozenset({CheckStatus.MISSING, CheckStatus.STALE})
BAR_LIMIT_AT = 0.62  # where on the bar the limit's mark stands; the rest shows how far past it a value is
OPS = {"<=": "≤", ">=": "≥"}


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One printed row. fill: the value's length on a bar 0..1 whose limit stands at `limit_at`; None: no bar.

    until is when the row's timer ends, for a page that counts down; remaining says it in words now.
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
    meaning: str


def check_rows(decision: Decision, titles: Mapping[str, str], now: datetime, zone: ZoneInfo) -> list[CheckRow]:
    """Return a row for every check, worst first, and for every reason that no check stands for."""
    binding = next((reason for reason in decision.reasons if reason.binding), None)
    shown = {(check.metric, check.queue) for check in decision.checks}
    loose = [reason for reason in decision.reasons if (reason.metric, reason.queue) not in shown]
    ordered = sorted(decision.checks, key=lambda check: _gravity(check, binding))
    rows = [_row(check, _is(check, binding), titles, now, zone) for check in ordered]
    return [_reason_row(reason) for reason in loose] + rows


def _is(check: Check, reason: Reason | None) -> bool:
    """Return whether a reason is about this check; two rules on one metric are told apart by their window."""
    if reason is None or reason.metric is None or check.status in FINE:
        return False
    same_window = reason.window_seconds is None or reason.window_seconds == check.window_seconds
    return (check.metric, check.queue) == (reason.metric, reason.queue) and same_window


def _gravity(check: Check, binding: Reason | None) -> tuple[bool, int, float, str, str]:
    closeness = 0.0
    if check.margin is not None and check.limit is not None:
        closeness = check.margin / (abs(check.limit) or 1.0)
    return (not _is(check, binding), STATUSES[check.status][2], closeness, check.queue or "", check.metric or "")


def _row(check: Check, is_binding: bool, titles: Mapping[str, str], now: datetime, zone: ZoneInfo) -> CheckRow:  # noqa: FBT001
    state, word, _ = STATUSES[check.status]
    definition = DEFINITIONS[check.metric] if check.metric else None
    left = None if check.clears_at is None else max(0.0, (check.clears_at - now).total_seconds())
    op = OPS.get(check.op or "", "")
    known = check.value is not None and check.limit is not None and check.status not in BLIND
    return CheckRow(
        key="-".join(str(part) for part in (check.metric, check.window_seconds, check.queue)),
        state=state,
        word=word,
        fine=check.status in FINE,
        binding=is_binding,
        queue=titles.get(check.queue or "", check.queue or ""),
        title=definition.title if definition else "Send window",
        window="" if check.status is CheckStatus.TOO_FEW else _window(check),
        value=measure(check.value, check.unit),
        limit=NONE if check.limit is None else f"{op} {measure(check.limit, check.unit)}",
        resume=NONE if check.resume_limit is None else f"{op} {measure(check.resume_limit, check.unit)}",
        margin=NONE if check.status in BLIND else margin(check.margin, check.unit),
        fill=_fill(check.value or 0.0, check.limit or 0.0) if known else None,
        limit_at=BAR_LIMIT_AT,
        until=iso(check.clears_at) if left else "",
        remaining=f"{duration(left // 1)} left" if left else "",
        detail=_detail(check, now, zone),
        meaning=definition.meaning if definition else "",
    )


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
    return CheckRow(
        key=f"reason-{reason.code}-{reason.queue or ''}",
        state="unknown" if unknown else "hold",
        word="unknown" if unknown else "closed" if reason.code is ReasonCode.OUTSIDE_SEND_WINDOW else "holding",
        fine=False,
        binding=reason.binding,
        queue=reason.queue or "",
        title=reason.message[:1].upper() + reason.message[1:],
        window="",
        value="",
        limit="",
        resume="",
        margin="",
        fill=None,
        limit_at=BAR_LIMIT_AT,
        until="",
        remaining="",
        detail="",
        meaning="",
    )


def worst_of(checks: Sequence[Check], queue: str) -> CheckStatus | None:
    """Return the gravest status among a queue's checks, None when no rule looks at it."""
    own = [check.status for check in checks if check.queue == queue]
    return min(own, key=lambda status: STATUSES[status][2], default=None)
