import numpy as np
import pytest

from app.core.forecast.learn import GammaRate, prior_rate
from app.core.forecast.pooling import PastRate, pooled_rate
from app.core.forecast.refused import ResponseRefused


def test_without_a_past_the_prior_stands():
    assert pooled_rate([], "offer") == prior_rate("offer")
    assert pooled_rate([], "offer", GammaRate(4, 1)) == GammaRate(4, 1)


def test_the_pool_is_that_of_dersimonian_and_laird():
    past = [PastRate(rate, sd) for rate, sd in ((4, 1), (6, 1), (9, 2), (20, 1), (5, 1))]
    rates, variances = np.array([10, 4, 6, 9, 20, 5.0]), np.array([100, 1, 1, 4, 1, 1.0])
    fixed = 1 / variances
    mean = (fixed @ rates) / fixed.sum()
    spread = (fixed @ (rates - mean) ** 2 - 5) / (fixed.sum() - (fixed @ fixed) / fixed.sum())
    weights = 1 / (variances + spread)
    pooled = pooled_rate(past)
    assert pooled.mean == pytest.approx((weights @ rates) / weights.sum())
    assert pooled.sd**2 == pytest.approx(1 / weights.sum() + spread)


def test_what_is_believed_is_told_in_plain_numbers():
    pooled = pooled_rate([PastRate(rate, 0.3) for rate in (9.0, 10.0, 11.0)])
    assert {type(pooled.shape), type(pooled.rate), type(pooled.mean), type(pooled.sd)} == {float}


def test_few_campaigns_that_agree_by_luck_promise_no_certainty():
    pooled = pooled_rate([PastRate(10.0, 0.01), PastRate(10.0, 0.01)])
    assert pooled.mean == pytest.approx(10, rel=0.01)
    assert pooled.sd >= 3.0


def test_many_campaigns_that_agree_do():
    assert pooled_rate([PastRate(10.0, 0.5)] * 8).sd < 0.5


def test_a_noisy_estimate_says_less_than_a_sharp_one():
    sharp, noisy = PastRate(2.0, 0.5), PastRate(20.0, 50.0)
    assert pooled_rate([sharp, noisy]).mean < 5


def test_three_of_a_kind_speak_for_their_kind():
    newsletters = [PastRate(rate, 0.3, "newsletter") for rate in (1.0, 1.2, 0.9)]
    changes = [
        PastRate(rate, 1.0, kind) for rate, kind in ((40, "price_change"), (44, "Price change"), (42, "price-change"))
    ]
    assert pooled_rate([*newsletters, *changes], "price_change").mean == pytest.approx(38, abs=4)
    assert pooled_rate([*newsletters, *changes], "newsletter").mean == pytest.approx(1.4, abs=0.4)


def test_quiet_newsletters_do_not_make_a_price_change_look_harmless():
    newsletters = [PastRate(2.0, 0.2, "newsletter")] * 10
    assert pooled_rate(newsletters, "price_change").mean == pytest.approx(30, rel=0.1)


def test_a_house_that_gets_half_of_what_is_usual_expects_so_of_other_kinds():
    newsletters = [PastRate(1.0, 0.05, "newsletter")] * 10
    assert pooled_rate(newsletters, "price_change").mean == pytest.approx(15, rel=0.1)


def test_lifts_below_zero_never_make_a_campaign_free():
    pooled = pooled_rate([PastRate(-6.0, 2.0), PastRate(-5.0, 2.0), PastRate(-4.0, 2.0)])
    assert pooled.mean > 0
    assert pooled.quantile(0.9) > 1


def test_tagged_contacts_and_lifts_become_rates():
    tagged, lift = PastRate.of_tagged(24, 6.0, "offer"), PastRate.of_lift(24, 12.0, 6.0)
    assert [tagged.contacts_per_1000, tagged.sd] == pytest.approx([4, 5 / 6])
    assert tagged.kind == "offer"
    assert (lift.contacts_per_1000, lift.sd) == (4, 2)
    assert PastRate.of_tagged(0, 6.0).sd > 0


@pytest.mark.parametrize(
    "wrong",
    [lambda: PastRate(float("nan"), 1), lambda: PastRate(1, 0), lambda: PastRate(1, float("inf")),
     lambda: PastRate.of_tagged(-1, 1), lambda: PastRate.of_tagged(1, 0), lambda: PastRate.of_lift(1, 1, float("nan"))],
)  # fmt: skip
def test_a_past_that_cannot_have_been_is_refused(wrong):
    with pytest.raises(ResponseRefused):
        wrong()


def test_a_first_campaign_of_its_kind_is_doubted_however_many_others_agree():
    newsletters = [PastRate(2.0, 0.05, "newsletter")] * 12
    first = pooled_rate(newsletters, "price_change")
    assert first.sd / first.mean == pytest.approx(0.7)
    assert pooled_rate(newsletters, "newsletter").sd < 0.2
