from dataclasses import replace
from decimal import Decimal

import pytest

from app.core.campaign.value import Figures, FiguresRefused
from app.core.campaign.value_file import Column, FileReading, read_figure, read_values
from app.web.format import MINUS

PLAIN = "campaign,new,lost,kept,value per customer,currency\nspring,1200,310,90,42.50,EUR\nautumn,800,,40,,\n"
GERMAN = "Kampagne;Neukunden;Verloren;Nettowert\nspring;1.200;12;-1.234,50\n"


def read(text: str, **reading):
    found, understood = read_values(text.encode(), FileReading(**reading))
    return {each.campaign: each.figures for each in found}, understood


def faults(text: str, **reading) -> list[str]:
    with pytest.raises(FiguresRefused) as refused:
        read_values(text.encode(), FileReading(**reading))
    return [problem.detail for problem in refused.value.problems]


def test_columns_are_found_by_their_headings_and_what_is_empty_is_not_known():
    found, understood = read(PLAIN)
    assert found == {
        "spring": Figures(1200, 310, 90, Decimal("42.50"), None, "EUR"),
        "autumn": Figures(800, None, 40),
    }
    assert (understood.separator, understood.header_line, understood.lines) == (",", 1, 2)
    assert understood.columns[Column.VALUE] == "value per customer"


def test_a_file_of_another_country_is_read_by_its_own_marks():
    found, _ = read(GERMAN, currency="eur")
    assert found == {"spring": Figures(1200, 12, None, None, Decimal("-1234.50"), "EUR")}


def test_titles_above_the_header_and_columns_nobody_knows_do_no_harm():
    found, understood = read("Report of Q4\n\nid,owner,won\nspring,Kim,5\n")
    assert found == {"spring": Figures(new=5)}
    assert (understood.header_line, understood.ignored) == (3, ["owner"])


def test_a_user_says_which_column_is_which():
    found, understood = read("mailing,a,b\nspring,5,6\n", columns={Column.CAMPAIGN: "Mailing", Column.LOST: "b"})
    assert found == {"spring": Figures(lost=6)}
    assert understood.ignored == ["a"]


@pytest.mark.parametrize(
    ("text", "reading", "said"),
    [
        ("", {}, "this is no CSV file"),
        ("campaign,new\n", {}, "no line below the header"),
        ("new,lost\n1,2\n", {}, "no column has the campaign's id"),
        ("campaign,owner\nspring,Kim\n", {}, "no column has new, lost or kept"),
        (PLAIN, {"columns": {Column.NEW: "wins"}}, 'there is no column "wins"'),
        (PLAIN, {"columns": {Column.NEW: "lost", Column.LOST: "lost"}}, "one column cannot say two things"),
        ("campaign,new\n,5\n", {}, "line 2: it names no campaign"),
        ("campaign,new\nspring,many\n", {}, 'line 2: new: "many" is no number'),
        ("campaign,new\nspring,-4\n", {}, "line 2: new: -4 must be a whole number"),
        ("campaign,new\nspring,1.5\n", {}, "line 2: new: 1.5 must be a whole number"),
        ("campaign,net\nspring,5\n", {}, "line 2: currency: net_value needs its currency"),
        ('campaign,net\nspring,"1,234"\n', {"currency": "EUR"}, "may be a thousand or a fraction"),
        ("campaign,new\nspring,1\nspring,2\n", {}, 'line 3: "spring" is in line 2 already'),
        ("campaign,net,currency\nspring,nan,EUR\n", {}, "line 2: net_value: NaN must be an amount"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text, reading, said):
    assert any(said in each for each in faults(text, **reading))


def test_all_bad_lines_are_told_up_to_a_hundred():
    lines = "".join(f"c{number},x\n" for number in range(150))
    assert len(faults(f"campaign,new\n{lines}")) == 100
    assert "5,001 lines are more than 5,000" in faults("campaign,new\n" + "c,1\n" * 5_001)[0]


def test_a_workbook_is_no_file_of_lines():
    with pytest.raises(FiguresRefused, match="no CSV file"):
        read_values(b"PK\x03\x04\x00\x00", FileReading())


BEFORE = Figures(1, 2, 3, Decimal(4), None, "EUR")


def test_a_column_that_is_not_there_leaves_what_was_known_and_an_empty_cell_takes_it_back():
    (one,), _ = read_values(b"campaign,new,lost\nspring,9,\n", FileReading())
    assert one.merged(BEFORE) == replace(BEFORE, new=9, lost=None)
    (two,), _ = read_values(b"campaign,value\nspring,\n", FileReading())
    assert two.merged(BEFORE) == Figures(1, 2, 3)
    (three,), _ = read_values(b"campaign,net,currency\nspring,7,USD\n", FileReading())
    assert three.merged(BEFORE) == replace(BEFORE, net_value=Decimal(7), currency="USD")


@pytest.mark.parametrize(
    ("text", "is_count", "value"),
    [
        ("1,200", True, 1200), ("1.200", True, 1200), ("1 200", True, 1200), ("12", True, 12), ("n/a", True, None),
        ("12.5", False, Decimal("12.5")), ("12,5", False, Decimal("12.5")), ("1,234.5", False, Decimal("1234.5")),
        ("€ 40", False, Decimal(40)), (f"{MINUS}3", False, Decimal(-3)), ("", False, None),
    ],
)  # fmt: skip
def test_numbers_are_read_as_people_write_them(text, is_count, value):
    assert read_figure(text, is_count=is_count) == value
