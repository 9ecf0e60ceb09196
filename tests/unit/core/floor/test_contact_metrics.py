"""Every metric that contacts give, on tables small enough to reckon in one's head. Seconds count from NOW."""

import pytest

from app.core.floor.metric import Metric
from app.core.floor.state import Floor
from app.core.floor.targets import QueueTargets, ServiceLevelVariant
from app.core.floor.view import Reading
from tests.support.builders import a_contact, after, an_observation, contacts

QUEUE = "orders-voice"


def a_floor(table: str, targets: QueueTargets | None = None, **settings) -> Floor:
    floor = Floor({QUEUE: targets} if targets else None, **settings)
    for event in contacts(table):
        floor.apply(event)
    return floor


def read(floor: Floor, metric: Metric, at: float, window: float | None = None) -> Reading:
    reading = floor.view(after(at)).reading(QUEUE, metric, window)
    assert reading is not None
    return reading


def value(floor: Floor, metric: Metric, at: float, window: float | None = None) -> float | None:
    return read(floor, metric, at, window).value


MORNING = """
    c-1: queued 0, answered 10, completed 70
    c-2: queued 5, answered 45, transferred 145
    c-3: queued 20, abandoned 50
    c-4: queued 30, abandoned 33
    c-5: queued 40, answered 50
    c-6: queued 55
"""


def test_backlog_counts_those_nobody_is_on():
    assert value(a_floor(MORNING), Metric.BACKLOG, 60) == 1


def test_oldest_wait_grows_with_the_clock_and_is_zero_when_nobody_waits():
    floor = a_floor(MORNING)
    assert value(floor, Metric.OLDEST_WAIT_SECONDS, 60) == 5
    assert value(floor, Metric.OLDEST_WAIT_SECONDS, 61.5) == 6.5
    floor.apply(a_contact("answered", after(62), "c-6"))
    assert value(floor, Metric.OLDEST_WAIT_SECONDS, 70) == 0


def test_in_progress_counts_those_answered_and_not_ended():
    assert value(a_floor(MORNING), Metric.CONTACTS_IN_PROGRESS, 60) == 1


def test_speed_to_answer_is_the_mean_wait_of_those_answered_in_the_window():
    reading = read(a_floor(MORNING), Metric.SPEED_TO_ANSWER_SECONDS, 60)
    assert (reading.value, reading.samples, reading.window_seconds) == ((10 + 40 + 10) / 3, 3, 300)


def test_handle_time_is_the_mean_from_answer_to_end_transfers_included():
    reading = read(a_floor(MORNING), Metric.HANDLE_TIME_SECONDS, 160)
    assert (reading.value, reading.samples) == ((60 + 100) / 2, 2)


def test_abandonment_is_of_the_waits_that_ended():
    reading = read(a_floor(MORNING), Metric.ABANDONMENT_RATIO, 60)
    assert (reading.value, reading.samples) == (2 / 5, 5)


def test_short_abandons_are_left_out_of_abandonment():
    reading = read(a_floor(MORNING, QueueTargets(short_abandon_seconds=5)), Metric.ABANDONMENT_RATIO, 60)
    assert (reading.value, reading.samples) == (1 / 4, 4)
    assert "those under 5 s left out" in reading.definition


def test_who_gave_up_exactly_at_the_limit_was_not_short():
    floor = a_floor("c-1: queued 0, abandoned 5", QueueTargets(short_abandon_seconds=5))
    assert read(floor, Metric.ABANDONMENT_RATIO, 60).samples == 1


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        (ServiceLevelVariant.OFFERED, 2 / 5),  # c-6 still waits within the target: not judged yet
        (ServiceLevelVariant.ANSWERED, 2 / 3),
        (ServiceLevelVariant.LESS_SHORT_ABANDONS, 2 / 4),
        (ServiceLevelVariant.LESS_ABANDONS, 2 / 3),
        (ServiceLevelVariant.POSITIVE, 3 / 5),
    ],
)
def test_service_level_in_each_variant_is_named(variant, expected):
    targets = QueueTargets(service_level_seconds=20, service_level_variant=variant, short_abandon_seconds=5)
    reading = read(a_floor(MORNING, targets), Metric.SERVICE_LEVEL_RATIO, 60)
    assert reading.value == pytest.approx(expected)
    assert reading.definition.startswith(f"{variant}: ")
    assert "20 s" in reading.definition


def test_who_still_waits_beyond_the_target_counts_as_missed():
    floor = a_floor("c-1: queued 0, answered 10\nc-2: queued 15")
    assert value(floor, Metric.SERVICE_LEVEL_RATIO, 35) == 1.0  # exactly on the target: may be answered yet
    reading = read(floor, Metric.SERVICE_LEVEL_RATIO, 36)
    assert (reading.value, reading.samples) == (0.5, 2)


def test_answered_exactly_on_the_target_is_within_it():
    assert value(a_floor("c-1: queued 0, answered 20"), Metric.SERVICE_LEVEL_RATIO, 60) == 1.0
    assert value(a_floor("c-1: queued 0, answered 20.000001"), Metric.SERVICE_LEVEL_RATIO, 60) == 0.0


