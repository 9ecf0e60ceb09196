"""The AMI source against an Asterisk that follows a script, over real sockets; after every fault the floor is true."""

import asyncio
import random
from datetime import UTC, datetime
from functools import partial

import pytest

from app.core.floor.contact import ContactEvent
from app.core.floor.metric import Metric
from app.core.floor.observation import Observation
from tests.support.certificates import for_loopback
from tests.support.following import Followed, TickingClock, floor_of, following, seen, truth_of
from tests.support.vendors.asterisk import (
    CANARY_NAME,
    CANARY_NUMBER,
    FREE,
    SECRET,
    UNAVAILABLE,
    UNKNOWN,
    USERNAME,
    Asterisk,
)
from tests.support.whole import QUEUES as WHOLE_QUEUES
from tests.support.whole import a_whole
from workers.sources import registry
from workers.sources.queue_log.translate import Translator
from workers.sources.worker import Surroundings
from workers.supervisor import Supervisor
from workers.systems.faults import Refused, SourceFault

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
QUEUES = ("sales", "billing")
POLL_SECONDS = 0.02
SLACK_SECONDS = 1.5  # a list tells waits in whole seconds


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("workers.sources.sessions.RETRY_SECONDS", POLL_SECONDS)
    monkeypatch.setattr("workers.sources.listening.OBSERVE_SECONDS", POLL_SECONDS)


@pytest.fixture
def clock():
    return TickingClock(NOW)


@pytest.fixture
async def pbx(clock):
    asterisk = Asterisk(clock.now, *QUEUES, largest_piece=40)
    async with asterisk.wire:
        yield asterisk


def a_source(asterisk, **keys):
    table = {
        "type": "asterisk-ami", "name": "pbx", "host": "127.0.0.1", "port": asterisk.wire.port, "username": USERNAME,
        "secret": SECRET, "poll_seconds": POLL_SECONDS, "silence_seconds": 5.0, "list_seconds": 0.1, **keys,
    }  # fmt: skip
    return registry.configured([table])["pbx"]


@pytest.fixture
async def follow(pbx, clock):
    async with following(Followed(a_source(pbx), clock)) as followed:
        await settled(pbx)
        yield followed


async def settled(pbx):
    """Return once the worker has heard all that was told, and whatever that made it ask for."""
    for _ in range(2):
        asked = pbx.asked["QueueSummary"]
        await seen(partial(lambda asked: pbx.asked["QueueSummary"] >= asked + 3, asked))


async def says(followed, words):
    """Return once the source's health says so."""
    await seen(lambda: followed.sources.find("pbx") is not None and words in followed.health.status)


class Day:
    """Callers and agents of two queues, drawn: whoever comes, waits, leaves, talks, in the order of time."""

    def __init__(self, pbx, clock, seed):
        self._pbx, self._clock, self._random = pbx, clock, random.Random(seed)
        for queue in QUEUES:
            for number in range(4):
                pbx.add(queue, f"Zoë Müller {queue} {number}")

    def pass_time(self, steps):
        for _ in range(steps):
            self._clock.move(self._random.uniform(2, 25))
            self._step(self._random.choice(QUEUES))

    def _step(self, queue):
        pbx, draw = self._pbx, self._random.random()
        at = pbx.queues[queue]
        free = [agent for agent in at.agents.values() if not agent.in_call and not agent.paused and agent.status == 1]
        waiting, talking = list(at.line), list(at.talks)
        if draw < 0.35 or not (waiting or talking):
            pbx.join(queue)
        elif waiting and free and draw < 0.7:
            pbx.ring_in_vain(queue, waiting[0], free[-1])
            pbx.answer(queue, waiting[0], free[0])
        elif talking and draw < 0.85:
            pbx.complete(queue, self._random.choice(talking), self._random.choice(["caller", "agent", "transfer"]))
        elif waiting and draw < 0.95:
            pbx.abandon(queue, self._random.choice(waiting), self._random.choice(["ABANDON", "EXITWITHTIMEOUT"]))
        elif free:
            pbx.change(queue, free[0], paused=not free[0].paused)


