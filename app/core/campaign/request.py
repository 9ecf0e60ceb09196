"""What people may say about a campaign: one JSON document, checked whole, every fault with its place."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from app.core.campaign.campaign import Campaign, Release, ReleaseMode, TrafficClass, held_out
from app.core.campaign.handover import Handover, handover_document, read_handover
from app.core.campaign.mix import queue_mix
from app.core.gate.fields import Fields, shown
from app.core.problem import InputRefused, Problem

MAX_AUDIENCE = 1_000_000_000
MAX_CONTACTS_PER_1000 = 10_000
MAX_GAP_SECONDS = 30 * 86_400
MAX_HOLDOUT_RATIO = 0.5
MAX_ID = 63
MAX_TEXT = 200
ID_RULE = f"1 to {MAX_ID} lower-case letters, digits and hyphens, beginning with a letter or digit"
DEFAULT_GATE = "default"
EARLIEST, LATEST = 1970, 9990  # outside these years arithmetic with zones and with a release's length would overflow
_ID = re.compile(rf"[a-z0-9][a-z0-9-]{{0,{MAX_ID - 1}}}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:?\d\d)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Plan:
    """What people decide about a campaign; the members of the document. id "": to be made from the title."""

    id: str
    title: str
    gate: str
    audience: int
    owner: str
    kind: str
    traffic_class: TrafficClass
    contacts_per_1000: float | None
    earliest_start: datetime | None
    give_up_at: datetime | None
    release: Release
    queue_mix: tuple[tuple[str, float], ...] = ()
    holdout_ratio: float = 0.0
    sender: Handover | None = None

    @property
    def recipients(self) -> int:
        """How many are sent to: the audience without those who are held out."""
        return self.audience - held_out(self.audience, self.holdout_ratio)


class PlanRefused(InputRefused):
    """The document is no sound plan; `problems` has every fault found."""

    what = "campaign"


def parse_plan(document: Mapping[str, object], *, owner: str, now: datetime) -> Plan:
    """Return the plan that a JSON document describes. Raises PlanRefused with every fault found.

    Absent members: id from the title, gate "default", this owner, no kind, traffic_class "promotional", no estimate of
    contacts nor of the queues they come to, start as soon as it is scheduled, no deadline, released by hand, nobody
    held out, sent by whoever asks. `title` and `audience` must be there.
    A member that is null counts as absent.
    """
    problems: list[Problem] = []
    fields = Fields({name: value for name, value in document.items() if value is not None}, "", problems)
    title = _text(fields, "title", "", required=True)
    plan = Plan(
        id=_id(fields, title),
        title=title,
        gate=_text(fields, "gate", DEFAULT_GATE),
        audience=_audience(fields),
        owner=_text(fields, "owner", owner),
        kind=_text(fields, "kind", ""),
        traffic_class=TrafficClass(
            fields.choice("traffic_class", TrafficClass.PROMOTIONAL, [each.value for each in TrafficClass])
        ),
        contacts_per_1000=fields.number("contacts_per_1000", None, 0, MAX_CONTACTS_PER_1000),
        earliest_start=_instant(fields, "earliest_start"),
        give_up_at=_instant(fields, "give_up_at"),
        release=_release(fields),
        queue_mix=queue_mix(fields),
        holdout_ratio=fields.number("holdout_ratio", 0.0, 0, MAX_HOLDOUT_RATIO),
        sender=read_handover(fields),
    )
    fields.finish()
    _judge_times(fields, plan, now)
    _judge_waves(fields, plan)
    _judge_sender(fields, plan)
    if problems:
        raise PlanRefused(problems)
    return plan


def plan_document(campaign: Campaign) -> dict[str, object]:
    """Return the document of a campaign's plan: `parse_plan` makes the same plan of it."""
    return {
        "id": campaign.id,
        "title": campaign.title,
        "gate": campaign.gate,
        "audience": campaign.audience,
        "owner": campaign.owner,
        "kind": campaign.kind,
        "traffic_class": campaign.traffic_class.value,
        "contacts_per_1000": campaign.contacts_per_1000,
        "earliest_start": text_of(campaign.earliest_start),
        "give_up_at": text_of(campaign.give_up_at),
        "release": {
            "mode": campaign.release.mode.value,
            "audience_per_wave": campaign.release.audience_per_wave,
            "wave_gap_seconds": campaign.release.wave_gap_seconds,
        },
        "queue_mix": dict(campaign.queue_mix) or None,
        "holdout_ratio": campaign.holdout_ratio,
        "sender": handover_document(campaign.sender),
    }


