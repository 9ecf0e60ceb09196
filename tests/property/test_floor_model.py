"""The floor against the plain reckoning of tests/support/floor_reference.py, step by step."""

from collections import defaultdict
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from app.core.floor.contact import ContactEvent, ContactEventKind
from app.core.floor.metric import Metric
from app.core.floor.state import Floor
from app.core.floor.targets import QueueTargets, ServiceLevelVariant
from tests.support.builders import NOW, a_contact, after
from tests.support.floor_reference import SECOND, Reference, micros

QUEUE = "orders-voice"
WINDOWS = (1, 30, 300)
GAUGES = (Metric.BACKLOG, Metric.OLDEST_WAIT_SECONDS, Metric.CONTACTS_IN_PROGRESS)
AVERAGES = (
    Metric.SERVICE_LEVEL_RATIO,
    Metric.SPEED_TO_ANSWER_SECONDS,
    Metric.HANDLE_TIME_SECONDS,
    Metric.ABANDONMENT_RATIO,
)
EXPIRES = 120.0

# Whole seconds, so that limits are met exactly; halves, so that they are met from between; and anything in between.
instants = (
    st.integers(0, 400)
    | st.integers(0, 800).map(lambda n: n / 2)
    | st.integers(0, 400_000_000).map(lambda n: n / SECOND)
)
events = st.builds(
    a_contact,
    st.sampled_from(list(ContactEventKind)),
    instants.map(after),
    st.sampled_from(["c-1", "c-2", "c-3", "c-4"]),
)
passing = st.sampled_from([0.25, 1.0, 1.0, 7.5, 60.0])
targets = st.builds(
    QueueTargets,
    service_level_seconds=st.sampled_from([0.0, 10.0, 20.5]),
    service_level_variant=st.sampled_from(list(ServiceLevelVariant)),
    short_abandon_seconds=st.sampled_from([0.0, 5.0]),
)


def assert_agrees(floor: Floor, heard: list[ContactEvent], now: float, queue_targets: QueueTargets) -> None:
    reference = Reference(heard, now, queue_targets, EXPIRES)
    view = floor.view(after(now))
    for metric in GAUGES + AVERAGES:
        for window in WINDOWS if metric in AVERAGES else (300,):
            reading = view.reading(QUEUE, metric, window)
            assert reading is not None
            assert (reading.value, reading.samples) == reference.reading(metric, window), (metric, window)
            assert reading.observed_at == max(event.at for event in heard)


@given(st.lists(events | events | events | passing | targets | st.just("again"), max_size=60))
def test_whatever_happens_in_whatever_order_the_floor_is_as_reckoned_anew(steps):
    floor, heard, now, queue_targets = Floor(expires_after_seconds=EXPIRES), [], 0.0, QueueTargets()
    for step in steps:
        match step:
            case ContactEvent():
                heard.append(step)
                floor.apply(step)
            case QueueTargets():
                queue_targets = step
                floor.targets = {QUEUE: step}
            case float():
                now += step
            case "again" if heard:
                floor.apply(heard[len(heard) // 2])
        if heard:
            assert_agrees(floor, heard, now, queue_targets)


@given(st.lists(events, min_size=1, max_size=30), targets, st.data())
def test_order_and_repetition_of_contact_events_never_change_the_result(heard, queue_targets, data):
    other_order = data.draw(st.permutations(heard + heard[::2]))
    results = []
    for order in (heard, other_order):
        floor = Floor({QUEUE: queue_targets}, expires_after_seconds=EXPIRES)
        for event in order:
            floor.apply(event)
        view = floor.view(after(300))
        readings = [view.reading(QUEUE, metric, window) for metric in Metric for window in WINDOWS]
        results.append((readings, floor.counters(), sorted(floor.drain_rollups(), key=str)))
    assert results[0] == results[1]


@given(st.lists(events, min_size=1, max_size=25), targets, st.sets(st.integers(0, 24)))
def test_all_that_history_gains_and_gives_back_adds_up_to_the_plain_reckoning(heard, queue_targets, drains):
    floor = Floor({QUEUE: queue_targets}, expires_after_seconds=EXPIRES)
    sums: dict[tuple[Metric, int], list[Fraction]] = defaultdict(lambda: [Fraction(0), Fraction(0)])

    def drain() -> None:
        for delta in floor.drain_rollups():
            bucket = sums[delta.metric, micros(delta.bucket_at)]
            bucket[0] += Fraction(delta.weight)
            bucket[1] += round(Fraction(delta.total) * SECOND)  # millionths, exact again

    for place, event in enumerate(heard):
        floor.apply(event)
        if place in drains:
            floor.view(after(place * 10))
            drain()
    floor.view(after(600))
    drain()
    reference = Reference(heard, 600, queue_targets, EXPIRES)
    for metric in AVERAGES:
        for minute in range(0, 600 * SECOND, 60 * SECOND):
            above, below = reference.fraction(metric, range(minute, minute + 60 * SECOND).__contains__, past=True)
            assert sums[metric, minute] == [below, above * SECOND], (metric, minute)


def test_the_reference_is_no_echo():
    """A spot check by hand, so that both cannot be wrong in the same way unnoticed."""
    heard = [a_contact("queued", NOW), a_contact("answered", after(12)), a_contact("queued", after(1), "c-2")]
    reference = Reference(heard, 30, QueueTargets(), EXPIRES)
    assert reference.reading(Metric.SERVICE_LEVEL_RATIO, 300) == (0.5, 2)
    assert reference.reading(Metric.SPEED_TO_ANSWER_SECONDS, 300) == (12, 1)
    assert reference.reading(Metric.OLDEST_WAIT_SECONDS, 300) == (29, None)
