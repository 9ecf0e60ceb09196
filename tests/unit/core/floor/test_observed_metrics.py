"""What observations give: gauges, ready-made averages, and windows put together from counts."""

from typing import Any

import pytest

from app.core.floor.metric import Metric
from app.core.floor.state import Floor
from app.core.floor.targets import QueueTargets, ServiceLevelVariant
from app.core.floor.view import Reading
from tests.support.builders import NOW, a_contact, after, an_observation

QUEUE = "orders-voice"


def a_floor(*observations, variant=ServiceLevelVariant.OFFERED) -> Floor:
    floor = Floor({QUEUE: QueueTargets(service_level_variant=variant)})
    for observation in observations:
        floor.apply(observation)
    return floor


def read(floor: Floor, metric: Metric, window: float | None = None, at: float = 60) -> Reading:
    reading = floor.view(after(at)).reading(QUEUE, metric, window)
    assert reading is not None
    return reading


def counted(at: float, window: float, *counts: float, **more):
    """counts: offered, answered, answered within target, seconds waited by those answered."""
    names = ("offered", "answered", "answered_within_target", "wait_seconds_sum")
    fields: dict[str, Any] = {"window_seconds": window, **dict(zip(names, counts, strict=True)), **more}
    return an_observation(observed_at=after(at), **fields)


GAUGES: dict[str, Any] = {
    "backlog": 12,
    "oldest_wait_seconds": 94.0,
    "contacts_in_progress": 36,
    "agents_staffed": 40,
    "agents_available": 1,
    "agents_busy": 36,
    "occupancy_ratio": 0.9,
}


@pytest.mark.parametrize(("name", "value"), GAUGES.items())
def test_a_gauge_is_the_newest_value_with_its_unit_source_and_time(name, value):
    reading = read(a_floor(an_observation(**GAUGES)), Metric(name))
    assert (reading.value, reading.source, reading.observed_at) == (value, "acd-1", NOW)
    assert (reading.window_seconds, reading.samples) == (None, None)
    assert reading.unit in {"contacts", "seconds", "agents", "ratio"}


def test_each_metric_keeps_its_own_time():
    floor = a_floor(an_observation(backlog=3), an_observation(observed_at=after(10), agents_staffed=5))
    assert read(floor, Metric.BACKLOG).observed_at == NOW
    assert read(floor, Metric.AGENTS_STAFFED).observed_at == after(10)
    assert floor.view(after(60)).last_heard_at(QUEUE) == after(10)


def test_late_data_changes_no_gauge_but_fills_what_was_never_reported():
    newest = an_observation(observed_at=after(10), backlog=3)
    floor = a_floor(newest, an_observation(observed_at=after(5), backlog=9, agents_staffed=4))
    assert read(floor, Metric.BACKLOG).value == 3
    assert read(floor, Metric.AGENTS_STAFFED).value == 4
    assert read(floor, Metric.AGENTS_STAFFED).observed_at == after(5)


def test_of_two_observations_of_one_instant_the_first_stands():
    assert read(a_floor(an_observation(backlog=3), an_observation(backlog=9)), Metric.BACKLOG).value == 3


class TestOccupancy:
    def test_comes_from_busy_and_available_agents(self):
        reading = read(a_floor(an_observation(agents_busy=36, agents_available=4)), Metric.OCCUPANCY_RATIO)
        assert (reading.value, reading.definition) == (0.9, "busy / (busy + available) agents")

    def test_ready_made_goes_first(self):
        floor = a_floor(an_observation(agents_busy=36, agents_available=4, occupancy_ratio=0.5))
        assert read(floor, Metric.OCCUPANCY_RATIO).value == 0.5

    def test_the_newer_of_ready_made_and_derived_is_read(self):
        early = an_observation(occupancy_ratio=0.5)
        late = an_observation(observed_at=after(10), agents_busy=1, agents_available=3)
        assert read(a_floor(early, late), Metric.OCCUPANCY_RATIO).value == 0.25
        late_ready_made = an_observation(observed_at=after(20), occupancy_ratio=0.75)
        assert read(a_floor(early, late, late_ready_made), Metric.OCCUPANCY_RATIO).value == 0.75

    def test_has_no_value_when_nobody_is_there(self):
        assert read(a_floor(an_observation(agents_busy=0, agents_available=0)), Metric.OCCUPANCY_RATIO).value is None

    def test_is_not_made_of_agents_counted_at_different_times(self):
        busy, available = an_observation(agents_busy=3), an_observation(observed_at=after(9), agents_available=1)
        assert a_floor(busy, available).view(after(60)).reading(QUEUE, Metric.OCCUPANCY_RATIO) is None


