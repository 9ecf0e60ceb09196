"""A gate's policy: which queues it watches, its rules with two limits each, and when sends may go at all."""

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from enum import StrEnum

from app.core.campaign.campaign import TrafficClass
from app.core.forecast.limits import OutlookLimits
from app.core.gate.default import default_policy_document
from app.core.gate.fields import Fields, listed, shown
from app.core.gate.outlook_part import parse_outlook
from app.core.gate.rule import OnMissing, Rule, parse_rules
from app.core.gate.windows import SendWindow, is_zone
from app.core.problem import InputRefused, Problem

__all__ = [
    "Mode",
    "OnMissing",
    "Policy",
    "PolicyRefused",
    "Rule",
    "SendWindow",
    "default_policy_document",
    "parse_policy",
]

DEFAULT_STALE_AFTER_SECONDS = 120.0
MAX_STALE_AFTER_SECONDS = 86_400
LONGEST_NOTICE_MINUTES = 60 * 24 * 60
DEFAULT_OVERRIDE_MINUTES = 480
LONGEST_OVERRIDE_MINUTES = 7 * 24 * 60
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Mode(StrEnum):
    """Whether callers must obey (enforce) or the decision is only recorded (shadow)."""

    ENFORCE = "enforce"
    SHADOW = "shadow"


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one gate. `document` is what the user saved, kept word for word and shown again.

    queues are globs (`*`, `?`, `[...]`), case-sensitive; each must find a queue on the floor. time_zone is an IANA
    name. Data of stale_after_seconds or older is not used. send_windows (): sends may go at any hour.
    max_audience_per_wave, max_audience_per_hour None: no limit. notice_minutes: how long before its first mail a
    campaign must be announced; 0: not at all. briefing_required: each campaign's briefing must be acknowledged.
    exempt_traffic_classes are never held by this gate. No override may last longer than max_override_minutes.
    outlook: what the predicted floor must keep; None: predictions hold nobody.
    """

    queues: tuple[str, ...]
    time_zone: str
    mode: Mode
    stale_after_seconds: float
    rules: tuple[Rule, ...]
    send_windows: tuple[SendWindow, ...] = ()
    max_audience_per_wave: int | None = None
    max_audience_per_hour: int | None = None
    notice_minutes: float = 0.0
    briefing_required: bool = False
    exempt_traffic_classes: frozenset[TrafficClass] = frozenset()
    max_override_minutes: float = DEFAULT_OVERRIDE_MINUTES
    outlook: OutlookLimits | None = None
    document: Mapping[str, object] = field(default_factory=dict, compare=False)


class PolicyRefused(InputRefused):
    """The document is no sound policy; `problems` has every fault found, in the document's terms."""

    what = "policy"


def parse_policy(document: Mapping[str, object]) -> Policy:
    """Return the policy that a JSON document describes. Raises PolicyRefused with every fault found.

    Absent members: resume limits are the hold limits, hold_for_seconds 0, resume_for_seconds 0, min_samples 0,
    on_missing "unknown", window_seconds the floor's default, stale_after_seconds 120, time_zone "UTC",
    mode "enforce", sends at any hour, no limit per wave or hour, no notice, briefing "optional", no traffic class
    exempt, max_override_minutes 480, no outlook. `queues` and `rules` must be there.
    """
    problems: list[Problem] = []
    fields = Fields.of(document, "", problems)
    if fields is None:
        raise PolicyRefused(problems)
    rules = _rules(fields)
    policy = Policy(
        queues=_queues(fields),
        time_zone=_time_zone(fields),
        mode=Mode(fields.choice("mode", Mode.ENFORCE, [mode.value for mode in Mode])),
        stale_after_seconds=fields.number(
            "stale_after_seconds", DEFAULT_STALE_AFTER_SECONDS, 1, MAX_STALE_AFTER_SECONDS, unit="seconds"
        ),
        rules=rules,
        send_windows=_send_windows(fields),
        max_audience_per_wave=fields.whole("max_audience_per_wave", None, 1),
        max_audience_per_hour=fields.whole("max_audience_per_hour", None, 1),
        notice_minutes=fields.number("notice_minutes", 0.0, 0, LONGEST_NOTICE_MINUTES, unit="minutes"),
        briefing_required=fields.choice("briefing", "optional", ("required", "optional")) == "required",
        exempt_traffic_classes=_exempt(fields),
        max_override_minutes=fields.number(
            "max_override_minutes", DEFAULT_OVERRIDE_MINUTES, 1, LONGEST_OVERRIDE_MINUTES, unit="minutes"
        ),
        outlook=parse_outlook(fields, rules),
        document=dict(document),
    )
    fields.finish()
    if problems:
        raise PolicyRefused(problems)
    return policy