def text_of(at: datetime | None) -> str | None:
    """Return an instant as RFC 3339 UTC text."""
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def slug(title: str) -> str:
    """Return an id made from a title: its letters, plain and lower-case, joined by hyphens; "" when none is left."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_ID].strip("-")


def _id(fields: Fields, title: str) -> str:
    if not fields.has("id"):
        made = slug(title)
        if title and not made:
            fields.refuse(f"no id can be made from the title {shown(title)}; choose one: {ID_RULE}", "id")
        return made
    value = fields.get("id")
    if isinstance(value, str) and _ID.fullmatch(value):
        return value
    fields.refuse(f"{shown(value)} cannot name a campaign; an id is {ID_RULE}", "id")
    return ""


def _text(fields: Fields, member: str, default: str, *, required: bool = False) -> str:
    """Return a text of at most 200 printable characters without spaces at its ends."""
    if not fields.has(member):
        if required:
            fields.refuse(f"a campaign needs a {member}", member)
        return default
    value = fields.get(member)
    if isinstance(value, str) and len(value) <= MAX_TEXT and value.isprintable() and value == value.strip():
        if value or not required:
            return value
        fields.refuse(f"the {member} is empty; say what people know the campaign by", member)
        return default
    fields.refuse(
        f"{shown(value)} must be text of at most {MAX_TEXT} printable characters, without spaces at its ends", member
    )
    return default


def _audience(fields: Fields) -> int:
    audience = fields.whole("audience", None, 1, MAX_AUDIENCE)
    if audience is None and "audience" not in fields.value:
        fields.refuse("a campaign needs an audience: how many people it is sent to", "audience")
    return audience or 0


def _instant(fields: Fields, member: str) -> datetime | None:
    """Return an instant in UTC; None when it is absent or refused."""
    if not fields.has(member):
        return None
    value = fields.get(member)
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        fields.refuse(f"{shown(value)} is no RFC 3339 time; send one like 2026-11-21T15:04:05Z", member)
        return None
    try:
        at = datetime.fromisoformat(value.upper())
    except ValueError as fault:
        fields.refuse(f"{shown(value)} is no time that exists ({fault})", member)
        return None
    if at.tzinfo is None:
        fields.refuse(f"{shown(value)} has no time zone; append Z for UTC, or an offset such as -06:00", member)
        return None
    if not EARLIEST <= at.year <= LATEST or not EARLIEST <= (at_utc := at.astimezone(UTC)).year <= LATEST:
        fields.refuse(f"{shown(value)} lies outside the years {EARLIEST} to {LATEST}", member)
        return None
    return at_utc


def _release(fields: Fields) -> Release:
    if not fields.has("release"):
        return Release()
    value = fields.get("release")
    given = {name: each for name, each in value.items() if each is not None} if isinstance(value, Mapping) else value
    release = Fields.of(given, fields.at("release"), fields.problems)
    if release is None:
        return Release()
    mode = ReleaseMode(release.choice("mode", ReleaseMode.MANUAL, [mode.value for mode in ReleaseMode]))
    for member in ("audience_per_wave", "wave_gap_seconds"):
        there = release.has(member)
        if mode is ReleaseMode.WAVES and not there:
            release.refuse(f"a release in waves needs {member}", member)
        if mode is not ReleaseMode.WAVES and there:
            release.refuse(f'only a release in waves has {member}; set mode to "waves", or leave it out', member)
    found = Release(
        mode,
        release.whole("audience_per_wave", None, 1, MAX_AUDIENCE),
        release.number("wave_gap_seconds", None, 0, MAX_GAP_SECONDS, unit="seconds"),
    )
    release.finish()
    return found


def _judge_times(fields: Fields, plan: Plan, now: datetime) -> None:
    if plan.give_up_at is None:
        return
    start = plan.earliest_start
    if start is not None and plan.give_up_at <= start:
        fields.refuse(
            f"give_up_at {text_of(plan.give_up_at)} must be after earliest_start {text_of(start)}", "give_up_at"
        )
    elif plan.give_up_at <= now:
        fields.refuse(f"give_up_at {text_of(plan.give_up_at)} is over; it is {text_of(now)} now", "give_up_at")


def _judge_waves(fields: Fields, plan: Plan) -> None:
    wave = plan.release.audience_per_wave
    if wave is None or not plan.audience or wave <= plan.recipients:
        return
    people = f"the audience of {plan.audience:,}"
    if plan.recipients < plan.audience:
        people = f"the {plan.recipients:,} who are sent to: {plan.audience - plan.recipients:,} are held out"
    fields.refuse(f"a wave of {wave:,} is bigger than {people}", "release", "audience_per_wave")


def _judge_sender(fields: Fields, plan: Plan) -> None:
    if plan.sender is not None and plan.release.mode is ReleaseMode.BY_TOOL:
        detail = 'a tool that asks for its own permits is not driven; set mode to "waves", or leave sender out'
        fields.refuse(detail, "sender")
