"""The mqtt source on a real broker: what messages say, what retained ones may, and what a lost broker does."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from app.clocks import SystemClock
from app.core.floor.observation import Observation
from app.errors import Invalid
from app.services.ingest import Ingest
from app.services.sources import Sources
from tests.support.a_day import QUEUE, backlog_at, live
from tests.support.memory import MemoryStream
from tests.support.mosquitto import a_broker
from tests.support.whole import a_whole
from workers.sources.registry import configured, one
from workers.sources.worker import SourceWorker, Surroundings
from workers.systems.faults import Refused, SourceFault

PATIENCE_SECONDS = 60
INSTANTS = {"observed_at_from": "at", "metrics": {"backlog": "waiting"}}


@pytest.fixture
def broker(tmp_path):
    with a_broker(tmp_path) as broker:
        yield broker


class Listening:
    """A worker that runs, and what came of it."""

    def __init__(self, table: dict[str, object]) -> None:
        clock = SystemClock()
        self.sources, self.stream, self.stop = Sources(), MemoryStream(clock), asyncio.Event()
        around = Surroundings(Ingest(self.stream, clock, self.sources), self.sources, clock)
        self.worker: SourceWorker = one("sources[0]", table)[1](around)

    async def __aenter__(self):
        self._running = asyncio.create_task(self.worker.run(self.stop))
        return self

    async def __aexit__(self, *_):
        self.stop.set()
        await asyncio.wait_for(self._running, PATIENCE_SECONDS)

    async def until(self, condition):
        """Return once a condition holds, which nothing signals."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def listens(self):
        await self.until(lambda: self.health is not None and self.health.status == "listening")

    @property
    def health(self):
        return self.sources.find("mqtt")

    @property
    def backlogs(self):
        payloads = [record.payload for record in self.stream.records]
        return [(each.queue, each.backlog) for each in payloads if isinstance(each, Observation)]


async def test_messages_become_observations_and_bad_ones_rejected_rows(broker):
    async with Listening(broker.table()) as listening:
        await listening.listens()
        await broker.publish("acd/orders/live", '{"waiting": 12}')
        await broker.publish("acd/orders/other", '{"waiting": 99}')
        await broker.publish("acd/billing/live", '{"waiting": "many"}')
        await broker.publish("acd/billing/live", "not JSON")
        await broker.publish("acd/billing/live", b"")
        await broker.publish("acd/sales/live", '{"waiting": 3}')
        await listening.until(lambda: len(listening.backlogs) == 2)
        assert listening.backlogs == [("orders", 12), ("sales", 3)]
        health = listening.health
    assert (health.kind, health.rejected, health.details["messages"]) == ("mqtt", 2, 5)
    assert [each.detail for each in health.refusals] == [
        "backlog: what waiting gives is a text, not a number",
        "a message is not JSON (JSON is malformed: invalid character (byte 4))",
    ]


async def test_what_waited_for_the_disk_is_as_old_as_it_is(broker, monkeypatch):
    monkeypatch.setattr("workers.sources.worker.RETRY_SECONDS", 0.4)
    async with Listening(broker.table()) as listening:
        await listening.listens()
        listening.stream.broken = True
        for waiting in (50, 0):
            await broker.publish("acd/orders/live", json.dumps({"waiting": waiting}))
        await listening.until(lambda: listening.health.status == "failing")
        await asyncio.sleep(0.1)
        listening.stream.broken, mended_at = False, datetime.now(UTC)
        await listening.until(lambda: len(listening.backlogs) == 2)
        first, last = (record.payload.observed_at for record in listening.stream.records)
        assert first < last < mended_at


async def test_a_retained_message_counts_only_where_it_says_since_when(broker):
    told_at = datetime.now(UTC) - timedelta(hours=2)
    await broker.publish("acd/orders/live", json.dumps({"waiting": 1, "at": told_at.isoformat()}), retain=True)
    async with Listening(broker.table()) as listening:
        await listening.until(lambda: listening.health is not None and listening.health.rejected)
        assert listening.backlogs == []
        assert "does not say since when" in listening.health.refusals[0].detail
    async with Listening(broker.table(mapping=INSTANTS)) as listening:
        await listening.until(lambda: listening.stream.records)
        assert [record.payload for record in listening.stream.records] == [
            Observation("orders", told_at, "mqtt", backlog=1)
        ]