async def test_a_day_is_followed_and_told_as_the_queue_log_of_the_same_asterisk_tells_it(follow, pbx, clock):
    day = Day(pbx, clock, seed=3)
    for _ in range(12):
        day.pass_time(45)
        await settled(pbx)
        assert floor_of(follow, QUEUES) == truth_of(pbx, QUEUES)
    translator = Translator("pbx")
    log = [payload for line in pbx.log for payload in translator.line(line)]
    logged = {(event.contact_id, str(event.event)) for event in log if isinstance(event, ContactEvent)}
    assert follow.told() == logged
    assert len(logged) > 400
    assert follow.health.details["malformed"] == 0
    assert (follow.health.duplicates, follow.health.rejected) == (0, 0)


async def heal(pbx, clock):
    """Let the moment pass in which an event might still be on its way."""
    await settled(pbx)
    clock.move(20)
    await settled(pbx)


async def cut(pbx, day):
    pbx.wire.cut()
    day.pass_time(15)


async def restart(pbx, day):
    await pbx.restart()
    day.pass_time(3)


async def repeat(pbx, day):
    pbx.repeats = True
    day.pass_time(20)
    await settled(pbx)
    pbx.repeats = False


async def lose_events(pbx, day):
    pbx.reads_agent = False
    day.pass_time(20)
    await settled(pbx)
    pbx.reads_agent = True


async def stamp_nothing(pbx, day):
    pbx.stamps = False
    for _ in range(5):
        day.pass_time(1)
        await settled(pbx)
    pbx.stamps = True


async def babble(pbx, day):
    pbx.garbage = (
        b"\xff\xfe: \x00\r\n:::\r\nEvent\r\n\r\nEvent: QueueCallerJoin\r\nQueue: sales\r\n\r\n"
        + b"x" * 9000
        + b"\r\n\r\n"
    )
    day.pass_time(10)
    await settled(pbx)
    pbx.garbage = b""


@pytest.mark.parametrize("fault", [cut, restart, repeat, lose_events, stamp_nothing, babble])
async def test_after_a_fault_the_floor_is_true_again(follow, pbx, clock, fault):
    day = Day(pbx, clock, seed=5)
    day.pass_time(40)
    await settled(pbx)
    assert floor_of(follow, QUEUES) == truth_of(pbx, QUEUES)
    await fault(pbx, day)
    await heal(pbx, clock)
    assert floor_of(follow, QUEUES) == truth_of(pbx, QUEUES)
    day.pass_time(20)
    await heal(pbx, clock)
    assert floor_of(follow, QUEUES) == truth_of(pbx, QUEUES)


# --- what ends a wait, and what does not ---


async def test_an_abandonment_is_one_whether_hung_up_or_timed_out_and_a_leave_is_no_answer(follow, pbx, clock):
    calls = [pbx.join("sales") for _ in range(4)]
    clock.move(30)
    for call, event in zip(calls, ["ABANDON", "EXITWITHTIMEOUT", "EXITEMPTY", "WITHDRAW"], strict=True):
        pbx.abandon("sales", call, event)
    await settled(pbx)
    clock.move(2)
    assert [event.event for event in follow.events()].count("abandoned") == 4
    assert follow.value("sales", Metric.ABANDONMENT_RATIO) == 1.0
    assert follow.value("sales", Metric.SPEED_TO_ANSWER_SECONDS) is None


async def test_a_caller_who_presses_a_key_leaves_the_line_and_is_neither_answered_nor_abandoned(follow, pbx, clock):
    pbx.press_key("sales", pbx.join("sales"))
    await settled(pbx)
    assert follow.observations()[-1].backlog == 0
    clock.move(11)
    await settled(pbx)
    assert [(event.event, event.reason) for event in follow.events()][1:] == [("completed", "left_queue")]
    assert follow.value("sales", Metric.BACKLOG) == 0
    assert follow.value("sales", Metric.ABANDONMENT_RATIO) is None


