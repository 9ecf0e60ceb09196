import numpy as np
import pytest

from app.core.forecast.learn import GammaRate, prior_rate
from app.core.forecast.refused import ResponseRefused


def test_without_anything_known_a_campaign_may_bring_10_or_23_per_1000():
    prior = prior_rate()
    assert (prior.shape, prior.mean, prior.sd) == (1, 10, 10)
    assert prior.quantile(0.9) == pytest.approx(10 * np.log(10))


@pytest.mark.parametrize(
    ("kind", "mean"),
    [("newsletter", 2), ("offer", 5), ("order_notice", 15), ("service_notice", 15), ("price_change", 30),
     ("policy_change", 30), ("hitherto unheard of", 10)],
)  # fmt: skip
def test_each_kind_has_its_prior(kind, mean):
    assert prior_rate(kind).mean == pytest.approx(mean)


@pytest.mark.parametrize("kind", ["Price change", "price-change", " PRICE_CHANGE "])
def test_a_kind_is_one_however_people_write_it(kind):
    assert prior_rate(kind) == prior_rate("price_change")


def test_a_given_figure_is_trusted_within_a_factor_of_two():
    prior = prior_rate("newsletter", contacts_per_1000=8.0)
    assert (prior.mean, prior.sd) == (8, 4)
    assert [prior.quantile(0.05), prior.quantile(0.95)] == pytest.approx([2.7, 15.5], abs=0.1)


def test_tagged_contacts_update_the_rate_exactly():
    learned = prior_rate().learned(30, 5.6)
    assert [learned.shape, learned.rate] == pytest.approx([31, 5.7])


def test_watching_in_two_halves_teaches_what_watching_at_once_does():
    at_once, in_halves = prior_rate().learned(30, 5.6), prior_rate().learned(10, 2.1).learned(20, 3.5)
    assert [in_halves.shape, in_halves.rate] == pytest.approx([at_once.shape, at_once.rate])


def test_much_evidence_drowns_the_prior():
    learned = prior_rate("price_change").learned(400, 100)
    assert learned.mean == pytest.approx(4, rel=0.01)
    assert learned.sd == pytest.approx(0.2, rel=0.01)


def test_that_nobody_called_lowers_the_rate_but_not_to_nothing():
    learned = prior_rate().learned(0, 10)
    assert 0 < learned.mean < 0.1
    assert learned.quantile(0.9) > learned.mean


def test_moments_and_rate_say_the_same():
    rate = GammaRate.of_moments(12.0, 9.0)
    assert [rate.mean, rate.sd] == pytest.approx([12, 3])


@pytest.mark.parametrize("per_1000", [0.0, -1.0, float("nan"), float("inf"), 20_001.0])
def test_a_figure_that_cannot_be_is_refused(per_1000):
    with pytest.raises(ResponseRefused, match="/contacts_per_1000"):
        prior_rate(contacts_per_1000=per_1000)


@pytest.mark.parametrize(
    ("contacts", "exposure"),
    [(-1, 1), (1, -1), (float("nan"), 1), (1, float("nan")), (float("inf"), 1), (3, 0)],
)
def test_evidence_that_cannot_be_is_refused(contacts, exposure):
    with pytest.raises(ResponseRefused, match=r"/contacts|/exposure"):
        prior_rate().learned(contacts, exposure)


@pytest.mark.parametrize(("mean", "variance"), [(0, 1), (-1, 1), (1, 0), (float("nan"), 1), (1, float("nan"))])
def test_moments_of_no_gamma_are_refused(mean, variance):
    with pytest.raises(ResponseRefused):
        GammaRate.of_moments(mean, variance)
