"""A frame of the live socket drawn for a terminal: the verdict, why, each queue, what is on its way. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from app.commands.watch_socket import SILENT_AFTER_SECONDS, Frame, Heard
from app.core.gate.decision import CheckStatus, Verdict
from app.web.format import NONE, duration, measure

# As everywhere: blue circle, amber triangle, red square, grey diamond; each with its word.
LOOKS = {
    Verdict.SEND: ("●", "bold white on blue"),
    Verdict.THROTTLE: ("▲", "bold black on yellow"),
    Verdict.HOLD: ("■", "bold white on red"),
    Verdict.UNKNOWN: ("◇", "bold black on bright_black"),
}
FINE = {CheckStatus.PASS, CheckStatus.TOO_FEW, CheckStatus.IGNORED}
COLUMNS = (  # of a queue: its metric, the head, and the unit it is read in
    ("backlog", "waiting", "contacts"),
    ("oldest_wait_seconds", "oldest", "seconds"),
    ("speed_to_answer_seconds", "answer", "seconds"),
    ("service_level_ratio", "level", "ratio"),
    ("agents_available", "free", "agents"),
    ("agents_staffed", "staffed", "agents"),
)
AROUND = 14  # lines of the verdict, and of heads, gaps and counts around the tables
MOST_PERMITS = 3
LONGEST_NAME = 24
OPS = {"<=": "≤", ">=": "≥"}


@dataclass(frozen=True, slots=True)
class Standing:
    """What a gate says at an instant of the server's clock: never more than its data still bear out.

    age: of the oldest data decided on, in seconds. why: what makes an UNKNOWN of it here, "" where the gate said it.
    """

    verdict: Verdict
    summary: str
    now: datetime | None
    age: float | None
    why: str = ""


def standing(heard: Heard, monotonic: float) -> Standing:
    """Return how a gate stands: unknown without a frame, when none came for 15 s, and past a decision's validity."""
    frame = heard.frame
    if frame is None:
        why = heard.trouble or "connecting"
        return Standing(Verdict.UNKNOWN, f"Nothing is known yet: {why}.", None, None, why)
    decision, silence = frame["decision"], monotonic - heard.at
    now = _instant(frame["at"]) + timedelta(seconds=silence)
    as_of, until = _instant(decision["data_as_of"]), _instant(decision["valid_until"])
    age = (now - as_of).total_seconds() if as_of else None
    if silence > SILENT_AFTER_SECONDS:
        why = f"nothing heard for {duration(silence)}" + (f", {heard.trouble}" if heard.trouble else "")
    elif until is not None and now > until and decision["state"] != Verdict.UNKNOWN:
        why = "what was decided is no longer valid"
    else:
        return Standing(Verdict(decision["state"]), decision["summary"], now, age)
    return Standing(Verdict.UNKNOWN, f"Not live: {why}. Last: {decision['summary']}", now, age, why)


def line(gate: str, seen: Standing) -> str:
    """Return a standing in one line, for logs and pipes."""
    at = seen.now.strftime("%Y-%m-%dT%H:%M:%SZ") if seen.now else NONE
    return f"{at} {gate} {seen.verdict.upper()} {seen.summary}"


