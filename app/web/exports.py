"""Every table of a page as a file: `?format=csv` or `?format=json` beside the page's own query.

    SHEET = Sheet("queues", ("queue", "title", "backlog"))
    if query.format:
        return SHEET.answer(query.format, rows, services.clock.now())

CSV is for spreadsheets, so no cell in it may become a formula there; JSON is for programs and keeps every value as it
is: an array of objects, with the columns' names. Instants are RFC 3339 UTC in both, None is null or an empty cell.
"""

import csv
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from math import isfinite
from typing import Literal

import msgspec
from starlette.responses import Response, StreamingResponse

from app.services.shapes import instant
from app.web.rendering import HEADERS

Format = Literal["csv", "json"]
Row = Sequence[object]

MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
MARK = "\ufeff"  # without it Excel takes UTF-8 for the code page of its machine
_UNSAFE_IN_NAMES = re.compile(r"[^a-z0-9]+")
# What spreadsheets take for the begin of a formula (OWASP, "CSV Injection"): their signs, full-width ones too, also
# behind blanks, and behind a separator of columns or lines that the text itself contains.
_FORMULA = re.compile(r"(^|[;\t\r\n])(?=[\s;]*[=+\-@＝＋－＠])|^(?=[\t\r\n])")  # noqa: RUF001  these very signs


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table that can be had as a file: its name, which becomes the file's, and what its columns are called.

    Cells are text, numbers, booleans, instants with a zone, None, or lists and mappings of what JSON can hold.
    """

    name: str
    columns: Sequence[str]

    def answer(self, form: Format, rows: Iterable[Row], now: datetime) -> Response:
        """Return the file of rows that are all at hand, each as long as the columns are many."""
        text = "".join((_head(form, self.columns), *_body(form, self.columns, rows, is_first=True), _foot(form)))
        return Response(text.encode(), media_type=MEDIA_TYPES[form], headers=self._headers(form, now))

    async def stream(self, form: Format, pages: AsyncIterator[Sequence[Row]], now: datetime) -> StreamingResponse:
        """Return the file of rows that come page by page, of which there is never more than one in memory.

        No page but the first is empty. Raises what the first one raises; a fault of a later one breaks the file off,
        so that nobody takes it for whole.
        """
        first = await anext(pages, None) or ()
        parts = self._parts(form, first, pages)
        return StreamingResponse(parts, media_type=MEDIA_TYPES[form], headers=self._headers(form, now))

    async def _parts(
        self, form: Format, first: Sequence[Row], pages: AsyncIterator[Sequence[Row]]
    ) -> AsyncIterator[bytes]:
        yield "".join((_head(form, self.columns), *_body(form, self.columns, first, is_first=True))).encode()
        async for page in pages:
            yield "".join(_body(form, self.columns, page, is_first=False)).encode()
        yield _foot(form).encode()

    def _headers(self, form: Format, now: datetime) -> dict[str, str]:
        name = _UNSAFE_IN_NAMES.sub("-", self.name.lower()).strip("-")
        file = f"holdfire-{name}-{now.astimezone(UTC):%Y-%m-%d}.{form}"
        how = "attachment" if form == "csv" else "inline"
        return HEADERS | {"Content-Disposition": f'{how}; filename="{file}"'}


def guarded(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: an apostrophe stands before what would begin one."""
    return _FORMULA.sub(r"\1'", text)


def _head(form: Format, columns: Sequence[str]) -> str:
    return "[" if form == "json" else MARK + _line(columns)


def _foot(form: Format) -> str:
    return "]\n" if form == "json" else ""


def _body(form: Format, columns: Sequence[str], rows: Iterable[Row], *, is_first: bool) -> Iterator[str]:
    for number, row in enumerate(rows):
        if form == "csv":
            yield _line([_cell(value) for value in row])
        else:
            value = {name: _value(each) for name, each in zip(columns, row, strict=True)}
            yield ("" if is_first and not number else ",\n") + msgspec.json.encode(value).decode()


def _line(cells: Sequence[object]) -> str:
    line = StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue()


def _cell(value: object) -> object:
    match value:
        case bool():
            return "true" if value else "false"
        case None | int() | float():
            return value if value is None or isfinite(value) else None
        case datetime():
            return instant(value)
        case _:
            return guarded(value if isinstance(value, str) else msgspec.json.encode(value).decode())


def _value(value: object) -> object:
    return instant(value) if isinstance(value, datetime) else value
