"""How many agents a queue will have, over a real database: from a schedule, from history, from who is here."""

from datetime import timedelta

import pytest

from app.core.staffing.schedule import Interval, Placed
from app.core.staffing.staffing import Basis
from app.errors import Invalid
from app.ports.staffing import ALL_QUEUES
from app.services.opening_hours import Hours
from app.services.schedules import NewSchedule, Schedules
from app.services.staffing import MOST_MINUTES
from tests.support.builders import NOW, an_observation
from tests.support.whole import a_whole

QUEUE = "orders-voice"
HOUR, WEEK = timedelta(hours=1), timedelta(weeks=1)
WEEKLY = {"time_zone": "UTC", "weekly": [{"days": ["sat"], "from": "08:00", "to": "16:00"}]}


@pytest.fixture
async def whole(tmp_path):
    async with a_whole(tmp_path) as whole:
        yield whole


def hourly(*agents, start=NOW):
    spans = [(start + n * HOUR, start + (n + 1) * HOUR, number) for n, number in enumerate(agents)]
    return [Placed(Interval(*each), f"/intervals/{n}", f"interval {n}") for n, each in enumerate(spans)]


async def schedule(whole, *agents, start=NOW, schedules=None, **options):
    return await (schedules or whole.services.schedules).save(
        [NewSchedule(QUEUE, hourly(*agents, start=start), **options)]
    )


async def staffing(whole, minutes=120, present=None, start=None):
    return await whole.services.staffings.staffing(QUEUE, start or whole.clock.now(), minutes, present)


async def seen(whole, agents, weeks):
    """Let history have so many agents for two hours from now on, that many weeks ago."""
    for minute in range(0, 120, 5):
        at = NOW - weeks * WEEK + timedelta(minutes=minute)
        await whole.services.ingest.observations([an_observation(QUEUE, at, agents_staffed=agents)])
    await whole.evaluate()


async def test_a_schedule_counts_at_once_also_when_another_process_saved_it(whole):
    assert (await staffing(whole)).basis is Basis.UNKNOWN
    await schedule(whole, 12.5, 9)
    found = await staffing(whole)
    assert (found.agents[0], found.agents[60], found.basis) == (12, 9, Basis.SCHEDULE)
    hours = Hours(whole.store.hours, whole.clock)
    await schedule(whole, 20, 20, schedules=Schedules(whole.store.schedules, hours, whole.clock))
    assert (await staffing(whole)).agents.tolist() == [20] * 120


async def test_outside_of_its_intervals_a_day_of_the_schedule_has_nobody(whole):
    await schedule(whole, 5)
    assert (await staffing(whole, present=5)).agents.tolist() == [5] * 60 + [0] * 60


async def test_the_week_before_counts_on_a_day_that_has_no_schedule(whole):
    await schedule(whole, 7, 8, start=NOW - WEEK)
    found = await staffing(whole, present=40)
    assert (found.agents[0], found.agents[119]) == (7, 8)
    assert "Its schedule ends at 2026-11-15 00:00 UTC; from then on counts that of the same weekday" in found.said


async def test_two_weeks_of_history_are_what_is_usual_and_one_is_not(whole):
    await seen(whole, 30, 1)
    assert (await staffing(whole, present=12)).basis is Basis.PRESENT
    whole.clock.move(20 * 60)  # what is usual is worked out anew each quarter of an hour
    await seen(whole, 34, 2)
    found = await staffing(whole, 60, present=40)
    assert found.basis is Basis.HISTORY
    assert found.agents.tolist() == [32] * 60


async def test_opening_hours_and_concurrency_count(whole):
    await whole.services.hours.save(ALL_QUEUES, WEEKLY, expected=0)
    found = await staffing(whole, present=10)
    assert found.agents.tolist() == [10] * 60 + [0] * 60
    assert found.is_open.tolist() == [True] * 60 + [False] * 60


async def test_it_is_told_from_a_start_within_a_minute(whole):
    await schedule(whole, 5, 9, 4)
    found = await staffing(whole, 150, start=NOW + timedelta(seconds=20))
    assert (found.agents[58], found.agents[59], found.agents[60], found.agents[119]) == (5, 5, 9, 4)


@pytest.mark.parametrize("minutes", [0, -1, MOST_MINUTES + 1])
async def test_a_span_of_no_length_or_beyond_two_weeks_is_an_error(whole, minutes):
    with pytest.raises(ValueError, match="must be from 1 to 20,160"):
        await staffing(whole, minutes)


async def test_two_weeks_at_once_are_told_too(whole):
    await schedule(whole, 5, 9)
    assert len((await staffing(whole, MOST_MINUTES, present=3)).agents) == MOST_MINUTES


async def test_across_a_change_of_the_clocks_the_week_before_is_the_same_wall_clock_time(tmp_path):
    start = NOW.replace(month=11, day=1, hour=5)  # midnight in Chicago; at 07:00 UTC clocks go back
    async with a_whole(tmp_path, now=start) as whole:
        night = [*range(1, 25)]  # by the wall clock of a week before: from 00:00 on 1, from 01:00 on 2, ...
        await schedule(whole, *night, start=start - WEEK, time_zone="America/Chicago")
        found = await staffing(whole, 300)
    assert [found.agents[minute] for minute in (0, 60, 120, 180, 240)] == [1, 2, 2, 3, 4]


async def test_a_schedule_with_a_fault_is_refused_with_its_place(whole):
    with pytest.raises(Invalid) as refused:
        await schedule(whole, 5, -1)
    assert [problem.pointer for problem in refused.value.problems] == ["/intervals/1"]


async def test_saving_for_several_queues_is_one_change(whole):
    both = [NewSchedule("a", hourly(1)), NewSchedule("b", hourly(2))]
    changes = await whole.services.schedules.save(both)
    assert [(change.queue, change.revision, change.saved) for change in changes] == [("a", 1, True), ("b", 1, True)]
    with pytest.raises(Invalid):
        await whole.services.schedules.save([NewSchedule("a", hourly(5)), NewSchedule("b", hourly(-5))])
    assert (await whole.services.schedules.state("a")).revision == 1


async def test_a_schedule_beyond_belief_is_held_to_what_was_seen_on_seven_days(whole):
    await schedule(whole, 2_000, 2_000, 30)
    for days, agents in enumerate((18, 20, 17, 16, 19, 18), 1):
        at = NOW - timedelta(days=days)
        await whole.services.ingest.observations([an_observation(QUEUE, at, agents_staffed=agents)])
    await whole.evaluate()
    assert (await staffing(whole)).agents[0] == 2_000
    await whole.services.ingest.observations([an_observation(QUEUE, NOW - WEEK, agents_staffed=18)])
    await whole.evaluate(HOUR.total_seconds())  # what was seen is worked out anew each hour
    found = await staffing(whole)
    assert (found.agents[0], found.agents[60]) == (20, 30)
