"""A policy in words, line by line, and what one policy changes of another. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from app.core.floor.metric import DEFINITIONS
from app.core.forecast.limits import OutlookLimits
from app.core.gate.policy import WEEKDAYS, Policy, SendWindow
from app.core.gate.rule import OnMissing, Rule
from app.web.format import NONE, THIN, duration, number
from app.web.thresholds.members import DAY_NAMES

WORKDAYS = frozenset(range(5))
ALL_DAYS = frozenset(range(7))
NO_LIMIT = "no limit"
_TOLD_WHOLE = ((3600, 1), (86_400, 60), (float("inf"), 3600))  # a duration has two units: what it leaves nothing out of


@dataclass(frozen=True, slots=True)
class Line:
    """One member in words. key: what it is compared by."""

    key: str
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """One member that differs: what it is, and how it reads before and after."""

    label: str
    before: str
    after: str


def changes(before: Policy | None, after: Policy) -> list[Change]:
    """Return what `after` changes; all of it where there was nothing before. Defaults count as what they mean.

    A rule is told by its metric and window, wherever in the policy it stands; one that comes or goes is one change.
    """
    former = {rule.key: rule for rule in before.rules} if before else {}
    newer = {rule.key: rule for rule in after.rules}
    found: list[Change] = []
    for key in dict.fromkeys((*former, *newer)):
        found += _rule_changes(former.get(key), newer.get(key))
    return found + _differing(lines(before) if before else (), lines(after))


def _differing(before: Iterable[Line], after: Iterable[Line]) -> list[Change]:
    former, newer = ({line.key: line for line in each} for each in (before, after))
    found = [
        Change(line.label, former[key].text if key in former else NONE, line.text)
        for key, line in newer.items()
        if key not in former or former[key].text != line.text
    ]
    return found + [Change(line.label, line.text, NONE) for key, line in former.items() if key not in newer]


def _rule_changes(before: Rule | None, after: Rule | None) -> list[Change]:
    if before and after:
        title = rule_title(after)
        return [
            Change(f"{title}: {each.label}", each.before, each.after)
            for each in _differing(_rule(before), _rule(after))
        ]
    rule = before or after
    if rule is None:
        return []
    told = ", ".join(f"{line.label} {line.text}" for line in _rule(rule))
    return [Change(rule_title(rule), told if before else NONE, told if after else NONE)]


def lines(policy: Policy) -> Iterator[Line]:
    """Yield a policy line by line, without its rules."""
    yield Line("queues", "Queues that are watched", ", ".join(policy.queues))
    yield Line("mode", "Mode", policy.mode.value)
    yield Line("stale", "Data are too old after", exact(policy.stale_after_seconds, "seconds"))
    yield Line("zone", "Time zone of the center", policy.time_zone)
    yield Line("windows", "Send windows", "; ".join(map(window_text, policy.send_windows)) or "any hour")
    yield Line("wave", "Recipients out at once", _cap(policy.max_audience_per_wave))
    yield Line("hour", "Recipients in an hour", _cap(policy.max_audience_per_hour))
    yield Line("notice", "Notice", exact(policy.notice_minutes * 60, "seconds") if policy.notice_minutes else "none")
    yield Line("briefing", "Briefing", "required" if policy.briefing_required else "optional")
    yield Line("exempt", "Never held by this gate", ", ".join(sorted(policy.exempt_traffic_classes)) or "nothing")
    yield Line("override", "Overrides last, at most", exact(policy.max_override_minutes * 60, "seconds"))
    yield from _outlook(policy.outlook)


def rule_title(rule: Rule) -> str:
    """Return what a rule is called: its metric, and its window where one is set."""
    title = DEFINITIONS[rule.metric].title
    return f"{title} over {exact(rule.window_seconds, 'seconds')}" if rule.window_seconds else title


def window_text(window: SendWindow) -> str:
    """Return a send window as it is read: `Mon–Fri 09:00–18:00`."""  # noqa: RUF002  -- as it is printed
    until = f"{window.until:%H:%M}" if window.until else "24:00"
    return f"{days_text(window.days)} {window.start:%H:%M}\u2013{until}"


def days_text(days: frozenset[int]) -> str:
    """Return days of the week, 0 being Monday, as they are read."""
    if days == ALL_DAYS:
        return "every day"
    if days == WORKDAYS:
        return "Mon\u2013Fri"
    return ", ".join(DAY_NAMES[WEEKDAYS[day]] for day in sorted(days))


def exact(value: float, unit: str) -> str:
    """Return a value as it is read, with every digit it has: what is rounded away would change unseen."""
    if unit == "seconds" and any(value < below and not value % step for below, step in _TOLD_WHOLE):
        return duration(value)
    digits = Decimal(str(value)) * (100 if unit == "ratio" else 1)
    sign = {"ratio": f"{THIN}%", "seconds": f"{THIN}s"}.get(unit, "")
    return f"{digits.normalize():,f}{sign}"


def _rule(rule: Rule) -> Iterator[Line]:
    unit = DEFINITIONS[rule.metric].unit
    worse, better = ("above", "at") if rule.hold_above is not None else ("below", "from")
    told = (
        ("hold", f"hold {worse}", exact(rule.hold_limit, unit)),
        ("resume", f"resume {better}", exact(rule.resume_limit, unit)),
        ("hold-for", "hold after", _after(rule.hold_for_seconds)),
        ("resume-for", "resume after", _after(rule.resume_for_seconds)),
        ("samples", "from so many contacts on", number(rule.min_samples) if rule.min_samples else "any"),
        ("missing", "while never reported", "ignored" if rule.on_missing is OnMissing.IGNORE else "unknown"),
    )
    for end, label, text in told:
        if end != "samples" or DEFINITIONS[rule.metric].windowed:
            yield Line(end, label, text)


def _outlook(outlook: OutlookLimits | None) -> Iterator[Line]:
    yield Line("outlook", "The outlook decides, too", "no" if outlook is None else "yes")
    if outlook is None:
        return
    level = outlook.service_level_ratio
    kept = (
        f"{exact(level, 'ratio')} in {exact(outlook.service_level_seconds, 'seconds')}"
        if level is not None
        else NO_LIMIT
    )
    yield Line("outlook/level", "Outlook: service level, at least", kept)
    yield Line("outlook/speed", "Outlook: speed to answer, at most", _limit(outlook.speed_to_answer_seconds, "seconds"))
    yield Line("outlook/abandonment", "Outlook: abandonment, at most", _limit(outlook.abandonment_ratio, "ratio"))
    yield Line("outlook/backlog", "Outlook: backlog, at most", _limit(outlook.backlog, "contacts"))
    yield Line("outlook/window", "Outlook: in each window of", exact(outlook.window_seconds, "seconds"))
    yield Line("outlook/chance", "Outlook: chance of a breach", exact(outlook.max_breach_probability, "ratio"))
    yield Line("outlook/horizon", "Outlook: looks ahead", exact(outlook.horizon_minutes * 60, "seconds"))


def _limit(value: float | None, unit: str) -> str:
    return NO_LIMIT if value is None else exact(value, unit)


def _after(seconds: float) -> str:
    return exact(seconds, "seconds") if seconds else "at once"


def _cap(value: int | None) -> str:
    return NO_LIMIT if value is None else number(value)
