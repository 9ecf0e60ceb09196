"""Reads the rows of a CSV file."""

import csv
from collections.abc import Iterator
from pathlib import Path

from app.errors import Invalid
from workers.sources.calls_csv.translate import Layout, Row, missing_columns


def read_rows(path: Path, layout: Layout) -> Iterator[tuple[int, Row]]:
    """Yield each row with its line number. Raises Invalid for a header that cannot be used, OSError as open() does."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        reader = csv.DictReader(file)
        try:
            if faults := missing_columns(reader.fieldnames or (), layout):
                raise Invalid(f"{path} is not a file of calls: {'; '.join(faults)}")
            for row in reader:
                yield reader.line_num, row
        except csv.Error as fault:
            raise Invalid(f"{path}, line {reader.line_num}: {fault}") from fault
