"""Forecasts and capacities over a real store."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from app.core.floor.flow import FlowDelta
from app.core.floor.metric import Metric
from app.core.floor.rollup import RollupDelta
from app.core.floor.targets import QueueTargets
from app.core.forecast.flows import FIELDS
from app.core.forecast.usual import Method
from app.core.staffing.hours import Open, OpeningHours
from app.ports.evaluation import Checkpoint
from app.services.capacities import Capacities
from app.services.flows import Flows
from tests.support.builders import a_contact, an_observation
from tests.support.databases import a_store
from tests.support.whole import a_whole

QUEUE = "orders-voice"
NOW = datetime(2026, 11, 19, 14, 2, 40, tzinfo=UTC)  # a Thursday, 08:02 in Chicago
MIDNIGHT = NOW.replace(hour=0, minute=0, second=0)
ZEROS = dict.fromkeys(FIELDS, 0.0)


@pytest.fixture
async def store(tmp_path):
    async with a_store(tmp_path) as opened:
        yield opened


class Watched:
    """A reader that notes what it was asked for."""

    def __init__(self, reader):
        self._reader = reader
        self.asked = []

    async def flows(self, queue, start, until, step_seconds):
        self.asked.append((start, until))
        return await self._reader.flows(queue, start, until, step_seconds)


def came(at, offered=0.0, **sums):
    return FlowDelta(QUEUE, at, 0.0, **(ZEROS | {"offered": offered} | sums))


def steady(until, days, offered=10.0):
    return [came(until - timedelta(minutes=5 * step), offered) for step in range(1, days * 288 + 1)]


def gauge(metric, at, value):
    return RollupDelta(QUEUE, metric, at, 1, value, value, value, value, at)


async def gain(store, *flows, rollups=()):
    await store.evaluation.flush(Checkpoint(0, NOW, {}), [], rollups, flows)


class TestForecasts:
    async def test_what_came_in_for_weeks_is_expected_and_its_errors_are_measured(self, store):
        await gain(store, *steady(NOW.replace(minute=0, second=0), 70))
        made = await Flows(store.flows).forecast(QUEUE, NOW, 120)
        assert made.method is Method.WEEKDAY_MEDIAN
        assert made.expected.start == NOW.replace(minute=0, second=0)
        assert made.expected.values == pytest.approx(np.full(25, 10.0))
        assert set(made.cv) == {0.02}

    async def test_past_days_are_read_once_and_today_anew_each_time(self, store):
        reader = Watched(store.flows)
        flows = Flows(reader)
        await flows.forecast(QUEUE, NOW, 60)
        await flows.forecast(QUEUE, NOW + timedelta(seconds=20), 60)
        weeks = (MIDNIGHT - timedelta(days=70), MIDNIGHT)
        today = (MIDNIGHT, NOW.replace(minute=0, second=0))
        assert reader.asked == [weeks, today, today]
        await flows.forecast(QUEUE, NOW + timedelta(hours=7), 60)
        await flows.forecast(QUEUE, NOW + timedelta(hours=11), 60)
        assert [start.date().day for start, _ in reader.asked[3:]] == [10, 19, 11, 20]

    async def test_a_clock_set_back_reads_the_past_anew(self, store):
        reader = Watched(store.flows)
        flows = Flows(reader)
        await flows.forecast(QUEUE, NOW, 60)
        await flows.forecast(QUEUE, NOW - timedelta(hours=1), 60)
        assert len(reader.asked) == 4

    async def test_what_comes_in_now_moves_the_next_forecast(self, store):
        flows = Flows(store.flows)
        await gain(store, *steady(MIDNIGHT, 40))
        before = await flows.forecast(QUEUE, NOW, 60)
        begun = NOW.replace(minute=0, second=0)
        today = [came(begun - timedelta(minutes=5 * step), 20.0) for step in range(1, 160)]
        await gain(store, came(begun, 999.0), *today)  # the step that is not over yet does not count
        after = await flows.forecast(QUEUE, NOW, 60)
        assert before.ratio == pytest.approx(1, abs=0.01)
        assert 1.6 < after.ratio < 1.8

    async def test_what_campaigns_brought_is_taken_out_of_the_past_and_of_today(self, store):
        await gain(store, *steady(NOW.replace(minute=0, second=0), 40))
        asked = []

        def lift(queue, start, until):
            asked.append((queue, start, until))
            return np.full((until - start) // timedelta(minutes=5), 4.0)

        made = await Flows(store.flows, lift=lift).forecast(QUEUE, NOW, 60)
        assert made.expected.values == pytest.approx(np.full(13, 6.0))
        assert [start for _, start, _ in asked] == [MIDNIGHT - timedelta(days=70), MIDNIGHT]

    async def test_days_are_those_of_the_hours_zone_and_closed_times_bring_nothing(self, store):
        async def hours(_queue):
            return OpeningHours("America/Chicago", ((Open(7 * 60, 9 * 60),),) * 7, frozenset({date(2026, 11, 20)}))

        await gain(store, *steady(NOW.replace(minute=0, second=0), 40))
        reader = Watched(store.flows)
        made = await Flows(reader, hours=hours).forecast(QUEUE, NOW, 30 * 60)
        assert made.expected.values[:12] == pytest.approx(np.full(12, 10.0))
        assert not made.expected.values[12:].any()
        assert reader.asked[0][1] == datetime(2026, 11, 19, 6, tzinfo=UTC)

    async def test_a_queue_nobody_ever_heard_of_is_unknown(self, store):
        made = await Flows(store.flows).forecast("nowhere", NOW, 60)
        assert made.method is Method.UNKNOWN
        assert np.isnan(made.expected.values).all()


class TestFromTheSource:
    @staticmethod
    async def lived_through(whole, minutes, tell):
        for minute in range(minutes):
            whole.clock.move(60)
            await tell(whole, minute)

    async def test_reported_counts_arrive_in_the_forecast(self, tmp_path):
        async def tell(whole, _minute):
            counts = {"window_seconds": 300, "offered": 50, "answered": 48, "abandoned": 2}
            await whole.tell(an_observation(QUEUE, whole.clock.now(), "acd-1", **counts))

        async with a_whole(tmp_path) as whole:
            await self.lived_through(whole, 60, tell)
            made = await Flows(whole.store.flows).forecast(QUEUE, whole.clock.now(), 60)
        assert made.method is Method.FLAT
        assert made.expected.values == pytest.approx(np.full(len(made.expected.values), 50.0), rel=0.01)

    async def test_contacts_arrive_in_the_forecast_and_quiet_minutes_are_no_gaps(self, tmp_path):
        async def tell(whole, minute):
            events = [a_contact("queued", whole.clock.now(), f"c-{minute}-{number}") for number in range(3)]
            await whole.services.ingest.contacts(events if minute % 3 == 0 else [])
            await whole.tell(an_observation(QUEUE, whole.clock.now(), agents_staffed=4))

        async with a_whole(tmp_path) as whole:
            await self.lived_through(whole, 60, tell)
            made = await Flows(whole.store.flows).forecast(QUEUE, whole.clock.now(), 60)
        assert made.method is Method.FLAT
        assert made.expected.values == pytest.approx(np.full(len(made.expected.values), 5.0), rel=0.2)


class TestCapacities:
    @staticmethod
    def capacities(store, concurrency=1.0):
        return Capacities(store.flows, store.history, lambda: {QUEUE: QueueTargets(concurrency=concurrency)})

    @staticmethod
    def busy_hours(backlog, agents, handled, handle_seconds):
        """Return eight hours of minutes that are all alike."""
        minutes = [NOW.replace(second=0) - timedelta(minutes=minute) for minute in range(1, 481)]
        flows = [came(at, 9.0, handled=handled, handle_seconds=handled * handle_seconds) for at in minutes]
        gauges = [gauge(Metric.BACKLOG, at, backlog) for at in minutes]
        return flows, gauges + [gauge(Metric.AGENTS_STAFFED, at, agents) for at in minutes]

    async def test_without_anything_known_there_is_no_handle_time_and_the_usual_patience(self, store):
        found = await self.capacities(store).capacity(QUEUE, NOW)
        assert found.handle_seconds is None
        assert found.handle_said.startswith("no handle time is known")
        assert (found.patience_seconds, found.is_patience_known) == (240, False)
        assert "240 s is assumed" in found.patience_said

    async def test_without_a_queue_the_reported_handle_time_counts(self, store):
        flows, gauges = self.busy_hours(backlog=0, agents=40, handled=4.0, handle_seconds=300)
        await gain(store, *flows, rollups=gauges)
        found = await self.capacities(store).capacity(QUEUE, NOW)
        assert found.handle_seconds == pytest.approx(300)
        assert found.handle_said == "300 s, from 300 s of 1920 contacts in the last 8 hours and 300 s before"

    async def test_with_a_queue_what_gets_done_counts(self, store):
        flows, gauges = self.busy_hours(backlog=5, agents=40, handled=4.0, handle_seconds=300)
        await gain(store, *flows, rollups=gauges)
        found = await self.capacities(store).capacity(QUEUE, NOW)
        assert 550 < found.handle_seconds < 600
        assert "s by what got done while somebody waited" in found.handle_said
        twice = await self.capacities(store, concurrency=2.0).capacity(QUEUE, NOW)
        assert twice.handle_seconds > 1.8 * found.handle_seconds

    async def test_last_week_is_believed_until_today_has_many(self, store):
        week_ago = [
            came(NOW - timedelta(days=3, minutes=minute), handled=5.0, handle_seconds=1000.0) for minute in range(60)
        ]
        today = [came(NOW.replace(second=0) - timedelta(minutes=9), handled=50.0, handle_seconds=20_000.0)]
        await gain(store, *(each._replace(bucket_at=each.bucket_at.replace(second=0)) for each in week_ago), *today)
        week = (300 * 200 + 20_000) / 350
        found = await self.capacities(store).capacity(QUEUE, NOW)
        assert found.handle_seconds == pytest.approx((week + 400) / 2)

    async def test_averages_that_come_ready_made_will_do(self, store):
        at = NOW.replace(second=0) - timedelta(minutes=3)
        await gain(store, rollups=[gauge(Metric.HANDLE_TIME_SECONDS, at, 280.0)])
        found = await self.capacities(store).capacity(QUEUE, NOW)
        assert found.handle_seconds == 280
        assert found.handle_said == "280 s, the mean of the last week"

    async def test_patience_comes_from_all_waiting_of_weeks(self, store):
        days = [NOW.replace(second=0) - timedelta(days=day) for day in range(1, 20)]
        await gain(store, *(came(at, 20.0, abandoned=3.0, abandoned_at_once=1.0, wait_seconds=800.0) for at in days))
        found = await self.capacities(store).capacity(QUEUE, NOW)
        assert (found.patience_seconds, found.is_patience_known) == (400, True)

    async def test_an_answer_of_the_last_minute_is_given_again(self, store):
        capacities = self.capacities(store)
        first = await capacities.capacity(QUEUE, NOW)
        at = NOW.replace(second=0) - timedelta(minutes=3)
        await gain(store, rollups=[gauge(Metric.HANDLE_TIME_SECONDS, at, 280.0)])
        assert await capacities.capacity(QUEUE, NOW + timedelta(seconds=59)) is first
        assert (await capacities.capacity(QUEUE, NOW + timedelta(seconds=61))).handle_seconds == 280
