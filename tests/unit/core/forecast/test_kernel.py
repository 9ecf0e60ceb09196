import numpy as np
import pytest

from app.core.forecast.kernel import BIN_EDGES_MINUTES, Kernel, binned_kernel, log_logistic_kernel
from app.core.forecast.refused import ResponseRefused


@pytest.mark.parametrize(("hours", "share"), [(1, 0.336), (3, 0.514), (24, 0.810), (72, 0.899)])
def test_the_kernel_reproduces_the_published_click_times(hours, share):
    assert log_logistic_kernel().share_within(hours * 60) == pytest.approx(share, abs=0.001)


def test_the_kernel_covers_72_hours_minute_by_minute():
    kernel = log_logistic_kernel()
    assert kernel.minutes == 72 * 60
    assert np.all(np.diff(kernel.masses) < 0)  # the first minute is the worst


def test_the_bins_of_the_kernel_are_the_differences_of_its_distribution():
    kernel = log_logistic_kernel()
    shares = [kernel.share_within(edge) for edge in BIN_EDGES_MINUTES]
    assert kernel.bin_masses() == pytest.approx(np.diff(shares))


def test_a_learned_kernel_with_the_default_bins_is_the_default():
    default = log_logistic_kernel()
    assert binned_kernel(default.bin_masses() * 7).masses == pytest.approx(default.masses)


def test_a_learned_kernel_has_the_shares_it_was_given_and_the_total_of_the_default():
    shares = np.arange(1.0, 13.0)
    kernel = binned_kernel(shares)
    assert kernel.is_learned
    assert kernel.masses.sum() == pytest.approx(log_logistic_kernel().masses.sum())
    assert kernel.bin_masses() / kernel.masses.sum() == pytest.approx(shares / shares.sum())


@pytest.mark.parametrize("shares", [np.zeros(12), np.ones(11), np.full(12, np.nan), np.full(12, -1.0)])
def test_shares_that_say_nothing_teach_no_kernel(shares):
    with pytest.raises(ResponseRefused, match="/bin_shares"):
        binned_kernel(shares)


@pytest.mark.parametrize("masses", [np.full(3, 0.5), np.array([0.5, -0.1]), np.array([np.nan]), np.zeros((2, 2))])
def test_a_kernel_of_impossible_shares_is_refused(masses):
    with pytest.raises(ResponseRefused) as refused:
        Kernel(masses)
    assert refused.value.problems[0].pointer == "/kernel/masses"
