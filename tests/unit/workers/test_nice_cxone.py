"""What CXone's skill activity means: instants by its own clock, rows that are no queue, names that differ."""

from datetime import UTC, datetime, timedelta

import pytest

from app.core.floor.observation import Observation
from tests.support.vendors.nice_cxone import Cxone, written
from workers.sources.nice_cxone.translate import translate
from workers.systems.faults import TranslateError

AT = datetime(2026, 11, 21, 17, 20, tzinfo=UTC)
THEIRS = AT - timedelta(seconds=90)
QUEUES = {"4711": "orders"}


def a_row(waiting=5, seconds=130.0, skill=4711, **more):
    cxone = Cxone()
    cxone.base = lambda: THEIRS
    return {"serverTime": written(THEIRS)} | cxone.skill(skill, waiting, seconds, **more)


def read(*rows):
    return translate({"skillActivity": list(rows)}, QUEUES, "cxone", AT)


def the_one(*rows):
    lot = read(*rows)
    assert lot.rejected == []
    [seen] = lot.payloads
    return seen


def test_an_age_is_made_of_two_instants_of_their_clock():
    assert the_one(a_row()) == Observation(
        "orders",
        THEIRS,
        "cxone",
        backlog=5,
        oldest_wait_seconds=130,
        agents_staffed=6,
        agents_available=2,
        agents_busy=4,
    )


def test_without_their_clock_there_is_no_age():
    seen = the_one(a_row(serverTime=None))
    assert (seen.observed_at, seen.backlog, seen.oldest_wait_seconds) == (AT, 5, None)


@pytest.mark.parametrize(("seconds", "age"), [(-20, 0), (-3600, None), (0, 0), (7200, 7200)])
def test_a_little_contradiction_is_rounding_and_more_is_not_said(seconds, age):
    assert the_one(a_row(seconds=seconds)).oldest_wait_seconds == age


def test_a_beginning_of_time_is_no_age():
    assert the_one(a_row(earliestQueueTime="0001-01-01T00:00:00")).oldest_wait_seconds is None
    assert the_one(a_row(waiting=0, earliestQueueTime="0001-01-01T00:00:00")).oldest_wait_seconds == 0


@pytest.mark.parametrize("outbound", [True, "true", "True", 1])
def test_outbound_rows_are_no_queue(outbound):
    assert read(a_row(isOutbound=outbound)).payloads == []
    assert the_one(a_row(), a_row(waiting=40, isOutbound=outbound)).backlog == 5


def test_the_count_has_another_name_in_some_versions():
    row = a_row()
    row["skillQueueCount"] = row.pop("queueCount")
    assert the_one(row).backlog == 5
    assert the_one(row | {"queueCount": 7}).backlog == 7


def test_media_of_a_skill_add_up_and_their_agents_do_not():
    seen = the_one(a_row(waiting=5, seconds=10), a_row(waiting="2", seconds=90, skill="4711"))
    assert (seen.backlog, seen.oldest_wait_seconds, seen.agents_staffed) == (7, 90, 6)
    assert the_one(a_row(), a_row(waiting=None)).backlog is None


def test_a_medium_that_makes_no_sense_spoils_its_skill():
    lot = read(a_row(), a_row(waiting="many"))
    assert lot.payloads == []
    assert [(each.row, each.detail) for each in lot.rejected] == [(2, "queueCount is no number")]


@pytest.mark.parametrize("nothing", [None, "", -1])
def test_what_is_not_said_is_no_0(nothing):
    names = ("queueCount", "earliestQueueTime", "agentsLoggedIn", "agentsIdle", "agentsACW")
    seen = the_one(a_row() | dict.fromkeys(names, None if nothing == -1 else nothing) | {"queueCount": nothing})
    assert seen == Observation("orders", THEIRS, "cxone", agents_available=4)


def test_skills_without_a_name_here_are_left_out():
    assert read(a_row(skill=1), a_row(skill=None), a_row(skill=[4711])).payloads == []


@pytest.mark.parametrize("answer", [None, [], {}, {"skillActivity": {}}])
def test_what_is_no_activity_is_refused(answer):
    with pytest.raises(TranslateError, match="no skillActivity"):
        translate(answer, QUEUES, "cxone", AT)
