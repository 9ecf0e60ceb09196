"""`holdfire replay`: recorded days through the whole of holdfire, in process or on a running server."""

import asyncio
import gc
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from app.clocks import DataClock
from app.commands.options import KeyOption
from app.commands.output import USAGE, JsonFlag, fail, print_json, print_table
from app.commands.replay_remote import Remote
from app.core.floor.observation import Observation
from app.errors import HoldfireError
from app.ports.history import ContactTotals
from app.services.history import ratio
from app.services.outlooks import Outlooks
from app.services.published import Published
from app.services.replay import LOOK_EVERY, Replay, Replayed, ceil_second
from app.services.shapes import instant as shown
from app.settings import Settings, load_settings
from app.store.bundle import open_store
from app.telemetry.metrics import Metrics
from app.wiring import build_services
from workers.sources.calls_csv.translate import COLUMNS
from workers.sources.recordings import Format, Reading, Recording
from workers.sources.tally import Tally

TARGET_SECONDS = 20.0
TOTALS = (
    "offered",
    "answered",
    "abandoned",
    "speed_to_answer_seconds",
    "handle_time_seconds",
    "service_level_ratio",
)

UNREADABLE = (OSError, EOFError, zlib.error)
Totals = dict[str, Any]


@dataclass(slots=True)
class Summary:
    """What a replay ends with. queues, total: the TOTALS of each queue and of all."""

    replayed: Replayed
    queues: dict[str, Totals] = field(default_factory=dict)
    total: Totals = field(default_factory=lambda: dict.fromkeys(TOTALS))


def replay(
    file: Annotated[Path, typer.Argument(help="The recorded file; .gz is unpacked.", show_default=False)],
    kind: Annotated[Format, typer.Option("--format", help="What the file is.", show_default=False)],
    data_dir: Annotated[str | None, typer.Option(help="Folder for the embedded database.")] = None,
    url: Annotated[str | None, typer.Option(help="Send to this running server instead.")] = None,
    key: KeyOption = None,
    speed: Annotated[float, typer.Option(min=0.01, max=100_000, help="With --url: how many times as fast.")] = 1.0,
    source: Annotated[str | None, typer.Option(help="Name of the source, where the file names none.")] = None,
    queue: Annotated[str | None, typer.Option(help="CSV: the queue of rows that name none.")] = None,
    time_zone: Annotated[str, typer.Option(help="CSV: zone of times without an offset.")] = "UTC",
    mapped: Annotated[list[str] | None, typer.Option("--map", help="CSV: OURS=THEIRS, a header that differs.")] = None,
    json: JsonFlag = False,
) -> None:
    """Replay recorded days: by default in process, by a clock that follows the data, as fast as it goes."""
    reading = Reading(kind, source, queue, _zone(time_zone), _headers(mapped or []))
    if url and data_dir:
        fail("--url sends to a running server, which has its own data: give --url or --data-dir, not both", USAGE)
    try:
        with Recording(file, reading) as recording:
            if url:
                summary = asyncio.run(_there(recording, Remote(url, key, speed)))
            else:
                summary = asyncio.run(_here(recording, load_settings({"data_dir": data_dir})))
    except UNREADABLE as fault:
        fail(f"{file} cannot be read: {getattr(fault, 'strerror', None) or fault}", USAGE)
    except HoldfireError as fault:
        fail(f"{file}: {fault}")
    if summary.replayed.first_at is None:
        fail(f"{file} has nothing to replay as {kind}: {_faults(recording.tally) or 'it is empty'}")
    _print(summary, recording.tally, as_json=json)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        fail(f"--time-zone {name!r} is not a time zone; give a name such as America/Chicago", USAGE)


