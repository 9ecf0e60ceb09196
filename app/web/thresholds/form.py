"""A policy as it is typed: from a document to the text of each field, and back, with every fault at its field. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.core.floor.metric import DEFINITIONS, Metric, MetricDefinition, Worse
from app.core.gate.policy import WEEKDAYS, Policy, PolicyRefused, parse_policy
from app.core.problem import Problem
from app.web.thresholds.members import GATE, OUTLOOK, RULE, WINDOWED, Kind, Member

LONGEST, LONGEST_LIST = 200, 4000
WINDOW = ("days", "from", "to")
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,9})?", re.ASCII)
_RULE_FIELD = re.compile(r"rule-(\d{1,4})-metric", re.ASCII)
_WINDOW_FIELD = re.compile(r"window-(\d{1,4})-from", re.ASCII)
_PLACE = re.compile(r"/(rules|send_windows)/(\d+)(?:/([^/]+))?")
_SPAN = re.compile(r"must be a number from ([\d.]+) to ([\d.]+)")
_METRIC = re.compile("|".join(rf"\b{metric.value}\b" for metric in Metric))
_PERCENTS = frozenset(member.name for member in OUTLOOK if member.kind is Kind.PERCENT)
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Typed:
    """The text of each field by its name, empty where nothing is typed; how many rules and send windows there are."""

    text: Mapping[str, str]
    rules: int
    windows: int


@dataclass(frozen=True, slots=True)
class Draft:
    """What was typed, as a document. policy None: it is refused; faults: sentences by the field's name."""

    typed: Typed
    document: dict[str, Any]
    policy: Policy | None
    faults: Mapping[str, str]


def typed_of(document: Mapping[str, Any]) -> Typed:
    """Return a policy's document as it stands in the form; what it does not say is left empty."""
    text = {member.name: _shown(member, document) for member in (*GATE, *OUTLOOK)}
    text["outlook"] = "on" if isinstance(document.get("outlook"), Mapping) else ""
    rules, windows = list(document.get("rules", ())), list(document.get("send_windows", ()))
    for place, rule in enumerate(rules):
        text |= {f"rule-{place}-{member.name}": _shown(member, rule) for member in RULE}
    for place, window in enumerate(windows):
        text[f"window-{place}-days"] = " ".join(window.get("days", ()))
        text |= {f"window-{place}-{end}": str(window.get(end, "")) for end in ("from", "to")}
    return Typed(text, len(rules), len(windows))


def read_typed(sent: Sequence[tuple[str, str]]) -> Typed:
    """Return what a form says: (name, text) of each field. Rules and windows are numbered anew, without holes."""
    given: dict[str, list[str]] = {}
    for name, value in sent:
        given.setdefault(name, []).append(value.strip()[:LONGEST_LIST])
    text = {member.name: " ".join(given.get(member.name, ())) for member in (*GATE, *OUTLOOK)}
    text["outlook"] = " ".join(given.get("outlook", ()))
    rules, windows = _places(_RULE_FIELD, given), _places(_WINDOW_FIELD, given)
    ends = tuple(member.name for member in RULE)
    for kind, places, names in (("rule", rules, ends), ("window", windows, WINDOW)):
        for new, old in enumerate(places):
            text |= {f"{kind}-{new}-{end}": " ".join(given.get(f"{kind}-{old}-{end}", ())) for end in names}
    text = {name: value if name == "queues" else value[:LONGEST] for name, value in text.items()}
    return Typed(text, len(rules), len(windows))


def draft(typed: Typed) -> Draft:
    """Return the document that is typed, and everything that is wrong with it."""
    document, faults = _document(typed)
    try:
        policy = parse_policy(document)
        return Draft(typed, document, None if faults else policy, faults)
    except PolicyRefused as refused:
        return Draft(typed, document, None, faults | placed(refused.problems, document, faults))


def placed(problems: Sequence[Problem], document: Mapping[str, Any], taken: Mapping[str, str]) -> dict[str, str]:
    """Return the first problem of each field that is not `taken`, as a sentence, by the field's name."""
    found: dict[str, str] = {}
    for problem in problems:
        name = field_at(problem.pointer)
        if name not in taken and name not in found:
            found[name] = _sentence(problem, document, name)
    return found


def field_at(pointer: str) -> str:
    """Return the name of the field that a pointer into the document is about."""
    if match := _PLACE.match(pointer):
        kind, place, end = match.groups()
        if kind == "send_windows":
            return f"window-{place}-{end if end in WINDOW else 'from'}"
        name = next((member.name for member in RULE if end in member.path), "metric")
        return f"rule-{place}-{name}"
    path = pointer.strip("/").split("/")
    for member in (*GATE, *OUTLOOK):
        if list(member.path) == path[: len(member.path)]:
            return member.name
    return path[0]


def with_step(typed: Typed, step: str) -> Typed:
    """Return the form after `add-rule`, `add-window`, `remove-rule-N` or `remove-window-N`; else as it is."""
    kind, _, place = step.removeprefix("remove-").partition("-")
    if step == "add-rule":
        used = {typed.text[f"rule-{at}-metric"] for at in range(typed.rules)}
        metric = next((each.value for each in DEFINITIONS if each.value not in used), Metric.BACKLOG.value)
        fresh = {f"rule-{typed.rules}-{member.name}": "" for member in RULE} | {f"rule-{typed.rules}-metric": metric}
        return Typed({**typed.text, **fresh}, typed.rules + 1, typed.windows)
    if step == "add-window":
        fresh = dict(zip((f"window-{typed.windows}-{end}" for end in WINDOW), ("", "09:00", "18:00"), strict=True))
        return Typed({**typed.text, **fresh}, typed.rules, typed.windows + 1)
    if step.startswith("remove-") and kind in {"rule", "window"} and place.isdigit():
        gone = f"{kind}-{place}-"
        return read_typed([(name, value) for name, value in typed.text.items() if not name.startswith(gone)])
    return typed


