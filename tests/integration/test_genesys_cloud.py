"""The genesys-cloud source against a strict organisation: a day by queries, and channels that come and go."""

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from app.clocks import SystemClock
from app.core.floor.observation import Observation
from app.ports.sources import SourceHealth
from app.services.ingest import Ingest
from app.services.sources import Sources
from app.settings import Settings
from tests.support.a_day import QUEUE, live_through
from tests.support.memory import MemoryStream
from tests.support.vendors.genesys_cloud import OTHER_ID, QUERY, QUEUE_ID, Genesys, metric, serving_genesys
from tests.support.vendors.strict import Broken, Cut, Limited, Truncated
from tests.support.whole import a_whole
from workers.sources.genesys_cloud.client import RENEW_SECONDS
from workers.sources.genesys_cloud.worker import CHANNEL_SECONDS
from workers.sources.registry import one
from workers.sources.trying import over_the_line
from workers.sources.worker import Surroundings
from workers.supervisor import crew_for
from workers.systems.faults import BadAnswer, RateLimited, Refused, SourceFault, TranslateError


@pytest.fixture
def genesys():
    with serving_genesys(Genesys()) as genesys:
        genesys.wait(QUEUE_ID, "voice", 2, 30)
        yield genesys


async def test_a_day_of_queries_is_lived_without_a_wrong_go(genesys, tmp_path):
    def clock(hours):
        return lambda: setattr(genesys, "clock_ahead", timedelta(hours=hours))

    def expire():
        genesys.tokens += 1

    happenings = {
        12: lambda: genesys.troubles.append(Broken()),
        20: lambda: genesys.troubles.append(Limited("200")),
        31: clock(1),
        42: clock(-1),
        48: expire,
        58: lambda: genesys.troubles.extend([Truncated(), Cut()]),
        70: genesys.groups.clear,
        76: lambda: genesys.wait(QUEUE_ID, "voice", 0),
    }

    def tell(backlog):
        if genesys.groups:
            genesys.wait(QUEUE_ID, "voice", backlog, 45)

    async with a_whole(tmp_path) as whole:
        genesys.base = whole.clock.now
        _, factory = one("sources[0]", genesys.table(interval_seconds=20, stream=False))
        day = await live_through(whole, factory, tell, happenings, 84)
    assert {10, 12, 15, 56, 60, 67} <= set(day.held)
    assert {25, 74, 75} <= set(day.in_the_dark)
    assert {9, 19, 30, 35, 41, 46, 55, 80, 83} <= set(day.went)
    assert genesys.complaints == [f"POST {QUERY}: the bearer token is missing or wrong"]


async def trial_of(genesys, **values):
    trial = await over_the_line([genesys.table(**values)], "genesys", SystemClock())
    return {(each.queue, each.metric): each.value for each in trial.seen}


async def test_doctor_is_told_by_one_query(genesys):
    genesys.wait(QUEUE_ID, "chat", 3, 90)
    genesys.groups[QUEUE_ID, ""] = [metric("oUserRoutingStatuses", 4, "IDLE")]
    genesys.clock_ahead = timedelta(hours=1)
    genesys.wait(QUEUE_ID, "voice", 2, 30)
    genesys.wait(QUEUE_ID, "chat", 3, 90)
    told = await trial_of(genesys, queues={QUEUE: QUEUE_ID, "unheard": OTHER_ID})
    assert (told[QUEUE, "backlog"], told[QUEUE, "agents_available"]) == (5, 4)
    assert 88 <= float(told[QUEUE, "oldest_wait_seconds"]) < 100  # the header Date is in whole seconds
    assert "unheard" not in {queue for queue, _ in told}
    assert genesys.channels == {}


@pytest.mark.parametrize(
    ("trouble", "fault", "sentence"),
    [
        (Limited("7"), RateLimited, "HTTP 429"),
        (Broken(400), Refused, "does not accept our client_id and client_secret"),
        (Broken(401), Refused, "does not accept our credentials"),
        (Broken(500), BadAnswer, "HTTP 500"),
        (Truncated(), TranslateError, "is not JSON"),
        (Cut(), SourceFault, "cannot be reached"),
    ],
)
async def test_what_may_go_wrong_with_the_login_is_a_sentence(genesys, trouble, fault, sentence):
    genesys.troubles.append(trouble)
    with pytest.raises(fault, match=sentence):
        await trial_of(genesys)


class Following:
    """A worker under the supervisor, and what came of it."""

    def __init__(self, genesys: Genesys, **values: object) -> None:
        self.clock, self.sources, self.stop = SystemClock(), Sources(), asyncio.Event()
        self.stream = MemoryStream(self.clock)
        self._crew = crew_for(Settings(sources=(genesys.table(**values),)))

    @asynccontextmanager
    async def running(self):
        around = Surroundings(Ingest(self.stream, self.clock, self.sources), self.sources, self.clock)
        task = asyncio.create_task(self._crew(around, []).run(self.stop))
        try:
            yield self
        finally:
            self.stop.set()
            await task

    async def until(self, true: Callable[[Observation], bool]) -> Observation:
        """Return the next observation of which it is true."""
        async with asyncio.timeout(60):
            start = len(await self.stream.read(0, 1_000_000))
            async for records in self.stream.tail(start):
                for record in records:
                    if isinstance(record.payload, Observation) and true(record.payload):
                        return record.payload
        raise AssertionError("the stream has ended")

    async def status(self, beginning: str) -> SourceHealth:
        """Return the source's health once its status begins so."""
        async with asyncio.timeout(60):
            while (health := self.sources.find("genesys")) is None or not health.status.startswith(beginning):  # noqa: ASYNC110 - nothing signals it
                await asyncio.sleep(0.01)
        return health

    async def alive(self) -> None:
        """Return when the channel is open and a query has been answered since."""
        await self.status("working")
        await self.until(lambda _: True)


