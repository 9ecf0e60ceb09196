"""What a dropped file says, by a [sources.mapping] table whose fields are named by the file's header. Pure."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO

from app.services.trials import Rejected
from workers.sources.lot import Lot
from workers.sources.mapping.rowmap import RowMap
from workers.systems.faults import TranslateError

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is written, and what its columns mean. columns: those that the mapping names."""

    row_map: RowMap
    columns: Sequence[str]
    delimiter: str = ","
    encoding: str = "utf-8-sig"


def translate(content: bytes, layout: Layout, written_at: datetime) -> Lot:
    """Return what a whole file says. written_at: the instant of rows that name none.

    A row with fewer or more cells than the header is rejected. Raises TranslateError for a file that is no such CSV.
    """
    try:
        text = content.decode(layout.encoding)
    except UnicodeError as fault:
        where = f"byte {fault.start + 1}" if isinstance(fault, UnicodeDecodeError) else "some byte"
        raise TranslateError(f"the file is not {layout.encoding} from {where} on; encoding says which it is") from None
    numbers: list[int] = []
    rows: list[Row] = []
    rejected: list[Rejected] = []
    for number, row in _rows(text, layout):
        if row is None:
            rejected.append(Rejected(number, "", "the line has fewer or more cells than the header"))
        else:
            numbers.append(number)
            rows.append(row)
    lot = layout.row_map.read(rows, written_at)
    return Lot(lot.payloads, [*rejected, *(each._replace(row=numbers[each.row - 1]) for each in lot.rejected)])


def _rows(text: str, layout: Layout) -> Iterator[tuple[int, Row | None]]:
    """Yield each row with the number of its line; None for one that does not fit the header."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=layout.delimiter, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        if missing := [column for column in layout.columns if column not in header]:
            raise TranslateError(f"the file has no column {', '.join(map(repr, missing))}; the mapping names it")
        if twice := [column for column in layout.columns if header.count(column) > 1]:
            raise TranslateError(f"the file has column {', '.join(map(repr, twice))} more than once")
        for cells in reader:
            if cells:
                yield reader.line_num, dict(zip(header, cells, strict=True)) if len(cells) == len(header) else None
    except csv.Error:
        raise TranslateError(f"line {reader.line_num} of the file is not CSV") from None