class TestReadyMadeAverages:
    def test_keep_the_window_and_the_count_their_source_gave(self):
        ready = an_observation(speed_to_answer_seconds=34.0, service_level_ratio=0.7, window_seconds=1800, offered=50)
        floor = a_floor(ready)
        level = read(floor, Metric.SERVICE_LEVEL_RATIO, 300)
        assert (level.value, level.window_seconds, level.samples) == (0.7, 1800, 50)
        speed = read(floor, Metric.SPEED_TO_ANSWER_SECONDS, 300)
        assert (speed.value, speed.window_seconds, speed.samples) == (34.0, 1800, None)

    def test_without_a_window_say_that_it_is_not_known(self):
        assert (
            read(a_floor(an_observation(handle_time_seconds=310.0)), Metric.HANDLE_TIME_SECONDS).window_seconds is None
        )

    def test_are_never_combined(self):
        floor = a_floor(*(an_observation(observed_at=after(s), speed_to_answer_seconds=float(s)) for s in (0, 10, 20)))
        assert read(floor, Metric.SPEED_TO_ANSWER_SECONDS, 900).value == 20


class TestCounts:
    def test_win_over_the_ready_made_average_of_the_same_observation(self):
        floor = a_floor(counted(0, 60, 10, 8, 6, 80.0, speed_to_answer_seconds=99.0, service_level_ratio=0.1))
        assert read(floor, Metric.SPEED_TO_ANSWER_SECONDS).value == 10
        assert read(floor, Metric.SERVICE_LEVEL_RATIO).value == 0.6

    def test_give_way_to_a_newer_ready_made_average(self):
        newer = an_observation(observed_at=after(10), speed_to_answer_seconds=99.0)
        assert read(a_floor(counted(0, 60, 10, 8, 6, 80.0), newer), Metric.SPEED_TO_ANSWER_SECONDS).value == 99

    def test_are_added_then_divided_never_averaged(self):
        reading = read(
            a_floor(counted(0, 60, 100, 90, 45, 900.0), counted(60, 60, 10, 10, 9, 1000.0)),
            Metric.SPEED_TO_ANSWER_SECONDS,
            120,
        )
        assert (reading.value, reading.samples, reading.window_seconds) == (1900 / 100, 100, 120)

    def test_of_overlapping_spans_are_covered_backwards_without_overlap(self):
        rolling = [counted(at, 30, 0, at, 0, 0.0) for at in range(10, 101, 10)]  # `answered` names the span's end
        reading = read(a_floor(*rolling), Metric.SPEED_TO_ANSWER_SECONDS, 90)
        assert (reading.samples, reading.window_seconds) == (100 + 70 + 40, 90)

    def test_stop_where_the_next_span_would_begin_before_the_window(self):
        rolling = [counted(at, 30, 0, at, 0, 0.0) for at in range(10, 101, 10)]
        assert read(a_floor(*rolling), Metric.SPEED_TO_ANSWER_SECONDS, 89).window_seconds == 60

    def test_of_a_span_longer_than_the_window_are_taken_whole_and_the_reading_says_so(self):
        reading = read(a_floor(counted(0, 1800, 10, 10, 9, 50.0)), Metric.SPEED_TO_ANSWER_SECONDS, 300)
        assert (reading.value, reading.window_seconds) == (5, 1800)

    def test_say_how_much_they_cover_when_a_span_is_missing(self):
        floor = a_floor(counted(0, 60, 1, 1, 1, 5.0), counted(120, 60, 1, 1, 1, 15.0))
        reading = read(floor, Metric.SPEED_TO_ANSWER_SECONDS, 300)
        assert (reading.value, reading.window_seconds) == (10, 120)

    def test_that_come_late_take_their_place(self):
        first, second, third = (counted(at, 60, at, at, 0, 0.0) for at in (60, 120, 180))
        reading = read(a_floor(third, first, second), Metric.SPEED_TO_ANSWER_SECONDS, 120)
        assert (reading.samples, reading.observed_at) == (180 + 120, after(180))

    def test_with_nobody_answered_have_no_value_and_no_samples(self):
        reading = read(a_floor(counted(0, 60, 0, 0, 0, 0.0)), Metric.SPEED_TO_ANSWER_SECONDS)
        assert (reading.value, reading.samples) == (None, 0)

    def test_give_abandonment_and_handle_time(self):
        floor = a_floor(counted(0, 60, 12, 9, 6, 80.0, abandoned=3, handle_seconds_sum=900.0))
        assert read(floor, Metric.ABANDONMENT_RATIO).value == 0.25
        assert read(floor, Metric.HANDLE_TIME_SECONDS).value == 100

    @pytest.mark.parametrize(
        ("variant", "expected", "named"),
        [
            (ServiceLevelVariant.OFFERED, 6 / 12, "offered"),
            (ServiceLevelVariant.ANSWERED, 6 / 9, "answered"),
            (ServiceLevelVariant.LESS_ABANDONS, 6 / 9, "less_abandons"),
            (ServiceLevelVariant.LESS_SHORT_ABANDONS, 6 / 12, "offered"),  # counts do not say which were short
            (ServiceLevelVariant.POSITIVE, 6 / 12, "offered"),  # nor which came within the target
        ],
    )
    def test_give_the_service_level_they_can_and_name_it(self, variant, expected, named):
        reading = read(
            a_floor(counted(0, 60, 12, 9, 6, 80.0, abandoned=3), variant=variant), Metric.SERVICE_LEVEL_RATIO
        )
        assert reading.value == pytest.approx(expected)
        assert reading.definition.startswith(f"{named}: ")

    def test_never_give_a_service_level_above_one(self):
        assert read(a_floor(counted(0, 60, 4, 9, 6, 80.0)), Metric.SERVICE_LEVEL_RATIO).value == 1


