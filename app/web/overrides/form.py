"""What is typed to hold or allow a gate by hand, and everything that is wrong with it at its field. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.core.gate.override import Effect, Matcher
from app.core.problem import Problem
from app.services.override_draft import OverrideDraft
from app.web.instants import ComesTwice, moment, read_instant, typed
from app.web.typed import NotRead

USUALLY = timedelta(hours=1)
LONGEST = 500
FIELDS = {
    "/comment": "reason",
    "/starts_at": "starts",
    "/ends_at": "ends",
    "/duration_minutes": "ends",
    "/effect": "effect",
    "/even_without_data": "blind",
    "/created_by": "reason",
}


@dataclass(frozen=True, slots=True)
class OverrideForm:
    """The text of each field. which_start, which_end: which of two is meant where a wall clock shows a time twice."""

    effect: str = "hold"
    starts: str = ""
    ends: str = ""
    reason: str = ""
    campaign: str = ""
    traffic: str = ""
    blind: str = ""
    which_start: str = ""
    which_end: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of a form. draft None: something is wrong; twice: what to choose from, by the field's name."""

    draft: OverrideDraft | None
    faults: Mapping[str, str] = field(default_factory=dict)
    twice: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)


NOTHING_READ = Read(None)


def empty_form(now: datetime, zone: ZoneInfo) -> OverrideForm:
    """Return the form as it opens: a hold from now on, for an hour."""
    return OverrideForm(ends=typed(now + USUALLY, zone))


def sent_form(sent: Mapping[str, str]) -> OverrideForm:
    """Return the form with what was sent; a field that is missing is empty."""
    return OverrideForm(**{each.name: sent.get(each.name, "").strip()[: LONGEST + 1] for each in fields(OverrideForm)})


def read(form: OverrideForm, zone: ZoneInfo, now: datetime) -> Read:
    """Return the override that a form asks for, on the wall clock of a zone; or all that cannot be read."""
    faults: dict[str, str] = {}
    twice: dict[str, Sequence[tuple[str, str]]] = {}

    def instant(name: str, text: str, which: str) -> datetime | None:
        try:
            return read_instant(text, zone, which)
        except ComesTwice as fault:
            twice[name] = fault.choices
            faults[name] = str(fault)
        except NotRead as fault:
            faults[name] = str(fault)
        return None

    starts_at = instant("starts", form.starts, form.which_start)
    ends_at = instant("ends", form.ends, form.which_end)
    if not form.ends:
        faults["ends"] = "Say when it ends: an override always does."
    elif ends_at and ends_at <= max(now, starts_at or now):
        faults["ends"] = f"It would be over before it begins: it is {moment(now, zone)} now."
    if form.effect not in set(Effect):
        faults["effect"] = "Choose whether it holds or allows."
    if faults:
        return Read(None, faults, twice)
    draft = OverrideDraft(
        effect=Effect(form.effect),
        comment=form.reason,
        starts_at=starts_at,
        ends_at=ends_at,
        matchers=_matchers(form),
        even_without_data=bool(form.blind),
    )
    return Read(draft)


def placed(problems: Sequence[Problem], form: OverrideForm) -> dict[str, str]:
    """Return the service's refusals as sentences, by the field's name."""
    faults: dict[str, str] = {}
    for problem in problems:
        name = FIELDS.get(problem.pointer) or _matched(problem.pointer, form)
        detail = problem.detail[:1].upper() + problem.detail[1:]
        faults.setdefault(name, detail if detail.endswith(".") else f"{detail}.")
    return faults


def _matchers(form: OverrideForm) -> tuple[Matcher, ...]:
    given = (("campaign", form.campaign), ("traffic_class", form.traffic))
    return tuple(Matcher(name, value) for name, value in given if value)


def _matched(pointer: str, form: OverrideForm) -> str:
    """Return the field that a refused matcher came from."""
    names = [name for name, value in (("campaign", form.campaign), ("traffic", form.traffic)) if value]
    place = pointer.removeprefix("/matchers/").partition("/")[0]
    return names[int(place)] if place.isdigit() and int(place) < len(names) else "reason"
