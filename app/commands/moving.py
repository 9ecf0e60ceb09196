"""`holdfire migrate --from … --to …`: a whole installation into another database, checked by counts and hashes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from app.commands.output import USAGE, fail, print_json, print_table
from app.errors import HoldfireError, Invalid
from app.store.connect import SETTING, known_url, masked
from app.store.moving import Moved, move


def move_and_tell(source: str, target: str, *, as_json: bool) -> None:
    """Move an installation and print what arrived; end with exit code 2 for a URL that is none, 1 for all else."""
    try:
        ends = {"from": masked(known_url(source)), "to": masked(known_url(target))}
    except Invalid as fault:
        fail(_sentence(fault), USAGE)
    try:
        with _progress() as moved:
            arrived = move(source, target, moved)
    except (HoldfireError, OSError) as fault:
        fail(_sentence(fault))
    if as_json:
        print_json(ends | _shape(arrived))
    else:
        _print(arrived, ends["to"])


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Show a bar while the body runs, on a terminal only."""
    console = Console(stderr=True)
    columns = (TextColumn("moving"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("moving", total=None)
        yield lambda done, steps: bar.update(task, completed=done, total=steps)


def _shape(moved: Moved) -> dict[str, Any]:
    return {
        "schema": moved.schema,
        "rows": sum(contents.rows for contents in moved.tables.values()),
        "tables": [
            {"table": name, "rows": contents.rows, "sha256": contents.sha256} for name, contents in moved.tables.items()
        ],
        "events": moved.events.count,
        "head": moved.events.head,
    }


def _print(moved: Moved, target: str) -> None:
    filled = {name: contents for name, contents in moved.tables.items() if contents.rows}
    rows = [(name, f"{contents.rows:,}", contents.sha256[:16]) for name, contents in filled.items()]
    print_table(("Table", "Rows", "The same digest in both"), rows)
    empty = len(moved.tables) - len(filled)
    print(f"{sum(contents.rows for contents in filled.values()):,} rows moved; {empty} tables are empty in both")
    print(f"{moved.events.count:,} events, whole\nhead {moved.events.head}")
    print(f"database is at {moved.schema}; serve it with {SETTING}={target}")


def _sentence(fault: Exception) -> str:
    """Return what is wrong with a URL that an option gave, and not the setting."""
    return str(fault).replace(f"{SETTING}=", "")
