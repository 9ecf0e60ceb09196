"""What the thresholds page is made of: read from the services, put together for the template."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.core.floor.metric import DEFINITIONS, Worse
from app.core.gate.policy import default_policy_document
from app.errors import NotFound
from app.ports.gates import PolicyVersion
from app.services.container import Services
from app.web.format import clock_time, duration, iso, zone_name
from app.web.now.boards import present
from app.web.now.views import Instant, watched_queues
from app.web.thresholds.course import DAYS
from app.web.thresholds.form import Typed, definition_of, draft, typed_of
from app.web.thresholds.members import DAY_NAMES, GATE, OUTLOOK, RULE
from app.web.thresholds.view import VersionRow, policy_of, review, version_changes, version_rows
from app.web.thresholds.words import Change

VERSIONS_SHOWN = 10
UNITS = {"seconds": "s", "ratio": "%"}


@dataclass(frozen=True, slots=True)
class Desk:
    """A gate with its newest policy. saved None: it has none yet. zone: the center's."""

    gate: str
    gates: tuple[str, ...]
    saved: PolicyVersion | None
    now: datetime
    zone: ZoneInfo

    @property
    def version(self) -> int:
        """The newest version's number, 0 without one."""
        return self.saved.version if self.saved else 0

    @property
    def document(self) -> Mapping[str, Any]:
        """The saved policy, or what a fresh installation starts with."""
        return self.saved.document if self.saved else default_policy_document()


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """What somebody else saved while this page was open."""

    version: int
    author: str
    saved_at: Instant
    reason: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the form: what is typed and why, and what came of sending it. refused: nothing was saved.

    base: what the form opened with, which the limits in the page's URL are added to.
    """

    typed: Typed
    base: Typed
    reason: str = ""
    reason_fault: str = ""
    notice: str = ""
    refused: str = ""
    meanwhile: Meanwhile | None = None


async def open_desk(services: Services, gate: str | None) -> Desk | None:
    """Return a gate's desk, None for one that is not there. gate None: the one called default, or else the first."""
    names = await services.gates.names()
    name = gate or ("default" if "default" in names else next(iter(names), ""))
    try:
        saved = await services.gates.policy(name)
    except NotFound:
        saved = None
    if name not in names:
        return None
    policy = policy_of(saved)
    return Desk(name, tuple(names), saved, services.clock.now(), ZoneInfo(policy.time_zone if policy else "UTC"))


async def meanwhile(services: Services, desk: Desk, since: int) -> Meanwhile | None:
    """Return what was saved after version `since`; None where nothing was, or it cannot be compared."""
    if desk.saved is None or desk.version <= since:
        return None
    try:
        former = await services.gates.policy(desk.gate, since) if since else None
    except NotFound:
        return None
    saved = desk.saved
    at = Instant(iso(saved.saved_at), clock_time(saved.saved_at, desk.zone, today=desk.now))
    return Meanwhile(saved.version, saved.author, at, saved.reason, version_changes(former, saved) or ())


async def versions(services: Services, desk: Desk, before: int | None) -> tuple[list[VersionRow], int | None]:
    """Return some versions as rows, newest first, and below which number the older ones are (None: there are none)."""
    if desk.saved is None:
        return [], None
    found = await services.gates.versions(desk.gate, before, VERSIONS_SHOWN + 1)
    rows = version_rows(found, desk.version, desk.now, desk.zone)
    return rows, rows[-1].version if rows and not rows[-1].is_first else None


async def context(services: Services, desk: Desk, look: Look, before: int | None = None) -> dict[str, Any]:
    """Return what the template prints."""
    drafted = draft(look.typed)
    rows, older = await versions(services, desk, before)
    saved = desk.saved
    return {
        "desk": desk,
        "look": look,
        "base": look.base.text,
        "base_rules": look.base.rules,
        "typed": drafted.typed,
        "faults": dict(drafted.faults) | ({"reason": look.reason_fault} if look.reason_fault else {}),
        "review": review(desk.saved, drafted),
        "titles": _titles(drafted.typed),
        "versions": rows,
        "older": older,
        "saved_at": saved and Instant(iso(saved.saved_at), clock_time(saved.saved_at, desk.zone, today=desk.now)),
        "now": Instant(iso(desk.now), clock_time(desk.now, desk.zone)),
        "zone": zone_name(desk.now, desk.zone),
        "queues": queues(services, desk),
        "definitions": list(DEFINITIONS.values()),
        "fields": [rule_fields(drafted.typed, place) for place in range(drafted.typed.rules)],
        "members": {member.name: member for member in (*GATE, *OUTLOOK)},
        "rule_members": {member.name: member for member in RULE},
        "outlook_members": OUTLOOK,
        "days": DAY_NAMES,
        "span_days": DAYS,
    }


def queues(services: Services, desk: Desk) -> list[tuple[str, str]]:
    """Return the queues that the gate watches, with their titles; those first that decide now."""
    published, state = present(services, desk.gate)
    if state is None:
        return []
    watched = watched_queues(state, published.view)
    deciding = [reason.queue for reason in state.decision.reasons if reason.queue in watched]
    targets = services.evaluator.floor.targets
    titles = {queue: own.title or queue for queue, own in targets.items()}
    ordered = sorted(watched, key=lambda queue: (queue not in deciding, queue))
    return [(queue, titles.get(queue, queue)) for queue in ordered]


@dataclass(frozen=True, slots=True)
class RuleFields:
    """What a rule's fields are called and measured in, which depends on its metric."""

    place: int
    unit: str
    worse: str
    windowed: bool
    hold_label: str
    resume_label: str


def rule_fields(typed: Typed, place: int) -> RuleFields:
    """Return what the fields of a rule as typed are called."""
    definition = definition_of(typed.text[f"rule-{place}-metric"])
    higher = definition.worse is Worse.HIGHER
    return RuleFields(
        place=place,
        unit=UNITS.get(definition.unit, definition.unit),
        worse=definition.worse.value,
        windowed=definition.windowed,
        hold_label="Hold above" if higher else "Hold below",
        resume_label="Resume at" if higher else "Resume from",
    )


def _titles(typed: Typed) -> list[str]:
    """Return what the rules are called: their metric, and their window where one is typed."""
    found = []
    for place in range(typed.rules):
        definition = definition_of(typed.text[f"rule-{place}-metric"])
        seconds = typed.text[f"rule-{place}-window"] if definition.windowed else ""
        over = f" over {duration(int(seconds))}" if seconds.isascii() and seconds.isdigit() else ""
        found.append(f"{definition.title}{over}")
    return found


def fresh(desk: Desk, version: PolicyVersion | None = None) -> Typed:
    """Return the form as it opens: over the newest policy, or over an older version that may be used again."""
    return typed_of(version.document if version else desk.document)
