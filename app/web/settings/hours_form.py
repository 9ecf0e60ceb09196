"""Opening hours as people type them: `08:00-12:00, 13:00-18:00` for a day, dates one to a line. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, Field

from app.core.gate.policy import WEEKDAYS
from app.core.problem import Problem
from app.web.settings.faults import sentence

DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_STRETCH = re.compile(r"(\d{1,2})(?:[:.](\d\d))?\s*(?:-|–|to)\s*(\d{1,2})(?:[:.](\d\d))?", re.ASCII)  # noqa: RUF001  a dash is typed, too
_CLOSED = frozenset({"", "closed", "-", "–"})  # noqa: RUF001  the same
_WHOLE_DAY = "00:00-24:00"


class HoursForm(BaseModel):
    """What was typed, as it was typed. revision: of the hours that the form showed."""

    step: str = "save"
    revision: str = Field("0", max_length=18)
    time_zone: str = Field("", max_length=100)
    mon: str = Field("", max_length=400)
    tue: str = Field("", max_length=400)
    wed: str = Field("", max_length=400)
    thu: str = Field("", max_length=400)
    fri: str = Field("", max_length=400)
    sat: str = Field("", max_length=400)
    sun: str = Field("", max_length=400)
    closed: str = Field("", max_length=20_000)
    special: str = Field("", max_length=40_000)

    def day(self, name: str) -> str:
        """Return what was typed for a weekday."""
        return str(getattr(self, name))


@dataclass(slots=True)
class Read:
    """The document that a form describes, where each of its parts was typed, and what is wrong by field."""

    document: dict[str, Any]
    weekly_from: list[str] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)

    def refused(self, problems: Iterable[Problem]) -> dict[str, str]:
        """Return what the service found wrong with the document, by the field that it was typed into."""
        faults: dict[str, str] = {}
        for problem in problems:
            member, _, rest = problem.pointer.removeprefix("/").partition("/")
            index = rest.partition("/")[0]
            if member == "weekly":
                member = self.weekly_from[int(index)] if index.isdigit() else "mon"
            faults.setdefault(member if member in HoursForm.model_fields else "", sentence(problem.detail))
        return faults


def read(form: HoursForm) -> Read:
    """Return the document that a form describes, as far as it can be read."""
    found = Read({"time_zone": form.time_zone.strip(), "weekly": []})
    for name in WEEKDAYS:
        for start, end in _stretches(form.day(name), name, found):
            found.document["weekly"].append({"days": [name], "from": start, "to": end})
            found.weekly_from.append(name)
    if closed := [line.strip() for line in form.closed.splitlines() if line.strip()]:
        found.document["closed"] = closed
    special = []
    for line in filter(None, map(str.strip, form.special.splitlines())):
        day, _, times = line.partition(" ")
        if times.strip().lower() in _CLOSED:
            found.faults["special"] = sentence(f"“{line[:80]}” names no times; write 2026-12-24 08:00-13:00")
        special += [{"date": day, "from": start, "to": end} for start, end in _stretches(times, "special", found)]
    if special:
        found.document["special"] = special
    if not found.document["weekly"] and not found.faults:
        found.faults["mon"] = "Say when it opens on at least one weekday."
    return found


def typed(document: Mapping[str, Any] | None, revision: int, time_zone: str) -> HoursForm:
    """Return saved hours as their form has them; time_zone: what it is filled in with where none were saved."""
    if document is None:
        return HoursForm(revision=str(revision), time_zone=time_zone)
    days = {name: _times(_of_day(document, name)) for name in WEEKDAYS}
    special: dict[str, list[Mapping[str, Any]]] = {}
    for each in document.get("special", ()):
        special.setdefault(each["date"], []).append(each)
    return HoursForm(
        revision=str(revision),
        time_zone=document["time_zone"],
        closed="\n".join(document.get("closed", ())),
        special="\n".join(f"{day} {_times(each)}" for day, each in special.items()),
        **days,
    )


def _stretches(text: str, name: str, found: Read) -> list[tuple[str, str]]:
    if text.strip().lower() in _CLOSED:
        return []
    pieces = [_stretch(piece) for piece in re.split(r"[,;]", text)]
    if None in pieces:
        found.faults[name] = sentence(f"“{text.strip()[:80]}” cannot be read; write 08:00-18:00, or nothing for closed")
    return [piece for piece in pieces if piece is not None]


def _stretch(text: str) -> tuple[str, str] | None:
    if text.strip().lower() in {"always", "24 h", "24h"}:
        text = _WHOLE_DAY
    match = _STRETCH.fullmatch(text.strip())
    if match is None:
        return None
    start, start_minute, end, end_minute = match.groups()
    return f"{int(start):02}:{start_minute or '00'}", f"{int(end):02}:{end_minute or '00'}"


def _of_day(document: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    return [window for window in document.get("weekly", ()) if name in window["days"]]


def _times(windows: Sequence[Mapping[str, Any]]) -> str:
    stretches = sorted((window["from"], window["to"]) for window in windows)
    return ", ".join(f"{start}-{end}" for start, end in stretches)