def screen(gate: str, heard: Heard, monotonic: float, height: int) -> RenderableType:
    """Return the whole screen, no taller than `height` lines; what does not fit is counted instead."""
    seen = standing(heard, monotonic)
    parts: list[RenderableType] = [_head(gate, seen, heard.frame), Text(seen.summary, style="bold")]
    if heard.frame is None or seen.now is None:
        return Group(*parts)
    parts.append(_facts(heard.frame, seen, heard.trouble))
    style = "dim" if seen.why else ""
    rules, queues, permits = _most_pressing(heard.frame["checks"]), heard.frame["queues"], heard.frame["permits"]
    room = max(3, height - AROUND)
    of_rules, of_permits = min(len(rules), max(1, room // 3)), min(len(permits), MOST_PERMITS)
    of_queues = max(1, room - of_rules - of_permits)
    parts += _part(_rules(rules[:of_rules], style), len(rules) - of_rules, "rules within limits or less pressing")
    parts += _part(_queues(queues[:of_queues], seen.now, style), len(queues) - of_queues, "queues")
    if permits:
        parts += _part(_permits(permits[:of_permits], style), len(permits) - of_permits, "sends")
    return Group(*parts)


def _head(gate: str, seen: Standing, frame: Frame | None) -> Text:
    shape, style = LOOKS[seen.verdict]
    head = Text.assemble((f" {shape} {seen.verdict.upper()} ", style), f"  {gate}")
    since = _instant(frame["decision"]["since"]) if frame and not seen.why else None
    if since and seen.now:
        head.append(f"  for {duration(max(0.0, (seen.now - since).total_seconds()))}")
    if frame and frame["decision"]["mode"] == "shadow":
        head.append("  shadow: holds nobody", style="italic")
    return head


def _facts(frame: Frame, seen: Standing, trouble: str) -> Text:
    decision, facts = frame["decision"], [f"{trouble}; trying again"] if trouble else []
    if (retry := _instant(decision["retry_at"])) and seen.now and retry > seen.now:
        facts.append(f"ask again in {duration((retry - seen.now).total_seconds())}")
    facts.append(f"data {duration(seen.age)} old" if seen.age is not None else "no data")
    facts.append(f"policy {decision['policy_version']}")
    return Text(" · ".join(facts), style="dim")


def _rules(checks: Sequence[Mapping[str, Any]], style: str) -> Table:
    table = _table(("rule", "queue"), ("now", "limit"), ("status",), style)
    for check in checks:
        limit = measure(check["limit"], check["unit"])
        value = measure(check["value"], check["unit"])
        table.add_row(
            *_plain(check["title"] or check["detail"] or NONE, check["queue"] or NONE),
            *_plain(value, f"{OPS.get(check['op'], '')} {limit}".strip(), str(check["status"]).replace("_", " ")),
            style="" if check["status"] in FINE else "bold",
        )
    return table


def _queues(queues: Sequence[Mapping[str, Any]], now: datetime, style: str) -> Table:
    table = _table(("queue",), (*(head for _, head, _ in COLUMNS), "age"), (), style)
    for queue in queues:
        values = [_reading(queue, metric, unit) for metric, _, unit in COLUMNS]
        heard = _instant(queue["last_heard_at"])
        age = duration(max(0.0, (now - heard).total_seconds())) if heard else NONE
        table.add_row(*_plain(queue["title"], *values, age))
    return table


def _permits(permits: Sequence[Mapping[str, Any]], style: str) -> Table:
    table = _table(("on its way",), ("sent", "of"), ("state",), style)
    for permit in permits:
        sent, allowed = (measure(permit[each], None) for each in ("sent", "allow"))
        state = "MUST STOP" if permit["must_stop"] else permit["state"]
        cells = _plain(permit["campaign"] or permit["id"], sent, allowed, state)
        table.add_row(*cells, style="bold" if permit["must_stop"] else "")
    return table


def _table(names: Iterable[str], figures: Iterable[str], words: Iterable[str], style: str) -> Table:
    """Return an empty table: names are cut where they are long, figures and words never are."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", style=style, row_styles=[style])
    for name in names:
        table.add_column(name, no_wrap=True, overflow="ellipsis", max_width=LONGEST_NAME)
    for figure in figures:
        table.add_column(figure, justify="right", no_wrap=True)
    for word in words:
        table.add_column(word, no_wrap=True)
    return table


def _part(table: Table, hidden: int, noun: str) -> list[RenderableType]:
    more = [Text(f"and {hidden} more {noun}", style="dim")] if hidden > 0 else []
    return [Text(), table, *more]


def _most_pressing(checks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(checks, key=lambda check: check["status"] in FINE)


def _reading(queue: Mapping[str, Any], metric: str, unit: str) -> str:
    reading = queue["metrics"].get(metric)
    return measure(reading["value"], unit) if reading else NONE


def _plain(*cells: str) -> Iterable[Text]:
    """Yield texts as they are: their brackets are no markup, and what would steer a terminal is a question mark."""
    return (Text("".join(_shown(each) for each in cell)) for cell in cells)


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else "?"


def _instant(text: str | None) -> Any:
    return datetime.fromisoformat(text) if text else None
