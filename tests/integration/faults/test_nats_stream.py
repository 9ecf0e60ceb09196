"""The stream on a NATS that crashes, stands still, loses acknowledgements or is emptied behind its back."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from nats.aio.client import Client

from app.clocks import DataClock
from app.core.floor.observation import Observation
from app.errors import Invalid, NotDurable
from app.ports.stream import Appended, Payload
from app.store.bundle import Store, open_store
from app.stream.nats import stream, writer
from app.stream.nats.session import Keeping, Unreachable, open_session
from app.stream.nats.stream import Place
from app.stream.places import until_there
from app.stream_address import parse_stream_address
from tests.support.builders import NOW, after, an_observation
from tests.support.certificates import for_loopback
from tests.support.databases import a_database_url, prepare
from tests.support.nats import Nats


@pytest.fixture
def nats() -> Iterator[Nats]:
    """A NATS that a test may break."""
    made = Nats()
    made.start()
    yield made
    made.remove()


def a_place(url: str) -> Place:
    return Place(parse_stream_address(url))


@asynccontextmanager
async def a_store_on(url: str, folder: Path) -> AsyncIterator[Store]:
    prepare("sqlite", folder)
    async with open_store(a_database_url("sqlite", folder), DataClock(NOW), place=a_place(url)) as store:
        yield store


def observations(number: int, source: str = "acd-1") -> list[Observation]:
    return [an_observation(observed_at=after(n), source=source) for n in range(number)]


async def appended(store: Store, payloads: Sequence[Payload]) -> Appended:
    """Return what became of payloads, once they are taken."""
    while True:
        try:
            return await store.stream.append(payloads)
        except NotDurable:
            await asyncio.sleep(0.05)


async def positions(store: Store, after_position: int = 0) -> list[int]:
    found: list[int] = []
    while records := await store.stream.read(found[-1] if found else after_position):
        found += [record.position for record in records]
    return found


async def asked(nats: Nats, subject: str) -> None:
    """Ask JetStream's API for something, as an operator would."""
    client = Client()
    await client.connect(nats.url().rpartition("/")[0])
    await client.request(subject, timeout=10)
    await client.close()


async def test_a_crash_and_a_restart_lose_nothing_and_a_tail_goes_on_without_a_gap(nats, tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "BACK_SECONDS", 0.1)
    async with a_store_on(nats.url(), tmp_path) as store:
        tail = store.stream.tail(0)
        for number, harm in enumerate((nats.crash, nats.stop)):
            assert (await appended(store, observations(10, f"before-{number}"))).accepted == 10
            harm()
            with pytest.raises(NotDurable, match="send it again"):
                await store.stream.append(observations(5, f"after-{number}"))
            nats.start()
            assert (await appended(store, observations(5, f"after-{number}"))).accepted == 5
            assert await store.stream.append(observations(10, f"before-{number}")) == Appended(0, 10)
        seen: list[int] = []
        while len(seen) < 30:
            seen += [record.position for record in await anext(tail)]
        assert seen == list(range(1, 31)) == await positions(store)


async def test_a_server_that_stands_still_is_told_of_in_time_and_what_was_sent_counts_once(nats, tmp_path, monkeypatch):
    async with a_store_on(nats.url(), tmp_path) as store:
        await store.stream.append(observations(1, "before"))
        nats.stand_still()
        monkeypatch.setattr(stream, "PATIENCE_SECONDS", 0.2)
        try:
            with pytest.raises(NotDurable, match="counts once"):
                await store.stream.append(observations(3))
        finally:
            nats.go_on()
        assert sum(await appended(store, observations(3))) == 3
        assert [record.payload for record in await store.stream.read(1)] == observations(3)


async def test_processes_that_write_at_once_get_in_one_after_the_other_over_the_same_connections(
    nats, tmp_path, caplog
):
    async with a_store_on(nats.url(), tmp_path) as one, a_store_on(nats.url(), tmp_path) as other:

        async def write(store: Store, source: str) -> int:
            batches = [[an_observation(observed_at=after(n), source=source)] for n in range(100)]
            return sum([(await store.stream.append(batch)).accepted for batch in batches])

        sources = ("both", "both", "one's", "other's")
        written = await asyncio.gather(*map(write, (one, other, one, other), sources))
        assert written[0] + written[1] == written[2] == written[3] == 100
        assert await positions(one) == await positions(other) == list(range(1, 301))
    assert "nats_lost" not in caplog.text