async def test_it_comes_back_when_the_broker_does(broker, monkeypatch):
    monkeypatch.setattr("workers.sources.sessions.RETRY_SECONDS", 0.05)
    async with Listening(broker.table()) as listening:
        await listening.listens()
        broker.stop()
        await listening.until(lambda: listening.health.status == "failing")
        assert listening.health.last_error.endswith("cannot be reached, or the connection broke")
        broker.start()
        await listening.listens()
        assert listening.health.consecutive_failures == 0
        await broker.publish("acd/orders/live", '{"waiting": 7}')
        await listening.until(lambda: listening.backlogs)


async def test_a_sample_is_what_comes_first(broker, monkeypatch):
    monkeypatch.setattr("workers.sources.mqtt.worker.GATHER_SECONDS", 0.05)
    monkeypatch.setattr("workers.sources.mqtt.worker.SAMPLE_SECONDS", 10)
    at = datetime.now(UTC).isoformat()
    await broker.publish("acd/orders/live", json.dumps({"waiting": 4, "at": at}), retain=True)
    lot = await Listening(broker.table(mapping=INSTANTS)).worker.sample()
    assert [(each.queue, getattr(each, "backlog", None)) for each in lot.payloads] == [("orders", 4)]
    monkeypatch.setattr("workers.sources.mqtt.worker.SAMPLE_SECONDS", 0.2)
    with pytest.raises(SourceFault, match=r"sent no message of these topics within 0\.2 s"):
        await Listening(broker.table(topics=["other"])).worker.sample()


async def test_wrong_credentials_are_said(broker):
    with pytest.raises(Refused, match="does not accept our credentials"):
        await Listening(broker.table(password="wrong")).worker.sample()
    broker.stop()
    with pytest.raises(SourceFault, match="cannot be reached"):
        await Listening(broker.table()).worker.sample()


async def test_a_day_is_lived_without_a_wrong_go(broker, tmp_path, monkeypatch):
    monkeypatch.setattr("workers.sources.sessions.RETRY_SECONDS", 0.02)
    (tmp_path / "data").mkdir()
    async with a_whole(tmp_path / "data") as whole:
        health, stop = whole.services.sources.find, asyncio.Event()
        around = Surroundings(whole.services.ingest, whole.services.sources, whole.clock)
        running = asyncio.create_task(one("sources[0]", broker.table())[1](around).run(stop))

        def messages():
            found = health("mqtt")
            return 0 if found is None else int(str(found.details.get("messages", 0)))

        async def until(status, count=0):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while (found := health("mqtt")) is None or found.status != status or messages() < count:  # noqa: ASYNC110
                    await asyncio.sleep(0.002)

        async def happen(step):
            if step == 20:
                broker.stop()
                await until("failing")
            if step == 27:
                broker.start()
            if 20 <= step < 27:
                return
            await until("listening")
            before = messages()
            said = "{" if 34 <= step < 40 else json.dumps({"waiting": backlog_at(step)})
            await broker.publish(f"acd/{QUEUE}/live", said)
            await until("listening", before + 1)

        day = await live(whole, happen, 72)
        stop.set()
        await running
    assert {10, 15, 56, 67} <= set(day.held)
    assert {24, 26, 38, 39} <= set(day.in_the_dark)
    assert {9, 18, 30, 43, 54, 71} <= set(day.went)


GOOD = {"type": "mqtt", "host": "broker", "topics": ["a"], "mapping": {"queue": "a", "metrics": {"backlog": "@"}}}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"topics": []}, r"topics: \[\] is not a list of texts"),
        ({"port": 0}, "port: 0 is not allowed"),
        ({"qos": 3}, "qos: 3 is not allowed"),
        ({"password": "x"}, "password: is there without username"),
        ({"queue_level": 2}, "mapping.queue: is there, and the queue is named by the source"),
        ({"ca_file": "/x.pem"}, "ca_file: is there without tls = true"),
        ({"tls": True, "ca_file": "/nowhere.pem"}, "ca_file: /nowhere.pem cannot be used"),
    ],
)
def test_a_bad_table_is_refused_naming_the_key(values, sentence):
    configured([GOOD])
    with pytest.raises(Invalid, match=sentence):
        configured([GOOD | values])


def test_without_the_library_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("workers.sources.mqtt.worker.is_installed", lambda: False)
    with pytest.raises(Invalid, match=r"pip install 'holdfire\[mqtt\]'"):
        configured([GOOD])
