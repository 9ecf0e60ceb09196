"""Text of a spreadsheet or a WFM export as rows of cells: its encoding and its separator are found out."""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from typing import NamedTuple

from app.core.problem import Problem
from app.core.staffing.refused import StaffingRefused

MOST_LINES = 60_000
SEPARATORS = (";", "\t", ",", "|")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_LOOKED_AT = 40


class Row(NamedTuple):
    """One line: its number in the file, from 1, and its cells without the spaces around them."""

    line: int
    cells: tuple[str, ...]

    def cell(self, column: int | None) -> str:
        """Return the cell of a column; "" where the line is shorter, or without a column."""
        return self.cells[column] if column is not None and column < len(self.cells) else ""


@dataclass(frozen=True, slots=True)
class Table:
    """All lines with anything in them, in order."""

    separator: str
    rows: tuple[Row, ...]


def read_table(content: bytes) -> Table:
    """Return the rows of a text: UTF-8, UTF-16 with its mark, or Windows-1252; cells apart by ; tab , or |.

    Raises StaffingRefused for what is no such text.
    """
    text = _decoded(content)
    separator = _separator(text)
    return Table(separator, tuple(_rows(text, separator)))


def _decoded(content: bytes) -> str:
    encoding = "utf-16" if content.startswith(_UTF16) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    if "\0" in text:
        raise StaffingRefused([Problem("", "this is no text; export the schedule as CSV, not as a workbook")])
    return text


def _separator(text: str) -> str:
    """Return the separator by which most lines near the top fall into the same number of cells, two or more."""
    named = text.lstrip().lower()
    if named.startswith("sep=") and named[4:5] in SEPARATORS:
        return named[4]
    lines = [line for line in text.splitlines()[:_LOOKED_AT] if line.strip()]
    return max(SEPARATORS, key=lambda separator: _agreement(lines, separator))


def _agreement(lines: Sequence[str], separator: str) -> tuple[int, int]:
    counts = Counter(line.count(separator) for line in lines)
    del counts[0]
    return max(((number, count) for count, number in counts.items()), default=(0, 0))


def _rows(text: str, separator: str) -> list[Row]:
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[Row] = []
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append(Row(line, tuple(cell.strip() for cell in cells)))
            line = reader.line_num + 1
            if len(rows) > MOST_LINES:
                raise StaffingRefused([Problem("", f"more than {MOST_LINES:,} lines; send fewer days at once")])
    except csv.Error as fault:
        detail = f"line {line}: it cannot be read as CSV ({fault}); are its quotation marks in pairs?"
        raise StaffingRefused([Problem(f"/lines/{line}", detail)]) from fault
    if not rows:
        raise StaffingRefused([Problem("", "the file is empty; send a header line and a line per interval")])
    return rows
