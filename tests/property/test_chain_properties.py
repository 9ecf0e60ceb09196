"""Over queues of all kinds: the walk agrees with uniformisation, and more arrivals or fewer agents never help."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.forecast.chain import stretches, walk
from app.core.forecast.extent import drain_of, outline, padded, steps_for
from app.core.forecast.predict import predict
from app.core.forecast.ratios import mean_wait, service_level
from app.core.forecast.scenario import Scenario
from app.core.forecast.uniformisation import uniformised

MINUTES = 20
CLOSE = {2: (0.06, 0.1), 12: (4e-3, 6e-3)}  # by steps per minute: of its probabilities, of its mean
FINE, SLACK = 10.0, 5e-3
"""What the integration may be off by; a true difference in the wrong direction would be of any size."""


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    most = draw(st.integers(1, 60))
    handle = draw(st.floats(120, 900))
    counts = draw(st.lists(st.integers(0, most), min_size=1, max_size=3))
    agents = np.resize(np.repeat(counts, MINUTES // len(counts)), MINUTES)
    loads = draw(st.lists(st.floats(0, 1.6), min_size=1, max_size=4))
    rates = np.resize(np.repeat(loads, MINUTES // len(loads)), MINUTES) * most / handle
    patience = draw(st.one_of(st.none(), st.floats(30, 900)))
    return Scenario(rates, agents, handle, patience, draw(st.integers(0, most)), draw(st.integers(0, 15)))


@given(scenarios())
@settings(max_examples=25)
def test_walking_and_uniformisation_find_the_same_distribution(scenario: Scenario) -> None:
    drain, rates = drain_of(scenario), scenario.arrivals_per_second[None, :]
    begin = min(scenario.busy, int(scenario.agents[0])) + scenario.waiting
    starts = np.eye(1, begin + 1, begin)
    found = outline(scenario, rates[0], starts[0])
    (start,) = padded(starts, [found.states()])
    exact = uniformised(start[:, None], rates, scenario.agents, drain, 60.0)[-1, :, 0]
    for steps, (close, close_in_mean) in CLOSE.items():
        walked = walk(rates, stretches(scenario.agents), drain, [start], steps_for([found], steps)).paths[-1][-1]
        assert np.abs(np.cumsum(walked - exact)).max() < close
        assert abs((walked - exact) @ np.arange(len(exact))) < close_in_mean


@given(scenarios(), st.floats(1.0, 2.0))
def test_more_arrivals_never_help(scenario: Scenario, factor: float) -> None:
    course = predict(
        scenario, scenario.arrivals_per_second * np.array([[1.0], [factor]]), backlog_above=(0, 5), step_seconds=FINE
    )
    level, wait = service_level(course), mean_wait(course)
    finite = np.isfinite(wait).all(axis=0)
    assert (level[1] <= level[0] + SLACK)[~np.isnan(level[0])].all()
    assert (wait[1, finite] >= wait[0, finite] - SLACK * (1 + wait[0, finite])).all()
    assert (course.backlog_end[1] >= course.backlog_end[0] - SLACK).all()
    for above in course.backlog_above.values():
        assert (above[1] >= above[0] - SLACK).all()


@given(scenarios(), st.integers(1, 5))
def test_more_agents_never_hurt(scenario: Scenario, more: int) -> None:
    more_of_them = replace(scenario, agents=scenario.agents + more)
    few, many = (predict(one, step_seconds=FINE) for one in (scenario, more_of_them))
    level, better = service_level(few)[0], service_level(many)[0]
    assert (better >= level - SLACK)[~np.isnan(level)].all()
    assert (many.backlog_end <= few.backlog_end + SLACK).all()


@given(scenarios())
def test_every_figure_of_a_course_is_in_its_range(scenario: Scenario) -> None:
    course = predict(scenario, backlog_above=(0, 10))
    assert (course.answered <= course.offered).all()
    assert (course.answered_in_target <= course.answered).all()
    assert (course.abandoned_in_target <= course.abandoned).all()
    assert (course.answered_wait_seconds >= 0).all()
    assert (course.wait_seconds >= course.answered_wait_seconds).all()
    assert (course.busy <= scenario.agents.max()).all()
    assert (course.backlog >= 0).all()
    assert (course.backlog_end_p90 >= 0).all()
    assert (course.all_busy <= 1).all()
    assert (course.end >= 0).all()
    assert abs(course.end.sum() - 1) < 1e-9
    assert all(((above >= 0) & (above <= 1)).all() for above in course.backlog_above.values())
    assert not course.overflowed.any()
