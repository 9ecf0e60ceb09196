"""The socket that Postfix asks over: many connections, slow ones, silent ones, and such that make no sense."""

import asyncio
import os
import socket
import stat
import time
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.client import AsyncHoldfire
from app.postfix.desk import Desk
from app.postfix.lane import Lane
from app.postfix.listener import Listener, listening
from app.postfix.rules import Rule, Terms
from app.postfix.table import Address
from tests.support.answers import FAULTS, HOLD, a_scripted
from tests.support.asking import DEFER, PASS, Asking, request

PATIENCE_SECONDS = 60
ANYWHERE = Address(None, "127.0.0.1", 0)
TEXT = "contact center busy, retry later"
RULES = (Rule("news", Terms("default"), senders=("news@*",)),)


@asynccontextmanager
async def a_listener(address=ANYWHERE, reaction=HOLD, most=100, request_seconds=10.0, answer_seconds=2.0):
    """Yield a listener, and where it listens, in front of a gate that reacts like this."""
    with a_scripted(reaction) as server:
        async with AsyncHoldfire(server.url, timeout=answer_seconds) as holdfire:
            lane = Lane("news", Terms("default"), holdfire, answer_seconds=answer_seconds)
            listener = Listener(Desk(RULES, {"news": lane}, TEXT), most, request_seconds)
            try:
                async with listening(address, listener) as where:
                    yield listener, where
            finally:
                await listener.close(1.0)
                await lane.close()


async def connected(where):
    return await asyncio.to_thread(Asking, where)


async def ask(connection, sender="news@shop.example", **more):
    return await asyncio.to_thread(connection.ask, sender, **more)


async def until_asking(listener, number):
    """Return once that many connections wait for an answer."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while sum(not visit.is_silent for visit in listener._visits) < number:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_one_connection_carries_many_requests_also_at_once():
    async with a_listener() as (_, where):
        connection = await connected(where)
        assert await ask(connection) == DEFER
        assert await ask(connection, "anna@home.example") == PASS
        connection.send(request("anna@home.example") * 20 + request())
        answers = [await asyncio.to_thread(connection.answer) for _ in range(21)]
        assert answers == [PASS] * 20 + [DEFER]
        connection.close()


async def test_a_request_may_come_byte_by_byte():
    async with a_listener() as (_, where):
        connection = await connected(where)
        for byte in request("anna@home.example"):
            connection.send(bytes([byte]))
            await asyncio.sleep(0)
        assert await asyncio.to_thread(connection.answer) == PASS
        connection.close()


@pytest.mark.parametrize(
    "junk", [b"\n", b"GET / HTTP/1.1\n\n", b"x" * 70_000, b"request=smtpd_access_policy\n\n", b"\0\n\n"]
)
async def test_what_makes_no_sense_ends_the_connection_without_an_answer(junk, caplog):
    async with a_listener() as (_, where):
        connection = await connected(where)
        connection.send(request("anna@home.example") + junk)
        assert await asyncio.to_thread(connection.answer) in (PASS, None)
        assert await asyncio.to_thread(connection.answer) is None
        connection.close()
        healthy = await connected(where)
        assert await ask(healthy) == DEFER
        healthy.close()
    assert "postfix_policy_closed" in caplog.messages


async def test_who_does_not_finish_a_request_is_cut_off_and_who_is_silent_between_two_is_not():
    async with a_listener(request_seconds=0.2) as (_, where):
        slow, silent = await connected(where), await connected(where)
        assert await ask(silent) == DEFER
        slow.send(b"request=smtpd_acc")
        assert await asyncio.to_thread(slow.answer) is None
        await asyncio.sleep(0.3)
        assert await ask(silent) == DEFER
        slow.close(), silent.close()


async def test_a_new_connection_takes_the_place_of_the_one_that_was_silent_longest():
    async with a_listener(most=3) as (_, where):
        first, second, third = [await connected(where) for _ in range(3)]
        for each in (second, third, first):
            assert await ask(each) == DEFER
        fourth = await connected(where)
        assert await ask(fourth) == DEFER
        assert await asyncio.to_thread(second.answer) is None
        assert [await ask(each) for each in (first, third)] == [DEFER, DEFER]
        for each in (first, second, third, fourth):
            each.close()


async def test_connections_that_wait_for_an_answer_are_never_cut_off_for_a_new_one():
    async with a_listener(reaction=FAULTS["slow"], most=2, answer_seconds=2.0) as (listener, where):
        busy = [await connected(where) for _ in range(2)]
        answers = [asyncio.ensure_future(ask(each)) for each in busy]
        await until_asking(listener, 2)
        late = await connected(where)
        assert await asyncio.to_thread(late.answer) is None
        assert await asyncio.gather(*answers) == [DEFER, DEFER]
        for each in (*busy, late):
            each.close()


async def test_transactional_mail_does_not_wait_while_bulk_mail_waits_for_an_answer():
    async with a_listener(reaction=FAULTS["slow"], answer_seconds=2.0) as (listener, where):
        bulk, other = await connected(where), await connected(where)
        waiting = asyncio.ensure_future(ask(bulk))
        await until_asking(listener, 1)
        assert await ask(other, "receipts@shop.example") == PASS
        assert not waiting.done()
        assert await waiting == DEFER
        bulk.close(), other.close()


async def test_closing_answers_what_was_asked_and_ends_the_rest_at_once():
    async with a_listener(reaction=FAULTS["slow"], answer_seconds=1.0) as (listener, where):
        silent, busy = await connected(where), await connected(where)
        assert await ask(silent, "anna@home.example") == PASS
        waiting = asyncio.ensure_future(ask(busy))
        await until_asking(listener, 1)
        await listener.close(5.0)
        assert await waiting == DEFER
        assert await asyncio.to_thread(silent.answer) is None
        silent.close(), busy.close()


@pytest.fixture
def path(tmp_path):
    """Return a path for a socket, whose path must be short; a crash has left one there that nobody listens on."""
    short = Path(os.path.relpath(tmp_path / "p"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
        left.bind(str(short))
    return short


def mode(path):
    return stat.S_IMODE(path.lstat().st_mode) if path.exists() else None


async def test_a_socket_file_replaces_a_dead_one_has_its_mode_and_goes_at_the_end(path):
    address = Address(path, mode=0o666)
    async with a_listener(address) as (_, where):
        assert mode(path) == 0o666
        connection = await connected(where)
        assert await ask(connection) == DEFER
        connection.close()
        with pytest.raises(FileExistsError, match="listens on"):
            async with a_listener(address):
                pass
        assert mode(path) == 0o666
    assert mode(path) is None


async def test_a_file_that_is_no_socket_is_left_alone(tmp_path):
    mine = tmp_path / "policy"
    mine.write_text("mine")
    with pytest.raises(FileExistsError, match="no socket"):
        async with a_listener(Address(mine)):
            pass
    assert mine.read_text() == "mine"
