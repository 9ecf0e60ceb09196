import pickle
from dataclasses import replace

import numpy as np
import pytest

from app.core.floor.metric import Metric
from app.core.forecast.breach import probabilities
from app.core.forecast.case import Case, Rate
from app.core.forecast.extra_agents import extra_agents
from app.core.forecast.limits import OutlookLimits
from app.core.forecast.plan import plan
from app.core.forecast.safe import Bound, safe_for_each, safe_now
from app.core.forecast.scenario import Scenario
from app.core.forecast.search import _Search, tolerance
from app.core.forecast.soundness import CaseRefused
from app.core.forecast.uncertainty import MEAN, NINE
from app.core.forecast.waves import equal_waves, greedy_waves, spread
from app.core.forecast.windows_ahead import next_safe_window
from tests.support.cases import a_case, a_queue_case

HOUR = OutlookLimits(service_level_ratio=0.8, horizon_minutes=60)
ALLOWED = HOUR.max_breach_probability


def a_small_queue(queue="orders-voice", minutes=60, agents=8, base_per_minute=1.0, busy=5, **fields):
    return a_queue_case(queue, minutes=minutes, agents=agents, base_per_minute=base_per_minute, busy=busy, **fields)


def a_small_case(limits=HOUR, minutes=60, rate=Rate(10.0, 0.25), **fields):  # noqa: B008 - a frozen value
    return a_case(a_small_queue(minutes=minutes, **fields), limits=limits, minutes=minutes, rate=rate)


def probability(case, *sends):
    return float(probabilities(case, case.sends(*sends)[None])[0])


# --- how much now -----------------------------------------------------------------------------------------------------


def test_the_safe_send_is_safe_and_a_little_more_is_not():
    case = a_small_case()
    found = safe_now(case, 100_000)
    assert found.bound is Bound.LIMIT
    assert probability(case, (0, found.audience)) == pytest.approx(found.breach_probability)
    assert found.breach_probability <= ALLOWED < probability(case, (0, found.audience + tolerance(found.audience)))


def test_it_names_the_limit_that_forbids_more():
    found = safe_now(a_small_case(replace(HOUR, backlog=4)), 100_000)
    assert found.breach is not None
    assert (found.breach.metric, found.breach.limit) == (Metric.BACKLOG, 4)
    assert found.beyond_probability is not None
    assert found.beyond_probability > ALLOWED


def test_everything_is_safe_where_it_is_little():
    found = safe_now(a_small_case(), 200)
    assert (found.audience, found.bound, found.breach) == (200, Bound.EVERYTHING, None)


def test_nothing_is_safe_where_a_limit_breaks_anyway():
    found = safe_now(a_small_case(base_per_minute=2.5), 100_000)
    assert (found.audience, found.bound) == (0, Bound.ALREADY)
    assert found.breach_probability > ALLOWED
    assert found.breach is not None


@pytest.mark.parametrize("fields", [{"rate": Rate(0.0, 1.0)}, {"share": 0.0}])
def test_a_campaign_without_contacts_is_safe_and_says_why(fields):
    assert safe_now(a_small_case(**fields), 9_000) == replace(
        safe_now(a_small_case(**fields), 0), audience=9_000, bound=Bound.NO_CONTACTS
    )
    assert safe_now(a_small_case(base_per_minute=2.5, **fields), 9_000).bound is Bound.ALREADY


def test_the_world_may_be_asked_about_and_no_more():
    few, all_people = (safe_now(a_small_case(), most).audience for most in (100_000, 8e9))
    assert few == all_people
    for audience in (8e9 + 1, -1, float("nan")):
        with pytest.raises(CaseRefused, match="8000000000"):
            safe_now(a_small_case(), audience)


def test_contacts_that_come_beyond_what_is_seen_are_not_called_safe():
    case = a_small_case(agents=np.concatenate([np.zeros(60), np.full(60, 8)]), minutes=120, busy=0)
    assert safe_now(case, 1_000).audience > 0  # the next opening is seen, and judged
    unseen = replace(case, queues=tuple(replace(queue, curves=0 * queue.curves) for queue in case.queues))
    with pytest.raises(CaseRefused, match="next opening"):
        safe_now(unseen, 1_000)


def test_a_send_before_a_closing_is_not_called_safe_where_the_next_opening_is_not_described():
    """A Friday evening: the minutes left hold a large send, whose contacts come on Monday."""
    friday = np.concatenate([np.full(20, 8), np.zeros(160)])
    for rate in (Rate(30.0, 0.5), Rate(0.5, 0.5)):
        with pytest.raises(CaseRefused, match="next opening"):
            safe_now(a_small_case(minutes=180, agents=friday, rate=rate), 1_000_000)
    assert safe_now(a_small_case(minutes=180, agents=friday, rate=Rate(0.0, 0.5)), 1_000).audience == 1_000
    monday = np.concatenate([friday, np.full(60, 8)])
    assert safe_now(a_small_case(minutes=240, agents=monday), 1_000_000).audience > 0


