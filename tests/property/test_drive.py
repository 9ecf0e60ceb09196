"""A tool under the rules of driving: whatever it says and however late it counts, no permit is exceeded."""

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.sending.drive import Command, GiveBack, Move, Part, next_of
from app.core.sending.standing import MAY_SEND, Abilities, SendingState, Standing

S = SendingState
counts = st.integers(0, 20_000)
standings = st.builds(
    Standing,
    st.sampled_from(list(S)),
    st.none() | counts,
    st.none() | counts,
    st.none() | st.floats(0, 500),
)
parts = st.builds(
    Part,
    id=st.sampled_from(["a", "b", "c"]),
    standing=standings,
    recipients=st.none() | st.integers(1, 20_000),
    running_seconds=st.none() | st.floats(0, 100),
    rested_seconds=st.none() | st.floats(0, 100),
)
pausable = st.builds(
    Abilities, can_pause=st.just(value=True), lag_seconds=st.floats(0, 20), per_second=st.floats(0.1, 500)
)
abilities = pausable | st.builds(Abilities, can_pause=st.just(value=False))


@settings(max_examples=50)
@given(st.lists(parts, min_size=1, max_size=3), abilities)
def test_without_a_permit_nothing_is_begun_and_nothing_given_back(them, can):
    step = next_of(them, can, left=0, look_seconds=1)
    assert not isinstance(step, GiveBack)
    assert not isinstance(step, Move) or step.command is Command.PAUSE


@settings(max_examples=50)
@given(st.lists(parts, min_size=1, max_size=3), pausable)
def test_without_a_permit_whatever_may_send_is_paused(them, can):
    step = next_of(them, can, left=0, look_seconds=1)
    assert isinstance(step, Move) is any(part.standing.state in MAY_SEND for part in them)


@settings(max_examples=50)
@given(st.lists(parts, min_size=1, max_size=3), abilities, st.integers(0, 30_000))
def test_what_cannot_be_paused_is_only_begun_where_it_fits(them, can, left):
    step = next_of(them, can, left=left, look_seconds=1)
    if isinstance(step, Move) and step.command is not Command.PAUSE and not can.can_pause:
        assert any(part.id == step.part and part.left is not None and part.left <= left for part in them)


@settings(max_examples=50)
@given(st.lists(parts, min_size=1, max_size=3), pausable, st.integers(1, 30_000))
def test_less_that_may_go_never_lets_more_be_begun(them, can, left):
    if isinstance(next_of(them, can, left=left - 1, look_seconds=1), Move) and not any(
        part.standing.state in MAY_SEND for part in them
    ):
        assert isinstance(next_of(them, can, left=left, look_seconds=1), Move)


@settings(max_examples=50)
@given(
    per_second=st.integers(1, 200),
    lag=st.integers(0, 12),
    begins_after=st.integers(0, 10),
    allowed=st.integers(1, 5_000),
    recipients=st.integers(1, 5_000),
)
def test_a_tool_as_fast_as_configured_never_sends_more_than_its_permit(
    per_second, lag, begins_after, allowed, recipients
):
    can = Abilities(can_pause=True, lag_seconds=lag, per_second=per_second)
    state: SendingState = S.READY
    runs_since: int | None = None
    sent = counted = 0
    for second in range(400):
        if state is S.RUNNING and runs_since is not None and second > runs_since + begins_after:
            sent = min(recipients, sent + per_second)
        if lag == 0 or second % lag == 0 or state is not S.RUNNING:
            counted = sent
        if state is S.RUNNING and sent == recipients:
            state, counted = S.FINISHED, sent
        running = None if runs_since is None else float(second - runs_since)
        part = Part("a", Standing(state, counted, recipients), running_seconds=running)
        step = next_of([part], can, left=allowed - counted, look_seconds=1)
        if isinstance(step, GiveBack):
            break
        if isinstance(step, Move) and step.command is Command.PAUSE:
            state, runs_since, counted = S.PAUSED, None, sent
        elif isinstance(step, Move):
            state, runs_since = S.RUNNING, second
    assert sent <= allowed


@settings(max_examples=50)
@given(st.integers(1, 10_000), st.integers(1, 10_000), pausable)
def test_a_tool_that_sent_to_more_than_it_has_is_not_taken_to_end_by_itself(size, more, can):
    part = Part("a", Standing(S.RUNNING, size + more, size))
    assert part.left is None
    step = next_of([part], can, left=1, look_seconds=1)
    assert isinstance(step, Move)
    assert step.command is Command.PAUSE