async def test_who_is_rung_in_vain_or_dumped_waits_on(follow, pbx, clock):
    agent, call = pbx.add("sales", "Ann"), pbx.join("sales")
    clock.move(15)
    pbx.ring_in_vain("sales", call, agent)
    pbx.dump("sales", call, agent)
    clock.move(15)
    await settled(pbx)
    assert follow.value("sales", Metric.BACKLOG) == 1
    assert follow.value("sales", Metric.OLDEST_WAIT_SECONDS) == pytest.approx(30, abs=SLACK_SECONDS)
    pbx.answer("sales", call, agent)
    await settled(pbx)
    clock.move(2)
    assert follow.value("sales", Metric.SPEED_TO_ANSWER_SECONDS) == pytest.approx(30, abs=SLACK_SECONDS)


async def test_one_call_in_two_queues_and_twice_in_one_is_three_contacts(follow, pbx, clock):
    call = pbx.join("sales")
    clock.move(40)
    pbx.abandon("sales", call, "EXITWITHTIMEOUT")
    pbx.join("billing", call)
    clock.move(40)
    pbx.abandon("billing", call, "EXITWITHTIMEOUT")
    pbx.join("sales", call)
    await settled(pbx)
    assert len({event.contact_id for event in follow.events()}) == 3
    assert follow.value("sales", Metric.BACKLOG) == 1
    assert follow.value("billing", Metric.BACKLOG) == 0


async def test_the_moving_average_that_freezes_while_nobody_answers_is_no_speed_to_answer(follow, pbx, clock):
    agent = pbx.add("sales", "Ann")
    pbx.answer("sales", pbx.join("sales"), agent)
    call = pbx.join("sales")
    clock.move(600)
    pbx.abandon("sales", call)
    await settled(pbx)
    assert pbx.queues["sales"].hold_time == 0
    assert follow.value("sales", Metric.SPEED_TO_ANSWER_SECONDS, 300.0) is None
    observation = follow.observations()[-1]
    assert observation.speed_to_answer_seconds is observation.handle_time_seconds is observation.offered is None


# --- agents ---


async def test_agents_on_a_break_unregistered_or_of_unknown_state_are_not_available(follow, pbx):
    pbx.add("sales", "Ann")
    pbx.add("sales", "Ben", paused=True)
    pbx.add("sales", "Cem", status=UNAVAILABLE)
    pbx.add("sales", "Dua", status=UNKNOWN)
    await settled(pbx)
    assert follow.value("sales", Metric.AGENTS_AVAILABLE) == 1
    assert follow.value("sales", Metric.AGENTS_STAFFED) == 1


async def test_unknown_devices_count_where_the_table_says_so_and_wrapping_up_is_busy(pbx, clock):
    source = a_source(pbx, unknown_devices_available=True, wrap_up_seconds=60)
    async with following(Followed(source, clock)) as follow:
        agent = pbx.add("sales", "Dua", status=UNKNOWN)
        call = pbx.join("sales")
        pbx.answer("sales", call, agent)
        clock.move(100)
        pbx.complete("sales", call)
        await settled(pbx)
        assert (follow.value("sales", Metric.AGENTS_AVAILABLE), follow.value("sales", Metric.AGENTS_BUSY)) == (0, 1)
        clock.move(61)
        pbx.change("sales", agent, status=FREE)
        await settled(pbx)
        assert follow.value("sales", Metric.AGENTS_AVAILABLE) == 1


# --- the connection, the account, the clock ---


async def test_without_the_right_to_events_it_polls_and_says_so(pbx, clock):
    pbx.reads_agent = False
    async with following(Followed(a_source(pbx), clock)) as follow:
        await settled(pbx)
        pbx.add("sales", "Ann")
        pbx.join("sales")
        await heal(pbx, clock)
        await heal(pbx, clock)
        assert floor_of(follow, QUEUES) == truth_of(pbx, QUEUES)
        await says(follow, "read = agent")


async def test_a_dead_connection_is_noticed_by_its_silence_and_nothing_is_made_up_meanwhile(pbx, clock):
    async with following(Followed(a_source(pbx, silence_seconds=0.4), clock)) as follow:
        await settled(pbx)
        pbx.wire.silent = True
        last = follow.observations()[-1].observed_at
        await says(follow, "failing")
        assert "silent" in (follow.health.last_error or "")
        said = follow.observations()[-1].observed_at
        clock.move(300)
        await seen(lambda: pbx.wire.calls >= 2)
        assert follow.observations()[-1].observed_at == said >= last
        pbx.wire.silent = False
        await says(follow, "following")
        assert (clock.now() - follow.observations()[-1].observed_at).total_seconds() < 1


