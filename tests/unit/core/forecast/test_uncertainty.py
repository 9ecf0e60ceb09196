import numpy as np
import pytest

from app.core.forecast.uncertainty import MEAN, NINE


def test_nine_nodes_weigh_one_together_the_middle_one_four_ninths():
    assert NINE.weights.sum() == pytest.approx(1.0)
    assert sorted(NINE.weights) == pytest.approx([1 / 36] * 4 + [1 / 9] * 4 + [4 / 9])


@pytest.mark.parametrize("cv", [0.05, 0.1, 0.3])
def test_levels_have_mean_one_and_the_variation_asked_for(cv):
    levels = NINE.levels(np.array([cv]))[:, 0]
    assert NINE.weights @ levels == pytest.approx(1.0, abs=1e-4)
    assert np.sqrt(NINE.weights @ (levels - 1) ** 2) == pytest.approx(cv, rel=0.03)


@pytest.mark.parametrize("cv", [0.01, 0.2, 0.5, 1.0, 3.0])
def test_responses_are_never_negative_and_have_mean_one_as_far_as_three_points_can(cv):
    responses = NINE.responses(cv)
    assert (responses >= 0).all()
    assert NINE.weights @ responses == pytest.approx(1.0, abs=0.005 if cv <= 1 else 0.2)


def test_responses_of_shape_one_are_quantiles_of_the_exponential():
    highest = NINE.responses(1.0).max()
    assert 1 - np.exp(-highest) == pytest.approx(0.95837, abs=1e-4)  # the normal distribution at sqrt 3


def test_what_is_known_exactly_does_not_vary():
    assert (NINE.responses(0.0) == 1).all()
    assert (NINE.levels(np.zeros(3)) == 1).all()


def test_at_the_mean_nothing_varies_whatever_the_variation():
    assert MEAN.levels(np.array([0.5, 0.1])).tolist() == [[1.0, 1.0]]
    assert MEAN.responses(1.0).tolist() == [1.0]


def test_some_nodes_keep_their_weights():
    high = NINE.only(NINE.levels(np.array([0.1]))[:, 0] > 1.05)
    assert high.weights.sum() == pytest.approx(1 / 6)
    assert (high.levels(np.array([0.1])) > 1.05).all()
