"""Who is too far back for changes of staffing to be followed: promised no more than comes, or it is said."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.forecast.breach import judge
from app.core.forecast.course import Course
from app.core.forecast.limits import OutlookLimits
from app.core.forecast.predict import predict
from app.core.forecast.ratios import service_level, speed_to_answer
from tests.support.cases import a_case
from tests.unit.core.forecast.scenarios import a_scenario

FEW_PLACES = 40
TARGET_SECONDS = 1_200.0


def courses(agents: np.ndarray, waiting: int, patience_seconds: float | None) -> tuple[Course, Course]:
    """Return what is predicted with changes followed for everybody, and for the first 40 in the queue only."""
    asked = {"busy": int(agents[0]), "waiting": waiting, "patience_seconds": patience_seconds}
    scenario = a_scenario(len(agents), 0.5, agents, target_seconds=TARGET_SECONDS, **asked)
    whole = predict(scenario)
    with pytest.MonkeyPatch.context() as patch:
        for module in ("staffing_change", "unfollowed"):
            patch.setattr(f"app.core.forecast.{module}.MOST_PLACES", FEW_PLACES)
        return whole, predict(scenario)


@pytest.mark.parametrize("patience_seconds", [None, 1_800.0])
@pytest.mark.parametrize(
    "agents", [np.repeat([40, 8], [8, 22]), np.repeat([40, 0, 40], 10), np.repeat([30, 40, 8], [4, 4, 22])]
)
def test_where_agents_leave_while_they_wait_it_is_said_to_be_worse(agents, patience_seconds):
    whole, near = courses(agents, 200, patience_seconds)
    assert (service_level(near) - service_level(whole)).max() > 0.01  # what would be believed otherwise
    assert near.overflowed.tolist() == [True]
    assert whole.overflowed.tolist() == [False]


@pytest.mark.parametrize("patience_seconds", [None, 900.0])
def test_where_agents_come_they_are_promised_less_than_they_get_and_that_is_enough(patience_seconds):
    whole, near = courses(np.repeat([8, 40], 15), 160, patience_seconds)
    assert not near.overflowed.any()
    assert (service_level(near) <= service_level(whole) + 1e-9).all()
    assert (speed_to_answer(near) >= speed_to_answer(whole) - 1e-6).all()


@pytest.mark.parametrize(
    ("agents", "waiting"), [(np.repeat([40, 8], [55, 5]), 120), (np.repeat([40, 8], 15), 10), (np.full(30, 40), 160)]
)
def test_whoever_is_served_before_agents_leave_spoils_no_figure(agents, waiting):
    whole, near = courses(agents, waiting, 900.0)
    assert not near.overflowed.any()
    np.testing.assert_allclose(service_level(near), service_level(whole), atol=1e-4)


@settings(max_examples=12)
@given(
    st.lists(st.integers(0, 40), min_size=2, max_size=3, unique=True),
    st.integers(0, 160),
    st.sampled_from([None, 900.0]),
)
def test_what_is_not_said_to_be_worse_promises_nobody_more_than_comes(agents, waiting, patience_seconds):
    whole, near = courses(np.repeat(agents, 8), waiting, patience_seconds)
    if not near.overflowed.any():
        assert (near.answered_in_target <= whole.answered_in_target + 1e-3).all()
        assert (near.abandoned >= whole.abandoned - 1e-3).all()


def test_a_limit_breaks_where_the_figures_are_better_than_what_comes(monkeypatch):
    limits = OutlookLimits(speed_to_answer_seconds=8_000.0, horizon_minutes=20)
    agents = np.repeat([40, 8], 10)
    case = a_case(
        limits=limits, minutes=20, agents=agents, patience_seconds=None, busy=40, waiting=160, base_per_minute=0.5
    )
    (believed,) = judge(case, case.sends()[np.newaxis])
    for module in ("staffing_change", "unfollowed"):
        monkeypatch.setattr(f"app.core.forecast.{module}.MOST_PLACES", FEW_PLACES)
    (verdict,) = judge(case, case.sends()[np.newaxis])
    assert believed.probability == 0.0
    assert verdict.probability == pytest.approx(1.0)
