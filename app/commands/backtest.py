"""`holdfire backtest`: what a gate's policy would have done over stored history."""

import asyncio
import json as json_text
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from app.clocks import SystemClock
from app.commands.output import USAGE, JsonFlag, fail, print_json, print_table
from app.computing import InProcess
from app.errors import HoldfireError, Invalid
from app.services.backtest_shapes import backtest_shape
from app.services.backtests import Backtests, Question
from app.services.gates import Gates
from app.settings import load_settings
from app.store.bundle import DEFAULT_GATE, open_store

MEASURES = ("open", "held", "unknown", "holds", "median", "longest", "flips a day", "precision", "breaches", "missed")


def backtest(
    gate: Annotated[str, typer.Option(help="The gate whose policy is walked.")] = DEFAULT_GATE,
    start: Annotated[str | None, typer.Option("--from", help="Start, as 2026-10-01 or with a time; UTC.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="End, excluded; default: now.")] = None,
    policy: Annotated[Path | None, typer.Option(help="A policy document (JSON) instead of the gate's own.")] = None,
    version: Annotated[int | None, typer.Option(min=1, help="A stored version instead of the newest.")] = None,
    data_dir: Annotated[str | None, typer.Option(help="Folder of the embedded database.")] = None,
    json: JsonFlag = False,
) -> None:
    """Walk a policy over stored minutes: how much would have been open, how often it would have held, was it right."""
    question = Question(
        gate, _instant("--from", start), _instant("--to", until), _document(policy) if policy else None, version
    )
    try:
        body = asyncio.run(_walked(question, data_dir))
    except Invalid as fault:
        fail("; ".join([str(fault), *(f"{one.pointer}: {one.detail}" for one in fault.problems)]), USAGE)
    except (HoldfireError, OSError) as fault:
        fail(fault)
    if json:
        print_json(body)
    else:
        _print(body)


def _instant(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{option}={text!r} is no date or time; give one such as 2026-10-01 or 2026-10-01T09:00Z", USAGE)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _document(path: Path) -> Mapping[str, object]:
    try:
        document = json_text.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json_text.JSONDecodeError) as fault:
        fail(f"--policy {path} cannot be read: {getattr(fault, 'strerror', None) or fault}", USAGE)
    if not isinstance(document, dict):
        fail(f"--policy {path} holds no JSON object", USAGE)
    return document


async def _walked(question: Question, data_dir: str | None) -> dict[str, Any]:
    clock = SystemClock()
    async with open_store(load_settings({"data_dir": data_dir}).resolved_database_url, clock) as store:
        backtests = Backtests(Gates(store.gates, clock), store.minutes, InProcess(), clock)
        with _progress() as moved:
            return backtest_shape(await backtests.run(question, "", moved))


@contextmanager
def _progress() -> Iterator[Callable[[float], None]]:
    """Show a bar while the body runs, on a terminal only."""
    console = Console(stderr=True)
    columns = (TextColumn("walking"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("walking", total=1.0)
        yield lambda share: bar.update(task, completed=share)


def _print(body: Mapping[str, Any]) -> None:
    version = body["policy_version"]
    facts = [
        ("gate", body["gate"]),
        ("policy", "the document given" if version is None else f"version {version}"),
        ("from", body["from"]),
        ("to", body["to"]),
        ("minutes within send windows", f"{body['window_minutes']:,} of {body['minutes']:,}"),
        *zip(MEASURES, _measures(body), strict=True),
        ("flips a day without hysteresis", _number(body["flips_per_day_without_hysteresis"])),
    ]
    print_table(("Backtest", ""), facts)
    rows = [("as it is", None, None, *_measures(body)), *map(_shift, body["shifts"])]
    print_table(("Rule", "Hold", "Resume", *MEASURES), rows, title="Limits moved by a fifth")
    print_table(("Queue", "known"), [(one["queue"], _share(one["known_ratio"])) for one in body["queues"]])
    for note in body["notes"]:
        print(note)


def _shift(one: Mapping[str, Any]) -> tuple[object, ...]:
    window = "" if one["window_seconds"] is None else f" over {one['window_seconds']:g} s"
    name = f"{one['metric']}{window} {one['factor'] - 1:+.0%}"
    return name, f"{one['hold_limit']:g}", f"{one['resume_limit']:g}", *_measures(one)


def _measures(one: Mapping[str, Any]) -> tuple[object, ...]:
    return (
        *(_share(one[f"{state}_ratio"]) for state in ("open", "held", "unknown")),
        one["holds"],
        _minutes(one["median_hold_seconds"]),
        _minutes(one["longest_hold_seconds"]),
        _number(one["flips_per_day"]),
        _share(one["precision_ratio"]),
        one["breaches"],
        one["missed"],
    )


def _share(ratio: float | None) -> str | None:
    return None if ratio is None else f"{ratio:.1%}"


def _minutes(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds / 60:g} min"


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.1f}"