def definition_of(metric: str) -> MetricDefinition:
    """Return what a rule's metric means; that of the backlog for one that is none."""
    return DEFINITIONS[Metric(metric) if metric in list(Metric) else Metric.BACKLOG]


def scale_of(definition: MetricDefinition) -> int:
    """Return what a metric's limits are multiplied by to be typed: ratios are typed in per cent."""
    return 100 if definition.unit == "ratio" else 1


def limit_names(definition: MetricDefinition) -> tuple[str, str]:
    """Return what a rule's hold and resume limits are called in the document."""
    higher = definition.worse is Worse.HIGHER
    return ("hold_above", "resume_below") if higher else ("hold_below", "resume_above")


# --- from the document ---


def _shown(member: Member, within: Mapping[str, Any]) -> str:
    match member.kind:
        case Kind.LIMIT:
            value = next((within[name] for name in member.path if name in within), None)
            return _number_text(value, scale_of(definition_of(str(within.get("metric")))))
        case Kind.WORDS:
            value = _at(member, within)
            separator = "\n" if member.name == "queues" else " "
            return separator.join(map(str, value)) if isinstance(value, list | tuple) else ""
        case Kind.WORD:
            return str(_at(member, within) or "")
        case _:
            return _number_text(_at(member, within), 100 if member.kind is Kind.PERCENT else 1)


def _at(member: Member, within: Mapping[str, Any]) -> object:
    value: Any = within
    for name in member.path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _number_text(value: object, scale: int) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return f"{(Decimal(str(value)) * scale).normalize():f}"


# --- from the form ---


def _places(pattern: re.Pattern[str], names: Mapping[str, object]) -> list[int]:
    return sorted(int(match[1]) for name in names if (match := pattern.fullmatch(name)))


def _document(typed: Typed) -> tuple[dict[str, Any], dict[str, str]]:
    faults: dict[str, str] = {}
    document: dict[str, Any] = {"queues": [line.strip() for line in typed.text["queues"].splitlines() if line.strip()]}
    for member in GATE[1:]:
        _put(document, member, typed.text[member.name], member.name, faults)
    if typed.text["outlook"]:
        document["outlook"] = {}
        for member in OUTLOOK:
            _put(document, member, typed.text[member.name], member.name, faults)
    document["rules"] = [_rule(typed, place, faults) for place in range(typed.rules)]
    if typed.windows:
        document["send_windows"] = [_window(typed, place) for place in range(typed.windows)]
    return document, faults


def _rule(typed: Typed, place: int, faults: dict[str, str]) -> dict[str, Any]:
    metric = typed.text[f"rule-{place}-metric"]
    definition = definition_of(metric)
    names = dict(zip(("hold", "resume"), limit_names(definition), strict=True))
    rule: dict[str, Any] = {"metric": metric}
    for member in RULE[1:]:
        if member.name in WINDOWED and not definition.windowed:
            continue
        name = f"rule-{place}-{member.name}"
        if member.name in names:
            kind = Kind.PERCENT if definition.unit == "ratio" else Kind.NUMBER
            member = Member(member.name, (names[member.name],), member.label, kind=kind)  # noqa: PLW2901
        _put(rule, member, typed.text[name], name, faults)
    return rule


def _window(typed: Typed, place: int) -> dict[str, Any]:
    days = typed.text[f"window-{place}-days"].split()
    ordered = [day for day in WEEKDAYS if day in days] + [day for day in days if day not in WEEKDAYS]
    return {"days": ordered} | {end: typed.text[f"window-{place}-{end}"] for end in ("from", "to")}


def _put(document: dict[str, Any], member: Member, text: str, name: str, faults: dict[str, str]) -> None:
    """Set a member where something is typed; what cannot be read is a fault, and stays as it is."""
    if not text:
        return
    within = document
    for step in member.path[:-1]:
        within = within.setdefault(step, {})
    value: object = text
    if member.kind is Kind.WORDS:
        value = text.split()
    elif member.kind is not Kind.WORD:
        value, fault = _number(text, is_percent=member.kind is Kind.PERCENT)
        if fault:
            faults[name] = fault
    within[member.path[-1]] = value


def _number(text: str, *, is_percent: bool) -> tuple[object, str]:
    if not _NUMBER.fullmatch(text):
        return text, f"“{text[:40]}” is no number; write it as 12 or 12.5."
    value = Decimal(text)
    if is_percent and not 0 <= value <= _HUNDRED:
        return text, f"{text} % is not between 0 and 100 %."
    value = value / _HUNDRED if is_percent else value
    return (int(value) if value == value.to_integral_value() else float(value)), ""


def _sentence(problem: Problem, document: Mapping[str, Any], name: str) -> str:
    """Return a problem as a sentence in the page's own words and units."""
    match = re.fullmatch(r"rule-(\d+)-resume", name)
    if match and "on its good side" in problem.detail:
        definition = definition_of(str(document["rules"][int(match[1])].get("metric")))
        side = "at or below" if definition.worse is Worse.HIGHER else "at or above"
        return f"Must be {side} the hold limit: a hold ends on its good side."
    if name in _PERCENTS and (span := _SPAN.search(problem.detail)):
        return "Must be from {:g} to {:g} %.".format(*(float(end) * 100 for end in span.groups()))
    detail = _METRIC.sub(lambda found: DEFINITIONS[Metric(found[0])].title.lower(), problem.detail)
    detail = detail[:1].upper() + detail[1:]
    return detail if detail.endswith((".", "?", "!")) else f"{detail}."