async def test_a_wrong_secret_is_refused_by_name_without_quoting_it(pbx, clock):
    async with following(Followed(a_source(pbx, secret="not-the-one"), clock)) as follow:
        await says(follow, "failing")
        assert follow.health.last_error == f"127.0.0.1:{pbx.wire.port} refuses the user 'holdfire' or the secret"
        assert not follow.stream.records
    with pytest.raises(Refused):
        await Followed(a_source(pbx, secret="not-the-one", auth="plain"), clock).worker.sample()


async def verdict(whole, pbx):
    """Return all that the gate said in the next two minutes, asked three times, and the last of it."""
    said = set()
    for _ in range(3):
        if pbx.wire.lines:
            await settled(pbx)
        await whole.evaluate(40)
        said.add(str(whole.services.evaluator.published.gates["default"].decision.verdict))
    return said, str(whole.services.evaluator.published.gates["default"].decision.verdict)


async def test_a_gate_holds_through_a_rush_an_outage_and_a_restart_and_opens_after_them(tmp_path):
    async with a_whole(tmp_path) as whole:
        (queue,) = WHOLE_QUEUES
        rule = {"metric": "backlog", "hold_above": 10, "hold_for_seconds": 0, "resume_for_seconds": 60}
        await whole.policy(rules=[rule], stale_after_seconds=60)
        pbx = Asterisk(whole.clock.now, queue)
        around = Surroundings(whole.services.ingest, whole.services.sources, whole.clock)
        async with pbx.wire:
            stop = asyncio.Event()
            running = asyncio.create_task(Supervisor([a_source(pbx)(around)]).run(stop))
            await settled(pbx)
            assert await verdict(whole, pbx) == ({"send"}, "send")
            calls = [pbx.join(queue) for _ in range(12)]
            assert (await verdict(whole, pbx))[1] == "hold"
            await pbx.wire.hang_up()
            said, last = await verdict(whole, pbx)
            assert "send" not in said
            assert last == "unknown"
            await pbx.wire.listen()
            await seen(lambda: pbx.wire.lines)
            assert "send" not in (await verdict(whole, pbx))[0]
            for call in calls:
                pbx.abandon(queue, call)
            assert (await verdict(whole, pbx))[1] == "send"
            stop.set()
            await running


async def test_lists_of_an_old_asterisk_that_say_less_are_read_too(pbx, clock):
    pbx.old = True
    async with following(Followed(a_source(pbx), clock)) as follow:
        await settled(pbx)
        day = Day(pbx, clock, seed=2)
        for _ in range(3):
            day.pass_time(25)
            await settled(pbx)
            assert floor_of(follow, QUEUES) == truth_of(pbx, QUEUES)


async def test_tls_is_spoken_and_the_certificate_checked(pbx, clock, tmp_path):
    await pbx.wire.hang_up()
    pbx.wire.tls, certificate = for_loopback(tmp_path)
    await pbx.wire.listen()
    lot = await Followed(a_source(pbx, tls=True, ca_file=str(certificate), auth="plain"), clock).worker.sample()
    assert len(lot.payloads) == len(QUEUES)
    with pytest.raises(SourceFault, match=r"no TLS connection to .* self.signed certificate"):
        await Followed(a_source(pbx, tls=True), clock).worker.sample()


async def test_a_reload_that_changes_members_without_a_word_is_noticed(follow, pbx):
    pbx.add("sales", "Ann")
    await settled(pbx)
    pbx.reads_agent = False
    pbx.remove("sales", next(iter(pbx.queues["sales"].agents.values())))
    pbx.add("billing", "Ben", paused=True)
    pbx.reads_agent = True
    await settled(pbx)
    assert floor_of(follow, QUEUES) == truth_of(pbx, QUEUES)


