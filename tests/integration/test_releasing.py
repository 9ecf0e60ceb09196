"""A release in waves at a desk that hands out permits as told: what it asks for, runs and reports, and when it ends."""

import asyncio
import io
from contextlib import suppress
from dataclasses import replace

import httpx2
import pytest

from app.client import Answer, AsyncHoldfire, NotCleared, Unanswered
from app.commands.release_plan import Plan
from app.commands.releasing import Release, ReleaseFailed
from tests.support.desk import GO, HOLD, UNKNOWN, Desk

LOST = httpx2.ReadTimeout("slow")
PAUSED = "paused"


class Notes:
    """Keeps what a release tells."""

    def __init__(self):
        self.waited, self.opened, self.results, self.notes = [], [], [], []

    def waits(self, last, _pause):
        self.waited.append(last)

    def rests(self, _seconds):
        pass

    def opens(self, number, permit):
        self.opened.append((number, permit.allow))

    def closed(self, wave):
        self.results.append(wave)

    def note(self, text):
        self.notes.append(text)


class Play:
    """A release of a plan at a desk; its command is a shell script that writes down its environment first."""

    def __init__(self, desk, folder, script="", trap="", **plan):
        self.desk, self.notes, self.output = desk, Notes(), io.BytesIO()
        self.log = folder / "waves"
        note = f'echo "$HOLDFIRE_WAVE_NUMBER:$HOLDFIRE_WAVE_OFFSET+$HOLDFIRE_WAVE_AUDIENCE" >>{self.log}'
        plain = Plan("default", 1_000, f"{trap}{note}; {script}", wave_gap_seconds=0, timeout_seconds=30)
        self.plan = replace(plain, stop_grace_seconds=0.2, check_seconds=0.02, **plan)

    async def run(self):
        async with AsyncHoldfire("http://desk", transport=self.desk.transport, sleep=self._sleep) as holdfire:
            self.release = Release(holdfire, self.plan, self.notes, self.output)
            await self.release.run()

    async def _sleep(self, _seconds):
        await asyncio.sleep(0)

    @property
    def waves(self):
        return self.log.read_text().splitlines() if self.log.exists() else []

    @property
    def asked(self):
        return [ask["audience"] for ask in self.desk.asks]


@pytest.fixture
def play(tmp_path):
    return lambda *says, desk=None, **plan: Play(desk or Desk(list(says)), tmp_path, **plan)


async def test_waves_follow_each_other_without_a_gap_or_an_overlap_until_all_are_sent(play):
    played = play(wave_size=400)
    await played.run()
    assert played.waves == ["1:0+400", "2:400+400", "3:800+200"]
    assert [(permit.sent, permit.state) for permit in played.desk.permits.values()] == [
        (400, "used"),
        (400, "used"),
        (200, "used"),
    ]


async def test_a_release_goes_on_from_where_an_earlier_one_ended(play):
    played = play(wave_size=400, offset=700)
    await played.run()
    assert played.waves == ["1:700+300"]
    assert (played.release.sent, played.release.left) == (1_000, 0)


async def test_fewer_than_asked_for_are_sent_where_fewer_may_go(play):
    played = play(600, 300)
    await played.run()
    assert played.waves == ["1:0+600", "2:600+300", "3:900+100"]
    assert all(ask["accept_partial"] for ask in played.desk.asks)


async def test_after_a_hold_a_small_wave_probes_and_the_next_ones_grow(play):
    played = play(GO, HOLD, HOLD, wave_size=100)
    await played.run()
    assert played.asked == [100, 100, 10, 10, 35, 60, 85, 100, 100, 100, 100, 100, 100, 100, 10]
    assert sum(int(wave.split("+")[1]) for wave in played.waves) == 1_000


async def test_a_gate_that_cannot_tell_halves_the_next_wave(play):
    played = play(GO, UNKNOWN, wave_size=100, audience=300)
    await played.run()
    assert played.asked == [100, 100, 50, 75, 75]


async def test_the_command_is_told_all_about_its_wave(play):
    script = 'echo "$HOLDFIRE_PERMIT_ID $HOLDFIRE_CAMPAIGN"'
    played = play(script=script, campaign="spring")
    await played.run()
    assert played.output.getvalue() == b"prm_1 spring\n"


async def test_a_command_may_say_that_it_sent_fewer_and_the_rest_is_given_back_and_sent_later(play):
    played = play(script="[ $HOLDFIRE_WAVE_NUMBER -gt 1 ] || echo sent=300")
    await played.run()
    assert played.waves == ["1:0+1000", "2:300+700"]
    first = played.desk.permits["prm_1"]
    assert (first.sent, first.state) == (300, "released")


async def test_a_command_that_sent_more_is_believed(play):
    played = play(script="echo sent=1200")
    await played.run()
    assert (played.desk.permits["prm_1"].sent, played.release.left) == (1_200, 0)


@pytest.mark.parametrize(
    ("script", "sentence", "sent", "state"),
    [
        ("exit 7", "failed with exit code 7; sent of 1,000 from 0 on: it did not say how many", 0, "active"),
        ("echo sent=20; exit 7", "failed with exit code 7; sent of 1,000 from 0 on: 20", 20, "released"),
        ("echo sent=0", "ended without having sent anything", 0, "released"),
        ("kill -KILL $$", "failed with exit code -9", 0, "active"),
    ],
)
async def test_a_failed_wave_ends_the_release_and_only_what_it_surely_did_not_send_is_given_back(
    play, script, sentence, sent, state
):
    played = play(script=script)
    with pytest.raises(ReleaseFailed, match=sentence):
        await played.run()
    (permit,) = played.desk.permits.values()
    assert (len(played.waves), permit.sent, permit.state) == (1, sent, state)


