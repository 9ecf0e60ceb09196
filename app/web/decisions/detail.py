"""One decision as its page prints it: the answer as it was given, its reasons, what it was made from. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from app.core.floor.metric import DEFINITIONS
from app.ports.decisions import DecisionRow
from app.services.decisions import Reviewed
from app.services.replaying import Replayed
from app.web.decisions.view import Reader, told
from app.web.format import NONE, duration, margin, measure, number, retitled
from app.web.moments import Moment, full
from app.web.now.checks import OPS, STATUSES

REASON_COLUMNS = (
    *("code", "metric", "queue", "observed", "op", "limit", "unit", "window_seconds", "as_of", "since", "binding"),
    "message",
)
INPUT_COLUMNS = (
    *("metric", "queue", "status", "value", "op", "limit", "resume_limit", "margin", "unit", "window_seconds"),
    *("samples", "as_of", "since", "detail"),
)
WORDS = {"state": "the verdict", "allow": "how many may go", "reasons": "the reasons", "summary": "the sentence"}


@dataclass(frozen=True, slots=True)
class Again:
    """What comes out when it is decided again. state: whose shape it wears; rows: (what, as written, as now)."""

    state: str
    sentence: str
    rows: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the answer as it was given; `at` in place of a text where it is an instant."""

    name: str
    text: str = ""
    at: Moment | None = None
    href: str = ""


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """One reason: the sentence, where, and the value against its limit."""

    code: str
    message: str
    queue: str
    value: str
    limit: str
    as_of: Moment | None
    is_binding: bool


@dataclass(frozen=True, slots=True)
class InputRow:
    """How one rule stood on one queue. state: whose shape it wears."""

    rule: str
    queue: str
    state: str
    word: str
    value: str
    limit: str
    margin: str
    as_of: Moment | None
    detail: str


@dataclass(frozen=True, slots=True)
class Detail:
    """All that the page shows. missing: why there are no inputs; empty where there are."""

    id: str
    gate: str
    state: str
    title: str
    summary: str
    facts: tuple[Fact, ...]
    reasons: tuple[ReasonRow, ...]
    inputs: tuple[InputRow, ...]
    missing: str
    again: Again


def detail(reviewed: Reviewed, reader: Reader) -> Detail:
    """Return a decision with what came of deciding it again."""
    row = reviewed.row
    return Detail(
        id=row.id,
        gate=row.gate,
        state=row.verdict,
        title=_title(row),
        summary=retitled(row.summary, reader.titles),
        facts=tuple(_facts(row, reader)),
        reasons=tuple(_reason(each, reader) for each in row.reasons),
        inputs=tuple(_input(each, reader) for each in row.inputs),
        missing=_missing(reviewed),
        again=_again(reviewed),
    )


def reason_cells(row: DecisionRow) -> list[Sequence[object]]:
    """Return the reasons for a file, in the order of REASON_COLUMNS."""
    return [[each.get(name) for name in REASON_COLUMNS] for each in row.reasons]


def input_cells(row: DecisionRow) -> list[Sequence[object]]:
    """Return the inputs for a file, in the order of INPUT_COLUMNS."""
    return [[each.get(name) for name in INPUT_COLUMNS] for each in row.inputs]


def _title(row: DecisionRow) -> str:
    if row.kind == "transition":
        return f"Gate {row.gate} changed from {row.before} to {row.verdict}" if row.before else f"Gate {row.gate} began"
    return f"Gate {row.gate} was asked"


def _facts(row: DecisionRow, reader: Reader) -> list[Fact]:
    gate = Fact("Gate", row.gate, href=f"/?gate={quote(row.gate, safe='')}")
    belonging = (gate, _policy(row), *(_override(row, each) for each in _touching(row)))
    if row.kind == "transition":
        return [Fact("When", at=full(row.at, reader.zone)), *belonging]
    several = [Fact("Last given", at=full(row.last_at, reader.zone)), Fact("Given", f"{row.count:,} times in a row")]
    return [
        Fact("When", at=full(row.at, reader.zone)),
        *(several if row.count > 1 else []),
        Fact("Who asked", reader.name(row.asked_by)),
        Fact("For", row.campaign or "no campaign named"),
        Fact("Audience", "none named" if row.requested is None else number(row.requested)),
        Fact("A part would do", "yes" if row.accept_partial else "no"),
        Fact("May go", "no limit" if row.allow is None else number(row.allow)),
        Fact("Told", told(row) or NONE),
        *belonging,
    ]


