"""Files as workforce management programs export them, and as people mistreat them."""

from datetime import UTC, datetime

import pytest

from app.core.staffing.columns import Role
from app.core.staffing.moments import DateOrder
from app.core.staffing.refused import StaffingRefused
from app.core.staffing.upload import Reading, of_queue, read_schedule

CHICAGO = "America/Chicago"
HEADER = "Date,Time,Agents\n"


def read(text, time_zone=CHICAGO, **options):
    content = text if isinstance(text, bytes) else text.encode()
    return read_schedule(content, Reading(time_zone=time_zone, **options))


def intervals(text, queue=None, **options):
    """Return (UTC start, minutes, agents) of each interval."""
    found = read(text, **options).queues[queue]
    return [
        (f"{i.starts_at:%m-%d %H:%M}", int((i.ends_at - i.starts_at).total_seconds() / 60), i.agents)
        for i, _, _ in found
    ]


def refusals(text, **options):
    with pytest.raises(StaffingRefused) as refused:
        read(text, **options)
    return [problem.detail for problem in refused.value.problems]


TWO = [("11-23 14:00", 30, 12.5), ("11-23 14:30", 30, 12.0)]


@pytest.mark.parametrize(
    "text",
    [
        "Date,Interval,Required,Scheduled,Open\n11/23/2026,8:00 AM,10,14,12.5\n11/23/2026,8:30 AM,9,9,12",
        "Datum;Uhrzeit;Agenten\n23.11.2026;08:00;12,5\n23.11.2026;08:30;12",
        "\ufeffDate\tStart Time\tEnd Time\tStaffed\n2026-11-23\t08:00\t08:30\t12.5\n2026-11-23\t08:30\t09:00\t12",
        "Report\n\nDate|Period|Headcount\nMon 23-Nov-2026|0800|12.5\nMon 23-Nov-2026|0830|12\nTotal||24.5",
        "start,end,agents\n2026-11-23T14:00Z,2026-11-23T14:30Z,12.5\n2026-11-23 8:30-06:00,2026-11-23 15:00Z,12",
        "Interval Start,Scheduled Agents\n11/23/2026 8:00:00 AM,12.5\n11/23/2026 8:30:00 AM,12",
        "Date,Agents Scheduled\n2026-11-23 08:00,12.50\n2026-11-23 08:30,12.00",
        "sep=;\nDatum;Von;Bis;Geplant\n23.11.26;8:00;8:30;12,5\n23.11.26;8:30;9:00;12,0",
        'Date,Interval,Staff\n"Nov 23, 2026",08:00-08:30,12.5\n"Nov 23, 2026",08:30 to 09:00,12',
    ],
)
def test_common_exports_are_understood_by_themselves(text):
    assert intervals(text) == TWO


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_whatever_its_encoding(encoding):
    text = "Datum;Zeit;Anwesend;Bemerkung\n23.11.2026;08:00;12,5;für später\n23.11.2026;08:30;12;€\n"
    assert intervals(text.encode(encoding)) == TWO


def test_open_agents_are_preferred_to_scheduled_and_net_staffing_is_never_taken():
    understood = read("Date,Time,Net Staffing,Scheduled,Open\n2026-11-23,08:00-09:00,-2,9,7\n").understood
    assert understood.columns[Role.AGENTS] == "Open"
    assert any("no column has the agents" in said for said in refusals("Date,Time,Net Staffing\n2026-11-23,08:00,-2\n"))


def test_columns_may_be_named_by_the_user():
    text = "When,Who,n,Open\n2026-11-23 08:00,x,12.5,1\n2026-11-23 08:30,x,12,1\n"
    assert intervals(text, columns={Role.START: "when", Role.AGENTS: " N "}) == TWO
    (said,) = refusals(text, columns={Role.AGENTS: "Net"})
    assert said.startswith('line 1: there is no column "Net"; it has "When", "Who", "n", "Open"')
    (said,) = refusals(text, columns={Role.START: "When", Role.AGENTS: "When"})
    assert "one column cannot say two things" in said


def test_two_columns_of_one_name_are_refused():
    (said,) = refusals("Date,Time,Open,Open\n2026-11-23,08:00-09:00,1,2\n")
    assert '2 columns are called "Open"' in said


def test_how_it_was_read_is_told():
    understood = read(
        "x\nSkill;Datum;Zeit;Offen;Open\nA;23.11.2026;08:00;;3\nA;23.11.2026;08:15;;4\nSumme;;;;7\n"
    ).understood
    assert understood.separator == ";"
    assert (understood.header_line, understood.lines, understood.left_out) == (2, 2, (5,))
    assert understood.interval_minutes == 15
    assert understood.columns[Role.QUEUE] == "Skill"


