import pytest

from app.core.sending.drive import Command, GiveBack, Move, Part, Wait, next_of, smallest, unseen
from app.core.sending.standing import Abilities, SendingState, Standing

S = SendingState
PAUSABLE = Abilities(can_pause=True, lag_seconds=5, per_second=50)
ONCE_BEGUN_GONE = Abilities(can_pause=False)


def part(state=S.READY, sent=0, target=None, *, recipients=None, name="a", running=None, rested=None, rate=None):
    return Part(name, Standing(state, sent, target, rate), recipients, running, rested)


def after(*parts, left, abilities=PAUSABLE, **options):
    return next_of(parts, abilities, left=left, look_seconds=1, **options)


@pytest.mark.parametrize(("state", "command"), [(S.READY, Command.START), (S.PAUSED, Command.RESUME)])
def test_what_rests_is_begun_or_resumed_when_enough_may_go(state, command):
    assert after(part(state), left=1_000) == Move(command, "a", "1,000 may go")


@pytest.mark.parametrize("state", [S.RUNNING, S.SCHEDULED])
def test_whatever_may_send_is_paused_when_nothing_may_go(state):
    step = after(part(state), left=0)
    assert isinstance(step, Move)
    assert (step.command, step.part) == (Command.PAUSE, "a")


@pytest.mark.parametrize("state", [S.READY, S.PAUSED, S.FINISHED, S.ENDED])
def test_what_does_not_send_is_left_alone_when_nothing_may_go(state):
    assert after(part(state), left=0) == Wait("nothing may be sent, and nothing is")


@pytest.mark.parametrize(("left", "pauses"), [(302, False), (301, True), (1, True)])
def test_it_is_paused_a_lag_and_a_look_before_its_permit_is_used_up(left, pauses):
    assert isinstance(after(part(S.RUNNING, 500, 10_000), left=left), Move) is pauses


@pytest.mark.parametrize(
    ("running", "left", "pauses"), [(0, 52, False), (0, 51, True), (3, 202, False), (3, 201, True)]
)
def test_what_has_just_begun_cannot_have_sent_more_than_that_time_allows(running, left, pauses):
    assert isinstance(after(part(S.RUNNING, 0, 10_000, running=running), left=left), Move) is pauses


def test_a_tool_that_says_it_is_faster_than_configured_is_believed():
    assert unseen(PAUSABLE, part(S.RUNNING, rate=100.0), 1) == 601
    assert unseen(PAUSABLE, part(S.RUNNING, rate=10.0), 1) == 301


def test_what_ends_within_the_permit_is_not_paused():
    assert after(part(S.RUNNING, 900, 1_000), left=100) == Wait("the tool sends, and ends within the permit")


def test_a_size_is_the_larger_of_what_the_tool_and_its_makers_say():
    assert isinstance(after(part(S.RUNNING, 900, 1_000, recipients=1_500), left=100), Move)


def test_a_permit_that_is_too_small_to_stop_in_time_is_given_back():
    assert smallest(PAUSABLE, 1) == 302
    assert isinstance(after(part(S.READY, 0, 10_000), left=302), Move)
    step = after(part(S.READY, 0, 10_000), left=301)
    assert isinstance(step, GiveBack)
    assert "at least 302" in step.why


def test_the_small_rest_of_a_campaign_needs_no_stop():
    assert isinstance(after(part(S.PAUSED, 9_990, 10_000), left=10), Move)


def test_nothing_is_begun_before_the_count_is_final():
    assert after(part(S.PAUSED, 10, 10_000, rested=4.9), left=1_000) == Wait("its count is not final yet")
    assert isinstance(after(part(S.PAUSED, 10, 10_000, rested=5), left=1_000), Move)


def test_nothing_is_begun_while_that_is_not_allowed_though_what_runs_is_still_stopped():
    assert after(part(), left=1_000, may_begin=False) == Wait("nothing is begun now")
    assert isinstance(after(part(S.RUNNING, 0, 9_999), left=1, may_begin=False), Move)


def test_when_nobody_is_left_the_permit_is_given_back():
    assert after(part(S.FINISHED), part(S.ENDED, name="b"), left=9) == GiveBack("the tool has nobody left to send to")


def test_a_tool_that_would_begin_by_itself_is_stopped_though_something_may_go():
    step = after(part(S.SCHEDULED), left=1_000)
    assert isinstance(step, Move)
    assert step.command is Command.PAUSE


def test_of_several_parts_the_first_that_fits_whole_is_begun():
    parts = [part(recipients=size, name=str(size)) for size in (1_000, 400, 100)]
    step = next_of(parts, ONCE_BEGUN_GONE, left=500, look_seconds=1)
    assert step == Move(Command.START, "400", "500 may go")


def test_what_cannot_be_paused_is_not_begun_unless_it_fits_whole():
    assert isinstance(after(part(recipients=501), left=500, abilities=ONCE_BEGUN_GONE), GiveBack)
    assert isinstance(after(part(), left=500, abilities=ONCE_BEGUN_GONE), GiveBack)


@pytest.mark.parametrize("state", [S.RUNNING, S.SCHEDULED])
def test_what_sends_and_cannot_be_paused_is_trouble_when_nothing_may_go(state):
    step = after(part(state), left=0, abilities=ONCE_BEGUN_GONE)
    assert isinstance(step, Wait)
    assert step.is_trouble


@pytest.mark.parametrize(("state", "sent"), [(S.READY, 0), (S.SCHEDULED, 0), (S.RUNNING, 400), (S.FINISHED, 400)])
def test_what_a_tool_does_not_count_is_all_sent_once_it_began(state, sent):
    assert part(state, None, recipients=400).sent == sent
