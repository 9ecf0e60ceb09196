"""`holdfire doctor --source` and `holdfire sources try`: what a source says, before anybody relies on it."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from app.clocks import SystemClock
from app.commands.output import USAGE, JsonFlag, fail, print_json, print_table
from app.errors import HoldfireError, Invalid, NotFound
from app.ports.sources import CLOCK_WRONG_SECONDS, clock_said
from app.services.trials import Missed, Seen, Trial
from app.settings import Settings, load_settings
from workers.sources.trying import on_a_sample, over_the_line, table_of

LARGEST_SAMPLE_BYTES = 8 << 20

sources = typer.Typer(no_args_is_help=True, help="Try sources before relying on them.")

SourceOption = Annotated[str, typer.Option("--source", help="The source, by its name in holdfire.toml.")]
SampleOption = Annotated[str, typer.Option("--sample", help="A file with what the system says; - is standard input.")]


@sources.command("try")
def try_sample(source: SourceOption, sample: SampleOption, json: JsonFlag = False) -> None:
    """Show what a source's mapping makes of a sample. Asks nobody, stores nothing. Exit 1 when nothing of it counts."""
    body = _read(sample)
    try:
        trial = on_a_sample(table_of(_settings().sources, source), body, datetime.now(UTC))
    except (Invalid, NotFound) as fault:
        fail(fault, USAGE)
    except HoldfireError as fault:
        _say(source, None, str(fault), json=json)
    else:
        _say(source, trial, "", json=json)


def try_over_the_line(source: str, *, json: bool) -> None:
    """Connect as the source would, show one reading, change nothing. Exit 1 with a sentence when there is none."""
    try:
        trial = asyncio.run(over_the_line(_settings().sources, source, SystemClock()))
    except (Invalid, NotFound) as fault:
        fail(fault)
    except HoldfireError as fault:
        _say(source, None, str(fault), json=json)
    else:
        _say(source, trial, "", json=json)


def _say(source: str, trial: Trial | None, fault: str, *, json: bool) -> None:
    """Print a trial, or why there is none; end with exit code 1 unless something of it would be accepted."""
    seen, missed = (trial.seen, trial.missed) if trial else ((), ())
    ahead = trial.clock_ahead_seconds if trial else None
    detail = fault or _verdict(seen, missed)
    if ahead is not None and abs(ahead) > CLOCK_WRONG_SECONDS:
        detail += f"; {clock_said(ahead)}: set one of them right"
    if json:
        print_json({
            "source": source,
            "ok": bool(seen),
            "detail": detail,
            "clock_ahead_seconds": ahead,
            "sample": [_seen_json(each) for each in seen],
            "rejected": [each._asdict() for each in missed],
        })  # fmt: skip
    else:
        if seen:
            columns = ("Queue", "Channel", "Metric", "Value", "Unit", "Observed at", "Age")
            print_table(columns, [_seen_row(each) for each in seen], f"What {source} says; nothing of it is stored")
        if missed:
            print_table(("Row", "Field", "Why it is rejected", "Value"), missed, "What would be rejected")
        print(f"{source}: {detail}", file=sys.stdout if seen else sys.stderr)
    if not seen:
        raise typer.Exit(1)


def _verdict(seen: Sequence[Seen], missed: Sequence[Missed]) -> str:
    if seen:
        queues = len({each.queue for each in seen})
        said = f"{len(seen)} values of {queues} {'queue' if queues == 1 else 'queues'} would be accepted"
        return f"{said}, {len(missed)} faults" if missed else said
    told = sorted(missed, key=lambda each: each.row is not None)  # first what was understood and is not acceptable
    return f"nothing of it would be accepted: {told[0].detail}" if told else "it answers, and names no queue"


def _seen_row(each: Seen) -> tuple[object, ...]:
    value = f"{each.value:,.6g}" if isinstance(each.value, float) else each.value
    at = each.observed_at.isoformat(timespec="seconds").replace("+00:00", "Z")
    return (each.queue, each.channel, each.metric, value, each.unit, at, f"{each.age_seconds:.0f} s")


def _seen_json(each: Seen) -> dict[str, Any]:
    at = each.observed_at.isoformat().replace("+00:00", "Z")
    return each._asdict() | {"observed_at": at, "age_seconds": round(each.age_seconds, 3)}


def _read(name: str) -> bytes:
    try:
        if name == "-":
            body = sys.stdin.buffer.read(LARGEST_SAMPLE_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                body = file.read(LARGEST_SAMPLE_BYTES + 1)
    except OSError as fault:
        fail(f"--sample={name} cannot be read: {fault.strerror}", USAGE)
    if len(body) > LARGEST_SAMPLE_BYTES:
        fail(f"--sample={name} has more than {LARGEST_SAMPLE_BYTES:,} bytes", USAGE)
    return body


def _settings() -> Settings:
    try:
        return load_settings()
    except Invalid as fault:
        fail(fault, USAGE)