class Thread:
    """A connection to NATS that can be cut: behind the next message, before its answer comes back."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.is_to_be_cut = self.stays_cut = self._cuts = False

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Yield the URL under which NATS is reached along it."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        async with server:
            yield f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.stays_cut:
            writer.close()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        forth = asyncio.create_task(self._copy(reader, back))
        try:
            while data := await there.read(65_536):
                if self._cuts:
                    self._cuts = False
                    break
                writer.write(data)
        finally:
            forth.cancel()
            writer.close()
            back.close()

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65_536):
                target.write(data)
                if self.is_to_be_cut and b"HPUB" in data:
                    self.is_to_be_cut, self._cuts = False, True


async def test_a_lost_acknowledgement_is_asked_for_again_and_the_records_are_there_once(nats, tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "BACK_SECONDS", 30.0)
    thread = Thread(nats.port)
    async with thread.serving() as url, a_store_on(url, tmp_path) as store:
        await store.stream.append(observations(1, "before"))
        thread.is_to_be_cut = True
        assert await store.stream.append(observations(3)) == Appended(3, 0)
        assert not thread.is_to_be_cut
        assert await store.stream.append(observations(3)) == Appended(0, 3)
        assert await positions(store) == [1, 2, 3, 4]


async def test_who_was_told_that_it_failed_may_send_again_and_it_counts_once(nats, tmp_path, monkeypatch):
    thread = Thread(nats.port)
    async with thread.serving() as url, a_store_on(url, tmp_path) as store:
        await store.stream.append(observations(1, "before"))
        monkeypatch.setattr(writer, "BACK_SECONDS", 0.1)
        thread.is_to_be_cut = thread.stays_cut = True
        with pytest.raises(NotDurable, match="send it again"):
            await store.stream.append(observations(3))
        assert not thread.is_to_be_cut
        thread.stays_cut = False
        assert await appended(store, observations(3)) == Appended(0, 3)
        assert await positions(store) == [1, 2, 3, 4]


async def test_records_that_were_purged_before_a_process_read_them_are_said_and_all_agree_again(
    nats, tmp_path, monkeypatch, caplog
):
    thread = Thread(nats.port)
    async with thread.serving() as url, a_store_on(url, tmp_path) as store, a_store_on(nats.url(), tmp_path) as other:
        await store.stream.append(observations(1, "before"))
        monkeypatch.setattr(writer, "BACK_SECONDS", 0.1)
        thread.is_to_be_cut = thread.stays_cut = True
        with pytest.raises(NotDurable):
            await store.stream.append(observations(1, "last words"))
        await appended(other, observations(3, "unread"))
        await asked(nats, "$JS.API.STREAM.PURGE.holdfire")
        thread.stays_cut = False
        await appended(store, observations(1, "later"))
        await appended(other, observations(1, "last"))
        found = await positions(store)
        assert found == await positions(other)
        assert len(found) == 2
        assert found[0] > 5
    assert "stream_purged_unread" in caplog.text


@pytest.mark.parametrize("harm", ["STREAM.DELETE", "STREAM.PURGE"])
async def test_a_stream_that_was_emptied_gives_no_position_twice(nats, tmp_path, harm, caplog):
    async with a_store_on(nats.url(), tmp_path) as store:
        await store.stream.append(observations(5))
        await asked(nats, f"$JS.API.{harm}.holdfire")
        assert (await appended(store, observations(2, "later"))).accepted == 2
        found = await store.stream.read(0)
        assert [record.payload.source for record in found] == ["later", "later"]
        assert found[0].position > 5
    assert ("stream_lost" in caplog.text) == (harm == "STREAM.DELETE")
    async with a_store_on(nats.url(), tmp_path) as again:
        assert await again.stream.read(0) == found


async def test_a_tail_goes_on_behind_what_was_deleted_before_anybody_read_it(nats, tmp_path, caplog):
    async with a_store_on(nats.url(), tmp_path) as store:
        await store.stream.append(observations(1))
        tail = store.stream.tail(0)
        assert [record.position for record in await anext(tail)] == [1]
        nats.stop()
        nats.start()
        await asked(nats, "$JS.API.STREAM.DELETE.holdfire")
        await appended(store, observations(1, "later"))
        (record,) = await anext(tail)
        assert record.payload.source == "later"
        assert record.position > 1
    assert "stream_lost" in caplog.text


async def test_positions_go_on_behind_those_of_the_database_also_when_the_stream_is_made_anew(nats, tmp_path):
    prepare("sqlite", tmp_path)
    async with open_store(a_database_url("sqlite", tmp_path), DataClock(NOW)) as store:
        await store.stream.append(observations(7))
    async with a_store_on(nats.url(), tmp_path) as store:
        await store.stream.append(observations(2, "on-nats"))
        assert await positions(store) == list(range(1, 10))
        assert await store.stream.position_before(NOW) == 0
        assert store.archive is not None
        await store.archive.write(await store.stream.read(7))
    await asked(nats, "$JS.API.STREAM.DELETE.holdfire")
    async with a_store_on(nats.url(), tmp_path) as store:
        await store.stream.append(observations(2, "anew"))
        assert await positions(store) == list(range(1, 12))


async def test_waiting_for_nats_says_why_and_ends_when_it_is_there():
    nats = Nats()
    said: list[str] = []
    waiting = asyncio.create_task(until_there(a_place(nats.url()), said.append))
    try:
        while not said:  # noqa: ASYNC110  # it is said to a plain function
            await asyncio.sleep(0.01)
        assert not waiting.done()
        nats.start()
        await waiting
    finally:
        nats.remove()
    assert len(said) == 1
    assert "HOLDFIRE_STREAM_URL" in said[0]


@pytest.mark.parametrize("who", ["me:wrong@", ""], ids=["wrong", "nobody"])
async def test_who_may_not_sign_in_is_told_at_once_and_without_the_password(who):
    nats = Nats("--user", "me", "--pass", "s3cret")
    nats.start()
    try:
        with pytest.raises(Invalid, match="refuses who signs in") as refused:
            await open_session(*a_place(nats.url().replace("//", f"//{who}")))
        await (await open_session(*a_place(nats.url().replace("//", "//me:s3cret@")))).close()
    finally:
        nats.remove()
    assert "wrong" not in str(refused.value)


async def test_an_encrypted_connection_is_one_and_a_server_that_does_not_encrypt_is_told_nothing(
    nats, tmp_path, monkeypatch
):
    with pytest.raises(Unreachable, match="does not encrypt"):
        await open_session(*a_place(nats.url().replace("nats://", "tls://me:s3cret@")))
    _, certificate = for_loopback(tmp_path)
    safe = Nats("--tls", "--tlscert", str(certificate), "--tlskey", str(tmp_path / "key.pem"))
    safe.start()
    try:
        with pytest.raises(Invalid, match="certificate"):
            await open_session(*a_place(safe.url().replace("nats://", "tls://")))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        await (await open_session(*a_place(safe.url().replace("nats://", "tls://")))).close()
    finally:
        safe.remove()


async def test_a_stream_keeps_what_its_operator_set_when_it_is_to_keep_records_longer(nats):
    client = Client()
    await client.connect(nats.url().rpartition("/")[0])
    jetstream = client.jetstream()
    await jetstream.add_stream(name="holdfire", subjects=["holdfire.records"], max_age=3600, max_bytes=1_000_000)
    await (await open_session(parse_stream_address(nats.url()), Keeping(hours=30))).close()
    config = (await jetstream.stream_info("holdfire")).config
    assert (config.max_age, config.max_bytes) == (30 * 3600, 1_000_000)
    await client.close()


async def test_a_stream_of_somebody_else_is_left_alone(nats):
    client = Client()
    await client.connect(nats.url().rpartition("/")[0])
    await client.jetstream().add_stream(name="theirs", subjects=["orders"])
    with pytest.raises(Invalid, match="is not holdfire's"):
        await open_session(*a_place(nats.url("theirs")))
    await client.close()
