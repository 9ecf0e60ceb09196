"""What history gains: (weight, total) per metric and minute, and what is taken back."""

from collections import defaultdict

from app.core.floor.metric import Metric
from app.core.floor.state import Floor
from app.core.floor.targets import QueueTargets, ServiceLevelVariant
from tests.support.builders import NOW, a_contact, after, an_observation, contacts

QUEUE = "orders-voice"


def fed(*payloads, **settings) -> Floor:
    floor = Floor(**settings)
    for payload in payloads:
        floor.apply(payload)
    return floor


def drained(floor: Floor) -> dict[tuple[Metric, float], tuple[float, float]]:
    sums: dict[tuple[Metric, float], tuple[float, float]] = defaultdict(lambda: (0, 0))
    for delta in floor.drain_rollups():
        key = (delta.metric, (delta.bucket_at - NOW).total_seconds())
        sums[key] = (sums[key][0] + delta.weight, sums[key][1] + delta.total)
    return dict(sums)


def test_each_observed_gauge_is_one_reading_with_lowest_highest_and_last():
    floor = fed(*(an_observation(observed_at=after(at), backlog=backlog) for at, backlog in ((0, 3), (20, 9), (10, 1))))
    (delta,) = floor.drain_rollups()
    assert (delta.queue, delta.metric, delta.bucket_at) == (QUEUE, Metric.BACKLOG, NOW)
    assert (delta.weight, delta.total) == (3, 13)
    assert (delta.minimum, delta.maximum, delta.last, delta.last_at) == (1, 9, 9, after(20))


def test_draining_clears_and_late_data_goes_to_its_own_minute():
    floor = fed(an_observation(observed_at=after(130), backlog=1))
    assert drained(floor) == {(Metric.BACKLOG, 120): (1, 1)}
    assert drained(floor) == {}
    floor.apply(an_observation(observed_at=after(5), backlog=4))
    assert drained(floor) == {(Metric.BACKLOG, 0): (1, 4)}


def test_a_repeated_observation_is_not_counted_twice():
    assert drained(fed(an_observation(backlog=4), an_observation(backlog=4))) == {(Metric.BACKLOG, 0): (1, 4)}


def test_counts_bring_numerator_and_denominator_and_no_extremes():
    floor = fed(
        an_observation(
            window_seconds=60,
            offered=12,
            answered=9,
            abandoned=3,
            answered_within_target=6,
            wait_seconds_sum=81.5,
            handle_seconds_sum=900.0,
            speed_to_answer_seconds=99.0,
        )
    )
    deltas = {delta.metric: delta for delta in floor.drain_rollups()}
    assert {metric: (delta.weight, delta.total) for metric, delta in deltas.items()} == {
        Metric.SERVICE_LEVEL_RATIO: (12, 6),
        Metric.ABANDONMENT_RATIO: (12, 3),
        Metric.SPEED_TO_ANSWER_SECONDS: (9, 81.5),
        Metric.HANDLE_TIME_SECONDS: (9, 900),
    }
    assert all(delta.minimum is delta.maximum is delta.last is None for delta in deltas.values())


def test_ready_made_averages_and_derived_occupancy_are_readings():
    floor = fed(an_observation(speed_to_answer_seconds=30.25, agents_busy=3, agents_available=1))
    sums = drained(floor)
    assert sums[Metric.SPEED_TO_ANSWER_SECONDS, 0] == (1, 30.25)
    assert sums[Metric.OCCUPANCY_RATIO, 0] == (1, 0.75)


def test_contacts_count_in_the_minute_it_happened_and_the_service_level_when_queued():
    floor = fed(*contacts("c-1: queued 50, answered 65, completed 130\nc-2: queued 55, abandoned 185\nc-3: queued 58"))
    assert drained(floor) == {
        (Metric.SERVICE_LEVEL_RATIO, 0): (2, 1),  # c-3 still waits: not judged
        (Metric.SPEED_TO_ANSWER_SECONDS, 60): (1, 15),
        (Metric.ABANDONMENT_RATIO, 60): (1, 0),
        (Metric.HANDLE_TIME_SECONDS, 120): (1, 65),
        (Metric.ABANDONMENT_RATIO, 180): (1, 1),
    }


def test_what_a_contact_brought_is_taken_back_when_more_becomes_known():
    floor = fed(*contacts("c-1: queued 0, abandoned 40"))
    drained(floor)
    floor.apply(a_contact("answered", after(30)))
    assert drained(floor) == {
        (Metric.ABANDONMENT_RATIO, 0): (0, -1),  # still one wait that ended in this minute, but not given up
        (Metric.SPEED_TO_ANSWER_SECONDS, 0): (1, 30),
        (Metric.HANDLE_TIME_SECONDS, 0): (1, 10),
    }


def test_an_expired_wait_goes_into_history_as_missed():
    floor = fed(*contacts("c-1: queued 0"), expires_after_seconds=600)
    floor.view(after(599))
    assert drained(floor) == {}
    floor.view(after(600))
    assert drained(floor) == {(Metric.SERVICE_LEVEL_RATIO, 0): (1, 0)}


def test_history_keeps_what_was_judged_by_the_targets_before():
    floor = fed(*contacts("c-1: queued 0, answered 30\nc-2: queued 0, abandoned 9"))
    floor.targets = {
        QUEUE: QueueTargets(service_level_seconds=60, service_level_variant=ServiceLevelVariant.LESS_ABANDONS)
    }
    for event in contacts("c-3: queued 60, answered 90\nc-4: queued 60, abandoned 69"):
        floor.apply(event)
    sums = drained(floor)
    assert sums[Metric.SERVICE_LEVEL_RATIO, 0] == (2, 0)
    assert sums[Metric.SERVICE_LEVEL_RATIO, 60] == (1, 1)


class TestSampling:
    def test_adds_the_gauges_that_contacts_give(self):
        floor = fed(*contacts("c-1: queued 0\nc-2: queued 10\nc-3: queued 5, answered 10"))
        floor.sample(after(70))
        sums = drained(floor)
        assert sums[Metric.BACKLOG, 60] == (1, 2)
        assert sums[Metric.OLDEST_WAIT_SECONDS, 60] == (1, 70)
        assert sums[Metric.CONTACTS_IN_PROGRESS, 60] == (1, 1)

    def test_leaves_a_gap_while_the_source_is_silent(self):
        floor = fed(*contacts("c-1: queued 0"))
        floor.sample(after(10))
        floor.sample(after(20))
        assert drained(floor)[Metric.BACKLOG, 0] == (1, 1)
        floor.apply(an_observation("another", after(25), agents_staffed=1))
        floor.sample(after(30))
        assert drained(floor)[Metric.BACKLOG, 0] == (1, 1)

    def test_adds_nothing_for_queues_without_contacts(self):
        floor = fed(an_observation(backlog=1))
        drained(floor)
        floor.sample(after(10))
        assert drained(floor) == {}


def test_many_observations_of_one_minute_add_up_exactly_and_the_newest_is_last():
    newest_first = [an_observation(observed_at=after(n / 100), oldest_wait_seconds=n / 10) for n in range(1999, -1, -1)]
    (delta,) = fed(*newest_first).drain_rollups()
    assert (delta.weight, delta.total) == (2000, 199_900)
    assert (delta.minimum, delta.maximum, delta.last, delta.last_at) == (0, 199.9, 199.9, after(19.99))
