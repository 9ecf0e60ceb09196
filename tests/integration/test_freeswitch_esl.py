"""The event socket source against a FreeSWITCH that follows a script; after every fault the floor is true."""

import random
from datetime import UTC, datetime
from functools import partial

import pytest

from app.core.floor.metric import Metric
from app.core.floor.observation import Observation
from tests.support.following import Followed, TickingClock, floor_of, following, seen, truth_of
from tests.support.vendors.freeswitch import CANARY_NUMBER, PASSWORD, USER, FreeSwitch
from workers.sources import registry
from workers.systems.faults import Refused, SourceFault

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
QUEUES = ("support@default", "sales@default")
SUPPORT = QUEUES[0]
POLL_SECONDS = 0.02
SLACK_SECONDS = 1.5  # lists tell times in whole seconds
TIERS = "api callcenter_config tier list"  # the last of what is asked each time


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("workers.sources.sessions.RETRY_SECONDS", POLL_SECONDS)
    monkeypatch.setattr("workers.sources.listening.OBSERVE_SECONDS", POLL_SECONDS)


@pytest.fixture
def clock():
    return TickingClock(NOW)


@pytest.fixture
async def switch(clock):
    freeswitch = FreeSwitch(clock.now, *QUEUES, largest_piece=40)
    async with freeswitch.wire:
        yield freeswitch


def a_source(switch, **keys):
    table = {
        "type": "freeswitch-esl", "name": "switch", "host": "127.0.0.1", "port": switch.wire.port,
        "password": PASSWORD, "poll_seconds": POLL_SECONDS, "silence_seconds": 5.0, **keys,
    }  # fmt: skip
    return registry.configured([table])["switch"]


@pytest.fixture
async def follow(switch, clock):
    async with following(Followed(a_source(switch), clock)) as followed:
        await settled(switch)
        yield followed


async def settled(switch):
    """Return once the worker has heard all that was told, and has sent what it made of two further lists."""
    await seen(partial(lambda asked: switch.asked[TIERS] >= asked + 3, switch.asked[TIERS]))


async def heal(switch, clock):
    """Let the moment pass in which an event might still be on its way."""
    await settled(switch)
    clock.move(10)
    await settled(switch)


async def says(followed, words):
    """Return once the source's health says so."""
    await seen(lambda: followed.sources.find("switch") is not None and words in followed.health.status)


class Day:
    """Callers and agents of two queues, drawn in the order of time; it counts how the stays ended."""

    def __init__(self, switch, clock, seed):
        self._switch, self._clock, self._random = switch, clock, random.Random(seed)
        self.ended = {"queued": 0, "answered": 0, "abandoned": 0, "completed": 0, "transferred": 0}
        for queue in QUEUES:
            for number in range(4):
                switch.add(queue, f"agent{number}@{queue}", wrap_up=10 * number)

    def pass_time(self, steps):
        for _ in range(steps):
            self._clock.move(self._random.uniform(2, 25))
            self._step(self._random.choice(QUEUES))

    def _step(self, queue):
        switch, draw = self._switch, self._random.random()
        waiting, talking, free = switch.waiting(queue), switch.talking(queue), switch.free(queue)
        if draw < 0.35 or not (waiting or talking):
            switch.join(queue)
            self.ended["queued"] += 1
        elif waiting and free and draw < 0.7:
            if draw < 0.4:
                switch.reach(waiting[0], free[0])
                switch.fail_to_connect(waiting[0])
            else:
                switch.connect(waiting[0], free[0])
                self.ended["answered"] += 1
        elif talking and draw < 0.85:
            switch.complete(self._random.choice(talking))
            self.ended["completed"] += 1
        elif waiting and draw < 0.95:
            reason = self._random.choice(["BREAK_OUT", "NONE", "TIMEOUT", "NO_AGENT_TIMEOUT", "EXIT_WITH_KEY"])
            switch.cancel(self._random.choice(waiting), reason)
            self.ended["transferred" if reason == "EXIT_WITH_KEY" else "abandoned"] += 1
        elif free:
            switch.change(free[0], status=self._random.choice(["On Break", "Logged Out", "Available (On Demand)"]))


async def test_a_day_is_followed_and_its_stays_end_as_they_ended(follow, switch, clock):
    day = Day(switch, clock, seed=3)
    for _ in range(15):
        day.pass_time(25)
        await settled(switch)
        assert floor_of(follow, QUEUES) == truth_of(switch, QUEUES)
    events = [str(event.event) for event in follow.events()]
    assert {kind: events.count(kind) for kind in day.ended} == day.ended
    assert day.ended["answered"] > 20
    assert (follow.health.duplicates, follow.health.rejected) == (0, 0)
    assert follow.health.details["malformed"] == 0


async def cut(switch, day):
    switch.wire.cut()
    day.pass_time(15)


async def restart(switch, day):
    await switch.restart()
    day.pass_time(3)


async def repeat(switch, day):
    switch.repeats = True
    day.pass_time(20)
    await settled(switch)
    switch.repeats = False


async def lose_events(switch, day):
    switch.tells = False
    day.pass_time(20)
    await settled(switch)
    switch.tells = True


@pytest.mark.parametrize("fault", [cut, restart, repeat, lose_events])
async def test_after_a_fault_the_floor_is_true_again(follow, switch, clock, fault):
    day = Day(switch, clock, seed=5)
    day.pass_time(40)
    await settled(switch)
    assert floor_of(follow, QUEUES) == truth_of(switch, QUEUES)
    await fault(switch, day)
    await heal(switch, clock)
    assert floor_of(follow, QUEUES) == truth_of(switch, QUEUES)
    day.pass_time(20)
    await heal(switch, clock)
    assert floor_of(follow, QUEUES) == truth_of(switch, QUEUES)