# --- several queues ---

SKILLS = "Skill,Date,Time,Open\nA,2026-11-23,08:00-08:30,3\nB,2026-11-23,08:00-08:30,4\nA,2026-11-23,08:30-09:00,5\n"


def test_queues_in_one_file_are_kept_apart():
    assert intervals(SKILLS, "A") == [("11-23 14:00", 30, 3.0), ("11-23 14:30", 30, 5.0)]
    assert intervals(SKILLS, "B") == [("11-23 14:00", 30, 4.0)]
    assert len(of_queue(read(SKILLS), "orders", called="A")) == 2
    with pytest.raises(StaffingRefused, match='no line is about "orders"; the column "Skill" has "A" or "B"'):
        of_queue(read(SKILLS), "orders")
    assert refusals(SKILLS + ",2026-11-23,09:00-09:30,1\n") == ["line 5: it names no queue"]


# --- what could be two things ---


def test_an_order_of_dates_that_no_line_shows_is_asked_for():
    text = HEADER + "11/12/2026,08:00-08:30,5\n"
    assert refusals(text) == [
        'line 2: "11/12/2026" may be a day first or a month first; say date_order=dmy or date_order=mdy'
    ]
    assert intervals(text, order=DateOrder.MDY)[0][0] == "11-12 14:00"
    assert intervals(text, order=DateOrder.DMY)[0][0] == "12-11 14:00"


def test_one_date_that_shows_the_order_settles_it_for_all():
    text = HEADER + "11/12/2026,08:00-08:30,5\n13/12/2026,08:00-08:30,5\n"
    assert [start for start, _, _ in intervals(text)] == ["12-11 14:00", "12-13 14:00"]
    both = refusals(HEADER + "13/12/2026,08:00-08:30,5\n12/13/2026,08:00-08:30,5\n")
    assert len(both) == 2


@pytest.mark.parametrize(
    ("number", "decimal", "agents"),
    [("12,5", None, 12.5), ("1.234,5", None, 1234.5), ("1,234.5", None, 1234.5), ("1,234", ".", 1234.0),
     ("1,234", ",", 1.234), ("1.234", ",", 1234.0), ("1 234,5", None, 1234.5), ("0", None, 0.0),
     ("1'234.5", None, 1234.5)],
)  # fmt: skip
def test_numbers_are_read_as_they_are_written(number, decimal, agents):
    assert intervals(f"Date;Time;Agents\n2026-11-23;08:00-08:30;{number}\n", decimal=decimal)[0][2] == agents


def test_a_comma_that_may_be_either_is_asked_about():
    assert refusals("Date;Time;Agents\n2026-11-23;08:00-08:30;1,234\n") == [
        'line 2: "1,234" may be a thousand or a fraction; say decimal=. or decimal=,'
    ]


@pytest.mark.parametrize(
    "number", ["", "-", "nan", "inf", "1e3", "12 %", "1,2,3", "0x10", "twelve", "-3", "\u22123", "1.2.3"]
)
def test_what_is_no_number_of_agents_is_refused_by_line(number):
    (said,) = refusals(f"Date;Time;Agents\n2026-11-23;08:00-08:30;{number}\n")
    assert said.startswith("line 2: ")


@pytest.mark.parametrize(
    "time", ["25:00", "8", "08:61", "13:00 PM", "0:00 AM", "24:01", "08:00:30", "noon", "2", "08:00-08:30-09:00"]
)
def test_what_is_no_time_is_refused_by_line(time):
    (said, *_) = refusals(HEADER + f"2026-11-23,{time},1\n2026-11-23,09:00-09:30,1\n")
    assert said.startswith("line 2: ")


@pytest.mark.parametrize(
    "day", ["2026-02-30", "31.11.2026", "2026-13-01", "tomorrow", "", "23-Foo-2026", "45983", "0/1/2026"]
)
def test_what_is_no_date_is_refused_by_line(day):
    (said,) = refusals(HEADER + f"{day},08:00-08:30,1\n")
    assert said.startswith("line 2: ")


@pytest.mark.parametrize(
    ("time", "start"), [("12:00 AM", "06:00"), ("12:30 PM", "18:30"), ("1pm", "19:00"), ("11:30 p.m.", "05:30")]
)
def test_noon_and_midnight_are_where_they_belong(time, start):
    assert intervals(HEADER + f"2026-11-23,{time},1\n", interval_minutes=30)[0][0].endswith(start)


