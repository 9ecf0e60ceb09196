"""More messages never help; more agents, looser limits and fewer contacts per message never hurt."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.forecast.breach import probabilities
from app.core.forecast.case import Case, Rate
from app.core.forecast.limits import OutlookLimits
from app.core.forecast.safe import Bound, safe_now
from app.core.forecast.search import tolerance
from tests.support.cases import a_case, a_queue_case

MINUTES = 30
MOST = 20_000
FEW = settings(max_examples=10)

limits = st.builds(
    OutlookLimits,
    service_level_ratio=st.floats(0.5, 0.95),
    speed_to_answer_seconds=st.floats(5, 60) | st.none(),
    backlog=st.integers(2, 12) | st.none(),
    max_breach_probability=st.floats(0.03, 0.4),
    horizon_minutes=st.just(MINUTES),
)


@st.composite
def cases(draw):
    agents = draw(st.integers(3, 12))
    queue = a_queue_case(
        minutes=MINUTES,
        agents=agents,
        base_per_minute=agents / 5 * draw(st.floats(0.2, 0.9)),
        busy=draw(st.integers(0, agents)),
        waiting=draw(st.integers(0, 2)),
        base_cv=draw(st.floats(0, 0.3)),
        patience_seconds=draw(st.sampled_from([60.0, 180.0, None])),
    )
    rate = Rate(draw(st.floats(2, 40)), draw(st.floats(0, 1)))
    return a_case(queue, limits=draw(limits), rate=rate, minutes=MINUTES)


def audience(case: Case) -> int:
    return safe_now(case, MOST).audience


@FEW
@given(cases())
def test_the_probability_of_a_breach_never_falls_with_the_size(case):
    sizes = np.linspace(0, 4_000, 7)
    found = probabilities(case, np.array([case.sends((0, size)) for size in sizes]))
    assert (np.diff(found) > -1e-3).all()
    assert ((found >= 0) & (found <= 1 + 1e-9)).all()


@FEW
@given(cases())
def test_what_is_called_safe_is_safe_and_what_is_a_little_more_is_not(case):
    found = safe_now(case, MOST)
    allowed = case.limits.max_breach_probability
    sizes = (found.audience, found.audience + 2 * tolerance(found.audience))
    safe, more = probabilities(case, np.array([case.sends((0, size)) for size in sizes]))
    if found.bound is Bound.ALREADY:
        assert found.audience == 0
        assert safe > allowed
    else:
        assert safe <= allowed + 1e-9
        assert (more > allowed) == (found.bound is Bound.LIMIT) or sizes[1] > MOST


@FEW
@given(cases(), st.integers(1, 4))
def test_more_agents_never_make_less_safe(case, extra):
    fewer, more = audience(case), audience(case.with_agents("orders-voice", extra, 0))
    assert more >= fewer - tolerance(fewer)


@FEW
@given(cases())
def test_looser_limits_never_make_less_safe(case):
    tight = case.limits
    loose = replace(
        tight,
        service_level_ratio=0.9 * (tight.service_level_ratio or 0),
        backlog=None if tight.backlog is None else tight.backlog + 2,
        max_breach_probability=1.2 * tight.max_breach_probability,
    )
    strict, lax = audience(case), audience(replace(case, limits=loose))
    assert lax >= strict - tolerance(strict)


@FEW
@given(cases(), st.floats(0.3, 0.95))
def test_fewer_contacts_per_message_never_make_less_safe(case, factor):
    rate = case.contacts_per_1000
    many, few = audience(case), audience(replace(case, contacts_per_1000=replace(rate, mean=factor * rate.mean)))
    assert few >= many - tolerance(many)