async def test_who_gave_up_and_is_still_listed_is_no_backlog_and_may_come_back(follow, switch, clock):
    call = switch.join(SUPPORT)
    clock.move(30)
    switch.cancel(call)
    await settled(switch)
    assert follow.value(SUPPORT, Metric.BACKLOG) == 0
    clock.move(60)
    switch.come_back(call)
    clock.move(15)
    await settled(switch)
    assert follow.value(SUPPORT, Metric.BACKLOG) == 1
    assert follow.value(SUPPORT, Metric.OLDEST_WAIT_SECONDS) == pytest.approx(15, abs=SLACK_SECONDS)
    assert [event.event for event in follow.events()] == ["queued", "abandoned", "queued"]


async def test_an_agent_who_picked_up_and_was_not_connected_answered_nobody(follow, switch, clock):
    agent, call = switch.add(SUPPORT, "ann"), switch.join(SUPPORT)
    await settled(switch)
    clock.move(20)
    switch.reach(call, agent)
    switch.fail_to_connect(call)
    await heal(switch, clock)
    assert [event.event for event in follow.events()] == ["queued"]
    switch.connect(call, agent)
    await settled(switch)
    assert [(event.event, event.agent) for event in follow.events()][1:] == [("answered", "ann")]


async def test_without_events_it_polls_and_says_so_and_without_lists_it_says_what_to_permit(switch, clock):
    switch.permits_events = False
    async with following(Followed(a_source(switch, user=USER), clock)) as follow:
        switch.add(SUPPORT, "ann")
        switch.join(SUPPORT)
        await heal(switch, clock)
        assert floor_of(follow, QUEUES) == truth_of(switch, QUEUES)
        await says(follow, "esl-allowed-events")
    switch.permits_api = False
    with pytest.raises(SourceFault, match="esl-allowed-api"):
        await Followed(a_source(switch), clock).worker.sample()


async def test_a_dead_connection_is_noticed_by_its_silence_and_nothing_is_made_up_meanwhile(switch, clock):
    async with following(Followed(a_source(switch, silence_seconds=0.4), clock)) as follow:
        await settled(switch)
        switch.wire.silent = True
        await says(follow, "failing")
        assert "silent" in (follow.health.last_error or "")
        said = len(follow.observations())
        await seen(lambda: switch.wire.calls >= 2)
        assert len(follow.observations()) == said
        switch.wire.silent = False
        await says(follow, "following")


async def test_a_wrong_password_is_refused_without_quoting_it(switch, clock):
    with pytest.raises(Refused, match="refuses the password") as refused:
        await Followed(a_source(switch, password="not-the-one"), clock).worker.sample()
    assert "not-the-one" not in str(refused.value)


@pytest.mark.parametrize("skew_seconds", [3600.0, -3600.0])
async def test_a_clock_that_is_an_hour_off_moves_no_reading_and_is_said(switch, clock, skew_seconds):
    switch.skew_seconds = skew_seconds
    async with following(Followed(a_source(switch), clock)) as follow:
        await settled(switch)
        switch.join(SUPPORT)
        clock.move(45)
        await settled(switch)
        assert floor_of(follow, QUEUES) == truth_of(switch, QUEUES)
        await says(follow, "ahead of ours" if skew_seconds > 0 else "behind ours")
        assert follow.health.rejected == 0


async def test_a_start_closes_what_the_run_before_left_open_and_names_the_rest_alike(switch, clock):
    first = Followed(a_source(switch), clock)
    async with following(first):
        await settled(switch)
        day = Day(switch, clock, seed=11)
        day.pass_time(60)
        await settled(switch)
    day.pass_time(25)
    async with following(Followed(a_source(switch), clock, first.stream)) as second:
        await heal(switch, clock)
        assert floor_of(second, QUEUES) == truth_of(switch, QUEUES)
        day.pass_time(20)
        await heal(switch, clock)
        assert floor_of(second, QUEUES) == truth_of(switch, QUEUES)


async def test_a_sample_shows_the_queues_and_stores_nothing(switch, clock):
    switch.add(SUPPORT, "ann")
    switch.skew_seconds = -3600.0
    switch.join(SUPPORT)
    clock.move(10)
    followed = Followed(a_source(switch, queues=["supp*"]), clock)
    (observation,) = (await followed.worker.sample()).payloads
    assert isinstance(observation, Observation)
    assert (observation.queue, observation.backlog, observation.agents_available) == (SUPPORT, 1, 1)
    assert observation.oldest_wait_seconds == pytest.approx(10, abs=SLACK_SECONDS)
    assert not followed.stream.records


async def test_no_number_or_name_of_a_caller_goes_further_than_frames_and_tables(follow, switch, clock, caplog):
    agent, call = switch.add(SUPPORT, "ann"), switch.join(SUPPORT)
    await settled(switch)
    switch.connect(call, agent)
    switch.cancel(switch.join(SUPPORT))
    switch.wire.cut()
    await heal(switch, clock)
    kept = f"{follow.stream.records} {follow.health} {caplog.text}"
    assert call in kept
    assert CANARY_NUMBER not in kept
    assert "Canary" not in kept
    assert PASSWORD not in f"{kept} {vars(follow.worker)}"