def _queues(fields: Fields) -> tuple[str, ...]:
    items = fields.items(
        "queues",
        required='a policy needs queues to watch, as ["orders-*"]; ["*"] watches all',
        empty='a policy without queues could not know anything; ["*"] watches all',
    )
    for index, item in enumerate(items):
        if fault := _glob_fault(item):
            fields.refuse(fault, "queues", index)
    return tuple(item for item in items if isinstance(item, str))


def _glob_fault(pattern: object) -> str | None:
    """Return what is wrong with a queue pattern, None when it is sound."""
    if not isinstance(pattern, str) or not pattern:
        return f"{shown(pattern)} must be a queue's name or a pattern of names"
    if "[" in re.sub(r"\[!?+\]?+[^\]]*+\]", "", pattern):
        return f"{shown(pattern)} has a [ without its ]; write [[] for the character itself"
    if "(?!)" in fnmatch.translate(pattern):
        return f"{shown(pattern)} has a range that runs backwards, so no name can match it"
    return None


def _time_zone(fields: Fields) -> str:
    if not fields.has("time_zone"):
        return "UTC"
    value = fields.get("time_zone")
    if isinstance(value, str) and is_zone(value):
        return value
    fields.refuse(f'{shown(value)} is no time zone; use an IANA name such as "America/Chicago" or "UTC"', "time_zone")
    return "UTC"


def _rules(fields: Fields) -> tuple[Rule, ...]:
    needed = "a policy needs at least one rule; without one nothing could ever hold"
    return parse_rules(fields.items("rules", required=needed, empty=needed), fields.at("rules"), fields.problems)


def _send_windows(fields: Fields) -> tuple[SendWindow, ...]:
    items = fields.items("send_windows", empty="no window would never open; leave the member out to send at any hour")
    found = [
        _send_window(Fields.of(item, fields.at("send_windows", i), fields.problems)) for i, item in enumerate(items)
    ]
    return tuple(window for window in found if window)


def _send_window(fields: Fields | None) -> SendWindow | None:
    if fields is None:
        return None
    days = fields.items(
        "days", required=f"a window needs its days: {listed(WEEKDAYS)}", empty="without days this window never opens"
    )
    for index, day in enumerate(days):
        if day not in WEEKDAYS:
            fields.refuse(f"{shown(day)} is no day; use {listed(WEEKDAYS)}", "days", index)
    start, until = _clock_time(fields, "from"), _clock_time(fields, "to")
    fields.finish()
    if start is None or until is None:
        return None
    if start >= until:
        fields.refuse(_never_opens(start, until), "to")
        return None
    return SendWindow(
        frozenset(WEEKDAYS.index(day) for day in days if isinstance(day, str) and day in WEEKDAYS),
        time.fromisoformat(start),
        None if until == "24:00" else time.fromisoformat(until),
    )


def _clock_time(fields: Fields, member: str) -> str | None:
    """Return a time of day as "HH:MM", 24:00 included; these sort as text. None when it is absent or refused."""
    if not fields.has(member):
        fields.refuse('a window needs this time of day, as "09:00"', member)
        return None
    value = fields.get(member)
    if isinstance(value, str) and re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00", value):
        return value
    fields.refuse(f'{shown(value)} must be a time of day from "00:00" to "24:00"', member)
    return None


def _never_opens(start: str, until: str) -> str:
    if start == until:
        return f"a window from {start} to {until} never opens; a whole day is 00:00 to 24:00"
    return (
        f"a window from {start} to {until} never opens, because it ends before it begins; for one over midnight "
        f"write two: from {start} to 24:00, and on the days after from 00:00 to {until}"
    )


def _exempt(fields: Fields) -> frozenset[TrafficClass]:
    items = fields.items("exempt_traffic_classes", empty="leave the member out when no class is exempt")
    known = {each.value: each for each in TrafficClass}
    for index, item in enumerate(items):
        if item not in known.values():
            fields.refuse(f"{shown(item)} is no traffic class; use {listed(known)}", "exempt_traffic_classes", index)
    return frozenset(known[item] for item in items if isinstance(item, str) and item in known)
