"""How often a key may ask."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.client_profile import PLAIN, ClientProfile, RetryUnit
from app.services.rates import Rates


class Stopwatch:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def asked(rates, profile, times, key="key1"):
    """Return how many of so many requests at once were let through."""
    return sum(rates.refusal(key, profile) is None for _ in range(times))


def test_a_key_without_a_limit_may_ask_as_often_as_it_likes():
    assert asked(Rates(), PLAIN, 1000) == 1000


@pytest.mark.parametrize(("max_rps", "at_once"), [(5, 5), (1, 1), (0.1, 1), (2.5, 2)])
def test_a_seconds_worth_may_come_at_once_then_as_many_as_come_back(max_rps, at_once):
    stopwatch = Stopwatch()
    rates, profile = Rates(monotonic=stopwatch), ClientProfile(max_rps=max_rps)
    assert asked(rates, profile, 20) == at_once
    stopwatch.at += 1 / max_rps + 1e-6
    assert asked(rates, profile, 20) == 1
    stopwatch.at += 3600
    assert asked(rates, profile, 20) == at_once


def test_one_key_does_not_use_up_anothers():
    rates, profile = Rates(monotonic=Stopwatch()), ClientProfile(max_rps=1)
    assert asked(rates, profile, 5, "key1") == 1
    assert asked(rates, profile, 5, "key2") == 1


@given(st.floats(0.1, 10_000), st.lists(st.floats(0, 2), max_size=60))
def test_never_more_than_the_rate_over_the_time_and_a_seconds_worth_at_once(max_rps, pauses):
    stopwatch = Stopwatch()
    rates, profile, let_through = Rates(monotonic=stopwatch), ClientProfile(max_rps=max_rps), 0
    for pause in pauses:
        stopwatch.at += pause
        let_through += rates.refusal("key1", profile) is None
    assert let_through <= max(1.0, max_rps) + sum(pauses) * max_rps + 1e-6


def test_a_refusal_reads_as_a_hold_and_says_when_to_come_back_and_is_counted():
    counted = []
    rates = Rates(lambda: counted.append(1), Stopwatch())
    profile = ClientProfile(max_rps=0.5, hold_status=200)
    assert rates.refusal("key1", profile) is None
    refusal = rates.refusal("key1", profile)
    assert refusal is not None
    status, headers, body = refusal
    told = msgspec.json.decode(body)
    assert (status, told["decision"], told["proceed"], told["allow"]) == (429, "hold", False, 0)
    assert told["reasons"][0]["code"] == "client_rate"
    assert told["detail"] == "this key may ask 0.5 times per second; ask again in 2 s"
    assert (told["retry_after_seconds"], dict(headers)[b"retry-after"]) == (2, b"2")
    assert dict(headers)[b"content-length"] == str(len(body)).encode()
    assert counted == [1]


def test_a_refusal_counts_milliseconds_for_who_reads_those():
    rates = Rates(monotonic=Stopwatch())
    profile = ClientProfile(max_rps=0.5, retry_after_unit=RetryUnit.MILLISECONDS)
    rates.refusal("key1", profile)
    refusal = rates.refusal("key1", profile)
    assert refusal is not None
    assert dict(refusal.headers)[b"retry-after"] == b"2000"
    assert msgspec.json.decode(refusal.body)["retry_after_seconds"] == 2
