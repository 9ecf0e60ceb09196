"""Reads the rows of a CSV file."""

import csv
from collections.abc import Iterable, Iterator

from app.errors import Invalid
from workers.sources.calls_csv.translate import Layout, Row, missing_columns


def read_rows(lines: Iterable[str], layout: Layout) -> Iterator[tuple[int, Row]]:
    """Yield each row with its line number. Raises Invalid for a header that cannot be used."""
    reader = csv.DictReader(lines)
    try:
        if faults := missing_columns(reader.fieldnames or (), layout):
            raise Invalid(f"not a file of calls: {'; '.join(faults)}")
        for row in reader:
            yield reader.line_num, row
    except csv.Error as fault:
        raise Invalid(f"line {reader.line_num} is not CSV: {fault}") from fault