def pause_once_it_runs(played, state=PAUSED):
    """Have the first permit withdrawn as soon as its wave has begun and somebody looks at it."""

    def after(request):
        if request.method == "GET" and request.url.path.endswith("prm_1") and played.waves:
            played.desk.permits["prm_1"].state = state

    played.desk.after = after


COUNTING = {
    "trap": "trap 'echo sent=40; exit 0' TERM; ",
    "script": "[ $HOLDFIRE_WAVE_NUMBER -gt 1 ] || while :; do sleep 0.02; done",
}


async def test_a_paused_permit_stops_its_wave_at_once_and_what_it_did_not_send_goes_out_later(play):
    played = play(**COUNTING, wave_size=500)
    pause_once_it_runs(played)
    await played.run()
    assert played.waves[:3] == ["1:0+500", "2:40+50", "3:90+175"]
    assert played.notes.results[0].stopped_because == "its permit is paused: slammed"
    assert (played.desk.permits["prm_1"].sent, played.desk.permits["prm_1"].state) == (40, "released")
    assert played.release.sent == 1_000


@pytest.mark.parametrize("state", ["revoked", "expired"])
async def test_a_permit_that_has_ended_stops_its_wave_too(play, state):
    played = play(**COUNTING)
    pause_once_it_runs(played, state)
    await played.run()
    assert played.notes.results[0].stopped_because == f"its permit is {state}"
    assert played.desk.permits["prm_1"].reported


async def test_a_wave_that_was_stopped_and_does_not_say_what_it_sent_ends_the_release(play):
    played = play(script="exec sleep 60")
    pause_once_it_runs(played)
    with pytest.raises(ReleaseFailed, match="was stopped; sent of 1,000 from 0 on: it did not say how many"):
        await played.run()
    permit = played.desk.permits["prm_1"]
    assert (permit.reported, permit.state) == (False, PAUSED)


@pytest.mark.parametrize(("said", "state"), [(HOLD, "hold"), (UNKNOWN, "unknown")])
async def test_a_wave_that_waits_too_long_ends_the_release_with_the_last_answer(play, said, state):
    played = play(*[said] * 10_000, timeout_seconds=0.2)
    with pytest.raises(NotCleared) as caught:
        await played.run()
    assert isinstance(caught.value.last, Answer)
    assert (caught.value.last.state, played.waves) == (state, [])


async def test_an_answer_that_was_lost_is_asked_for_under_the_same_key_until_it_comes(play):
    played = play(*[LOST] * 3, httpx2.Response(502, headers={"Retry-After": "0"}), LOST, GO)
    await played.run()
    assert len(played.desk.keys) == 6
    assert len(set(played.desk.keys)) == 1
    assert len(played.waves) == 1


async def test_each_wave_and_each_refused_ask_has_a_key_of_its_own(play):
    played = play(HOLD, GO, GO, wave_size=500, audience=100)
    await played.run()
    assert len(set(played.desk.keys)) == len(played.desk.keys) >= 2


async def test_where_the_grant_that_was_lost_has_ended_another_is_asked_for(play):
    ended = [httpx2.Response(409, json={"detail": "it has ended"}, headers={"Retry-After": "0"}) for _ in range(4)]
    played = play(*ended, GO)
    await played.run()
    assert len(set(played.desk.keys)) == 2
    assert len(played.waves) == 1


async def test_what_is_refused_for_good_ends_the_release_at_once(play):
    played = play(httpx2.Response(403, json={"detail": "the scope permits is missing"}))
    with pytest.raises(Unanswered, match="the scope permits is missing"):
        await played.run()
    assert played.waves == []


@pytest.mark.parametrize(
    "body",
    [
        b"<html>proxy login</html>",
        b'{"decision":"send","proceed":true}',
        b'{"decision":"send","proceed":true,"gate":"default","requested":1000,"allow":1000,"decision_id":"d"}',
    ],
)
async def test_nothing_is_sent_on_what_is_no_permit(play, body):
    played = play(httpx2.Response(200, content=body))
    with pytest.raises(Unanswered):
        await played.run()
    assert played.waves == []


async def cancelled(played, when):
    """Run it, cancel it once `when` is true, and return when it has cleaned up."""
    task = asyncio.ensure_future(played.run())
    while not when():  # noqa: ASYNC110 - a process says so by writing a file
        await asyncio.sleep(0.01)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_release_that_is_ended_stops_its_wave_reports_and_gives_back_the_rest(play):
    played = play(**COUNTING)
    await cancelled(played, lambda: played.waves)
    (permit,) = played.desk.permits.values()
    assert (permit.sent, permit.state) == (40, "released")
    assert played.notes.results[0].stopped_because == "the release was ended"


async def test_a_release_that_is_ended_while_it_asks_gives_back_what_it_gets(play):
    class Slow(httpx2.AsyncBaseTransport):
        def __init__(self, desk):
            self.desk, self.asked = desk, False

        async def handle_async_request(self, request):
            self.asked = True
            await asyncio.sleep(0.1)
            return await self.desk.transport.handle_async_request(request)

    class SlowDesk(Desk):
        slow: Slow

        @property
        def transport(self):
            return self.slow

    desk, inner = SlowDesk(), Desk()
    desk.slow = Slow(inner)
    played = play(desk=desk)
    await cancelled(played, lambda: desk.slow.asked)
    assert played.waves == []
    assert [permit.state for permit in inner.permits.values()] == ["released"]