def test_an_evening_send_is_limited_by_the_next_morning():
    day = np.concatenate([np.full(20, 8), np.zeros(100), np.full(60, 8)])
    case = a_small_case(minutes=180, agents=day)
    found = safe_now(case, 1_000_000)
    assert found.breach is not None
    unlimited = a_small_case(replace(HOUR, horizon_minutes=20), minutes=20)
    assert found.audience <= safe_now(unlimited, 1_000_000).audience


def test_rates_that_differ_only_in_the_mean_get_audiences_of_the_same_contacts():
    rates = {"news": Rate(2.0, 0.5), "price": Rate(30.0, 0.5), "offer": Rate(5.0, 0.25), "none": Rate(0.0, 0.5)}
    found = safe_for_each(a_small_case(), rates, 50_000)
    assert list(found) == list(rates)
    assert found["none"].bound is Bound.NO_CONTACTS
    assert found["price"].audience == pytest.approx(found["news"].audience / 15, rel=0.01)
    for name in ("news", "price", "offer"):
        alone = safe_now(a_small_case(rate=rates[name]), 50_000).audience
        assert found[name].audience == pytest.approx(alone, rel=0.02, abs=60)


def test_where_all_of_the_lowest_rate_is_safe_the_others_are_looked_at():
    found = safe_for_each(a_small_case(), {"low": Rate(1.0, 0.5), "high": Rate(40.0, 0.5)}, 2_000)
    assert (found["low"].audience, found["low"].bound) == (2_000, Bound.EVERYTHING)
    assert 0 < found["high"].audience < 2_000


# --- in parts ---------------------------------------------------------------------------------------------------------


def test_equal_waves_are_safe_together():
    case = a_small_case()
    waves = equal_waves(case, 100_000, 15, 3)
    assert [wave.minute for wave in waves] == [0, 15, 30]
    assert probability(case, *((wave.minute, wave.audience) for wave in waves)) <= ALLOWED
    assert sum(wave.audience for wave in waves) > safe_now(case, 100_000).audience


def test_equal_waves_end_where_the_horizon_has_no_room_for_a_window():
    assert [wave.minute for wave in equal_waves(a_small_case(), 100_000, 15, 9)] == [0, 15, 30, 45]


def test_equal_waves_send_no_more_than_there_is():
    assert sum(wave.audience for wave in equal_waves(a_small_case(), 1_000, 15, 3)) in range(998, 1_001)


def test_greedy_waves_begin_with_the_safe_send_and_are_safe_together():
    case = a_small_case()
    waves = greedy_waves(case, 100_000, 15, 4)
    assert waves[0].audience == pytest.approx(safe_now(case, 100_000).audience, rel=0.01)
    assert probability(case, *((wave.minute, wave.audience) for wave in waves)) <= ALLOWED
    assert len(waves) > 1


def test_greedy_waves_end_with_the_audience():
    first = safe_now(a_small_case(), 100_000).audience
    waves = greedy_waves(a_small_case(), first + 100, 15, 4, first=first)
    assert [wave.audience for wave in waves] == [first, 100]


def test_no_wave_is_safe_where_nothing_is():
    swamped = a_small_case(base_per_minute=2.5)
    assert equal_waves(swamped, 1_000, 15, 3) == ()
    assert greedy_waves(swamped, 1_000, 15, 3) == ()


def test_a_slower_delivery_makes_more_safe():
    case = a_small_case()
    size = int(1.1 * safe_now(case, 100_000).audience)
    found = spread(case, size)
    assert found.audience == size
    assert 5 < found.minutes <= 50
    assert found.breach_probability <= ALLOWED


def test_the_slowest_delivery_says_how_much_it_can_take():
    found = spread(a_small_case(), 500_000)
    assert found.minutes == 50
    assert safe_now(a_small_case(), 500_000).audience < found.audience < 500_000


# --- agents, and another time -----------------------------------------------------------------------------------------


def test_as_many_agents_as_needed_and_not_one_more():
    case = a_small_case()
    size = 2 * safe_now(case, 100_000).audience
    found = extra_agents(case, size, 0)
    assert found.by_queue is not None
    number = found.by_queue["orders-voice"]
    assert found.breach_probability <= ALLOWED
    assert probability(case.with_agents("orders-voice", number, 0), (0, size)) <= ALLOWED
    assert probability(case.with_agents("orders-voice", number - 1, 0), (0, size)) > ALLOWED