def test_an_interval_until_midnight_ends_there_however_it_is_written():
    for end in ("24:00", "00:00", "12:00 AM"):
        assert intervals(f"Date,From,To,Agents\n2026-11-23,23:30,{end},1\n") == [("11-24 05:30", 30, 1.0)]


def test_the_length_of_intervals_is_the_least_between_two_or_is_asked_for():
    assert {minutes for _, minutes, _ in intervals(HEADER + "2026-11-23,08:00,1\n2026-11-23,08:15,1\n")} == {15}
    assert "say interval_minutes" in refusals(HEADER + "2026-11-23,08:00,1\n")[0]
    assert "the closest two are 47 min apart" in refusals(HEADER + "2026-11-23,08:00,1\n2026-11-23,08:47,1\n")[0]
    assert intervals(HEADER + "2026-11-23,08:00,1\n", interval_minutes=60) == [("11-23 14:00", 60, 1.0)]


# --- zones ---


def test_local_times_need_a_zone_and_times_with_an_offset_none():
    assert "is in no zone; say time_zone=" in refusals(HEADER + "2026-11-23,08:00-08:30,1\n", time_zone=None)[0]
    text = "Timestamp,Agents\n2026-11-23T08:00:00+01:00,1\n2026-11-23T08:30:00+01:00,1\n"
    assert intervals(text, time_zone=None)[0][0] == "11-23 07:00"


def test_an_hour_that_clocks_skip_is_refused():
    found = refusals(HEADER + "2026-03-08,01:30-02:00,1\n2026-03-08,02:00-02:30,1\n2026-03-08,03:00-03:30,1\n")
    assert found == [
        "line 3: 2026-03-08 02:00 does not exist in America/Chicago: clocks go forward over it; leave the line out"
    ]


def test_intervals_around_a_skipped_hour_follow_one_another():
    assert intervals(HEADER + "2026-03-08,01:30-02:00,1\n2026-03-08,03:00-03:30,1\n") == [
        ("03-08 07:30", 30, 1.0),
        ("03-08 08:00", 30, 1.0),
    ]


@pytest.mark.parametrize("order", [("01:00", "01:30", "01:00", "01:30"), ("01:00", "01:00", "01:30", "01:30")])
def test_an_hour_that_comes_twice_is_told_apart_by_being_there_twice(order):
    lines = "".join(f"2026-11-01,{time},{number}\n" for number, time in enumerate(order))
    found = intervals(HEADER + "2026-11-01,00:30,9\n" + lines + "2026-11-01,02:00,9\n")
    assert sorted(start for start, _, _ in found) == [
        f"11-01 {t}" for t in ("05:30", "06:00", "06:30", "07:00", "07:30", "08:00")
    ]
    starts = {agents: start for start, _, agents in found}
    assert starts[0.0] == "11-01 06:00"
    assert starts[3.0] == "11-01 07:30"


def test_an_hour_that_comes_twice_and_is_there_once_is_refused():
    (said,) = refusals(HEADER + "2026-11-01,01:00-01:30,1\n")
    assert said.startswith("line 2: 2026-11-01 01:00 comes twice in America/Chicago, because clocks go back")


# --- what is no schedule at all ---


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"\n \n;;\n", "the file is empty"),
        (b"PK\x03\x04\x00\x00", "this is no text"),
        (b"a,b\n1,2\n", "no column has the agents, and none has when an interval begins"),
        (b"Date,Time,Agents\n", "there is no interval below the header"),
        (b'Date,Time,Agents\n"2026-11-23,08:00,5\n', "are its quotation marks in pairs?"),
        (b"a,b\n" * 60_002, "more than 60,000 lines"),
    ],
)
def test_what_is_no_schedule_is_refused_in_a_sentence(content, said):
    assert said in refusals(content)[0]


def test_faults_come_in_the_order_of_lines_and_at_most_a_hundred():
    found = refusals(HEADER + "".join(f"2026-11-23,08:00,{'x' if n % 2 else '-1'}\n" for n in range(300)))
    assert len(found) == 100
    assert [int(said.split()[1].rstrip(":")) for said in found] == list(range(2, 102))


def test_instants_are_utc():
    ((interval, pointer, name),) = read(HEADER + "2026-11-23,08:00-08:30,1\n").queues[None]
    assert interval.starts_at == datetime(2026, 11, 23, 14, tzinfo=UTC)
    assert interval.starts_at.tzinfo is UTC
    assert (pointer, name) == ("/lines/2", "line 2")
