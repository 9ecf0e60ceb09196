from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.floor.contact import ContactEventKind
from app.core.floor.observation import Observation
from app.core.simulation.campaign import Campaign
from app.core.simulation.plan import FloorPlan, Outage, QueuePlan, Shift
from app.core.simulation.randomness import Exponential, LogNormal
from app.core.simulation.rates import Rates
from app.core.simulation.simulation import Simulation
from tests.support.simulated import START, at, contact_events, seeded, stays

HOURS = 2

shifts = st.builds(
    lambda agents, start, length: Shift(agents, start, start + length),
    st.integers(0, 6),
    st.floats(-3600, 3600),
    st.floats(60, 7200),
)
queues = st.builds(
    QueuePlan,
    name=st.just("orders"),
    arrivals=st.builds(
        lambda rates: Rates(tuple(rates), HOURS * 3600 / len(rates)),
        st.lists(st.floats(0, 0.05), min_size=1, max_size=6),
    ),
    service=st.builds(LogNormal.of, st.floats(1, 600), st.floats(0, 2)) | st.builds(Exponential, st.floats(1, 600)),
    shifts=st.lists(shifts, max_size=3).map(tuple),
    wrap_up_seconds=st.sampled_from([0.0, 20.0]),
    patience_seconds=st.floats(1, 600),
    slots=st.integers(1, 3),
    redial_ratio=st.sampled_from([0.0, 0.4]),
    present_at_start=st.integers(0, 10),
)
outages = st.lists(
    st.builds(lambda start, length: Outage(start, start + length, ("orders",)), st.floats(0, 5000), st.floats(1, 3000)),
    max_size=2,
).map(tuple)
floors = st.builds(lambda queue, out: FloorPlan((queue,), out), queues, outages)
campaigns = st.builds(lambda per_1000: Campaign("spring", 20_000, per_1000, {"orders": 1.0}), st.floats(0, 3))
seeds = st.integers(0, 10_000)


@settings(max_examples=40, deadline=None)
@given(floor=floors, campaign=campaigns, seed=seeds, steps=st.lists(st.floats(0.0, 7200.0), max_size=12))
def test_the_steps_in_which_it_is_advanced_change_nothing(floor, campaign, seed, steps):
    def run(stops):
        simulation = Simulation(floor, START, seeded(seed))
        happened = []
        for stop in sorted([*stops, 1800.0]):
            happened += simulation.advance(at(stop))
            if stop == 1800.0:
                simulation.launch(campaign, at(1800))
        return happened + simulation.advance(at(HOURS * 3600))

    assert run([]) == run([step for step in steps if step != 1800.0])


@settings(max_examples=60, deadline=None)
@given(floor=floors, campaign=campaigns, seed=seeds)
def test_every_contact_ends_exactly_once_and_in_order(floor, campaign, seed):
    simulation = Simulation(floor, START, seeded(seed), observe_every_seconds=None)
    simulation.launch(campaign, START)
    for stay in stays(simulation.advance(at(100 * 3600))):
        assert (stay.answered is None) != (stay.abandoned is None)
        assert (stay.answered is None) == (stay.completed is None)
        assert stay.wait >= 0
        assert stay.completed is None or stay.completed >= stay.answered


@settings(max_examples=40, deadline=None)
@given(floor=floors, seed=seeds)
def test_no_agent_takes_a_contact_outside_the_shift_or_above_the_slots(floor, seed):
    (queue,) = floor.queues
    present = [shift for shift in queue.shifts for _ in range(shift.agents)]
    load: Counter[str] = Counter()
    simulation = Simulation(floor, START, seeded(seed), observe_every_seconds=None)
    for event in contact_events(simulation.advance(at(20 * 3600))):
        if event.event is ContactEventKind.ANSWERED:
            agent = str(event.agent)
            load[agent] += 1
            shift = present[int(agent[-2:]) - 1]
            assert at(shift.start - 1e-5) <= event.at <= at(shift.end + 1e-5)
            assert load[agent] <= queue.slots
        elif event.event is ContactEventKind.COMPLETED:
            load[str(event.agent)] -= 1


@settings(max_examples=25, deadline=None)
@given(floor=floors, seed=seeds)
def test_nobody_waits_while_an_agent_could_take_them(floor, seed):
    simulation = Simulation(floor, START, seeded(seed), observe_every_seconds=97.0)
    waiting: set[str] = set()
    for happened in simulation.advance(at(HOURS * 3600)):
        if isinstance(happened, Observation):
            assert not (waiting and happened.agents_available)
        elif happened.event is ContactEventKind.QUEUED:
            waiting.add(happened.contact_id)
        else:
            waiting.discard(happened.contact_id)
