from dataclasses import replace

import numpy as np
import pytest

from app.core.forecast.check import ScenarioRefused, check
from tests.unit.core.forecast.scenarios import FORTY, a_scenario


def with_value(values, value):
    changed = values.astype(float) if isinstance(value, float) else values.copy()
    changed[3] = value
    return changed


@pytest.mark.parametrize(
    ("scenario", "pointer", "said"),
    [
        (a_scenario(handle_seconds=0.0), "/handle_seconds", "0.0 must be > 0"),
        (a_scenario(handle_seconds=-1.0), "/handle_seconds", "-1.0 must be > 0"),
        (a_scenario(handle_seconds=float("nan")), "/handle_seconds", "nan must be > 0"),
        (a_scenario(handle_seconds=1e9), "/handle_seconds", "at most 604800 s"),
        (a_scenario(patience_seconds=0.0), "/patience_seconds", "0.0 must be > 0"),
        (a_scenario(patience_seconds=float("nan")), "/patience_seconds", "or None: nobody gives up"),
        (a_scenario(patience_seconds=float("inf")), "/patience_seconds", "inf must be"),
        (a_scenario(target_seconds=-1.0), "/target_seconds", "-1.0 must be 0"),
        (a_scenario(target_seconds=float("nan")), "/target_seconds", "nan"),
        (a_scenario(busy=-1), "/busy", "-1 must be a whole number, 0 to"),
        (a_scenario(busy=1.5), "/busy", "1.5 must be a whole number"),
        (a_scenario(busy=True), "/busy", "True must be a whole number"),
        (a_scenario(waiting=10**7), "/waiting", "10000000 must be a whole number, 0 to 15000"),
        (replace(FORTY, agents=with_value(FORTY.agents, -1)), "/agents/3", "-1 in minute 3 must be 0 to 10000 agents"),
        (replace(FORTY, agents=with_value(FORTY.agents, 10**6)), "/agents/3", "1000000 in minute 3"),
        (a_scenario(agents=np.full(60, 40.5)), "/agents", "must be whole numbers of agents"),
        (
            replace(FORTY, arrivals_per_second=with_value(FORTY.arrivals_per_second, np.nan)),
            "/arrivals_per_second/3",
            "nan",
        ),
        (
            replace(FORTY, arrivals_per_second=with_value(FORTY.arrivals_per_second, -0.1)),
            "/arrivals_per_second/3",
            "-0.1",
        ),
        (
            replace(FORTY, arrivals_per_second=with_value(FORTY.arrivals_per_second, 1e9)),
            "/arrivals_per_second/3",
            "10000",
        ),
        (replace(FORTY, arrivals_per_second=FORTY.arrivals_per_second[:-1]), "/arrivals_per_second", "shape (59,)"),
        (replace(FORTY, arrivals_per_second=np.zeros((1, 60))), "/arrivals_per_second", "shape (1, 60)"),
    ],
)
def test_what_cannot_be_predicted_is_refused_by_name_value_and_rule(scenario, pointer, said):
    with pytest.raises(ScenarioRefused) as refused:
        check(scenario)
    (problem,) = refused.value.problems
    assert problem.pointer == pointer
    assert said in problem.detail


def test_a_horizon_of_nothing_is_refused():
    with pytest.raises(ScenarioRefused, match="0 minutes"):
        check(a_scenario(minutes=0))
    with pytest.raises(ScenarioRefused, match="20000 minutes"):
        check(a_scenario(minutes=20_000))


def test_every_fault_is_told_at_once():
    with pytest.raises(ScenarioRefused, match=r"/handle_seconds.*\(and 2 more\)") as refused:
        check(a_scenario(handle_seconds=0.0, busy=-1, waiting=-1))
    assert [problem.pointer for problem in refused.value.problems] == ["/handle_seconds", "/busy", "/waiting"]


@pytest.mark.parametrize(
    "arrivals", [np.zeros((2, 59)), np.zeros(60), np.zeros((0, 60)), np.full((1, 60), -1.0), np.full((1, 60), np.nan)]
)
def test_rows_that_do_not_fit_are_refused(arrivals):
    with pytest.raises(ScenarioRefused, match="/arrivals_per_second"):
        check(FORTY, arrivals)


@pytest.mark.parametrize(
    "start",
    [
        np.ones(5) / 5,
        np.zeros((1, 0)),
        np.ones((1, 5)),
        np.array([[1.5, -0.5]]),
        np.array([[np.nan, 1.0]]),
        np.ones((3, 2)) / 2,
        np.array(1.0),
    ],
)
def test_a_start_that_is_no_distribution_is_refused(start):
    with pytest.raises(ScenarioRefused, match="/start"):
        check(FORTY, np.zeros((2, 60)), start)


def test_what_can_be_predicted_passes():
    check(FORTY, np.zeros((2, 60)), np.ones((2, 4)) / 4)
    check(a_scenario(minutes=1, agents=0, busy=0, target_seconds=0.0, patience_seconds=None))