def queries(genesys):
    return [each.path for each in genesys.asked].count(QUERY)


async def test_changes_come_by_the_channel_and_silence_means_no_change(genesys):
    async with Following(genesys).running() as following:
        await following.alive()
        before = queries(genesys)
        genesys.tell(QUEUE_ID, "voice", metric("oWaiting", 40))
        assert (await following.until(lambda each: each.backlog == 40)).queue == QUEUE
        genesys.tell(QUEUE_ID, "", metric("oUserRoutingStatuses", 3, "IDLE"))
        later = await following.until(lambda each: each.agents_available == 3)
        assert (later.backlog, later.channel) == (40, "voice")
        assert queries(genesys) == before
    assert genesys.complaints == []


async def test_a_channel_that_breaks_is_opened_again_and_a_query_says_what_was_missed(genesys):
    async with Following(genesys).running() as following:
        await following.alive()
        genesys.wait(QUEUE_ID, "voice", 33, 10)
        await asyncio.to_thread(genesys.cut)
        await following.until(lambda each: each.backlog == 33)
        await following.alive()
        genesys.tell(QUEUE_ID, "voice", metric("oWaiting", 34))
        await following.until(lambda each: each.backlog == 34)
        genesys.send({"topicName": "v2.system.socket_closing", "eventBody": {"message": "maintenance"}})
        genesys.wait(QUEUE_ID, "voice", 35, 10)
        await following.until(lambda each: each.backlog == 35)
    assert len(genesys.channels) >= 2


async def test_without_channels_queries_do(genesys):
    genesys.refuses_channels = True
    async with Following(genesys).running() as following:
        await following.until(lambda each: each.backlog == 2)
        genesys.wait(QUEUE_ID, "voice", 21, 10)
        await following.until(lambda each: each.backlog == 21)
        health = await following.status("works by queries: http://127.0.0.1")
    assert (health.details["channels"], health.details["channels_alive"]) == (1, 0)


async def test_a_channel_that_leads_elsewhere_is_not_followed(genesys):
    genesys.stream_host = "localhost"
    async with Following(genesys).running() as following:
        await following.until(lambda each: each.backlog == 2)
        await following.status("works by queries: a channel's connectUri leads to another host")
    assert genesys.sockets == {}


async def test_a_channel_without_a_sign_of_life_is_given_up(genesys):
    async with Following(genesys, silence_seconds=0.3).running() as following:
        await following.alive()
        async with asyncio.timeout(60):
            while len(genesys.sockets) + len(genesys.channels) < 3:  # noqa: ASYNC110 - nothing signals it
                await asyncio.sleep(0.01)
    assert len(genesys.channels) > 1


async def renewed(genesys, channels):
    """Return once so many channels were opened."""
    async with asyncio.timeout(60):
        while len(genesys.channels) < channels:  # noqa: ASYNC110 - nothing signals it
            await asyncio.sleep(0.01)


async def test_a_channel_is_renewed_before_its_day_is_over(genesys, monkeypatch):
    module = "workers.sources.genesys_cloud.worker"
    assert CHANNEL_SECONDS <= 24 * 3600 - RENEW_SECONDS
    monkeypatch.setattr(f"{module}.CHANNEL_SECONDS", 0.5)
    monkeypatch.setattr(f"{module}.SHORTEST_SESSION_SECONDS", 0.1)
    monkeypatch.setattr(f"{module}.BETWEEN_CHANNELS_SECONDS", 0.01)
    async with Following(genesys).running() as following:
        await following.alive()
        await renewed(genesys, 3)
        genesys.wait(QUEUE_ID, "voice", 31, 10)  # told by no message: the query after the next renewal says it
        await following.until(lambda each: each.backlog == 31)
        health = await following.status("working")
    assert (health.consecutive_failures, genesys.complaints, genesys.tokens) == (0, [], 1)


async def test_a_channel_ends_with_its_token_and_the_next_one_has_another(genesys, monkeypatch):
    monkeypatch.setattr("workers.sources.genesys_cloud.worker.SHORTEST_SESSION_SECONDS", 0.1)
    monkeypatch.setattr("workers.sources.genesys_cloud.worker.BETWEEN_CHANNELS_SECONDS", 0.01)
    genesys.lasts = int(RENEW_SECONDS) + 1
    async with Following(genesys).running() as following:
        await following.alive()
        await renewed(genesys, 2)
    assert genesys.tokens >= 2
    assert genesys.complaints == []


async def test_more_queues_than_a_channel_takes_are_spread_over_several(genesys):
    queues = {f"queue-{number}": f"aaaaaaaa-0000-4000-8000-{number:012d}" for number in range(1, 1102)}
    genesys.wait(f"aaaaaaaa-0000-4000-8000-{1101:012d}", "voice", 0)
    async with Following(genesys, queues=queues).running() as following:
        await following.alive()
        genesys.tell(f"aaaaaaaa-0000-4000-8000-{1101:012d}", "voice", metric("oWaiting", 40))
        assert (await following.until(lambda each: each.backlog == 40)).queue == "queue-1101"
    assert sorted(len(topics) for topics in genesys.channels.values()) == [101, 1000]
    assert genesys.complaints == []
