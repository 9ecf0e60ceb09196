"""A campaign's form: what was typed, the document it makes, and the faults at their fields. Pure.

Every value is text as it stands in the form, so that nothing typed is lost. Times are those of one zone, the one that
the form names.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.core.campaign.campaign import Campaign, ReleaseMode, TrafficClass
from app.core.campaign.request import PlanRefused, parse_plan, plan_document, text_of
from app.core.problem import Problem
from app.web.instants import ComesTwice, read_instant, typed, which_of
from app.web.typed import NotRead, read_audience

Typed = Mapping[str, str]
Choices = tuple[tuple[str, str], ...]

# The fields in their order, with what people call them. A time has a second field, which says which of two is meant.
LABELS = {
    "title": "Title",
    "id": "Id",
    "gate": "Gate",
    "audience": "Audience",
    "owner": "Owner",
    "kind": "Kind",
    "traffic_class": "Traffic class",
    "contacts": "Contacts per 1,000",
    "start": "Earliest start",
    "give_up": "Give up at",
    "mode": "Release",
    "wave": "Recipients per wave",
    "gap": "Minutes between waves",
    "sender": "Sent by",
    "tool": "Its campaigns there",
    "mix": "Queues its contacts come to",
    "holdout": "Held out",
}
TIMES = {"start": "earliest_start", "give_up": "give_up_at"}
WHICH = {name: f"{name}_which" for name in TIMES}
# Which field a fault of the document belongs to, by the beginning of its pointer; the longest first.
_FIELD_OF = {
    "/release/audience_per_wave": "wave",
    "/release/wave_gap_seconds": "gap",
    "/release": "mode",
    "/sender/campaigns": "tool",
    "/sender": "sender",
    "/queue_mix": "mix",
    "/holdout_ratio": "holdout",
    "/contacts_per_1000": "contacts",
    "/earliest_start": "start",
    "/give_up_at": "give_up",
} | {f"/{name}": name for name in ("title", "id", "gate", "audience", "owner", "kind", "traffic_class")}
MODES = (
    (ReleaseMode.MANUAL, "By hand: somebody starts it, and the gate is asked"),
    (ReleaseMode.WHEN_READY, "When its gate lets it"),
    (ReleaseMode.WAVES, "In waves, each when its gate lets it"),
    (ReleaseMode.BY_TOOL, "By its email tool, which asks for each permit"),
)
_SHARE = re.compile(r"(.+?)[\s:=]+(\d{1,9}(?:[.,]\d{1,9})?)\s*%?", re.ASCII)
CLASSES = ((TrafficClass.PROMOTIONAL, "Promotional: to sell"), (TrafficClass.SERVICE, "Service: people need it"))


@dataclass(frozen=True, slots=True)
class Read:
    """What a form says: a campaign's document, and faults by field; twice: the choices of times that come twice."""

    document: dict[str, Any]
    faults: dict[str, str] = field(default_factory=dict)
    twice: dict[str, Choices] = field(default_factory=dict)


def typed_of(document: Mapping[str, Any], zone: ZoneInfo) -> dict[str, str]:
    """Return a campaign's document as its form shows it."""
    release = document.get("release") or {}
    gap = release.get("wave_gap_seconds")
    shown = {
        name: str(document.get(name) or "")
        for name in ("title", "id", "gate", "audience", "owner", "kind", "traffic_class")
    }
    shown |= {
        "audience": f"{document['audience']:,}" if isinstance(document.get("audience"), int) else "",
        "contacts": _number(document.get("contacts_per_1000")),
        "mode": str(release.get("mode") or ReleaseMode.MANUAL),
        "wave": f"{release['audience_per_wave']:,}" if release.get("audience_per_wave") else "",
        "gap": _number(gap / 60) if gap is not None else "",
        "mix": "\n".join(
            f"{queue} {_number(share * 100)}" for queue, share in (document.get("queue_mix") or {}).items()
        ),
        "holdout": _number((document.get("holdout_ratio") or 0) * 100),
        **_typed_sender(document.get("sender")),
    }
    for name, member in TIMES.items():
        given = document.get(member)
        at = datetime.fromisoformat(given) if isinstance(given, str) else None
        shown |= {name: typed(at, zone), WHICH[name]: which_of(at, zone)}
    return shown


def _typed_sender(sender: Mapping[str, Any] | None) -> dict[str, str]:
    """Return who sends it, and a line for each of its campaigns there: `12`, or `nmc_1 2,500`."""
    if not sender:
        return {"sender": "", "tool": ""}
    parts = [each if isinstance(each, str) else f"{each['id']} {each['recipients']:,}" for each in sender["campaigns"]]
    return {"sender": sender["name"], "tool": "\n".join(parts)}


def campaign_typed(campaign: Campaign, zone: ZoneInfo) -> dict[str, str]:
    """Return a campaign as its form shows it."""
    return typed_of(plan_document(campaign), zone)


def read_plan(given: Typed, zone: ZoneInfo, *, owner: str, now: datetime) -> Read:
    """Return what a form says, with every fault found: of what was typed, and of the plan that it makes."""
    reading = _Reading(given, zone)
    document = reading.document()
    faults = dict(reading.faults)
    try:
        parse_plan(document, owner=owner, now=now)
    except PlanRefused as refused:
        faults = faults_of(refused.problems) | faults
    return Read(document, {name: faults[name] for name in (*LABELS, "") if name in faults}, reading.twice)