def _policy(row: DecisionRow) -> Fact:
    version = row.policy_version
    if not version:
        return Fact("Policy", "the gate had none")
    begins_there = f"/thresholds?gate={quote(row.gate, safe='')}&before={version + 1}#version-{version}"
    return Fact("Policy", f"version {version}", href=begins_there)


def _override(row: DecisionRow, override_id: str) -> Fact:
    own = quote(override_id, safe="")
    return Fact("Override", override_id, href=f"/overrides?gate={quote(row.gate, safe='')}&one={own}#{own}")


def _touching(row: DecisionRow) -> list[str]:
    """Return the override that took part in an answer, or those in force as a gate changed."""
    if row.kind != "transition":
        return [row.override_id] if row.override_id else []
    overrides = (row.facts or {}).get("overrides")
    return [str(each["id"]) for each in overrides if "id" in each] if isinstance(overrides, list) else []


def _reason(given: Mapping[str, Any], reader: Reader) -> ReasonRow:
    unit = given.get("unit")
    return ReasonRow(
        code=str(given.get("code", "")),
        message=retitled(str(given.get("message", "")), reader.titles),
        queue=_queue(given, reader),
        value=measure(given.get("observed"), unit),
        limit=_limit_of(given),
        as_of=_moment(given.get("as_of"), reader),
        is_binding=bool(given.get("binding")),
    )


def _input(given: Mapping[str, Any], reader: Reader) -> InputRow:
    unit, status = given.get("unit"), str(given.get("status", ""))
    state, word = next(((state, word) for each, (state, word, _) in STATUSES.items() if each == status), ("", status))
    return InputRow(
        rule=_rule(given),
        queue=_queue(given, reader),
        state=state,
        word=word,
        value=measure(given.get("value"), unit),
        limit=_limit_of(given),
        margin=margin(given.get("margin"), unit),
        as_of=_moment(given.get("as_of"), reader),
        detail=str(given.get("detail") or ""),
    )


def _limit_of(given: Mapping[str, Any]) -> str:
    if given.get("limit") is None:
        return NONE
    op = str(given.get("op") or "")
    return f"{OPS.get(op, op)} {measure(given['limit'], given.get('unit'))}".strip()


def _rule(given: Mapping[str, Any]) -> str:
    metric = given.get("metric")
    title = DEFINITIONS[metric].title if metric in DEFINITIONS else str(given.get("title") or metric or "the gate")
    window = given.get("window_seconds")
    return f"{title}, over {duration(window)}" if window else title


def _queue(given: Mapping[str, Any], reader: Reader) -> str:
    queue = given.get("queue")
    return reader.titles.get(queue, queue) if queue else ""


def _moment(text: object, reader: Reader) -> Moment | None:
    return full(datetime.fromisoformat(text), reader.zone) if isinstance(text, str) else None


def _missing(reviewed: Reviewed) -> str:
    row = reviewed.row
    if row.inputs:
        return ""
    if row.kept is None:
        return "What it was made from was not kept, so nobody can decide it again."
    if reviewed.replayed is not None:
        return "No rule was looked at: no queue had anything to be judged by."
    return "What it was made from is kept, and cannot be read any more."


def _again(reviewed: Reviewed) -> Again:
    replayed = reviewed.replayed
    if replayed is None:
        return Again("unknown", f"It cannot be decided again: {reviewed.why_not}.")
    if replayed.same:
        return Again("send", "Decided again now, from what was kept of that moment: the same.")
    differing = [WORDS.get(name, "what was kept of it") for name in replayed.differs]
    sentence = f"Decided again now, from what was kept of that moment: it differs in {' and '.join(differing)}."
    return Again("hold", sentence, tuple(_difference(name, reviewed.row, replayed) for name in replayed.differs))


def _difference(name: str, row: DecisionRow, replayed: Replayed) -> tuple[str, str, str]:
    match name:
        case "state":
            return "Verdict", row.verdict, str(replayed.state)
        case "allow":
            return "May go", _limit(row.allow), _limit(replayed.allow)
        case "summary":
            return "Sentence", row.summary, replayed.summary
        case "reasons":
            return "Reasons", _codes(row.reasons), _codes(replayed.reasons)
        case _:
            return "What was kept", "has the digest it was kept under", "was changed since, or is no longer whole"


def _limit(allow: int | None) -> str:
    return "no limit" if allow is None else number(allow)


def _codes(reasons: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(str(each.get("code", "")) for each in reasons) or "none"
