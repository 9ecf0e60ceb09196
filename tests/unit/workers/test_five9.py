"""What Five9's ACD status means, and that its XML is read safely."""

from datetime import UTC, datetime, timedelta

import pytest

from app.core.floor.observation import Observation
from tests.support.vendors.five9 import envelope, fault, skill, table_of
from workers.sources.five9.soap import MOST_DEPTH, SoapFault, Statistics, read, statistics_question
from workers.sources.five9.translate import COLUMNS, translate
from workers.systems.faults import TranslateError

AT = datetime(2026, 11, 21, 17, 20, tzinfo=UTC)
THEIRS = AT - timedelta(seconds=4)
MS = int(THEIRS.timestamp() * 1000)
QUEUES = {"Orders & more": "orders"}


def lot_of(*rows, timestamp=MS):
    columns = list(skill(""))
    body = table_of(columns, [[row[column] for column in columns] for row in rows], timestamp)
    return translate(read(body), QUEUES, "five9", AT)


def the_one(waiting=5, oldest_ms=130_500, **more):
    lot = lot_of(skill("Orders & more", waiting, oldest_ms, **more), skill("Other", 99))
    assert lot.rejected == []
    [seen] = lot.payloads
    return seen


def test_milliseconds_are_seconds_and_the_longest_of_the_session_is_not_the_longest_now():
    assert the_one() == Observation(
        "orders",
        THEIRS,
        "five9",
        "voice",
        backlog=5,
        oldest_wait_seconds=130.5,
        agents_staffed=6,
        agents_available=2,
        agents_busy=4,
    )
    assert "Longest Queue Time" not in COLUMNS


def test_nobody_waits_for_no_time_and_callbacks_do_not_wait():
    seen = the_one(waiting=0, oldest_ms="")
    assert (seen.backlog, seen.oldest_wait_seconds) == (0, 0)


def test_more_are_not_staffed_than_are_logged_in():
    assert the_one(**{"Agents Logged In": 5}).agents_staffed == 5
    assert the_one(**{"Agents Logged In": ""}).agents_staffed is None


@pytest.mark.parametrize("nothing", ["", "-1", "  "])
def test_what_is_not_said_is_no_0(nothing):
    seen = the_one(nothing, nothing, **{"Agents On Call": nothing})
    assert (seen.backlog, seen.oldest_wait_seconds, seen.agents_staffed, seen.agents_busy) == (None,) * 4
    assert seen.agents_available == 2


@pytest.mark.parametrize("odd", ["many", "1e3", "00:02:10", "٣", "NaN"])
def test_a_row_that_makes_no_sense_is_rejected_without_its_values(odd):
    lot = lot_of(skill("Orders & more", 1, odd))
    assert (lot.payloads, [each.detail for each in lot.rejected]) == ([], ["Current Longest Queue Time is no number"])


@pytest.mark.parametrize("rows", [(50, 0), (0, "many"), ("many", 0)], ids=["twice", "bad last", "bad first"])
def test_of_two_rows_of_a_skill_neither_is_taken_for_all_of_it(rows):
    lot = lot_of(*(skill("Orders & more", waiting, 1000) for waiting in rows))
    assert lot.payloads == []
    assert lot.rejected != []


def test_two_tables_in_one_answer_are_refused():
    columns = list(skill(""))
    one = table_of(columns, [["Orders & more", *["0"] * (len(columns) - 1)]], MS).decode()
    two = one.replace("</rows>", f"</rows><columns><values>{'<data>x</data>' * len(columns)}</values></columns>")
    with pytest.raises(TranslateError, match="two tables"):
        read(two.encode())


def test_a_row_of_another_length_is_rejected():
    found = Statistics(["Skill Name", "Calls In Queue"], [["Orders & more"], ["Orders & more", "3", "4"]])
    lot = translate(found, QUEUES, "five9", AT)
    assert (lot.payloads, len(lot.rejected)) == ([], 2)


def test_without_a_timestamp_it_is_now():
    assert [each.observed_at for each in lot_of(skill("Orders & more"), timestamp="").payloads] == [AT]
    with pytest.raises(TranslateError, match="timestamp"):
        lot_of(skill("Orders & more"), timestamp="soon")


@pytest.mark.parametrize("columns", [[], ["Skill Name"], ["Skill Name", "Calls In Queue", "Skill Name"]])
def test_columns_that_are_missing_or_twice_are_refused(columns):
    with pytest.raises(TranslateError, match="no columns"):
        translate(Statistics(columns), QUEUES, "five9", AT)


def test_a_fault_is_a_fault_and_what_it_says_is_not_kept():
    with pytest.raises(SoapFault) as raised:
        read(fault("Session of Wilhelmina").content)
    assert "Wilhelmina" not in str(raised.value)


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>' + envelope(
    "<return><timestamp>&b;</timestamp></return>"
)
OUTSIDE = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + envelope("&a;")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (BOMB, "document type"),
        (OUTSIDE, "document type"),
        (b'<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd">' + envelope(""), "document type"),
        (envelope("<a>" * MOST_DEPTH + "</a>" * MOST_DEPTH), "too deep"),
        (envelope("<a/>" * 200_001), "too many elements"),
        (envelope("&undefined;"), "not XML"),
        (envelope("")[:-4], "not XML"),
        (b"<?xml version='1.0' encoding='klingon'?><a/>", "not XML"),
        (b"<html/>", "no SOAP envelope"),
        (b"", "not XML"),
    ],
)
def test_xml_that_is_none_or_does_harm_is_refused(body, sentence):
    with pytest.raises(TranslateError, match=sentence):
        read(body)


def test_a_question_is_escaped():
    assert b"<data>a &lt;b&gt; &amp; c</data>" in statistics_question("ACDStatus", ["a <b> & c"])
