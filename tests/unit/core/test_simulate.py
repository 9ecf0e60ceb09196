import time
from collections import Counter
from datetime import timedelta

import pytest

from app.core.floor.contact import ContactEventKind
from app.core.floor.observation import Observation
from app.core.simulation.plan import Break, FloorPlan, Outage, QueuePlan, Shift
from app.core.simulation.randomness import Exponential, LogNormal
from app.core.simulation.rates import Rates
from app.core.simulation.simulation import Simulation
from tests.support.simulated import START, a_queue, a_simulation, at, contact_events, seeded, stays


def busy_floor(seed=1, observe=15.0):
    return a_simulation(
        a_queue(per_hour=120, agents=7, service=LogNormal.of(200, 1.0), patience_seconds=120, wrap_up_seconds=10),
        a_queue("chat", channel="chat", per_hour=60, agents=4, slots=3, service=LogNormal.of(600, 0.8)),
        seed=seed,
        observe=observe,
    )


def test_the_same_seed_gives_the_same_day_and_another_seed_another_one():
    days = [busy_floor(seed).advance(at(7200)) for seed in (1, 1, 2)]
    assert days[0] == days[1]
    assert days[0] != days[2]


def test_what_happens_comes_in_order_of_time_and_not_after_the_instant_asked_for():
    simulation = busy_floor()
    happened = simulation.advance(at(3600))
    instants = [each.at if not isinstance(each, Observation) else each.observed_at for each in happened]
    assert instants == sorted(instants)
    assert instants[-1] <= at(3600)
    assert simulation.now == at(3600)
    assert simulation.advance(at(1800)) == []
    assert simulation.now == at(3600)


def test_contacts_are_answered_first_come_first_served():
    day = stays(a_simulation(a_queue(per_hour=100, agents=4, patience_seconds=100)).advance(at(8 * 3600)))
    answered = [stay.answered for stay in day if stay.answered is not None]
    assert len(answered) > 500
    assert answered == sorted(answered)


def test_an_agent_never_handles_more_contacts_at_once_than_there_are_slots_and_uses_them_all():
    most: Counter[str] = Counter()
    now: Counter[str] = Counter()
    plan = a_queue("chat", per_hour=40, agents=3, slots=3, service=LogNormal.of(720, 0.5))
    for event in contact_events(a_simulation(plan).advance(at(8 * 3600))):
        if event.event is ContactEventKind.ANSWERED:
            now[str(event.agent)] += 1
            most |= now
        elif event.event is ContactEventKind.COMPLETED:
            now[str(event.agent)] -= 1
    assert set(most.values()) == {3}


def test_the_agent_idle_for_longest_takes_the_next_contact():
    idle = ["orders-01", "orders-02", "orders-03"]
    plan = a_queue(per_hour=30, agents=3, service=Exponential(120))
    answers = 0
    for event in contact_events(a_simulation(plan).advance(at(20 * 3600))):
        if event.event is ContactEventKind.ANSWERED:
            assert event.agent == idle.pop(0)
            answers += 1
        elif event.event is ContactEventKind.COMPLETED:
            idle.append(str(event.agent))
    assert answers > 400


def test_who_leaves_finishes_the_contact_in_hand_and_takes_no_other():
    plan = a_queue(per_hour=200, shifts=(Shift(5, 0, 3600),), service=Exponential(300), patience_seconds=60)
    simulation = a_simulation(plan, observe=60)
    day = simulation.advance(at(3 * 3600))
    done = [stay for stay in stays(day) if stay.answered is not None]
    assert max(stay.answered for stay in done) <= 3600
    assert max(stay.completed for stay in done) > 3600
    seen = {o.observed_at: o for o in day if isinstance(o, Observation)}
    assert seen[at(3540)].agents_staffed == 5
    after = seen[at(3660)]
    assert (after.agents_staffed, after.agents_available) == (after.agents_busy, 0)
    assert after.agents_busy
    assert seen[at(3 * 3600)].agents_staffed == 0


def test_a_break_takes_people_away_in_turn_and_gives_them_back():
    shift = Shift(4, 0, 7200, breaks=(Break(600, 1200, 2), Break(1200, 1800, 2)))
    day = a_simulation(a_queue(shifts=(shift,)), observe=300).advance(at(2400))
    assert [o.agents_available for o in day if isinstance(o, Observation)] == [4, 2, 2, 2, 2, 4, 4, 4]


