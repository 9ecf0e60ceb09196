"""What came in and went out, per queue and minute."""

import random
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.floor.flow import FlowDelta, Spans
from app.core.floor.state import Floor
from app.core.floor.targets import QueueTargets
from tests.support.builders import NOW, a_contact, after, an_observation, contacts

QUEUE = "orders-voice"
SUMS = FlowDelta._fields[2:]


def fed(*payloads, **settings) -> Floor:
    floor = Floor(**settings)
    for payload in payloads:
        floor.apply(payload)
    return floor


def drained(floor: Floor) -> dict[int, dict[str, float]]:
    """Return what is not zero of every minute, by its number after NOW; minutes that were only lived through: {}."""
    found: dict[int, dict[str, float]] = {}
    for delta in floor.drain_flows():
        assert delta.queue == QUEUE
        sums = {name: value for name, value in zip(SUMS, delta[2:], strict=True) if value}
        found[round((delta.bucket_at - NOW).total_seconds()) // 60] = sums
    return found


def counted(at: float, window: float, offered: int | None, **fields):
    return an_observation(QUEUE, after(at), window_seconds=window, offered=offered, backlog=0, **fields)


def test_each_contact_counts_when_it_came_and_when_it_was_dealt_with():
    floor = fed(*contacts("c-1: queued 50, answered 65, completed 130\nc-2: queued 55, abandoned 185\nc-3: queued 58"))
    assert drained(floor) == {
        0: {"offered": 3},
        1: {"answered": 1, "wait_seconds": 15},
        2: {"handled": 1, "handle_seconds": 65},
        3: {"abandoned": 1, "wait_seconds": 130},
    }
    assert drained(floor) == {}


def test_short_abandons_are_told_apart_and_their_waits_left_out():
    floor = Floor()
    floor.targets = {QUEUE: QueueTargets(short_abandon_seconds=5)}
    for event in contacts("c-1: queued 58, abandoned 62\nc-2: queued 0, abandoned 30"):
        floor.apply(event)
    assert drained(floor) == {0: {"offered": 2, "abandoned_short": 1, "abandoned": 1, "wait_seconds": 30}}


def test_who_gave_up_at_once_is_told_apart_from_who_waited():
    floor = fed(*contacts("c-1: queued 0, abandoned 5\nc-2: queued 0, abandoned 6"))
    assert drained(floor) == {0: {"offered": 2, "abandoned": 2, "abandoned_at_once": 1, "wait_seconds": 11}}


def test_what_a_contact_brought_is_taken_back_when_more_becomes_known():
    floor = fed(*contacts("c-1: queued 0, abandoned 100"))
    drained(floor)
    floor.apply(a_contact("answered", after(30)))
    assert drained(floor) == {
        0: {"answered": 1, "wait_seconds": 30},
        1: {"abandoned": -1, "wait_seconds": -100, "handled": 1, "handle_seconds": 70},
    }


def test_contacts_give_the_same_in_any_order_and_however_often_they_are_told():
    events = contacts("c-1: queued 50, answered 65, completed 130\nc-2: queued 55, abandoned 185\nc-3: queued 61")
    shuffled = random.Random(4).sample(events * 2, len(events) * 2)
    floor = Floor()
    totals: dict[tuple[int, str], float] = defaultdict(float)
    for event in shuffled:
        floor.apply(event)
        for minute, sums in drained(floor).items():
            for name, value in sums.items():
                totals[minute, name] += value
    expected = {(minute, name): value for minute, sums in drained(fed(*events)).items() for name, value in sums.items()}
    assert {key: value for key, value in totals.items() if value} == expected


def test_minutes_that_the_source_lived_through_without_a_contact_are_noted():
    floor = fed(*contacts("c-1: queued 10"))
    drained(floor)
    floor.sample(after(30))
    assert drained(floor) == {0: {}}
    floor.apply(an_observation(QUEUE, after(200), agents_staffed=4))
    floor.sample(after(205))
    assert drained(floor) == {3: {}}
    floor.sample(after(300))
    assert drained(floor) == {}


class TestCounts:
    def test_a_window_is_spread_over_the_minutes_it_covers(self):
        floor = fed(counted(120, 90, 30, answered=18, abandoned=3, handle_seconds_sum=3600.0))
        third = {"offered": 10, "answered": 6, "abandoned": 1, "handled": 6, "handle_seconds": 1200}
        assert drained(floor) == {
            0: {"counted_seconds": 30} | third,
            1: {"counted_seconds": 60} | {name: 2 * value for name, value in third.items()},
        }

    def test_windows_that_follow_each_other_add_up(self):
        floor = fed(counted(60, 60, 5), counted(120, 60, 7), counted(180, 60, 0))
        assert drained(floor) == {
            0: {"counted_seconds": 60, "offered": 5},
            1: {"counted_seconds": 60, "offered": 7},
            2: {"counted_seconds": 60},
        }

    def test_a_rolling_window_counts_each_contact_once(self):
        floor = fed(*(counted(at, 300, 20) for at in range(300, 901, 15)))
        found = drained(floor)
        assert sorted(found) == list(range(15))
        assert [sums["counted_seconds"] for sums in found.values()] == [60] * 15
        assert [sums["offered"] for sums in found.values()] == pytest.approx([4] * 15)

    def test_without_offered_it_is_those_answered_and_those_who_gave_up(self):
        assert drained(fed(counted(60, 60, None, answered=4, abandoned=2)))[0]["offered"] == 6
        assert drained(fed(counted(60, 60, None, answered=4))) == {}

    def test_two_sources_of_one_queue_are_counted_with_the_seconds_of_both(self):
        floor = fed(counted(60, 60, 6), counted(60, 60, 8)._replace(source="acd-2"))
        assert drained(floor) == {0: {"counted_seconds": 120, "offered": 14}}

    def test_what_comes_late_fills_what_was_not_covered(self):
        floor = fed(counted(300, 60, 6))
        drained(floor)
        floor.apply(counted(120, 120, 8))
        assert drained(floor) == {
            0: {"counted_seconds": 60, "offered": 4},
            1: {"counted_seconds": 60, "offered": 4},
        }
        floor.apply(counted(110, 60, 8))
        assert drained(floor) == {}

    def test_a_queue_whose_contacts_are_followed_takes_nothing_from_counts(self):
        floor = fed(*contacts("c-1: queued 10"), counted(60, 60, 9))
        assert drained(floor) == {0: {"offered": 1}}

    def test_until_the_contacts_have_long_stopped(self):
        floor = fed(*contacts("c-1: queued 10"), counted(1200, 60, 9), expires_after_seconds=600)
        assert drained(floor)[19] == {"counted_seconds": 60, "offered": 9}

    def test_gauges_alone_are_no_flow(self):
        assert drained(fed(an_observation(QUEUE, backlog=3, window_seconds=60))) == {}


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=30))
def test_every_instant_is_taken_once_and_every_instant_asked_for_is_taken(asked):
    spans = Spans()
    taken: list[int] = []
    for start, length in asked:
        for begins, ends in spans.take(start, start + length):
            taken += range(begins, ends)
    wanted = {instant for start, length in asked for instant in range(start, start + length)}
    assert sorted(taken) == sorted(wanted)
    assert len(taken) == len(set(taken))
