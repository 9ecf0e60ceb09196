"""What a client profile may say."""

import math

import pytest

from app.core.client_profile import PLAIN, ClientProfile, RetryUnit
from app.errors import Invalid
from app.services.profiles import changed_profile


def test_members_that_are_given_replace_those_that_were_and_the_others_stay():
    former = ClientProfile(hold_status=404, max_rps=5.0)
    changed = changed_profile(former, {"unknown_status": 200, "retry_after_unit": "ms", "max_rps": None})
    assert changed == ClientProfile(404, 200, RetryUnit.MILLISECONDS, None)
    assert changed_profile(former, {}) == former


@pytest.mark.parametrize("max_rps", [0.1, 1, 10_000])
def test_a_rate_may_be_slow_or_fast(max_rps):
    assert changed_profile(PLAIN, {"max_rps": max_rps}).max_rps == max_rps


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"hold_status": 500}, "500 must be 429, 503, 404 or 200"),
        ({"hold_status": True}, "true must be 429"),
        ({"hold_status": "429"}, '"429" must be 429'),
        ({"unknown_status": 202}, "202 must be 503, 429, 404 or 200"),
        ({"retry_after_unit": "min"}, '"min" must be s (seconds) or ms (milliseconds)'),
        ({"max_rps": 0.09}, "0.09 must be 0.1 to 10,000 per second"),
        ({"max_rps": 10_001}, "10001 must be 0.1 to 10,000 per second"),
        ({"max_rps": math.nan}, "NaN must be 0.1"),
        ({"max_rps": math.inf}, "Infinity must be 0.1"),
        ({"max_rps": "5"}, '"5" must be 0.1'),
        ({"colour": "red"}, "is no member of a profile"),
    ],
)
def test_what_is_no_profile_is_refused_where_it_is(changes, says):
    with pytest.raises(Invalid) as refused:
        changed_profile(PLAIN, changes)
    (problem,) = refused.value.problems
    assert problem.pointer == f"/profile/{next(iter(changes))}"
    assert says in problem.detail
