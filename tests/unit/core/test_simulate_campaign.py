from math import sqrt

import pytest

from app.core.forecast.lag import LogLogisticLag
from app.core.simulation.campaign import Campaign, first_open
from app.core.simulation.plan import Span
from app.core.simulation.randomness import LogNormal
from tests.support.simulated import START, a_queue, a_simulation, at, seeded, stays

ALL_TO_ORDERS = {"orders": 1.0}


def big_campaign(**more):
    return Campaign("spring", 1_000_000, 10.0, more.pop("queue_shares", ALL_TO_ORDERS), **more)


def lags(simulation, campaign, until=80 * 3600):
    simulation.launch(campaign, START)
    return [stay.queued for stay in stays(simulation.advance(at(until))) if stay.campaign == "spring"]


@pytest.mark.parametrize(("hours", "share"), [(1, 0.336), (3, 0.514), (24, 0.810)])
def test_the_response_curve_reproduces_the_published_click_times(hours, share):
    assert LogLogisticLag().share_within(hours * 3600) == pytest.approx(share, abs=0.001)


def test_half_of_all_contacts_come_within_the_median_lag():
    curve = LogLogisticLag()
    assert curve.share_within(166 * 60) == pytest.approx(0.5)
    assert curve.lag_seconds(0.5) == pytest.approx(166 * 60)
    assert (curve.share_within(0), curve.lag_seconds(0)) == (0, 0)


@pytest.mark.parametrize("share", [0.001, 0.13, 0.5, 0.9])
def test_the_lag_is_the_inverse_of_the_share(share):
    curve = LogLogisticLag()
    assert curve.share_within(curve.lag_seconds(share)) == pytest.approx(share)


def test_a_campaigns_contacts_follow_the_response_curve():
    found = sorted(lags(a_simulation(a_queue(agents=0, patience_seconds=1.0)), big_campaign()))
    curve = LogLogisticLag()
    whole = curve.share_within(curve.horizon_seconds)
    assert len(found) == pytest.approx(10_000 * whole, abs=4 * sqrt(10_000))
    distance = max(
        max(
            abs(curve.share_within(lag) / whole - index / len(found)),
            abs(curve.share_within(lag) / whole - (index + 1) / len(found)),
        )
        for index, lag in enumerate(found)
    )
    assert distance < 1.63 / sqrt(len(found))  # Kolmogorov-Smirnov, 1 %


def test_contacts_split_over_queues_as_the_campaign_says():
    queues = (a_queue(agents=0, patience_seconds=1.0), a_queue("chat", agents=0, patience_seconds=1.0))
    simulation = a_simulation(*queues)
    simulation.launch(big_campaign(queue_shares={"orders": 0.7, "chat": 0.3}), START)
    day = stays(simulation.advance(at(80 * 3600)))
    share = sum(1 for stay in day if stay.queue == "chat") / len(day)
    assert share == pytest.approx(0.3, abs=4 * sqrt(0.21 / len(day)))


def test_a_slow_mailing_spreads_the_first_contacts():
    at_once, slow = (
        lags(a_simulation(a_queue(agents=0, patience_seconds=1.0)), big_campaign(delivery_seconds=seconds), 1800)
        for seconds in (0, 3600)
    )
    assert len(slow) < 0.6 * len(at_once)


def test_contacts_that_find_the_center_closed_come_after_it_opens_or_never():
    opening = (Span(0, 3600), Span(12 * 3600, 24 * 3600))
    plan = a_queue(agents=0, patience_seconds=1.0, opening=opening)
    found = lags(a_simulation(plan), big_campaign(), 24 * 3600)
    assert not [lag for lag in found if 3600 <= lag < 12 * 3600]
    curve = LogLogisticLag()
    closed = curve.share_within(12 * 3600) - curve.share_within(3600)
    late = curve.share_within(24 * 3600) - curve.share_within(12 * 3600)
    after = sum(1 for lag in found if lag >= 12 * 3600)
    assert after == pytest.approx(10_000 * (0.7 * closed + late), abs=4 * sqrt(10_000 * (closed + late)))


def test_a_campaign_changes_no_contact_that_was_coming_anyway():
    plan = a_queue(per_hour=30, agents=200, patience_seconds=60)
    quiet = stays(a_simulation(plan).advance(at(4 * 3600)))
    simulation = a_simulation(plan)
    before = simulation.advance(at(1800))
    simulation.launch(Campaign("spring", 100_000, 2.0, ALL_TO_ORDERS), at(1800))
    loaded = stays(before + simulation.advance(at(4 * 3600)))
    both = [[(stay.contact_id, stay.queued) for stay in day if stay.campaign is None] for day in (quiet, loaded)]
    assert both[0] == both[1]
    assert len(loaded) > len(quiet) > 100


def test_a_launch_in_the_past_happens_now():
    simulation = a_simulation(a_queue(agents=0, patience_seconds=1.0))
    simulation.advance(at(7200))
    simulation.launch(big_campaign(), at(60))
    assert min(stay.queued for stay in stays(simulation.advance(at(9000)))) >= 7200


def test_two_waves_of_a_campaign_have_different_contacts():
    simulation = a_simulation(a_queue(agents=0, patience_seconds=1.0))
    counts = [simulation.launch(Campaign("spring", 50_000, 2.0, ALL_TO_ORDERS), at(wait)) for wait in (0, 60)]
    assert len(stays(simulation.advance(at(80 * 3600)))) == sum(counts)
    assert counts[0] != counts[1]


