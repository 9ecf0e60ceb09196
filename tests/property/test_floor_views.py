"""A floor that is looked at again and again shows what one shows that is looked at once, and tells where it changed."""

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from app.core.floor.contact import ContactEvent
from app.core.floor.metric import Metric
from app.core.floor.observation import Observation
from app.core.floor.state import Floor, View, changes
from app.core.floor.targets import QueueTargets, ServiceLevelVariant
from app.core.floor.view import Reading
from tests.property.test_floor_together import QUEUES, WINDOWS, contacts, observations
from tests.support.builders import NOW, after, an_observation

Payload = Observation | ContactEvent
TARGETS: tuple[dict[str, QueueTargets], ...] = (
    {},
    {"orders": QueueTargets(service_level_variant=ServiceLevelVariant.ANSWERED)},
    {"orders": QueueTargets(retired_at=after(20))},
)
steps = st.tuples(
    st.lists(observations | observations | contacts, max_size=3),
    st.integers(0, 60),
    st.sampled_from([None] * 6 + [0, 1, 2]),
)


def shown(view: View) -> dict[tuple[str, Metric, float], Reading | None]:
    return {
        (queue, m, window): view.reading(queue, m, window) for queue in QUEUES for m in Metric for window in WINDOWS
    }


def looked_at_once(payloads: list[Payload], targets: int, now: datetime) -> tuple[Floor, View]:
    floor = Floor(TARGETS[targets])
    for payload in payloads:
        floor.apply(payload, now)
    return floor, floor.view(now)


@given(st.lists(steps, min_size=1, max_size=10))
def test_a_view_that_keeps_readings_of_the_last_one_shows_the_same(course):
    floor, came, targets, seconds = Floor(), list[Payload](), 0, 130
    before = floor.view(after(seconds))
    was = shown(before)
    for payloads, waited, new_targets in course:
        seconds += waited
        now = after(seconds)
        if waited % 2:
            floor.apply_all(payloads, [now] * len(payloads))
        else:
            for payload in payloads:
                floor.apply(payload, now)
        came += payloads
        if new_targets is not None:
            targets = new_targets
            floor.targets = TARGETS[targets]
        view, (once, expected) = floor.view(now), looked_at_once(came, targets, now)
        assert view.queues() == expected.queues()
        assert shown(view) == shown(expected)
        if waited % 3:
            assert floor.known() == once.known()
        changed = changes(before, view)
        assert changed is not None
        is_now = shown(view)
        assert {key[0] for key in is_now if is_now[key] != was[key]} <= set(changed)
        before, was = view, is_now


def test_only_two_views_in_a_row_of_one_floor_tell_what_changed():
    floor = Floor()
    floor.apply(an_observation("orders"))
    first = floor.view(NOW)
    floor.apply(an_observation("claims"))
    second, third = floor.view(NOW), floor.view(NOW)
    assert changes(first, second) == {"claims"}
    assert changes(second, third) == frozenset()
    assert changes(first, third) is None
    assert changes(first, first) is None
    assert changes(first, Floor().view(NOW)) is None


def test_the_names_are_the_very_same_until_a_queue_comes():
    floor = Floor()
    floor.apply(an_observation("orders"))
    first = floor.view(NOW).queues()
    floor.apply(an_observation("orders", after(1)))
    assert floor.view(NOW).queues() is first
    floor.apply(an_observation("claims"))
    assert floor.view(NOW).queues() == ("claims", "orders")