def _headers(mapped: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for pair in mapped:
        ours, equals, theirs = pair.partition("=")
        if not equals or not theirs or ours not in COLUMNS:
            fail(f"--map {pair!r} is not OURS=THEIRS with one of ours: {', '.join(COLUMNS)}", USAGE)
        headers[ours] = theirs
    return headers


# --- in process -----------------------------------------------------------------------------------------------------


async def _here(recording: Recording, settings: Settings) -> Summary:
    """Replay into the settings' database. Raises Invalid while a server or another replay evaluates it."""
    first = next(recording.payloads, None)
    if first is None:
        return Summary(Replayed())
    clock = DataClock(ceil_second(first.observed_at if isinstance(first, Observation) else first.at))
    async with open_store(settings.resolved_database_url, clock, alone=True) as store:
        if resumed := await store.evaluation.checkpoint():
            clock.move_to(resumed.evaluated_at)  # what is decided is not decided again
        services = await build_services(settings, clock, store, Metrics())
        with _progress(recording) as progress, _rare_collections():
            replay = Replay(store.stream, services.evaluator, clock, resumed, partial(_look, services.outlooks))
            replayed = await replay.run(chain([first], recording.payloads), progress)
        if replayed.first_at is None or replayed.last_at is None:
            return Summary(replayed)
        totals = await services.history.totals(
            replayed.first_at, replayed.last_at + timedelta(microseconds=1), TARGET_SECONDS
        )
    return Summary(replayed, {one.queue: _shape(one) for one in totals.queues}, _shape(totals.total))


async def _look(outlooks: Outlooks, published: Published) -> None:
    """Look ahead for the gates whose policy wants it, each time until well after the next time."""
    for state in published.gates.values():
        if state.policy is not None and state.policy.outlook is not None:
            await outlooks.look(state, published.at, 2 * LOOK_EVERY.total_seconds())


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Search for garbage less often: what a replay makes mostly lives on, and each search goes through all of it."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _shape(one: ContactTotals) -> Totals:
    return {
        "offered": one.offered,
        "answered": one.answered,
        "abandoned": one.abandoned,
        "speed_to_answer_seconds": ratio(one.wait_seconds_sum, one.answered),
        "handle_time_seconds": ratio(one.handle_seconds_sum, one.handled),
        "service_level_ratio": ratio(one.answered_within_target, one.offered),
    }


# --- on a running server --------------------------------------------------------------------------------------------


async def _there(recording: Recording, remote: Remote) -> Summary:
    with _progress(recording) as progress:
        replayed = await remote.send(recording.payloads, progress)
    if replayed.first_at is None or replayed.last_at is None:
        return Summary(replayed)
    totals = await remote.totals(replayed.first_at, replayed.last_at, TARGET_SECONDS)
    queues = {str(one["queue"]): {name: one[name] for name in TOTALS} for one in totals["queues"]}
    return Summary(replayed, queues, {name: totals["total"][name] for name in TOTALS})


# --- what people see ------------------------------------------------------------------------------------------------


@contextmanager
def _progress(recording: Recording) -> Iterator[Any]:
    """Show a bar with the data's time while the body runs, on a terminal only."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading", total=1.0)

        def moved(at: datetime) -> None:
            bar.update(task, description=f"{at:%Y-%m-%d %H:%M}", completed=recording.read_ratio())

        yield moved


def _print(summary: Summary, tally: Tally, *, as_json: bool) -> None:
    replayed = summary.replayed
    facts: dict[str, Any] = {
        "accepted": replayed.accepted,
        "duplicates": replayed.duplicates,
        "rejected": replayed.rejected + tally.malformed,
        "first_at": shown(replayed.first_at) if replayed.first_at else None,
        "last_at": shown(replayed.last_at) if replayed.last_at else None,
        "transitions": replayed.transitions,
    }
    if as_json:
        skipped = dict(sorted(tally.skipped.items()))
        print_json({**facts, "queues": summary.queues, "total": summary.total, "skipped": skipped})
        return
    print_table(("Replayed", ""), [(name.replace("_", " "), value) for name, value in facts.items()])
    rows = [(name, *_row(totals)) for name, totals in (*summary.queues.items(), ("all together", summary.total))]
    print_table(
        ("Queue", "Offered", "Answered", "Abandoned", "Speed to answer", "Handle time", "Service level (20 s)"), rows
    )
    if tally.skipped:
        print_table(("Skipped", "Lines"), sorted(tally.skipped.items()))
    if problems := [*_lines(tally), *(f"{one.pointer}: {one.detail}" for one in replayed.rejections)]:
        print_table(("Refused",), [(problem,) for problem in problems])


def _row(totals: Totals) -> Iterable[object]:
    offered, answered, abandoned, wait, handle, level = (totals[name] for name in TOTALS)
    return (
        offered,
        answered,
        abandoned,
        None if wait is None else f"{wait:.1f} s",
        None if handle is None else f"{handle:.1f} s",
        None if level is None else f"{level:.1%}",
    )


def _lines(tally: Tally) -> list[str]:
    return [f"line {fault.line}: {fault.reason}" for fault in tally.faults]


def _faults(tally: Tally) -> str:
    skipped = [f"{count} lines skipped as {kind}" for kind, count in tally.skipped.items()]
    return "; ".join([*_lines(tally)[:3], *skipped[:3]])
