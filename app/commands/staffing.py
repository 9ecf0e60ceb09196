"""`holdfire staffing`: schedules out of files, without a server; one that runs counts by them within a minute."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from app.api.problems import errors_of
from app.api.staffing_shapes import FileQuery
from app.clocks import SystemClock
from app.commands.actor import local_actor
from app.commands.output import USAGE, JsonFlag, fail, print_json, print_table
from app.core.staffing.columns import Role
from app.core.staffing.upload import Understood
from app.errors import HoldfireError, Invalid
from app.services.opening_hours import Hours
from app.services.schedules import ScheduleChange, Schedules
from app.services.staffing_shapes import change_shape
from app.services.uploads import FileOptions, read_for_all, read_for_queue
from app.settings import load_settings
from app.store.bundle import open_store

staffing = typer.Typer(no_args_is_help=True, help="Say how many agents will be there.")
Changes = tuple[Sequence[ScheduleChange], Understood]


@staffing.callback()
def _group() -> None:
    """Keep `import` a command of its own, also while it is the only one."""


@staffing.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV file, as a workforce management program exports it.")],
    queue: Annotated[str | None, typer.Option(help="Default: all queues that a column of the file names.")] = None,
    map_: Annotated[
        list[str] | None, typer.Option("--map", help=f"ROLE=HEADING, several times; roles: {', '.join(Role)}.")
    ] = None,
    time_zone: Annotated[str | None, typer.Option(help="Of times without an offset, like America/Chicago.")] = None,
    date_order: Annotated[str | None, typer.Option(help="mdy or dmy, for dates like 03/04/2026.")] = None,
    decimal: Annotated[str | None, typer.Option(help="What marks the fraction of 12.5: . or ,")] = None,
    interval_minutes: Annotated[int | None, typer.Option(help="How long an interval without an end is.")] = None,
    gaps: Annotated[str, typer.Option(help="refuse, or closed: nobody is there in a day's gaps.")] = "refuse",
    queue_value: Annotated[str | None, typer.Option(help="What the file calls the queue.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    data_dir: Annotated[str | None, typer.Option(help="Folder of the embedded database.")] = None,
    json: JsonFlag = False,
) -> None:
    """Replace the days that the file covers, or with any fault in it none, and print what that changed."""
    given: dict[str, object] = {
        "time_zone": time_zone,
        "date_order": date_order,
        "decimal": decimal,
        "interval_minutes": interval_minutes,
        "gaps": gaps,
        "queue_value": queue_value,
    }
    options = _options({**given, **_columns(map_ or [])})
    try:
        content = file.read_bytes()
        changes, understood = asyncio.run(_import(content, queue, options, data_dir, dry_run=dry_run))
    except Invalid as fault:
        fail("\n".join([f"{file}: {fault}", *(problem.detail for problem in fault.problems)]))
    except (HoldfireError, OSError) as fault:
        fail(fault)
    if json:
        print_json([change_shape(each, understood) for each in changes])
    else:
        _print(changes, understood)


def _columns(named: Sequence[str]) -> dict[str, str]:
    columns = {}
    for each in named:
        role, equals, heading = each.partition("=")
        if not equals or not heading or role not in list(Role):
            fail(f"--map={each} must be ROLE=HEADING, with one of {', '.join(Role)}", USAGE)
        columns[f"{role}_column"] = heading
    return columns


def _options(given: Mapping[str, object]) -> FileOptions:
    try:
        return FileQuery.model_validate({name: value for name, value in given.items() if value is not None}).options()
    except ValidationError as fault:
        errors: list[Any] = errors_of(fault.errors())
        said = (f"--{error['pointer'].strip('/').replace('_', '-')}: {error['detail']}" for error in errors)
        fail("; ".join(said), USAGE)


async def _import(
    content: bytes, queue: str | None, options: FileOptions, data_dir: str | None, *, dry_run: bool
) -> Changes:
    clock = SystemClock()
    async with open_store(load_settings({"data_dir": data_dir}).resolved_database_url, clock) as store:
        schedules = Schedules(store.schedules, Hours(store.hours, clock), clock)
        if queue is None:
            found, understood = await read_for_all(schedules, content, options)
        else:
            one, understood = await read_for_queue(schedules, queue, content, options)
            found = [one]
        return await schedules.save(found, local_actor(), dry_run=dry_run), understood


def _print(changes: Sequence[ScheduleChange], understood: Understood) -> None:
    columns = ", ".join(f"{role} from {heading!r}" for role, heading in understood.columns.items())
    print(f"{understood.lines:,} lines of {understood.interval_minutes} min: {columns}")
    rows = [
        (
            change.queue,
            day.day,
            *(side and f"{side.agent_hours:,.2f}" for side in (day.before, day.after)),
            _word(day.changed),
        )
        for change in changes
        for day in change.days
    ]
    print_table(("Queue", "Day", "Agent-hours before", "After", ""), rows)
    if not any(change.saved for change in changes):
        print("nothing was changed")


def _word(changed: bool) -> str:  # noqa: FBT001  one value of a row
    return "changed" if changed else "as before"