def test_no_agents_are_needed_for_what_is_safe():
    assert extra_agents(a_small_case(), 100, 0).by_queue == {}


def test_agents_who_come_after_the_limit_broke_do_not_help():
    case = a_small_case()
    assert extra_agents(case, 4 * safe_now(case, 100_000).audience, 30).by_queue is None


def test_each_queue_that_breaks_gets_agents():
    one, two = a_small_queue("one", share=0.5), a_small_queue("two", share=0.5, agents=10)
    case = a_case(one, two, limits=HOUR, minutes=60)
    found = extra_agents(case, 12_000, 0)
    assert found.by_queue is not None
    assert found.by_queue["one"] > found.by_queue["two"] > 0
    assert found.breach_probability <= ALLOWED


def a_day(limits=HOUR, **fields):
    """Return a floor that is overloaded for two hours, then has more agents; closed from hour 4 to hour 6."""
    agents = np.concatenate([np.full(120, 4), np.full(120, 12), np.zeros(120), np.full(180, 20)])
    return a_small_case(limits, minutes=540, agents=agents, busy=4, **fields)


def test_the_next_window_is_the_first_start_at_which_all_of_it_is_safe():
    case = a_day()
    assert safe_now(case, 500).audience == 0
    found = next_safe_window(case, 500)
    assert found is not None
    assert found.audience == 500
    assert 105 <= found.minute <= 150
    assert found.breach_probability <= ALLOWED


def test_what_only_tomorrows_staff_can_take_waits_for_them():
    found = next_safe_window(a_day(), 10_000)
    assert found is not None
    assert (found.minute, found.audience) == (360, 10_000)


def test_what_is_never_safe_as_a_whole_goes_in_part_as_soon_as_any_may():
    found = next_safe_window(a_day(), 200_000)
    assert found is not None
    assert 105 <= found.minute <= 150
    assert 50 <= found.audience < 200_000


def test_without_a_start_that_is_safe_there_is_no_window():
    assert next_safe_window(a_small_case(minutes=180, base_per_minute=2.5), 1_000) is None
    assert next_safe_window(a_small_case(), 1_000) is None  # no later start has a horizon that is described


# --- the whole --------------------------------------------------------------------------------------------------------


def test_a_plan_has_every_way():
    case = a_small_case(minutes=240)
    found = plan(case, 20_000, every_minutes=15, waves=3, lead_minutes=0)
    assert found.without.probability <= ALLOWED < found.at_once.probability
    assert found.now == safe_now(case, 20_000)
    assert found.greedy[0].audience == found.now.audience
    assert found.next_window is not None
    assert found.next_window.audience <= 20_000 - found.now.audience
    assert found.agents.by_queue
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301 - our own bytes


def test_a_plan_for_what_is_safe_needs_nothing_else():
    found = plan(a_small_case(), 100)
    assert (found.now.bound, found.next_window, found.agents.by_queue) == (Bound.EVERYTHING, None, {})
    assert (found.spread.minutes, found.spread.audience) == (5, 100)


def test_the_deterministic_answer_is_larger_than_the_careful_one():
    case = a_small_case()
    assert safe_now(case, 100_000, MEAN).audience > safe_now(case, 100_000).audience


def test_a_size_that_all_nodes_together_reject_is_searched_again_below():
    case = a_small_case()
    search = _Search(case, case.sends((0, 1.0)), np.zeros(len(case.starts)), 100_000, NINE)
    search._decisive = replace(search._decisive, look=np.arange(9) == 0)  # as if the easiest floor decided
    search.bracket(2_000.0)
    assert search.found().verdict.probability > ALLOWED
    search.reject()
    while search.is_open:
        search.narrow()
    assert search.found().size == pytest.approx(safe_now(case, 100_000).audience, abs=60)
    assert search.found().verdict.probability <= ALLOWED


# --- what is refused --------------------------------------------------------------------------------------------------


def changed(**fields) -> Case:
    case = a_small_case()
    made: Case = replace(case, queues=(replace(case.queues[0], **fields),))
    return made


def staffed(**fields) -> Case:
    scenario: Scenario = replace(a_small_case().queues[0].scenario, **fields)
    return changed(scenario=scenario)


