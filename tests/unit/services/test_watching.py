from datetime import timedelta

import pytest

from app.core.campaign.campaign import Release
from app.core.campaign.handover import ToolCampaign
from app.core.sending.drive import Command
from app.core.sending.standing import SendingState, Standing
from app.services.watching import GivenBack, NotReady, Watch, why_not_ready
from tests.support.builders import NOW, after

S = SendingState
FINAL = timedelta(seconds=5)


def seen(*states, seconds=1.0, sent=0):
    """Return what is remembered of a campaign that was seen in these states, one every `seconds`."""
    watch = Watch(ToolCampaign("12"), NOW)
    for number, state in enumerate(states):
        watch.saw(Standing(state, sent), after(number * seconds))
    return watch


def told(command, *states):
    watch = seen(S.READY if command is not Command.PAUSE else S.RUNNING)
    watch.commanded(command, NOW)
    for number, state in enumerate(states, 1):
        watch.saw(Standing(state, 0), after(number))
    return watch


@pytest.mark.parametrize(
    ("watch", "sends"),
    [
        (seen(), True),
        (seen(S.READY), False),
        (seen(S.RUNNING), True),
        (seen(S.SCHEDULED), True),
        (seen(S.RUNNING, S.PAUSED), False),
        (told(Command.START), True),
        (told(Command.START, S.READY), True),
        (told(Command.START, S.FINISHED), False),
        (told(Command.PAUSE, S.RUNNING), True),
        (told(Command.PAUSE, S.PAUSED), False),
    ],
)
def test_what_was_never_seen_was_told_to_or_was_seen_to_may_be_sending(watch, sends):
    assert watch.may_be_sending is sends


@pytest.mark.parametrize(
    ("watch", "obeyed"),
    [
        (told(Command.START, S.RUNNING), True),
        (told(Command.START, S.SCHEDULED), False),
        (told(Command.RESUME, S.FINISHED), True),
        (told(Command.PAUSE, S.READY), True),
        (told(Command.PAUSE, S.RUNNING), False),
    ],
)
def test_a_command_stands_until_the_state_shows_it(watch, obeyed):
    assert (watch.told is None) is obeyed


def test_what_just_came_to_rest_rests_since_then_and_what_was_found_at_rest_since_it_was_found():
    assert seen(S.RUNNING, S.PAUSED, S.PAUSED).rested_since == after(1)
    assert seen(S.PAUSED, S.PAUSED).rested_since == NOW
    assert seen(S.READY).rested_since is None


def test_a_count_that_moves_at_rest_is_not_final_before_it_stands_still():
    watch = seen(S.PAUSED, sent=10)
    watch.saw(Standing(S.PAUSED, 20), after(3))
    assert watch.rested_since == after(3)


def test_what_was_found_running_runs_for_longer_than_anybody_knows():
    assert seen(S.RUNNING).running_since is None
    assert told(Command.START, S.RUNNING).running_since == NOW


def test_each_command_in_vain_is_followed_by_a_longer_pause():
    watch, pauses = seen(S.READY), []
    for _ in range(9):
        watch.back_off(NOW)
        pauses.append((watch.not_before - NOW).total_seconds())
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300, 300]


@pytest.mark.parametrize(
    ("watches", "why"),
    [
        ([seen(S.READY)], None),
        ([seen(S.PAUSED)], NotReady.NOT_FINAL),
        ([seen(S.READY), seen()], NotReady.UNKNOWN),
        ([seen(S.READY), seen(S.RUNNING)], NotReady.SENDING),
        ([seen(S.FINISHED, S.FINISHED, seconds=-9)], NotReady.NOBODY_LEFT),
        ([seen(S.FINISHED, seconds=9), seen(S.READY)], NotReady.NOT_FINAL),
        ([seen(S.ENDED, S.ENDED, seconds=-9)], NotReady.ENDED),
    ],
)
def test_a_wave_opens_only_for_a_tool_that_rests_with_somebody_left(watches, why):
    for watch in watches:
        if why in {NotReady.NOBODY_LEFT, NotReady.ENDED}:
            watch.rested_since = after(-9)
    assert why_not_ready(watches, NOW, FINAL) is why


def test_one_that_backs_off_is_not_ready():
    watch = seen(S.READY)
    watch.back_off(NOW)
    assert why_not_ready([watch], after(4), FINAL) is NotReady.BACKS_OFF
    assert why_not_ready([watch], after(5), FINAL) is None


@pytest.mark.parametrize(
    ("watch", "seconds", "is_near", "is_due"),
    [
        (seen(S.RUNNING), 0, False, True),
        (seen(S.READY), 14, False, False),
        (seen(S.READY), 14, True, True),
        (seen(S.READY), 15, False, True),
        (seen(S.RUNNING, S.PAUSED), 20, False, True),
        (seen(S.FINISHED), 14, True, True),
    ],
)
def test_what_may_send_soon_is_asked_about_at_each_look_and_the_rest_now_and_then(watch, seconds, is_near, is_due):
    assert watch.is_due(after(seconds), FINAL, is_near=is_near) is is_due


def test_each_wave_that_is_given_back_makes_the_next_wait_twice_as_long_up_to_five_minutes():
    given_back = GivenBack(Release())
    assert given_back.why_not_ready(NOW) is None
    waits = []
    for _ in range(12):
        given_back.once_more("too few", NOW)
        waits.append(given_back.rest_seconds)
        assert given_back.why_not_ready(after(given_back.rest_seconds - 0.1)) is not None
        assert given_back.why_not_ready(after(given_back.rest_seconds)) is None
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    given_back.begun()
    assert given_back.why_not_ready(NOW) is None
    given_back.once_more("too few", NOW)
    assert given_back.why_not_ready(NOW) == "gave the last wave back: too few. Another is tried after 1 s"


def test_a_clock_that_went_back_makes_no_wave_wait_longer():
    given_back = GivenBack(Release())
    given_back.once_more("too few", NOW)
    assert given_back.why_not_ready(after(-3_600)) is None