async def test_an_asterisk_that_tells_events_and_answers_no_list_is_given_up(pbx, clock, monkeypatch):
    monkeypatch.setattr(pbx, "_list", lambda *_: None)
    async with following(Followed(a_source(pbx, silence_seconds=0.4), clock)) as follow:
        await seen(lambda: pbx.asked["QueueStatus"])
        await seen(lambda: pbx.join("sales") and "has left a question open" in (follow.health.last_error or ""))
        assert follow.observations() == []


async def test_an_asterisk_that_is_not_there_or_has_no_queues_module_is_said_so(pbx, clock, monkeypatch):
    await pbx.wire.hang_up()
    with pytest.raises(SourceFault, match="cannot be reached"):
        await Followed(a_source(pbx), clock).worker.sample()
    await pbx.wire.listen()
    monkeypatch.setattr(pbx, "_list", lambda line, name, said: pbx._respond(line, said, "Error", Message=name))
    with pytest.raises(SourceFault, match="gives no QueueStatus; is app_queue loaded"):
        await Followed(a_source(pbx), clock).worker.sample()


@pytest.mark.parametrize("skew_seconds", [3600.0, -3600.0])
async def test_a_clock_that_is_an_hour_off_moves_no_reading_and_is_said(pbx, clock, skew_seconds):
    pbx.skew_seconds = skew_seconds
    async with following(Followed(a_source(pbx), clock)) as follow:
        await settled(pbx)
        pbx.add("sales", "Ann")
        pbx.join("sales")
        clock.move(45)
        await settled(pbx)
        assert floor_of(follow, QUEUES) == truth_of(pbx, QUEUES)
        queued = follow.events()[0].at
        assert abs((clock.now() - queued).total_seconds() - 45) < SLACK_SECONDS
        await says(follow, f"3,600 s {'ahead of' if skew_seconds > 0 else 'behind'} ours")
        assert follow.health.rejected == 0


async def test_a_start_closes_what_the_run_before_left_open_and_names_the_rest_alike(pbx, clock):
    first = Followed(a_source(pbx), clock)
    async with following(first):
        await settled(pbx)
        day = Day(pbx, clock, seed=11)
        day.pass_time(60)
        await settled(pbx)
    day.pass_time(25)
    async with following(Followed(a_source(pbx), clock, first.stream)) as second:
        await heal(pbx, clock)
        assert floor_of(second, QUEUES) == truth_of(pbx, QUEUES)
        day.pass_time(20)
        await heal(pbx, clock)
        assert floor_of(second, QUEUES) == truth_of(pbx, QUEUES)


async def test_a_sample_shows_the_queues_and_stores_nothing(pbx, clock):
    pbx.add("sales", "Ann")
    pbx.join("sales")
    clock.move(10)
    followed = Followed(a_source(pbx, queues=["sal*"], auth="plain"), clock)
    (observation,) = (await followed.worker.sample()).payloads
    assert isinstance(observation, Observation)
    assert (observation.queue, observation.backlog, observation.agents_available) == ("sales", 1, 1)
    assert observation.oldest_wait_seconds == pytest.approx(10, abs=SLACK_SECONDS)
    assert not followed.stream.records


async def test_a_queue_asked_for_by_name_that_asterisk_does_not_list_is_said_and_not_made_up(pbx, clock):
    async with following(Followed(a_source(pbx, queues=["sales", "fax"]), clock)) as follow:
        await settled(pbx)
        await says(follow, "following; Asterisk does not list fax")
        assert {observation.queue for observation in follow.observations()} == {"sales"}


async def test_no_number_or_name_of_a_caller_goes_further_than_the_frames(follow, pbx, clock, caplog):
    agent, call = pbx.add("sales", "Ann"), pbx.join("sales")
    clock.move(5)
    pbx.answer("sales", call, agent)
    pbx.abandon("billing", pbx.join("billing"))
    pbx.wire.cut()
    await heal(pbx, clock)
    kept = f"{follow.stream.records} {follow.health} {caplog.text}"
    assert call in kept
    assert CANARY_NUMBER not in kept
    assert CANARY_NAME not in kept
    assert SECRET not in f"{kept} {follow.worker.__dict__}"