@pytest.mark.parametrize(
    ("case", "pointer"),
    [
        (replace(a_small_case(), queues=()), "/queues"),
        (replace(a_small_case(), contacts_per_1000=Rate(-1.0, 0.5)), "/contacts_per_1000/mean"),
        (replace(a_small_case(), contacts_per_1000=Rate(float("nan"), 0.5)), "/contacts_per_1000/mean"),
        (replace(a_small_case(), contacts_per_1000=Rate(10.0, float("inf"))), "/contacts_per_1000/cv"),
        (replace(a_small_case(), limits=OutlookLimits(horizon_minutes=60)), "/limits"),
        (replace(a_small_case(), limits=replace(HOUR, horizon_minutes=0)), "/limits/horizon_minutes"),
        (replace(a_small_case(), limits=replace(HOUR, horizon_minutes=61)), "/queues/0/scenario/agents"),
        (replace(a_small_case(), limits=replace(HOUR, service_level_ratio=1.2)), "/limits/service_level_ratio"),
        (replace(a_small_case(), limits=replace(HOUR, backlog=float("nan"))), "/limits/backlog"),
        (replace(a_small_case(), limits=replace(HOUR, window_seconds=0.0)), "/limits/window_seconds"),
        (replace(a_small_case(), limits=replace(HOUR, max_breach_probability=-0.1)), "/limits/max_breach_probability"),
        (replace(a_small_case(), starts=np.array([5, 10])), "/starts"),
        (changed(share=1.5), "/queues/0/share"),
        (changed(in_flight=np.full(60, np.nan)), "/queues/0/in_flight/0"),
        (changed(in_flight_cv=-1.0), "/queues/0/in_flight_cv"),
        (changed(arrivals_cv=np.zeros(59)), "/queues/0/arrivals_cv"),
        (changed(curves=np.zeros((3, 60))), "/queues/0/curves"),
        (changed(curves=np.ones((12, 60))), "/queues/0/curves"),
        (changed(curves=np.full((12, 60), np.nan)), "/queues/0/curves"),
        (staffed(arrivals_per_second=np.full(60, -0.1)), "/queues/0/scenario/arrivals_per_second/0"),
    ],
)
def test_a_case_that_makes_no_sense_is_refused_by_name(case, pointer):
    with pytest.raises(CaseRefused) as refused:
        safe_now(case, 1_000)
    assert pointer in {problem.pointer for problem in refused.value.problems}
    assert all(problem.detail for problem in refused.value.problems)


def test_a_rate_that_makes_no_sense_is_refused_among_others():
    with pytest.raises(CaseRefused, match="contacts per 1,000"):
        safe_for_each(a_small_case(), {"good": Rate(5.0, 0.5), "bad": Rate(float("nan"), 0.5)}, 1_000)


# --- send windows -----------------------------------------------------------------------------------------------------


def open_between(case, *spans):
    """Return whether send windows are open at each start of a case: in these minutes."""
    return np.array([any(first <= minute < end for first, end in spans) for minute in case.starts])


def test_while_send_windows_are_closed_nothing_may_go_now_and_waves_begin_when_they_open():
    case = a_small_case(minutes=240)
    found = plan(case, 20_000, every_minutes=5, waves=3, may_start=open_between(case, (20, 30)))
    assert (found.now.audience, found.now.bound, found.spread.audience) == (0, Bound.SEND_WINDOW, 0)
    assert {wave.minute for wave in found.greedy} <= {20, 25}
    assert [wave.minute for wave in found.equal] == [20, 25]
    assert found.greedy[0].audience > 1_000
    assert found.at_once.probability > ALLOWED


def test_the_next_window_is_open_by_the_policy_and_safe_on_the_floor():
    case = a_small_case(minutes=360)
    found = plan(case, 1_000, may_start=open_between(case, (70, 80), (130, 300)))
    assert found.next_window is not None
    assert (found.next_window.minute, found.next_window.audience) == (70, 1_000)
    swamped = a_day()
    later = plan(swamped, 500, may_start=open_between(swamped, (10, 40), (215, 540))).next_window
    assert later is not None
    assert (later.minute, later.audience) == (215, 500)


def test_send_windows_that_close_end_waves_and_a_slow_delivery():
    case = a_small_case(minutes=240)
    found = plan(case, 20_000, every_minutes=10, waves=4, may_start=open_between(case, (0, 15), (120, 240)))
    assert found.now == safe_now(case, 20_000)
    assert {wave.minute for wave in (*found.greedy, *found.equal)} <= {0, 10}
    assert found.spread.minutes == 15
    assert found.next_window is None or found.next_window.minute >= 120


def test_a_plan_within_windows_that_never_open_offers_nothing_at_all():
    case = a_small_case(minutes=240)
    found = plan(case, 1_000, may_start=np.zeros(len(case.starts), dtype=np.bool_))
    assert (found.now.audience, found.spread.audience, found.next_window) == (0, 0, None)
    assert found.greedy == found.equal == ()


def test_send_windows_that_are_open_all_the_time_change_nothing():
    case = a_small_case(minutes=180)
    assert plan(case, 5_000, may_start=np.ones(len(case.starts), dtype=np.bool_)) == plan(case, 5_000)