def test_a_campaign_to_a_queue_the_floor_does_not_have_is_refused():
    simulation = a_simulation(a_queue())
    with pytest.raises(ValueError, match="billing"):
        simulation.launch(Campaign("spring", 10, 1.0, {"billing": 1.0}), START)


@pytest.mark.parametrize("changes", [{"audience": -1}, {"contacts_per_1000": -1.0}, {"queue_shares": {"orders": 0.5}}])
def test_a_campaign_that_makes_no_sense_is_refused(changes):
    with pytest.raises(ValueError, match="must"):
        Campaign(**{"name": "x", "audience": 1, "contacts_per_1000": 1.0, "queue_shares": ALL_TO_ORDERS} | changes)


@pytest.mark.parametrize(
    ("at_seconds", "expected"), [(0, 10), (10, 10), (15, 15), (20, 50), (59, 59), (60, 110), (1055, 1055)]
)
def test_the_first_open_instant_repeats_with_the_day(at_seconds, expected):
    assert first_open((Span(10, 20), Span(50, 60)), 100, at_seconds) == expected


def test_a_floor_without_hours_is_always_open_and_one_past_its_last_hours_never_again():
    assert first_open((), None, 5.0) == 5.0
    assert first_open((Span(0, 10),), None, 10.0) is None


def test_the_number_of_contacts_is_poisson():
    counts = []
    for seed in range(300):
        campaign = Campaign("spring", 20_000, 1.0, ALL_TO_ORDERS, lag=LogLogisticLag(horizon_seconds=1e12))
        counts.append(len(list(campaign.contacts(0, seeded(seed)("campaign"), lambda _, at: at))))
    mean = sum(counts) / 300
    variance = sum((count - mean) ** 2 for count in counts) / 299
    assert mean == pytest.approx(20, abs=4 * sqrt(20 / 300))
    assert variance / mean == pytest.approx(1, abs=4 * sqrt(2 / 299))


# --- lists mailed in parts --------------------------------------------------------------------------------------------

SPLIT_AT = 4_000


def a_list(**more):
    return Campaign("spring", 10_000, 20.0, {"orders": 0.7, "chat": 0.3}, **more)


def a_floor():
    talk = LogNormal.of(200, 1.0)
    queues = (a_queue(name, per_hour=10, agents=100, service=talk, patience_seconds=60) for name in ("orders", "chat"))
    return a_simulation(*queues)


def caused(simulation, hours=72):
    return [stay for stay in stays(simulation.advance(at(hours * 3600))) if stay.campaign == "spring"]


def test_a_list_mailed_at_once_reaches_as_many_as_respond():
    simulation, campaign = a_floor(), a_list()
    count = simulation.mail(campaign, 0, 10_000, START)
    assert len(caused(simulation, hours=80)) == count
    assert count == pytest.approx(200 * LogLogisticLag().share_within(72 * 3600), abs=4 * sqrt(200))


def test_however_a_list_is_split_the_same_people_get_in_touch_with_the_same_matter():
    whole, split, campaign = a_floor(), a_floor(), a_list()
    once = whole.mail(campaign, 0, 10_000, START)
    in_parts = sum(split.mail(campaign, first, 500, START) for first in range(0, 10_000, 500))
    assert in_parts == once
    assert caused(split) == caused(whole)


def test_a_part_mailed_later_comes_so_much_later_with_the_same_matter():
    together, apart, campaign = a_floor(), a_floor(), a_list()
    together.mail(campaign, 0, 10_000, START)
    apart.mail(campaign, 0, SPLIT_AT, START)
    apart.mail(campaign, SPLIT_AT, 10_000 - SPLIT_AT, at(7200))
    late = {stay.contact_id: stay for stay in caused(apart, hours=90)}
    pairs = [(stay, late[stay.contact_id]) for stay in caused(together, hours=80)]
    assert {round(second.queued - first.queued) for first, second in pairs} == {0, 7200}
    talks = [(first.completed - first.answered, second.completed - second.answered) for first, second in pairs]
    assert [second for _, second in talks] == pytest.approx([first for first, _ in talks], abs=1e-5)


def test_mailing_leaves_all_other_contacts_of_the_day_as_they_were():
    mailed, plain = a_floor(), a_floor()
    mailed.mail(a_list(), 0, 10_000, START)
    with_list, without = (
        [
            (stay.contact_id, stay.queued, stay.completed)
            for stay in stays(day.advance(at(8 * 3600)))
            if not stay.campaign
        ]
        for day in (mailed, plain)
    )
    assert with_list == without


def test_a_list_is_gone_through_at_the_campaigns_pace():
    at_once = LogLogisticLag(median_seconds=1e-6, shape=50.0)
    simulation = a_floor()
    simulation.mail(a_list(delivery_seconds=3600.0, lag=at_once), 2_500, 5_000, at(600))
    came = [stay.queued for stay in caused(simulation)]
    assert 600 < min(came) < 700
    assert 600 + 1700 < max(came) <= 600 + 1800


def test_nobody_on_a_list_that_causes_nothing_gets_in_touch():
    simulation = a_floor()
    assert simulation.mail(Campaign("spring", 10_000, 0.0, ALL_TO_ORDERS), 0, 10_000, START) == 0


def test_a_list_for_queues_that_the_floor_does_not_have_is_refused():
    with pytest.raises(ValueError, match="queues the floor does not have"):
        a_floor().mail(Campaign("spring", 10, 1.0, {"post": 1.0}), 0, 10, START)
