import pytest

from app.core.account.tries import FREE_OF_ACCOUNT, FREE_OF_ADDRESS
from app.services.throttle import Throttle, TooManyTries
from tests.support.builders import NOW, after

HERE, THERE = "192.0.2.1", "198.51.100.9"


def guess(throttle: Throttle, account: str, address: str, times: int, at: float = 0) -> None:
    for _ in range(times):
        throttle.begin(account, address, after(at))


def test_an_account_is_slowed_wherever_the_guesses_come_from():
    throttle = Throttle()
    for number in range(FREE_OF_ACCOUNT):
        guess(throttle, "ann", f"192.0.2.{number}", 1)
    with pytest.raises(TooManyTries, match="wait 1 s") as refused:
        guess(throttle, "ann", THERE, 1)
    assert refused.value.seconds == 1
    guess(throttle, "bob", THERE, 1)


def test_an_address_is_slowed_whatever_accounts_it_guesses_at():
    throttle = Throttle()
    for number in range(FREE_OF_ADDRESS):
        guess(throttle, f"account {number}", HERE, 1)
    with pytest.raises(TooManyTries):
        guess(throttle, "another account", HERE, 1)
    guess(throttle, "another account", THERE, 1)


def test_a_try_that_comes_too_early_counts_nothing():
    throttle = Throttle()
    guess(throttle, "ann", HERE, FREE_OF_ACCOUNT)
    for _ in range(50):
        with pytest.raises(TooManyTries):
            throttle.begin("ann", HERE, after(0.5))
    throttle.begin("ann", HERE, after(1))


def test_who_guesses_from_elsewhere_does_not_keep_the_owner_out():
    throttle = Throttle()
    throttle.begin("ann", HERE, NOW)
    throttle.succeed("ann", HERE)
    guess(throttle, "ann", THERE, FREE_OF_ACCOUNT)
    with pytest.raises(TooManyTries):
        guess(throttle, "ann", THERE, 1)
    throttle.begin("ann", HERE, NOW)
    throttle.succeed("ann", HERE)
    with pytest.raises(TooManyTries):
        guess(throttle, "ann", THERE, 1)


def test_an_address_once_known_has_no_endless_tries():
    throttle = Throttle()
    throttle.begin("ann", HERE, NOW)
    throttle.succeed("ann", HERE)
    guess(throttle, "ann", HERE, FREE_OF_ACCOUNT)
    with pytest.raises(TooManyTries):
        guess(throttle, "ann", HERE, 1)


def test_an_account_of_ones_own_does_not_wash_away_guesses_at_others():
    throttle = Throttle()
    for number in range(FREE_OF_ADDRESS):
        guess(throttle, f"account {number}", HERE, 1)
        if number % 5 == 0 and number < FREE_OF_ADDRESS - 1:
            throttle.begin("mallory", HERE, NOW)
            throttle.succeed("mallory", HERE)
    with pytest.raises(TooManyTries):
        guess(throttle, "another account", HERE, 1)


def test_who_came_in_by_a_link_starts_anew():
    throttle = Throttle()
    guess(throttle, "ann", HERE, FREE_OF_ACCOUNT)
    with pytest.raises(TooManyTries):
        throttle.begin("ann", HERE, NOW)
    throttle.forget("ann")
    throttle.begin("ann", HERE, NOW)


def test_a_long_wait_is_said_in_minutes():
    assert str(TooManyTries(61)) == "too many wrong passwords were tried; wait 2 min, then try again"
