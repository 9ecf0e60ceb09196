"""Value figures out of a CSV file: a line per campaign; which column says what is found out, or said by its user."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import NamedTuple

from app.core.campaign.value import AMOUNTS, FIGURES, Figures, FiguresRefused, parse_figures
from app.core.gate.fields import listed, shown
from app.core.problem import Problem
from app.core.staffing.refused import StaffingRefused
from app.core.staffing.table import Row, Table, read_table

MOST_LINES = 5_000
MOST_PROBLEMS = 100
HEADER_WITHIN = 25
EMPTY = frozenset({"", "-", "–", "n/a", "na", "null", "none", "?"})  # noqa: RUF001  exports write any of these dashes
_GROUPS = re.compile(r"-?\d{1,3}(?:[,.]\d{3})+")


class Column(StrEnum):
    """What a column says."""

    CAMPAIGN = "campaign"
    NEW = "new"
    LOST = "lost"
    KEPT = "kept"
    VALUE = "value_per_customer"
    NET = "net_value"
    CURRENCY = "currency"


# Headings by letters and digits alone, the best first.
HEADINGS: Mapping[Column, Sequence[str]] = {
    Column.CAMPAIGN: ("campaign", "campaignid", "campaignname", "id", "kampagne", "kampagnenid"),
    Column.NEW: ("new", "newcustomers", "customersnew", "won", "wins", "acquired", "newcustomer", "neukunden", "neu"),
    Column.LOST: ("lost", "lostcustomers", "customerslost", "churned", "churn", "unsubscribed", "verloren"),
    Column.KEPT: ("kept", "keptcustomers", "customerskept", "retained", "saved", "renewed", "gehalten"),
    Column.VALUE: ("valuepercustomer", "customervalue", "value", "clv", "ltv", "wert", "kundenwert"),
    Column.NET: ("netvalue", "net", "netcustomervalue", "netamount", "nettowert"),
    Column.CURRENCY: ("currency", "curr", "waehrung", "währung"),
}


@dataclass(frozen=True, slots=True)
class FileReading:
    """How a file is to be read. columns: headings as its user named them; the others are found out.

    decimal: "." or ","; None: as each number shows. currency: of amounts in a file without a column of currencies.
    """

    columns: Mapping[Column, str] = field(default_factory=dict)
    decimal: str | None = None
    currency: str = ""


class Read(NamedTuple):
    """What one line says of a campaign. columns: those that the file has; the others it says nothing of."""

    line: int
    campaign: str
    figures: Figures
    columns: frozenset[Column]

    def merged(self, before: Figures) -> Figures:
        """Return the figures after this line: a column that the file does not have leaves what was known."""
        said = {each.name: getattr(self.figures, each.name) for each in fields(Figures) if each.name in self.columns}
        after = replace(before, **said)
        has_amount = after.value_per_customer is not None or after.net_value is not None
        return replace(after, currency=(self.figures.currency or before.currency) if has_amount else "")


class Understood(NamedTuple):
    """How a file was read: for people to check before they believe it."""

    separator: str
    header_line: int
    columns: Mapping[Column, str]
    ignored: Sequence[str]
    lines: int


def read_values(content: bytes, reading: FileReading) -> tuple[Sequence[Read], Understood]:
    """Return what a CSV file says, line by line, and how it was read.

    Raises FiguresRefused with a problem for each bad line, at most a hundred.
    """
    table = _table(content)
    header, columns = _find_columns(table, reading.columns)
    rows = [row for row in table.rows if row.line > header.line]
    problems = list(_file_problems(rows))
    read = [] if problems else [each for row in rows if (each := _read(row, columns, reading, problems)) is not None]
    problems += _doubles(read)
    if problems:
        raise FiguresRefused(problems[:MOST_PROBLEMS])
    used = set(columns.values())
    ignored = [cell for place, cell in enumerate(header.cells) if place not in used and cell]
    named = {column: header.cells[place] for column, place in columns.items()}
    return read, Understood(table.separator, header.line, named, ignored, len(rows))


def _table(content: bytes) -> Table:
    try:
        return read_table(content)
    except StaffingRefused as refused:
        said = "this is no CSV file with a header and a line per campaign; export it as CSV, not as a workbook"
        lines = [each for each in refused.problems if each.pointer]
        raise FiguresRefused(lines or [Problem("", said)]) from refused


def _file_problems(rows: Sequence[Row]) -> Iterator[Problem]:
    if not rows:
        yield Problem("", "there is no line below the header; send a line per campaign")
    if len(rows) > MOST_LINES:
        yield Problem("", f"{len(rows):,} lines are more than {MOST_LINES:,}; send fewer campaigns at once")


# --- columns ----------------------------------------------------------------------------------------------------------


def _find_columns(table: Table, named: Mapping[Column, str]) -> tuple[Row, Mapping[Column, int]]:
    """Return the header, the first line that names a campaign and a figure, and the place of each column in it."""
    first: Problem | None = None
    for row in table.rows[:HEADER_WITHIN]:
        keys = [_key(cell) for cell in row.cells]
        columns = _columns_of(keys, named)
        if not (fault := _missing(columns, keys, named)):
            return row, columns
        cells = ", ".join(shown(cell) for cell in row.cells[:12] if cell)
        said = f"line {row.line}: {fault}; it has {cells}. Say which column is which"
        first = first or Problem(f"/lines/{row.line}", said)
    raise FiguresRefused([first or Problem("", "the file has no lines")])


def _columns_of(keys: Sequence[str], named: Mapping[Column, str]) -> Mapping[Column, int]:
    found = {column: keys.index(_key(name)) for column, name in named.items() if _key(name) in keys}
    for column in Column:
        if column not in named:
            free = (keys.index(each) for each in HEADINGS[column] if each in keys)
            place = next((each for each in free if each not in found.values()), None)
            if place is not None:
                found[column] = place
    return found


def _missing(columns: Mapping[Column, int], keys: Sequence[str], named: Mapping[Column, str]) -> str:
    unknown = [shown(name) for name in named.values() if _key(name) not in keys]
    if unknown:
        return f"there is no column {listed(unknown)}"
    if len(set(columns.values())) < len(columns):
        return "one column cannot say two things"
    if Column.CAMPAIGN not in columns:
        return "no column has the campaign's id"
    return "" if set(columns) & {*FIGURES, *AMOUNTS} else "no column has new, lost or kept customers, or an amount"


def _key(heading: str) -> str:
    return re.sub(r"[^0-9a-zäöüß]", "", heading.lower())


# --- line by line -----------------------------------------------------------------------------------------------------


def _read(row: Row, columns: Mapping[Column, int], reading: FileReading, problems: list[Problem]) -> Read | None:
    """Return what a line says; None, and why in `problems`, where that cannot be told."""
    own: list[str] = []
    document: dict[str, object] = {}
    for column in (*FIGURES, *AMOUNTS):
        if column in columns:
            try:
                cell, is_count = row.cell(columns[Column(column)]), column in FIGURES
                document[column] = read_figure(cell, reading.decimal, is_count=is_count)
            except ValueError as fault:
                own.append(f"{column}: {fault}")
    has_amount = any(document.get(name) is not None for name in AMOUNTS)
    document["currency"] = (row.cell(columns.get(Column.CURRENCY)) or reading.currency) if has_amount else None
    campaign = row.cell(columns[Column.CAMPAIGN])
    if not campaign:
        own.append("it names no campaign")
    figures = Figures()
    try:
        figures = parse_figures(document)
    except FiguresRefused as refused:
        own += [f"{problem.pointer[1:]}: {problem.detail}" for problem in refused.problems]
    problems += [Problem(f"/lines/{row.line}", f"line {row.line}: {said}") for said in own]
    return None if own else Read(row.line, campaign, figures, frozenset(columns))


def read_figure(text: str, decimal: str | None = None, *, is_count: bool) -> int | Decimal | None:
    """Return the number that a text shows, as 1200, 1,200 or 12.50; None where it is empty.

    decimal: what marks the fraction; None: as the number shows. Raises ValueError with a sentence.
    """
    if text.strip().lower() in EMPTY:
        return None
    plain = re.sub(r"[\s'\u00a0\u202f€$£]", "", text).replace("−", "-")  # noqa: RUF001  the minus sign is one
    mark = decimal or _decimal_mark(plain, is_count=is_count)
    if mark is None:
        raise ValueError(f"{shown(text)} may be a thousand or a fraction; say how fractions are written")
    try:
        amount = Decimal(plain.replace("," if mark == "." else ".", "").replace(mark, "."))
    except InvalidOperation:
        raise ValueError(f"{shown(text)} is no number") from None
    return int(amount) if is_count and amount.is_finite() and amount == int(amount) else amount


def _decimal_mark(text: str, *, is_count: bool) -> str | None:
    """Return what marks the fraction; None where 1,234 may be either. In a whole number nothing does."""
    if "," in text and "." in text:
        return max(".", ",", key=text.rfind)
    if _GROUPS.fullmatch(text):
        return ("." if "," in text else ",") if is_count else None
    return "," if "," in text else "."


def _doubles(read: Sequence[Read]) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for each in read:
        if each.campaign in seen:
            said = f"line {each.line}: {shown(each.campaign)} is in line {seen[each.campaign]} already"
            yield Problem(f"/lines/{each.line}", said)
        seen.setdefault(each.campaign, each.line)
