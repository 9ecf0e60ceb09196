"""The thresholds page as it is printed: what is saved, what is typed, what that changes, and all versions. Pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from zoneinfo import ZoneInfo

from app.core.gate.policy import Policy, PolicyRefused, parse_policy
from app.ports.gates import PolicyVersion
from app.web.exports import Sheet
from app.web.format import clock_time, iso
from app.web.now.views import Instant
from app.web.thresholds.form import Draft
from app.web.thresholds.words import Change, changes

SHEET = Sheet("policy-versions", ("version", "saved_at", "author", "reason", "changes", "policy"))
_SEEN_DIGITS = 16


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A saved version. changes: to the one before it, None where the two cannot be compared."""

    version: int
    saved_at: Instant
    author: str
    reason: str
    changes: tuple[Change, ...] | None
    is_newest: bool
    is_first: bool


@dataclass(frozen=True, slots=True)
class Review:
    """What saving would change. seen: stands for exactly this change; only what was shown can be saved.

    faults: (field, label, sentence) of everything that is refused; while there are any, nothing is compared.
    """

    changes: tuple[Change, ...]
    faults: tuple[tuple[str, str], ...]
    seen: str
    next_version: int
    is_first: bool


def policy_of(saved: PolicyVersion | None) -> Policy | None:
    """Return a saved version's policy; None where there is none, or where it is no sound policy any more."""
    if saved is None:
        return None
    try:
        return parse_policy(saved.document)
    except PolicyRefused:
        return None


def review(saved: PolicyVersion | None, drafted: Draft) -> Review:
    """Return what saving a draft over `saved` would change."""
    version = saved.version if saved else 0
    found = changes(policy_of(saved), drafted.policy) if drafted.policy else []
    return Review(
        changes=tuple(found),
        faults=tuple(drafted.faults.items()),
        seen=seen(version, found) if found else "",
        next_version=version + 1,
        is_first=saved is None,
    )


def seen(version: int, found: Sequence[Change]) -> str:
    """Return a text that stands for these changes of one version, and for no others."""
    told = [version, *([change.label, change.before, change.after] for change in found)]
    return sha256(json.dumps(told).encode()).hexdigest()[:_SEEN_DIGITS]


def version_rows(found: Sequence[PolicyVersion], newest: int, now: datetime, zone: ZoneInfo) -> list[VersionRow]:
    """Return all but the last of some versions, newest first, each compared with the one after it in the list.

    The last one is shown only where it is the first there ever was.
    """
    rows = []
    for place, saved in enumerate(found):
        former = found[place + 1] if place + 1 < len(found) else None
        if former is None and saved.version > 1:
            break
        at = Instant(iso(saved.saved_at), clock_time(saved.saved_at, zone, today=now))
        rows.append(
            VersionRow(
                saved.version,
                at,
                saved.author,
                saved.reason,
                version_changes(former, saved),
                saved.version == newest,
                former is None,
            )
        )
    return rows


def version_changes(former: PolicyVersion | None, saved: PolicyVersion) -> tuple[Change, ...] | None:
    """Return what a version changed; None where one of the two is no sound policy any more."""
    after, before = policy_of(saved), policy_of(former)
    if after is None or (former and before is None):
        return None
    return tuple(changes(before, after))


def sheet_row(former: PolicyVersion | None, saved: PolicyVersion) -> tuple[object, ...]:
    """Return a version as a row of SHEET."""
    found = version_changes(former, saved) or ()
    told = [f"{each.label}: {each.before} to {each.after}" for each in found]
    return saved.version, saved.saved_at, saved.author, saved.reason, told, saved.document
