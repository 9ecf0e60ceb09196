import csv
import json
from datetime import UTC, datetime
from io import StringIO
from types import SimpleNamespace

import pytest
from starlette.datastructures import URL, QueryParams

from app.web.exports import Sheet, guarded
from app.web.rendering import environment

NOW = datetime(2026, 11, 22, 5, 58, tzinfo=UTC)
SHEET = Sheet("Decisions, all", ("id", "allow"))
PAYLOADS = (
    *("=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1+1", "\n=1+1", " =1+1", "\t", "\rtext"),
    *(
        "=cmd|' /C calc'!A0",
        '=HYPERLINK("http://evil.example","x")',
        "@SUM(1+1)*cmd|' /C calc'!A0",
        "-2+3+cmd|' /C calc'!A0",
    ),
    *("＝1+1", "＋1", "－1", "＠A1"),  # noqa: RUF001  full-width signs
    *("x;=1+1", "x;-1", "x; =1", "x\n=1+1", 'x";=1+1', "x\t@A1", ";;=1"),
)
HARMLESS = (
    "",
    "orders-voice",
    "a = b",
    "2 - 1",
    "14 waiting, limit 10; hold",
    "x@example.com",
    "Überlauf, 3 s",
    "'quoted'",
)


def read(response):
    return list(csv.reader(StringIO(response.body.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_cell_of_a_csv_file_begins_a_formula(payload):
    (_, (cell, _)) = read(SHEET.answer("csv", [(payload, 1)], NOW))
    # German Excel splits at semicolons, whatever the quotes: each piece must be as harmless as the whole.
    pieces = [
        piece.lstrip(' \t\r\n"') for line in cell.splitlines() for part in line.split(";") for piece in part.split("\t")
    ]
    assert not any(piece.startswith(tuple("=+-@＝＋－＠")) for piece in pieces)  # noqa: RUF001
    assert cell.replace("'", "") == payload.replace("'", "")
    assert not cell.startswith(("\t", "\r", "\n"))


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_stays_as_it_is(text):
    assert guarded(text) == text


def test_a_payload_in_a_list_is_json_text_and_begins_no_formula():
    (_, (cell, _)) = read(SHEET.answer("csv", [(["=1+1", "x"], 1)], NOW))
    assert cell == '["=1+1","x"]'


@pytest.mark.parametrize(
    ("value", "written"),
    [
        *((-5, "-5"), (3.5, "3.5"), (-0.25, "-0.25"), (0, "0"), (float("nan"), ""), (None, "")),
        *((True, "true"), (False, "false"), (NOW, "2026-11-22T05:58:00Z")),
    ],
)
def test_numbers_are_left_alone_and_nothing_is_an_empty_cell(value, written):
    assert read(SHEET.answer("csv", [("x", value)], NOW))[1] == ["x", written]


def test_json_keeps_every_value_as_it_is():
    rows = [*((payload, -1) for payload in PAYLOADS), (None, NOW), (["=1"], {"a": 1.5})]
    answer = SHEET.answer("json", rows, NOW)
    assert json.loads(bytes(answer.body)) == [
        *({"id": payload, "allow": -1} for payload in PAYLOADS),
        {"id": None, "allow": "2026-11-22T05:58:00Z"},
        {"id": ["=1"], "allow": {"a": 1.5}},
    ]
    assert json.loads(bytes(SHEET.answer("json", [], NOW).body)) == []


@pytest.mark.parametrize(("form", "kind"), [("csv", "text/csv; charset=utf-8"), ("json", "application/json")])
def test_a_file_has_its_type_a_name_with_the_date_and_is_never_kept(form, kind):
    headers = SHEET.answer(form, [], NOW).headers
    assert headers["Content-Type"] == kind
    assert headers["Content-Disposition"].endswith(f'filename="holdfire-decisions-all-2026-11-22.{form}"')
    assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff")


def test_a_row_that_does_not_fit_its_columns_is_a_fault_of_ours():
    with pytest.raises(ValueError, match="shorter"):
        SHEET.answer("json", [("x",)], NOW)


async def pages_of(*pages):
    for page in pages:
        yield page


@pytest.mark.parametrize("form", ["csv", "json"])
@pytest.mark.parametrize("pages", [[], [[]], [[("a", 1)]], [[("a", 1), ("b", 2)], [("c", 3)], []]], ids=len)
async def test_what_comes_in_pages_makes_the_same_file(form, pages):
    streamed = await SHEET.stream(form, pages_of(*pages), NOW)
    whole = SHEET.answer(form, [row for page in pages for row in page], NOW)
    parts = [part async for part in streamed.body_iterator]
    assert b"".join(part for part in parts if isinstance(part, bytes)) == whole.body
    assert streamed.headers["Content-Type"] == whole.headers["Content-Type"]


async def test_a_first_page_that_cannot_be_read_is_said_before_any_file_begins():
    async def broken(pages=()):
        for page in pages:
            yield page
        raise OSError("no database")

    with pytest.raises(OSError, match="no database"):
        await SHEET.stream("csv", broken(), NOW)


def test_the_links_keep_what_the_page_shows_and_lead_to_the_first_page():
    request = SimpleNamespace(
        url=URL("http://holdfire/decisions?x"), query_params=QueryParams("gate=a%26b&cursor=zzz&format=csv&gate=c")
    )
    macro = environment().from_string(
        "{% from 'macros/exports.html' import downloads %}{{ downloads(r, '<all>', table='t') }}"
    )
    html = macro.render(r=request)
    assert 'href="/decisions?gate=a%26b&amp;gate=c&amp;table=t&amp;format=csv"' in html
    assert 'aria-label="JSON: &lt;all&gt;"' in html
    assert "cursor" not in html
