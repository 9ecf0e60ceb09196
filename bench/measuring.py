"""Rounds in which all contenders take turns, and the tables their medians go into."""

import statistics
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.load import Rate


def interleaved(rounds: int, contenders: dict[str, Callable[[], Rate]]) -> dict[str, Rate]:
    """Return each contender's median rate and latency over rounds in which all of them run in turn."""
    for contender in contenders.values():
        contender()  # warms caches and connections up; not counted
    seen: dict[str, list[Rate]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            seen[name].append(contender())
    return {name: Rate(*map(statistics.median, zip(*rates, strict=True))) for name, rates in seen.items()}


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table under a heading."""
    lines = [f"## {title}", "", f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def data_dir(stack: ExitStack) -> Path:
    """Return a new folder that is deleted when the stack closes."""
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="holdfire-bench-")))
