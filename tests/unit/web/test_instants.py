"""Times typed by a wall clock: usual ones, the hour that is skipped, and the one that comes twice."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from app.web.format import NO_BREAK
from app.web.instants import ComesTwice, is_double, minute, moment, read_instant, typed, which_of
from app.web.typed import NotRead

CHICAGO = ZoneInfo("America/Chicago")
FIRST = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)  # 01:30 CDT; an hour later it is 01:30 CST
SECOND = datetime(2026, 11, 1, 7, 30, tzinfo=UTC)


def test_a_time_is_read_by_the_clock_of_its_zone():
    assert read_instant("2026-11-23T09:00", CHICAGO) == datetime(2026, 11, 23, 15, tzinfo=UTC)
    assert read_instant(" 2026-07-01 09:00:00 ", CHICAGO) == datetime(2026, 7, 1, 14, tzinfo=UTC)
    assert read_instant("  ", CHICAGO) is None


def test_a_time_that_is_skipped_is_refused_by_name():
    with pytest.raises(NotRead, match="02:30 does not exist on Sun 8 Mar 2026"):
        read_instant("2026-03-08T02:30", CHICAGO)
    assert read_instant("2026-03-08T03:00", CHICAGO) == datetime(2026, 3, 8, 8, tzinfo=UTC)


def test_a_time_that_comes_twice_is_asked_back_about_and_then_understood():
    with pytest.raises(ComesTwice, match="01:30 comes twice on Sun 1 Nov 2026") as asked:
        read_instant("2026-11-01T01:30", CHICAGO)
    assert asked.value.choices == (("first", "the first, CDT"), ("second", "the second, CST"))
    assert read_instant("2026-11-01T01:30", CHICAGO, "first") == FIRST
    assert read_instant("2026-11-01T01:30", CHICAGO, "second") == SECOND


@pytest.mark.parametrize("text", ["tomorrow", "2026-13-01T09:00", "2026-11-23", "0001-01-01T00:00", "9999-12-31T23:59"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(NotRead, match="Choose a date and a time"):
        read_instant(text, CHICAGO)


@pytest.mark.parametrize("at", [FIRST, SECOND, datetime(2026, 11, 23, 15, tzinfo=UTC)])
def test_what_a_form_shows_is_read_as_the_same_instant(at):
    assert read_instant(typed(at, CHICAGO), CHICAGO, which_of(at, CHICAGO)) == at


def test_what_is_printed_names_the_zone_only_where_that_is_needed():
    assert (moment(FIRST, CHICAGO), minute(SECOND, CHICAGO)) == (
        f"Sun 1 Nov 01:30{NO_BREAK}CDT",
        f"01:30{NO_BREAK}CST",
    )
    noon = datetime(2026, 11, 1, 18, tzinfo=UTC)
    assert (moment(noon, CHICAGO), is_double(noon, CHICAGO)) == ("Sun 1 Nov 12:00", False)
    assert (typed(None, CHICAGO), which_of(None, CHICAGO)) == ("", "")
    skipped = datetime(2026, 3, 8, 8, tzinfo=UTC)
    assert (minute(skipped, CHICAGO), which_of(skipped, CHICAGO)) == ("03:00", "")