def test_an_outage_stops_answers_while_contacts_keep_arriving():
    plan = a_queue(per_hour=120, agents=8)
    outage = Outage(1800, 2700, ("orders",))
    day = stays(a_simulation(plan, outages=(outage,)).advance(at(3600)))
    assert sum(1 for stay in day if 1800 <= stay.queued < 2700) > 15
    assert not [stay for stay in day if stay.answered is not None and 1800 <= stay.answered < 2700]
    assert [stay for stay in day if stay.answered == 2700]


def test_shifts_and_arrivals_come_again_each_day_also_those_that_began_before_the_simulation():
    rates = Rates.through(((0, 60), (3600, 60), (7200, 0)), length_seconds=86400)
    plan = QueuePlan("orders", rates, Exponential(60), (Shift(3, -1800, 7200),), patience_seconds=60)
    simulation = Simulation(FloorPlan((plan,), repeats_every_seconds=86400), START, seeded(1))
    days = simulation.advance(at(4 * 86400 - 1))
    per_day = Counter(int(stay.queued // 86400) for stay in stays(days))
    assert set(per_day) == {0, 1, 2, 3}
    assert min(per_day.values()) > 60
    staffed = {(o.observed_at - START).total_seconds(): o.agents_staffed for o in days if isinstance(o, Observation)}
    assert [staffed[t] for t in (60, 7185, 8400, 86400 - 1815, 86400 - 1785, 86400 + 60, 93600 + 1800)] == [
        3, 3, 0, 0, 3, 3, 0,
    ]  # fmt: skip


def test_a_share_of_those_who_gave_up_calls_again():
    plan = a_queue(per_hour=600, hours=8, agents=0, patience_seconds=60, redial_ratio=0.3, redial_delay_seconds=600)
    day = stays(a_simulation(plan).advance(at(60 * 3600)))
    again = sum(1 for stay in day if stay.contact_id.endswith("-again"))
    assert again / len(day) == pytest.approx(0.3, abs=0.02)


def test_the_acd_reports_every_queues_agents_at_its_interval():
    observations = [o for o in busy_floor().advance(at(60)) if isinstance(o, Observation)]
    assert [(o.queue, o.observed_at) for o in observations] == [
        (queue, at(seconds)) for seconds in (15, 30, 45, 60) for queue in ("orders", "chat")
    ]
    assert all(o.agents_staffed == (7 if o.queue == "orders" else 4) for o in observations)


def test_contacts_present_at_the_start_are_served_or_wait():
    plan = a_queue(agents=3, present_at_start=5)
    first = stays(a_simulation(plan).advance(START))
    assert [stay.answered for stay in first] == [0, 0, 0, None, None]


def test_a_day_of_two_thousand_contacts_takes_a_moment():
    def one_day() -> float:
        began = time.process_time()
        plan = a_queue(per_hour=250, hours=8, agents=25, service=LogNormal.of(300, 1.0), patience_seconds=180)
        happened = a_simulation(plan, observe=15).advance(START + timedelta(hours=10))
        assert len(happened) > 6000
        return time.process_time() - began

    assert min(one_day() for _ in range(10)) < 0.5


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: FloorPlan(()), "queues with different names"),
        (lambda: FloorPlan((a_queue(), a_queue())), "queues with different names"),
        (lambda: FloorPlan((a_queue(),), (Outage(0, 1, ("billing",)),)), "billing"),
        (lambda: Shift(3, 10, 10), "start < end"),
        (lambda: Shift(3, 0, 10, (Break(0, 5, 4),)), "no more people"),
        (lambda: Outage(5, 5, ()), "start < end"),
        (lambda: a_queue(slots=0), "slots"),
        (lambda: a_queue(patience_seconds=0), "patience_seconds"),
        (lambda: Exponential(0), "mean_seconds"),
        (lambda: LogNormal.of(-1, 1), "mean_seconds"),
        (lambda: Rates(()), "per_second"),
        (lambda: Rates((1.0, -1.0)), "per_second"),
        (lambda: Rates((1.0,), 0), "step_seconds"),
        (lambda: Rates.through(((60, 1), (60, 2)), length_seconds=120), "order of time"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_in_words(build, words):
    with pytest.raises(ValueError, match=words):
        build()
