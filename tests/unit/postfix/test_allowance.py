"""What may pass under a permit: never more than it allows, never after it was stopped, never faster than the rate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.core.campaign.pace import Outcome
from app.postfix import allowance as allowances
from app.postfix.allowance import BURST_SECONDS, UNSEEN_SECONDS, Allowance, Grant, Taken
from app.postfix.rules import Terms


def a_grant(allow=10, now=0.0, ttl=120.0, permit_id="prm_1"):
    return Grant(permit_id, allow, seen_at=now, usable_until=now + ttl, taken_at=now)


def an_open_one(allow=10, now=0.0, ttl=120.0, **terms):
    return allowances.granted(Allowance(Terms("default", **terms)), a_grant(allow, now, ttl), now)


def take(allowance, recipients, now=0.0):
    allowance, taken = allowances.take(allowance, recipients, now)
    return allowance, taken


def test_nothing_passes_without_a_permit():
    assert take(Allowance(Terms("default")), 1)[1] is Taken.UNCOVERED


def test_a_message_passes_whole_or_not_at_all():
    allowance, taken = take(an_open_one(allow=5), 4)
    assert taken is Taken.PASSED
    same, taken = take(allowance, 2)
    assert taken is Taken.UNCOVERED
    assert same == allowance
    assert take(allowance, 1)[1] is Taken.PASSED


def test_a_permit_that_was_not_seen_for_a_while_lets_nothing_pass():
    allowance = an_open_one()
    assert take(allowance, 1, UNSEEN_SECONDS)[1] is Taken.PASSED
    assert take(allowance, 1, UNSEEN_SECONDS + 0.1)[1] is Taken.UNCOVERED
    assert take(allowances.seen(allowance, "prm_1", 4.0), 1, UNSEEN_SECONDS + 3)[1] is Taken.PASSED
    assert take(allowances.seen(allowance, "prm_other", 4.0), 1, UNSEEN_SECONDS + 3)[1] is Taken.UNCOVERED


def test_a_permit_whose_time_is_over_lets_nothing_pass():
    allowance = an_open_one(ttl=3.0)
    assert take(allowance, 1, 2.9)[1] is Taken.PASSED
    assert take(allowance, 1, 3.0)[1] is Taken.UNCOVERED
    renewed = allowances.seen(allowance, "prm_1", 2.0, usable_until=60.0)
    assert take(renewed, 1, 3.0)[1] is Taken.PASSED


def test_the_next_wave_opens_a_gap_after_the_last():
    allowance = an_open_one(now=100.0, wave=50, wave_gap_seconds=60)
    assert allowances.wanted(allowance, 1, 159.9) is None
    assert allowances.wanted(allowance, 1, 160.0) == 50


def test_after_a_hold_a_small_wave_goes_first_and_a_large_message_still_fits():
    allowance = allowances.refused(Allowance(Terms("default", wave=500)), Outcome.HELD, 30, now=0.0)
    assert allowances.wanted(allowance, 1, 29.9) is None
    assert allowances.wanted(allowance, 1, 30.0) == 50
    assert allowances.wanted(allowance, 80, 30.0) == 80


def test_a_stop_never_brings_the_next_wave_forward():
    stopped = allowances.refused(an_open_one(now=0.0, wave_gap_seconds=60), Outcome.HELD, 2, now=10.0)
    assert allowances.wanted(stopped, 1, 59.0) is None
    assert allowances.wanted(stopped, 1, 60.0) is not None


def test_what_a_wave_left_unused_may_still_go_before_the_next_opens_and_no_more():
    allowance, _ = take(an_open_one(allow=10, wave=10, wave_gap_seconds=60), 7)
    allowance = allowances.ended(allowance)
    assert allowances.wanted(allowance, 4, 30.0) is None
    assert allowances.wanted(allowance, 1, 30.0) == 3
    again = allowances.granted(allowances.asking(allowance, 35.0), a_grant(allow=3, now=30.0), 30.0)
    assert take(again, 3, 30.0)[1] is Taken.PASSED
    used, _ = take(again, 3, 30.0)
    assert allowances.wanted(allowances.ended(used), 1, 59.0) is None
    assert allowances.wanted(allowances.ended(used), 1, 60.0) == 10


def test_what_was_counted_before_needs_a_permit_that_stands_and_no_more():
    allowance, _ = take(an_open_one(allow=1, per_minute=1), 1)
    assert take(allowance, 0)[1] is Taken.PASSED
    ended = allowances.ended(allowance)
    assert take(ended, 0, UNSEEN_SECONDS)[1] is Taken.PASSED
    assert take(allowances.asking(ended, 5.0), 0, UNSEEN_SECONDS)[1] is Taken.PASSED
    assert take(ended, 0, UNSEEN_SECONDS + 0.1)[1] is Taken.UNCOVERED
    assert take(allowances.refused(ended, Outcome.HELD, 1.0, 0.0), 0)[1] is Taken.UNCOVERED
    assert take(allowances.refused(allowance, Outcome.BAD, 1.0, 0.0), 0)[1] is Taken.UNCOVERED
    assert take(allowances.closed(allowance), 0)[1] is Taken.UNCOVERED


@pytest.mark.parametrize("per_minute", [6, 60, 6000])
def test_a_rate_is_kept_however_often_one_tries(per_minute):
    allowance, passed, now = an_open_one(allow=10**6, ttl=10**6, per_minute=per_minute), 0, 0.0
    for tick in range(6000):
        now = tick * 0.01
        allowance = allowances.seen(allowance, "prm_1", now)
        allowance, taken = take(allowance, 1, now)
        passed += taken is Taken.PASSED
    burst = max(1.0, per_minute / 60 * BURST_SECONDS)
    assert passed <= burst + per_minute / 60 * now
    assert passed >= min(6000, per_minute / 60 * now)


@given(st.integers(1, 600), st.lists(st.tuples(st.floats(0, 20), st.integers(1, 50)), max_size=60))
def test_a_rate_is_kept_by_messages_of_any_size_at_any_time(per_minute, messages):
    allowance, passed, now, largest = an_open_one(allow=10**6, ttl=10**6, per_minute=per_minute), 0, 0.0, 1
    for pause, recipients in messages:
        now += pause
        largest = max(largest, recipients)
        allowance, taken = take(allowances.seen(allowance, "prm_1", now), recipients, now)
        passed += recipients if taken is Taken.PASSED else 0
    burst = max(1.0, per_minute / 60 * BURST_SECONDS)
    assert passed <= burst + per_minute / 60 * now + largest


class AnyDay(RuleBasedStateMachine):
    """Messages, permits, looks, stops and time in any order, beside a ledger that knows nothing of the code."""

    def __init__(self):
        super().__init__()
        self.now, self.permits = 0.0, 0
        self.allowance = Allowance(Terms("default", wave=20, wave_gap_seconds=5))
        self.allowed, self.passed, self.waves = {}, {}, 0
        self.standing = None  # the permit that may be used, by the ledger
        self.is_stopped = True  # whether the last permit was, or there was none
        self.seen_at = self.until = 0.0

    @rule(recipients=st.integers(1, 25))
    def a_message_comes(self, recipients):
        self.allowance, taken = allowances.take(self.allowance, recipients, self.now)
        if taken is Taken.PASSED:
            assert self.standing is not None
            assert self.now < self.until
            assert self.now - self.seen_at <= UNSEEN_SECONDS
            self.passed[self.standing] += recipients

    @rule()
    def a_message_that_was_counted_goes_on(self):
        self.allowance, taken = allowances.take(self.allowance, 0, self.now)
        if taken is Taken.PASSED:
            assert not self.is_stopped
            assert self.now < self.until
            assert self.now - self.seen_at <= UNSEEN_SECONDS

    @rule(allow=st.integers(1, 30))
    def a_permit_is_asked_for_and_given(self, allow):
        size = allowances.wanted(self.allowance, 1, self.now)
        if size is None:
            return
        assert 0 < size <= 20
        self.waves += self.now >= self.allowance.opens_at
        self.permits += 1
        name = f"prm_{self.permits}"
        self.allowance = allowances.asking(self.allowance, self.now + 5)
        grant = a_grant(min(allow, size), self.now, ttl=30, permit_id=name)
        self.allowance = allowances.granted(self.allowance, grant, self.now)
        self.standing, self.seen_at, self.until, self.is_stopped = name, self.now, self.now + 30, False
        self.allowed[name], self.passed[name] = grant.allow, 0

    @rule(outcome=st.sampled_from([Outcome.HELD, Outcome.BAD]), pause=st.floats(0, 60))
    def an_ask_is_refused(self, outcome, pause):
        self.allowance = allowances.refused(self.allowance, outcome, pause, self.now)
        self.standing, self.is_stopped = None, True

    @rule(renews=st.booleans())
    def the_permit_is_seen(self, renews):
        if self.standing is not None:
            until = self.now + 30 if renews else None
            self.allowance = allowances.seen(self.allowance, self.standing, self.now, until)
            self.seen_at = self.now
            self.until = self.now + 30 if renews else self.until

    @rule()
    def an_old_permit_is_seen(self):
        self.allowance = allowances.seen(self.allowance, "prm_0", self.now, self.now + 1000)

    @precondition(lambda self: self.standing is not None)
    @rule()
    def it_must_stop(self):
        self.allowance = allowances.refused(self.allowance, Outcome.HELD, 2.0, self.now)
        self.standing, self.is_stopped = None, True

    @rule()
    def it_is_given_back(self):
        self.allowance = allowances.ended(self.allowance)
        self.standing = None

    @rule(seconds=st.floats(0, 20))
    def time_passes(self, seconds):
        self.now += seconds

    @invariant()
    def no_permit_lets_more_pass_than_it_allows(self):
        assert all(self.passed[name] <= allow for name, allow in self.allowed.items())

    @invariant()
    def waves_keep_their_distance_and_their_size(self):
        assert self.waves <= self.now / 5 + 1
        assert sum(self.passed.values()) <= 20 * self.waves


TestAnyDay = AnyDay.TestCase