class TestTwoSources:
    def test_the_newest_value_wins(self):
        old = an_observation(source="a", backlog=1)
        new = an_observation(source="b", observed_at=after(1), backlog=2)
        for floor in (a_floor(old, new), a_floor(new, old)):
            reading = read(floor, Metric.BACKLOG)
            assert (reading.value, reading.source) == (2, "b")

    def test_of_the_same_instant_the_first_by_name_wins(self):
        one, other = an_observation(source="a", backlog=1), an_observation(source="b", backlog=2)
        for floor in (a_floor(one, other), a_floor(other, one)):
            assert read(floor, Metric.BACKLOG).source == "a"

    def test_contacts_go_before_what_the_same_source_observed(self):
        floor = a_floor(an_observation(observed_at=after(5), backlog=7, agents_staffed=4))
        floor.apply(a_contact("queued", NOW))
        assert read(floor, Metric.BACKLOG).value == 1
        assert read(floor, Metric.BACKLOG).observed_at == after(5)
        assert read(floor, Metric.AGENTS_STAFFED).value == 4

    def test_another_sources_newer_observation_goes_before_contacts(self):
        floor = a_floor(an_observation(source="b", observed_at=after(5), backlog=7))
        floor.apply(a_contact("queued", NOW))
        assert read(floor, Metric.BACKLOG).value == 7
        floor.apply(a_contact("queued", after(6), "c-2"))
        assert read(floor, Metric.BACKLOG).value == 2

    def test_contacts_that_stopped_coming_hide_no_observation_of_their_source(self):
        floor = Floor(expires_after_seconds=600)
        floor.apply(a_contact("abandoned", NOW))
        floor.apply(an_observation(observed_at=after(600), backlog=40))
        assert read(floor, Metric.BACKLOG, at=600).value == 0
        floor.apply(an_observation(observed_at=after(601), backlog=41))
        assert read(floor, Metric.BACKLOG, at=601).value == 41

    def test_contacts_of_one_queue_are_pooled_and_the_newest_clock_counts(self):
        floor = a_floor(an_observation("elsewhere", after(9), "b", agents_staffed=1))
        floor.apply(a_contact("queued", NOW, "c-1", source="a"))
        floor.apply(a_contact("queued", NOW, "c-2", source="b"))
        reading = read(floor, Metric.BACKLOG)
        assert (reading.value, reading.source, reading.observed_at) == (2, "b", after(9))


def test_a_value_dated_ahead_of_its_receipt_gives_way_to_what_is_received_later():
    floor = Floor()
    floor.apply(an_observation(observed_at=after(290), source="ahead", backlog=0), NOW)
    floor.apply(an_observation(observed_at=after(10), source="right", backlog=50), after(10))
    reading = read(floor, Metric.BACKLOG, at=10)
    assert (reading.value, reading.observed_at) == (50, after(10))


def test_values_dated_ahead_that_came_together_keep_their_order():
    floor = Floor()
    for seconds, backlog in ((20, 50), (10, 0)):
        floor.apply(an_observation(observed_at=after(seconds), backlog=backlog), NOW)
    reading = read(floor, Metric.BACKLOG, at=0)
    assert (reading.value, round(reading.age_seconds(after(120)))) == (50, 120)


def test_contacts_dated_ahead_keep_their_waits_and_are_known_only_as_of_their_receipt():
    floor = Floor()
    floor.apply(a_contact("queued", after(200), "c-1"), NOW)
    floor.apply(a_contact("answered", after(212), "c-1"), NOW)
    reading = read(floor, Metric.SPEED_TO_ANSWER_SECONDS, at=300)
    assert (reading.value, round(reading.age_seconds(after(300)))) == (12, 300)
