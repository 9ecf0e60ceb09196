"""Time alone moves no reading before the second that the floor foresees."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.core.floor.contact import ContactEventKind
from app.core.floor.metric import Metric
from app.core.floor.state import Floor
from app.core.floor.targets import QueueTargets
from tests.support.builders import NOW, a_contact, after, an_observation

SECOND = timedelta(seconds=1)
WINDOWS = (30.0, 300.0)
LIMITS = (40.0, 90.5)
INSTANTS = st.integers(0, 2 * 120).map(lambda halves: halves / 2)
EVENTS = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from(list(ContactEventKind)), INSTANTS), min_size=1, max_size=24
)


def readings(floor, now):
    """Return every reading at `now`; of the oldest wait only on which side of each limit it is."""
    view = floor.view(now)
    seen: dict[tuple[Metric, float], object] = {}
    for metric in Metric:
        for window in WINDOWS:
            reading = view.reading("orders-voice", metric, window)
            value = reading and reading.value
            if metric is Metric.OLDEST_WAIT_SECONDS and value is not None:
                seen[metric, window] = tuple((value > limit, value >= limit) for limit in LIMITS)
            else:
                seen[metric, window] = value, reading and reading.observed_at
    return seen


@given(EVENTS, st.integers(1, 60), st.booleans())
def test_no_reading_moves_before_the_second_that_was_foreseen(events, reach, observed):
    floor = Floor({"orders-voice": QueueTargets(service_level_seconds=20)}, expires_after_seconds=60)
    for contact_id, kind, at in events:
        floor.apply(a_contact(kind, after(at), contact_id))
    if observed:
        floor.apply(an_observation(observed_at=after(90), source="other", agents_available=2))
    now = after(120)
    before = readings(floor, now)
    while now < after(600):
        due_at = floor.next_change_at(now + reach * SECOND, LIMITS)
        assert now < due_at <= now + reach * SECOND
        assert due_at.microsecond == 0
        while now + SECOND < due_at:
            now += SECOND
            assert readings(floor, now) == before
        now = due_at
        before = readings(floor, now)


def test_nothing_is_foreseen_on_an_empty_floor():
    floor = Floor()
    floor.view(NOW)
    assert floor.next_change_at(after(10)) == after(10)


def test_a_contact_leaving_the_window_is_foreseen():
    floor = Floor()
    for kind, seconds in (("queued", 0), ("answered", 7), ("completed", 30)):
        floor.apply(a_contact(kind, after(seconds)))
    now = after(30)
    floor.view(now).reading("orders-voice", Metric.SPEED_TO_ANSWER_SECONDS, 300)
    assert floor.next_change_at(after(3000)) == after(300)