def test_service_level_belongs_to_the_instant_of_being_queued():
    floor = a_floor("c-1: queued 0, answered 90\nc-2: queued 80, answered 85")
    assert value(floor, Metric.SERVICE_LEVEL_RATIO, 95, 60) == 1.0  # c-1 was queued before the window, answered in it
    assert value(floor, Metric.SPEED_TO_ANSWER_SECONDS, 95, 60) == (90 + 5) / 2


@pytest.mark.parametrize(("at", "samples"), [(99, 0), (100, 1), (100.5, 1), (159, 1), (159.9, 1), (160, 0)])
def test_a_window_holds_its_newest_edge_and_not_its_oldest(at, samples):
    floor = a_floor("c-1: queued 90, answered 100")
    assert read(floor, Metric.SPEED_TO_ANSWER_SECONDS, at, 60).samples == samples


def test_an_event_between_two_seconds_is_in_the_window_from_the_next_one():
    floor = a_floor("c-1: queued 90, answered 100.25")
    assert read(floor, Metric.SPEED_TO_ANSWER_SECONDS, 100.9, 60).samples == 0
    assert read(floor, Metric.SPEED_TO_ANSWER_SECONDS, 101, 60).value == 10.25


def test_an_empty_window_has_no_value_but_says_so_with_zero_samples():
    for metric in (Metric.SPEED_TO_ANSWER_SECONDS, Metric.SERVICE_LEVEL_RATIO, Metric.ABANDONMENT_RATIO):
        reading = read(a_floor("c-1: queued 0, answered 10"), metric, 1000)
        assert (reading.value, reading.samples) == (None, 0)


def test_who_is_transferred_or_called_back_leaves_the_queue_neither_answered_nor_abandoned():
    floor = a_floor("c-1: queued 0, transferred 5\nc-2: queued 0, callback_requested 5\nc-3: queued 0, answered 5")
    assert value(floor, Metric.BACKLOG, 30) == 0
    assert value(floor, Metric.CONTACTS_IN_PROGRESS, 30) == 1
    assert read(floor, Metric.ABANDONMENT_RATIO, 30).samples == 1
    assert value(floor, Metric.SERVICE_LEVEL_RATIO, 30) == pytest.approx(1 / 3)


class TestMissingEnds:
    def test_without_queued_only_the_handling_counts_and_the_contact_is_incomplete(self):
        floor = a_floor("c-1: answered 10, completed 40\nc-2: answered 20\nc-3: abandoned 15")
        assert value(floor, Metric.CONTACTS_IN_PROGRESS, 60) == 1
        assert value(floor, Metric.HANDLE_TIME_SECONDS, 60) == 30
        assert read(floor, Metric.SPEED_TO_ANSWER_SECONDS, 60).samples == 0
        assert read(floor, Metric.ABANDONMENT_RATIO, 60).samples == 0
        assert floor.counters().queues[QUEUE].incomplete == 3

    def test_queued_may_come_last_of_all(self):
        floor = a_floor("c-1: answered 10, completed 40")
        floor.apply(a_contact("queued", after(0)))
        assert value(floor, Metric.SPEED_TO_ANSWER_SECONDS, 60) == 10
        assert floor.counters().queues[QUEUE].incomplete == 0

    def test_completed_without_answered_ends_the_wait_and_is_not_an_answer(self):
        floor = a_floor("c-1: queued 0, completed 40")
        assert value(floor, Metric.BACKLOG, 60) == 0
        assert value(floor, Metric.SERVICE_LEVEL_RATIO, 60) == 0
        assert read(floor, Metric.HANDLE_TIME_SECONDS, 60).samples == 0


class TestContradictions:
    def test_answered_before_queued_waited_no_time(self):
        floor = a_floor("c-1: queued 10, answered 8, completed 30")
        assert value(floor, Metric.SPEED_TO_ANSWER_SECONDS, 60) == 0
        assert value(floor, Metric.HANDLE_TIME_SECONDS, 60) == 20

    def test_of_answered_and_abandoned_the_earlier_holds(self):
        floor = a_floor("c-1: queued 0, abandoned 10, answered 20\nc-2: queued 0, answered 10, abandoned 20")
        assert value(floor, Metric.ABANDONMENT_RATIO, 60) == 0.5
        assert value(floor, Metric.HANDLE_TIME_SECONDS, 60) == 10  # c-2 hung up while being handled

    def test_at_the_same_instant_answered_holds(self):
        assert value(a_floor("c-1: queued 0, abandoned 10, answered 10"), Metric.ABANDONMENT_RATIO, 60) == 0

    def test_of_two_instants_for_one_event_the_earlier_holds(self):
        floor = a_floor("c-1: queued 0, answered 30, answered 20, answered 25")
        assert value(floor, Metric.SPEED_TO_ANSWER_SECONDS, 60) == 20


