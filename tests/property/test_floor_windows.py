"""Windows of contacts are sums, and windows of counts are covers, however they are fed and moved."""

from hypothesis import given
from hypothesis import strategies as st

from app.core.floor.counts import NOTHING, Field, amount, counts, signed
from app.core.floor.metric import Metric
from app.core.floor.observation import Observation
from app.core.floor.state import Floor
from app.core.floor.window import Windows
from tests.support.builders import NOW, after, an_observation
from tests.support.floor_reference import covered

LENGTHS = (1, 5, 60, 300)
KEEP = 300
amounts = st.dictionaries(st.sampled_from([field.name.lower() for field in Field]), st.integers(0, 10**15), max_size=4)
contributions = st.tuples(st.integers(0, 700), amounts.map(lambda given: counts(**given)))


@given(st.lists(st.dictionaries(st.sampled_from(list(Field)), st.integers(-(10**18), 10**18)), max_size=8))
def test_counts_add_and_take_back_every_field_exactly(items):
    total = NOTHING
    for item in items:
        total += counts(**{field.name.lower(): value for field, value in item.items()})
    expected = {field: sum(item.get(field, 0) for item in items) for field in Field}
    assert signed(total) == expected
    assert signed(-total) == {field: -value for field, value in expected.items()}
    if min(expected.values()) >= 0:
        assert {field: amount(total, field) for field in Field} == expected


@given(st.lists(contributions | st.integers(0, 400), max_size=60))
def test_moving_on_by_any_steps_equals_summing_anew(steps):
    windows, edge, added = Windows(KEEP), 0, []
    windows.advance(edge)
    for step in steps:
        if isinstance(step, int):
            edge += step
            windows.advance(edge)
        else:
            windows.add(*step)
            if step[0] > edge - KEEP:
                added.append(step)
        for length in LENGTHS:
            inside = (given for second, given in added if edge - length < second <= edge)
            assert windows.total(length) == sum(inside), length


@given(st.lists(contributions, max_size=30), st.lists(contributions, max_size=30), st.integers(0, 1000))
def test_merging_two_windows_equals_one(some, others, edge):
    one, other, both = Windows(KEEP), Windows(KEEP), Windows(KEEP)
    for windows, given_contributions in ((one, some), (other, others), (both, [*others, *some])):
        for second, given_counts in given_contributions:
            windows.add(second, given_counts)
        windows.advance(edge)
    for length in LENGTHS:
        assert one.total(length) + other.total(length) == both.total(length)


@given(st.lists(contributions, max_size=30), st.integers(0, 400), st.integers(0, 400))
def test_what_is_taken_back_leaves_no_trace(given_contributions, first, then):
    windows = Windows(KEEP)
    windows.advance(first)
    for second, given_counts in given_contributions:
        windows.add(second, given_counts)
    windows.advance(first + then)
    for second, given_counts in reversed(given_contributions):
        windows.add(second, -given_counts)
    assert [windows.total(length) for length in LENGTHS] == [NOTHING] * len(LENGTHS)


numbers = st.none() | st.integers(0, 50)
observations = st.lists(
    st.builds(
        an_observation,
        queue=st.sampled_from(["q-1", "q-2"]),
        observed_at=st.integers(0, 400).map(after),
        source=st.sampled_from(["a", "b"]),
        backlog=numbers,
        oldest_wait_seconds=st.none() | st.floats(0, 1000),
        agents_busy=numbers,
        agents_available=numbers,
        occupancy_ratio=st.none() | st.floats(0, 1),
        speed_to_answer_seconds=st.none() | st.floats(0, 100),
        service_level_ratio=st.none() | st.floats(0, 1),
        window_seconds=st.sampled_from([10, 60, 60, 300]),
        offered=numbers,
        answered=numbers,
        abandoned=numbers,
        answered_within_target=numbers,
        wait_seconds_sum=st.none() | st.floats(0, 1000),
    ),
    max_size=30,
    unique_by=lambda o: (o.queue, o.source, o.observed_at),
)


@given(observations, st.data())
def test_order_and_repetition_of_observations_never_change_the_result(heard, data):
    other_order = data.draw(st.permutations(heard + heard[::2]))
    results = []
    for order in (heard, other_order):
        floor = Floor()
        for observation in order:
            floor.apply(observation)
        view = floor.view(after(500))
        readings = [view.reading(q, metric, w) for q in ("q-1", "q-2") for metric in Metric for w in (60, 300)]
        results.append((readings, sorted(floor.drain_rollups(), key=str)))
    assert results[0] == results[1]


@given(observations, st.sampled_from([30, 60, 90, 300]))
def test_a_window_of_counts_is_the_plain_greedy_cover(heard, window):
    heard = [o for o in heard if o.queue == "q-1" and o.source == "a"]
    floor = Floor()
    for observation in heard:
        floor.apply(observation._replace(service_level_ratio=None))  # counts alone
    reading = floor.view(NOW).reading("q-1", Metric.SERVICE_LEVEL_RATIO, window)
    numerator, denominator, seconds = covered(heard, "answered_within_target", "offered", window)
    if reading is None:
        assert seconds == 0
        return
    expected = min(1.0, numerator / denominator) if denominator else None
    assert (reading.value, reading.samples, reading.window_seconds) == (expected, denominator, seconds)


def test_an_observations_fields_are_the_metrics_names():
    assert {metric.value for metric in Metric} <= set(Observation._fields)
