import numpy as np
import pytest
from scipy.special import ndtr

from app.core.forecast.kernel import BIN_EDGES_MINUTES, Kernel, binned_kernel, log_logistic_kernel
from app.core.forecast.kernel_learning import WatchedLags, bin_curves, learned_kernel
from app.core.forecast.lift import joint_lift
from app.core.forecast.refused import ResponseRefused
from app.core.forecast.response import Response, sent_curve
from app.core.forecast.watch import Watch

OPEN_12_H = np.ones(720, dtype=np.bool_)
SENDS = [(0.0, 30_000.0), (60.0, 30_000.0)]
LATE = Kernel(np.diff(ndtr(np.log(np.maximum(np.arange(4321), 1e-9) / 120) / 0.8)) * 0.899)


def summed(per_minute):
    return per_minute.reshape(*per_minute.shape[:-1], -1, 5).sum(axis=-1)


def a_campaign(kernel, per_1000, seed, *, base=0.0, opening=OPEN_12_H):
    curve = 60 * sent_curve(Response(kernel), opening, SENDS) / 1000
    other = np.full(len(opening) // 5, base)
    counts = np.random.default_rng(seed).poisson(other + per_1000 * summed(curve)).astype(np.float64)
    return WatchedLags(counts, other, summed(bin_curves(Response(), opening, SENDS)), 60.0)


def far(kernel, other):
    """Return the largest difference, at an edge, of the shares of those who come within the 12 hours watched."""
    one, two = (
        np.array([each.share_within(edge) / each.share_within(720) for edge in BIN_EDGES_MINUTES if edge <= 720])
        for each in (kernel, other)
    )
    return np.abs(one - two).max()


def test_two_campaigns_are_too_few_to_learn_from():
    assert learned_kernel([a_campaign(LATE, 10, seed) for seed in range(2)]) is None
    assert learned_kernel([a_campaign(LATE, 10, seed) for seed in range(3)]) is not None


def test_the_bins_add_up_to_the_whole_response():
    weights = log_logistic_kernel().bin_masses()
    whole = 60 * sent_curve(Response(), OPEN_12_H, SENDS) / 1000
    assert weights @ bin_curves(Response(), OPEN_12_H, SENDS) == pytest.approx(whole)


def test_campaigns_that_behave_as_published_leave_the_kernel_as_it_is():
    learned = learned_kernel([a_campaign(log_logistic_kernel(), 10, seed) for seed in range(4)])
    assert learned is not None
    assert far(learned, log_logistic_kernel()) < 0.04


def test_a_late_response_is_learned_from_contacts_that_named_their_campaign():
    learned = learned_kernel([a_campaign(LATE, 30, seed) for seed in range(4)])
    assert learned is not None
    assert learned.is_learned
    assert far(learned, LATE) < 0.06
    assert far(log_logistic_kernel(), LATE) > 0.25


def test_a_late_response_is_learned_among_other_contacts():
    learned = learned_kernel([a_campaign(LATE, 30, seed, base=30.0) for seed in range(4)])
    assert learned is not None
    assert far(learned, LATE) < 0.1


def test_closed_hours_are_not_taken_for_a_lack_of_contacts():
    hours = OPEN_12_H.copy()
    hours[120:300] = False
    published = log_logistic_kernel()
    learned = learned_kernel([a_campaign(published, 30, seed, opening=hours) for seed in range(4)])
    assert learned is not None
    assert far(learned, published) < 0.05


def test_bins_that_nobody_watched_keep_their_proportions():
    learned = learned_kernel([a_campaign(LATE, 30, seed) for seed in range(4)])
    assert learned is not None
    masses, prior = learned.bin_masses(), log_logistic_kernel().bin_masses()
    assert masses[-1] / masses[-2] == pytest.approx(prior[-1] / prior[-2], rel=0.05)


def test_a_learned_kernel_sees_the_lift_that_the_published_one_misses():
    learned = learned_kernel([a_campaign(LATE, 30, seed) for seed in range(4)])
    assert learned is not None
    base, day = np.full(48, 100.0), np.ones(240, dtype=np.bool_)

    def thousands(kernel):
        return summed(60 * sent_curve(Response(kernel), day, [(0, 60_000)]) / 1000)

    counts = base + 20 * thousands(LATE)
    truth = float((counts - base).sum())
    published, right = (
        joint_lift(Watch(counts, base, thousands(kernel)[np.newaxis])).contacts
        for kernel in (log_logistic_kernel(), learned)
    )
    assert published < 0.5 * truth
    assert right == pytest.approx(truth, rel=0.25)


@pytest.mark.parametrize(
    ("more", "pointer"),
    [({"counts": np.full(4, -1.0)}, "/counts"), ({"base": np.full(4, np.nan)}, "/base"),
     ({"base": np.ones(3)}, "/base"), ({"per_bin": np.ones((11, 4))}, "/per_bin"),
     ({"per_bin": np.full((12, 4), np.inf)}, "/per_bin"),
     ({"thousands": 0.0}, "/thousands"), ({"level_sd": 0.0}, "/level_sd"), ({"dispersion": 0.9}, "/dispersion")],
)  # fmt: skip
def test_what_cannot_have_been_watched_is_refused(more, pointer):
    with pytest.raises(ResponseRefused) as refused:
        WatchedLags(
            **{"counts": np.ones(4), "base": np.zeros(4), "per_bin": np.ones((12, 4)), "thousands": 1.0, **more}
        )
    assert pointer in [problem.pointer for problem in refused.value.problems]


def test_the_mode_is_where_posterior_and_steps_agree():
    """With one bin's contacts only, the mode has a closed form: prior contacts and seen ones, added up."""
    shares = log_logistic_kernel().bin_masses()
    shares = shares / shares.sum()
    per_bin = np.eye(12) * 10.0
    counts = np.zeros(12)
    counts[3] = 100.0
    learned = learned_kernel([WatchedLags(counts, np.zeros(12), per_bin, 10.0)] * 3)
    expected = 200 * shares + 300 * np.eye(12)[3]
    assert learned is not None
    assert learned.masses == pytest.approx(binned_kernel(expected).masses, rel=1e-6)
