"""What every command shares: printing for people or as JSON, and ending with the right exit code."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

FAILED, USAGE = 1, 2
PIPE_COLUMNS = 250

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def print_json(value: Any) -> None:
    """Print a value as indented JSON on standard output."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str | None = None) -> None:
    """Print rows as a table for people; None shows as a dash. Nothing is cut off: what is too long goes on below."""
    table = Table(title=None if title is None else _plain(title), title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(_plain(column), overflow="fold")
    for row in rows:
        table.add_row(*("-" if cell is None else _plain(cell) for cell in row))
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, PIPE_COLUMNS)  # for grep, and for files: one row, one line
    console.print(table)


def _plain(cell: object) -> Text:
    """Return a text as it is: its brackets are no markup, and what would steer a terminal is a question mark."""
    return Text("".join(each if each.isprintable() or each == "\n" else "?" for each in str(cell)))


def fail(message: object, code: int = FAILED) -> NoReturn:
    """Print a sentence on standard error and end with `code`."""
    print(f"holdfire: {message}", file=sys.stderr)
    raise typer.Exit(code)
