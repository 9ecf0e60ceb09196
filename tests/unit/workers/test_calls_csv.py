from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.core.floor.contact import ContactEvent, problems
from app.core.floor.observation import Observation
from app.errors import Invalid
from workers.sources.calls_csv.client import read_rows
from workers.sources.calls_csv.translate import Layout, translate
from workers.sources.tally import Tally

T0 = datetime(1999, 2, 1, 8, 0, 0, tzinfo=UTC)
HEADER = "call_no,arrival,wait_s,outcome,service_start,service_s,agent"


@pytest.fixture
def read():
    def read(text, **options):
        tally, layout = Tally(), Layout(**options)
        return list(translate(read_rows(text.splitlines(keepends=True), layout), layout, tally)), tally

    return read


def story(payloads):
    return [
        (event.contact_id, str(event.event), (event.at - T0).total_seconds())
        for event in payloads
        if isinstance(event, ContactEvent)
    ]


def story_events(payloads):
    return [event for event in payloads if isinstance(event, ContactEvent)]


def test_rows_become_events_in_order_of_time(read):
    said, tally = read(
        f"""{HEADER}
1,1999-02-01 08:00:00,5.0,answered,1999-02-01 08:00:04,60.5,A01
2,1999-02-01 08:00:02,9,abandoned,,,
3,1999-02-01 08:00:03,0,left_vru,,,
"""
    )
    first, second = f"1/calls/{int(T0.timestamp())}", f"2/calls/{int(T0.timestamp()) + 2}"
    assert story(said) == [
        (first, "queued", 0),
        (second, "queued", 2),
        (first, "answered", 5),
        (second, "abandoned", 11),
        (first, "completed", 65.5),
    ]
    assert tally.skipped == {"left_vru": 1}
    assert tally.malformed == 0
    assert [event.agent for event in said if isinstance(event, ContactEvent)] == [None, None, "A01", None, "A01"]


def test_heartbeats_tell_the_contacts_in_progress_every_thirty_seconds(read):
    said, _ = read(f"{HEADER}\n1,1999-02-01 08:00:01,4,answered,,90,A01\n2,1999-02-01 08:03:00,9,abandoned,,,\n")
    beats = [(one.observed_at - T0, one.contacts_in_progress) for one in said if isinstance(one, Observation)]
    assert beats == [
        (timedelta(seconds=at), busy) for at, busy in [(30, 1), (60, 1), (90, 1), (120, 0), (150, 0), (180, 0)]
    ]


def test_without_wait_the_service_start_tells_it_and_never_a_negative_one(read):
    said, _ = read(
        f"""{HEADER}
1,1999-02-01 08:00:00,,answered,1999-02-01 08:00:07,3,
2,1999-02-01 08:00:00,,answered,1999-02-01 07:59:59,3,
"""
    )
    assert [at for _, event, at in story(said) if event == "answered"] == [0, 7]


def test_local_times_are_read_in_their_zone_across_the_change_of_clocks(read):
    said, _ = read(
        f"{HEADER}\n1,2026-03-29 01:59:30,60,abandoned,,,\n2,2026-03-29T03:00:30+02:00,0,abandoned,,,\n",
        time_zone=ZoneInfo("Europe/Berlin"),
    )
    events = [event for event in said if isinstance(event, ContactEvent)]
    assert events[0].at == datetime(2026, 3, 29, 0, 59, 30, tzinfo=UTC)
    assert {event.at for event in events[1:]} == {datetime(2026, 3, 29, 1, 0, 30, tzinfo=UTC)}


def test_other_headers_are_mapped_and_queues_come_from_a_column_or_a_name(read):
    text = "id,came,left,how,type\n1,1999-02-01 08:00:00,5,abandoned,PS\n2,1999-02-01 08:00:01,5,abandoned,\n"
    headers = {"call_no": "id", "arrival": "came", "wait_s": "left", "outcome": "how", "queue": "type"}
    said, _ = read(text, headers=headers, queue="rest")
    assert {event.queue for event in said if isinstance(event, ContactEvent)} == {"PS", "rest"}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,yesterday,5,answered,,3,", "arrival is not a time"),
        ("1,1999-02-01 08:00:00,-1,answered,,3,", "wait_s is not a number of seconds"),
        ("1,1999-02-01 08:00:00,nan,answered,,3,", "wait_s is not a number of seconds"),
        ("1,1999-02-01 08:00:00,5,answered,,x,", "service_s is not a number of seconds"),
        ("1,1999-02-01 08:00:00,,abandoned,,,", "neither wait_s nor service_start"),
        ("1,1999-02-01 08:00:00,5,lost,,,", "the outcome is none of"),
        (",1999-02-01 08:00:00,5,abandoned,,,", "call_no is empty"),
        ("1", "the outcome is none of"),
    ],
)
def test_a_row_that_cannot_be_understood_is_counted_with_line_and_reason(read, row, reason):
    said, tally = read(f"{HEADER}\n9,1999-02-01 07:00:00,5,abandoned,,,\n{row}\n")
    assert {event.contact_id[0] for event in said if isinstance(event, ContactEvent)} == {"9"}
    assert tally.malformed == 1
    assert tally.faults[0].line == 3
    assert reason in tally.faults[0].reason


def test_numbers_of_callers_do_not_pass_as_numbers_of_calls(read):
    said, _ = read(f"{HEADER}\n+15550100,1999-02-01 08:00:00,5,answered,,3,jane@example.com\n")
    for event in story_events(said):
        assert problems(event, event.at) == ()
        assert "5550100" not in event.contact_id
        assert "jane" not in (event.agent or "")


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("a,b,c", "there is no column 'call_no'; name yours with --map call_no=YOURS"),
        ("call_no,arrival,outcome", "neither a column 'wait_s' nor 'service_start'"),
        ("", "there is no column 'call_no'"),
    ],
)
def test_a_header_that_cannot_be_used_is_refused_with_the_remedy(read, header, sentence):
    with pytest.raises(Invalid, match=sentence):
        read(f"{header}\n1,2,3\n")


def test_a_mapped_column_that_is_not_there_is_named(read):
    with pytest.raises(Invalid, match=r"there is no column 'id', which --map call_no=id names"):
        read(f"{HEADER}\n", headers={"call_no": "id"})
