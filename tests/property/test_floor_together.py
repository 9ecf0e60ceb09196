"""Records taken in together leave the floor that the same records leave one by one."""

from datetime import datetime
from typing import Any, NamedTuple

from hypothesis import example, given
from hypothesis import strategies as st

from app.core.floor.contact import ContactEvent, ContactEventKind
from app.core.floor.metric import Metric
from app.core.floor.observation import Observation
from app.core.floor.state import Floor
from app.core.floor.targets import QueueTargets, ServiceLevelVariant
from tests.support.builders import a_contact, after

QUEUES, SOURCES = ("orders", "claims"), ("acd-1", "acd-2")
WINDOWS = (60.0, 300.0)
TARGETS = {"orders": QueueTargets(service_level_variant=ServiceLevelVariant.ANSWERED)}


class Record(NamedTuple):
    payload: Observation | ContactEvent
    received_at: datetime


# So few instants that some come twice, in several minutes, early ones out of reach of what is kept.
instants = st.sampled_from([-9000.0, -61.0, -60.0, -30.0, -2.0, -1.0, -0.5, 0.0, 1.0, 20.0, 59.999, 60.0, 61.0, 119.0])
few = st.none() | st.integers(0, 5)
ratios = st.none() | st.sampled_from([0.0, 0.25, 1.0])
gauges = {
    "backlog": few,
    "oldest_wait_seconds": st.none() | st.sampled_from([0.0, 7.5, 94.3]),
    "agents_available": few,
    "agents_busy": few,
    "occupancy_ratio": ratios,
    "service_level_ratio": ratios,
    "speed_to_answer_seconds": ratios,
}
counts = {
    "window_seconds": st.sampled_from([15.0, 60.0, 300.0]),
    "offered": few,
    "answered": few,
    "abandoned": few,
    "answered_within_target": few,
    "wait_seconds_sum": st.none() | st.sampled_from([0.0, 31.7]),
    "handle_seconds_sum": st.none() | st.sampled_from([0.0, 420.5]),
}
named = {"queue": st.sampled_from(QUEUES), "observed_at": instants.map(after), "source": st.sampled_from(SOURCES)}
measured: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries({**named, **gauges}) | st.fixed_dictionaries(
    {**named, **gauges, **counts}
)
observations = measured.map(lambda fields: Observation(**fields))


def a_window(until: float) -> Observation:
    """Return what one source counted in the five minutes before an instant."""
    return Observation("claims", after(until), "acd-1", window_seconds=300.0, offered=30)


contacts = st.builds(
    a_contact,
    st.sampled_from(list(ContactEventKind)),
    instants.map(after),
    st.sampled_from(["c-1", "c-2"]),
    st.sampled_from(QUEUES),
)


def batches(payloads):
    """Return lists of records, as drawn or in the order of their instants; some were dated later than received."""
    records = st.builds(Record, payloads, st.sampled_from([after(0), after(30), after(200)]))
    drawn = st.lists(records, min_size=1, max_size=25)
    return drawn | drawn.map(lambda batch: sorted(batch, key=lambda record: dated(record.payload)))


@st.composite
def runs(draw):
    """Return records of what sources say of queues again and again: mostly in order, all of one source or in turn."""
    batch = []
    for queue, source in draw(
        st.lists(st.sampled_from([("orders", "acd-1"), ("claims", "acd-2")]), min_size=1, max_size=3)
    ):
        start, step = (
            draw(st.sampled_from([-61.0, 0.0, 20.0, 57.0])),
            draw(st.sampled_from([1.0, 0.25, 20.0, 1.0, 0.0, -1.0])),
        )
        said = draw(st.lists(measured, min_size=4, max_size=6))
        told = {"queue": queue, "source": source}
        ats = [after(start + step * place) for place in range(len(said))]
        batch += [Observation(**{**one, **told, "observed_at": at}) for one, at in zip(said, ats, strict=True)]
    received_at = draw(st.sampled_from([after(30), after(200)]))
    in_turn = batch[::2] + batch[1::2] if draw(st.booleans()) else batch
    return [Record(observation, received_at) for observation in in_turn]


def dated(payload: Observation | ContactEvent) -> datetime:
    return payload.observed_at if isinstance(payload, Observation) else payload.at


def seen(floor: Floor, at: datetime) -> dict[str, object]:
    """Return all that a floor tells at an instant, and what its history gained."""
    view = floor.view(at)
    return {
        "readings": [
            view.reading(queue, metric, window) for queue in QUEUES for metric in Metric for window in WINDOWS
        ],
        "heard": [view.last_heard_at(queue) for queue in QUEUES],
        "queues": view.queues(),
        "known": floor.known(),
        "counters": floor.counters(),
        "next": floor.next_change_at(after(10_000), [20.0]),
        "rollups": sorted(floor.drain_rollups()),
        "flows": sorted(floor.drain_flows()),
    }


@given(st.lists(runs() | runs() | batches(observations) | batches(observations | contacts), max_size=5))
def test_records_taken_in_together_leave_the_same_floor_as_one_by_one(drawn):
    together, one_by_one = Floor(TARGETS), Floor(TARGETS)
    for number, batch in enumerate(drawn):
        together.apply_all(*zip(*batch, strict=True))
        for record in batch:
            one_by_one.apply(*record)
        assert seen(together, after(200 + number)) == seen(one_by_one, after(200 + number))


@given(batches(observations), st.integers(600, 700))
def test_however_many_come_together_none_is_lost_to_history(batch, copies):
    together, one_by_one = Floor(TARGETS), Floor(TARGETS)
    many = [
        Record(record.payload._replace(source=f"acd-{number // 60}", observed_at=after(number % 60)), after(200))
        for number, record in enumerate((batch * copies)[:copies])
    ]
    together.apply_all(*zip(*many, strict=True))
    for record in many:
        one_by_one.apply(*record)
    assert sorted(together.drain_rollups()) == sorted(one_by_one.drain_rollups())


@given(st.lists(batches(observations) | batches(observations | contacts), min_size=2, max_size=4))
@example([[Record(counted, after(200))] for counted in (a_window(0), a_window(60))])
def test_what_is_written_down_already_is_forgotten_as_if_it_were_drained(drawn):
    drained, forgotten = Floor(TARGETS), Floor(TARGETS)
    for number, batch in enumerate(drawn):
        for floor in (drained, forgotten):
            floor.apply_all(*zip(*batch, strict=True))
        if number % 2 == 0:
            list(drained.drain_rollups())
            list(drained.drain_flows())
            forgotten.forget_gains()
        assert seen(forgotten, after(200 + number)) == seen(drained, after(200 + number))
