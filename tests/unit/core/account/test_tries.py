from hypothesis import given
from hypothesis import strategies as st

from app.core.account.tries import FREE_OF_ACCOUNT, LONGEST_SECONDS, Tries, counted, seconds_to_wait
from tests.support.builders import NOW, after


def tried(times: int, gap_seconds: float = 0) -> Tries:
    tries = None
    for number in range(times):
        tries = counted(tries, after(number * gap_seconds))
    assert tries is not None
    return tries


def test_the_first_few_are_free_then_the_wait_doubles():
    waits = [seconds_to_wait(tried(times), FREE_OF_ACCOUNT, NOW) for times in range(1, 10)]
    assert waits == [0, 0, 0, 0, 1, 2, 4, 8, 16]
    assert seconds_to_wait(None, FREE_OF_ACCOUNT, NOW) == 0


def test_waiting_is_enough():
    tries = tried(8)
    assert seconds_to_wait(tries, FREE_OF_ACCOUNT, after(7.5)) == 0.5
    assert seconds_to_wait(tries, FREE_OF_ACCOUNT, after(8)) == 0


def test_an_hour_alone_halves_what_counts():
    assert counted(tried(8), after(3600)).count == 5
    assert counted(tried(8), after(24 * 3600)).count < 1.001


@given(st.integers(1, 10_000))
def test_nobody_ever_waits_longer_than_a_quarter_of_an_hour(times):
    assert seconds_to_wait(Tries(float(times), NOW), FREE_OF_ACCOUNT, NOW) <= LONGEST_SECONDS


def test_who_guesses_all_day_as_soon_as_it_is_allowed_gets_a_few_hundred_guesses():
    at, tries, guesses = 0.0, None, 0
    while at < 24 * 3600:
        tries, guesses = counted(tries, after(at)), guesses + 1
        at += max(seconds_to_wait(tries, FREE_OF_ACCOUNT, after(at)), 0.1)
    assert 150 < guesses < 300