def faults_of(problems: tuple[Problem, ...] | list[Problem]) -> dict[str, str]:
    """Return the faults of a document by field, one each; those of no field under the empty name."""
    found: dict[str, str] = {}
    for problem in problems:
        at = next((name for start, name in _FIELD_OF.items() if problem.pointer.startswith(start)), "")
        found.setdefault(at, f"{problem.detail[:1].upper()}{problem.detail[1:].rstrip('.')}.")
    return found


def changed_fields(given: Typed, before: Typed) -> frozenset[str]:
    """Return which fields were typed over: those that differ from what the form showed first."""
    return frozenset(name for name in LABELS if _said(given, name) != _said(before, name))


def changes_of(document: Mapping[str, Any], fields: frozenset[str]) -> dict[str, Any]:
    """Return the members of a document that belong to these fields; a release as a whole."""
    members = {name: start.split("/")[1] for start, name in _FIELD_OF.items()}
    names = {members[each] for each in fields}
    return {name: document.get(name) for name in names}


def _said(given: Typed, name: str) -> tuple[str, str]:
    which = given.get(WHICH[name], "") if name in WHICH else ""
    return given.get(name, "").replace("\r\n", "\n").strip(), which


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"


class _Reading:
    """Reads a form field by field; faults and the choices of double times are noted on the way."""

    def __init__(self, given: Typed, zone: ZoneInfo) -> None:
        self._given, self._zone = given, zone
        self.faults: dict[str, str] = {}
        self.twice: dict[str, Choices] = {}

    def document(self) -> dict[str, Any]:
        """Return the document; a member that could not be read is left out, but for those that must be there."""
        texts = {name: self._text(name) or None for name in ("title", "id", "gate", "owner", "kind", "traffic_class")}
        times = {member: self._time(name) for name, member in TIMES.items()}
        return (
            texts
            | times
            | {
                "audience": self._read("audience", read_audience) or (1 if "audience" in self.faults else None),
                "contacts_per_1000": self._read("contacts", _read_number),
                "release": self._release(),
                "sender": self._sender(),
                "queue_mix": self._read("mix", _read_mix),
                "holdout_ratio": (self._read("holdout", _read_number) or 0.0) / 100,
            }
        )

    def _text(self, name: str) -> str:
        return self._given.get(name, "").strip()

    def _read(self, name: str, read: Callable[[str], Any]) -> Any:
        try:
            return read(self._text(name))
        except NotRead as fault:
            self.faults[name] = str(fault)
            return None

    def _time(self, name: str) -> str | None:
        try:
            return text_of(read_instant(self._text(name), self._zone, self._text(WHICH[name])))
        except ComesTwice as fault:
            self.twice[name] = fault.choices
            self.faults[name] = str(fault)
        except NotRead as fault:
            self.faults[name] = str(fault)
        return None

    def _sender(self) -> dict[str, Any] | None:
        """Return to whom it is handed; what is typed of a tool's campaigns means nothing without one."""
        name = self._text("sender")
        return {"name": name, "campaigns": self._read("tool", _read_tool)} if name else None

    def _release(self) -> dict[str, Any]:
        mode = self._text("mode") or ReleaseMode.MANUAL.value
        if mode != ReleaseMode.WAVES:  # what is typed of waves is kept in the form, and means nothing now
            return {"mode": mode}
        gap = self._read("gap", _read_number)
        wave = self._read("wave", read_audience)
        return {"mode": mode, "audience_per_wave": wave, "wave_gap_seconds": None if gap is None else gap * 60}


def _read_number(text: str) -> float | None:
    """Return a number of at least 0, None where the text is empty. Raises NotRead."""
    plain = text.replace(",", ".").rstrip("%").strip()
    if not plain:
        return None
    try:
        value = float(plain)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise NotRead(f"“{text[:40]}” is no number of at least 0; write it as 6 or 2.5.")
    return value


def _read_mix(text: str) -> dict[str, float] | None:
    """Return shares by queue of lines like `orders-voice 70`, None where there are none. Raises NotRead."""
    found: dict[str, float] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        read = _SHARE.fullmatch(line)
        if read is None:
            raise NotRead(
                f"“{line[:60]}” is no queue with a percentage; write a line for each, such as: orders-voice 70"
            )
        queue, share = read[1], float(read[2].replace(",", "."))
        if queue in found:
            raise NotRead(f"“{queue[:60]}” is there twice; give each queue one line.")
        found[queue] = share / 100
    return found or None


def _read_tool(text: str) -> list[str | dict[str, Any]]:
    """Return a tool's campaigns of lines like `12` or `nmc_1 2,500`, which has that many recipients. Raises NotRead."""
    found: list[str | dict[str, Any]] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        name, _, size = line.partition(" ")
        found.append({"id": name, "recipients": read_audience(size.strip())} if size.strip() else name)
    if not found:
        raise NotRead("Name the tool's own campaign, such as 12; a line for each where there are several.")
    return found