class TestExpiry:
    def test_a_wait_that_never_ends_is_given_up_after_the_limit_and_counted(self):
        floor = a_floor("c-1: queued 0", expires_after_seconds=600)
        assert value(floor, Metric.BACKLOG, 599) == 1
        assert value(floor, Metric.BACKLOG, 600) == 0
        assert floor.counters().queues[QUEUE].expired == 1
        assert floor.counters().queues[QUEUE].open == 0

    def test_a_handling_that_never_ends_is_given_up_after_the_limit(self):
        floor = a_floor("c-1: queued 0, answered 100", expires_after_seconds=600)
        assert value(floor, Metric.CONTACTS_IN_PROGRESS, 699) == 1
        assert value(floor, Metric.CONTACTS_IN_PROGRESS, 700) == 0
        assert floor.counters().queues[QUEUE].expired == 1

    def test_an_end_that_comes_after_all_counts(self):
        floor = a_floor("c-1: queued 0", expires_after_seconds=600)
        assert value(floor, Metric.BACKLOG, 700) == 0
        floor.apply(a_contact("answered", after(650)))
        assert value(floor, Metric.CONTACTS_IN_PROGRESS, 700) == 1
        assert value(floor, Metric.SPEED_TO_ANSWER_SECONDS, 700) == 650
        assert floor.counters().queues[QUEUE].expired == 1

    def test_a_contact_is_counted_as_expired_once(self):
        floor = a_floor("c-1: queued 0", expires_after_seconds=600)
        floor.counters()
        assert value(floor, Metric.BACKLOG, 600) == 0
        floor.apply(a_contact("answered", after(599)))
        assert value(floor, Metric.CONTACTS_IN_PROGRESS, 600) == 1
        assert value(floor, Metric.CONTACTS_IN_PROGRESS, 1199) == 0
        assert floor.counters().queues[QUEUE].expired == 1

    def test_a_wait_that_was_over_the_limit_before_it_was_heard_of_never_shows(self):
        floor = a_floor("", expires_after_seconds=600)
        floor.view(after(1000))
        floor.apply(a_contact("queued", after(0)))
        assert value(floor, Metric.BACKLOG, 1000) == 0


class TestForgetting:
    def test_a_late_event_of_a_forgotten_contact_is_counted_and_changes_nothing(self):
        floor = a_floor("c-1: queued 0, answered 5, completed 9", keep_seconds=60, expires_after_seconds=600)
        floor.view(after(9))
        assert value(floor, Metric.BACKLOG, 71) == 0
        floor.apply(a_contact("queued", after(0)))  # would wait again, were it not remembered by name
        assert value(floor, Metric.BACKLOG, 71) == 0
        assert floor.counters().queues[QUEUE].late == 1

    def test_memory_is_bounded(self):
        floor = Floor(keep_seconds=60, expires_after_seconds=600)
        for minute in range(60):
            for event in contacts(f"c-{minute}: queued {minute * 60}, answered {minute * 60 + 5}"):
                floor.apply(event)
            floor.view(after(minute * 60 + 59)).reading(QUEUE, Metric.BACKLOG)
        kept = floor._queues[QUEUE]._contacts
        assert len(kept._contacts) <= 13  # ten minutes in progress, then one in the windows
        assert len(kept._names) <= 11
        assert len(kept.windows._buckets) <= 2


def test_a_quiet_queue_of_a_living_source_is_as_known_as_the_source_is():
    floor = a_floor("c-1: queued 0")
    floor.apply(a_contact("queued", after(100), "d-1", queue="other"))
    assert read(floor, Metric.BACKLOG, 120).observed_at == after(100)
    floor.apply(an_observation("third", after(110), agents_staffed=1))  # a heartbeat
    reading = read(floor, Metric.BACKLOG, 120)
    assert reading.observed_at == after(110)
    assert reading.age_seconds(after(120)) == 10


def test_other_targets_judge_the_windows_anew():
    floor = a_floor(MORNING)
    assert value(floor, Metric.SERVICE_LEVEL_RATIO, 60) == 2 / 5
    floor.targets = {QUEUE: QueueTargets(service_level_seconds=40)}
    assert value(floor, Metric.SERVICE_LEVEL_RATIO, 60) == 3 / 5
    assert dict(floor.targets) == {QUEUE: QueueTargets(service_level_seconds=40)}


def test_a_window_longer_than_was_kept_says_how_much_it_covers_until_it_is_full():
    floor = a_floor("c-1: queued 0, answered 10", keep_seconds=60)
    assert value(floor, Metric.SPEED_TO_ANSWER_SECONDS, 30, 60) == 10
    assert read(floor, Metric.SPEED_TO_ANSWER_SECONDS, 30, 300).window_seconds == 60
    assert read(floor, Metric.SPEED_TO_ANSWER_SECONDS, 50, 300).window_seconds == 80
    assert read(floor, Metric.SPEED_TO_ANSWER_SECONDS, 1000, 300).window_seconds == 300


def test_what_was_never_reported_has_no_reading():
    floor = a_floor(MORNING)
    assert floor.view(after(0)).reading(QUEUE, Metric.AGENTS_STAFFED) is None
    assert floor.view(after(0)).reading("unheard-of", Metric.BACKLOG) is None
