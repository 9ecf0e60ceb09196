"""Names that others own: how long they take to look up is theirs to choose, and must be nobody else's loss."""

import asyncio
import socket
import threading
from time import monotonic

import pytest

from app.resolver import Resolver


@pytest.fixture
def slow(monkeypatch):
    """Let every name under .slow take until the test is over; yield how many are being looked up."""
    release, look_up = threading.Event(), socket.getaddrinfo
    begun = threading.Semaphore(0)

    def getaddrinfo(host, *rest, **more):
        if str(host).endswith(".slow"):
            begun.release()
            release.wait(20)
            raise socket.gaierror(socket.EAI_AGAIN, "try again")
        return look_up(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield begun
    release.set()


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "127.0.0.1"), ("2130706433", "127.0.0.1"), ("0x7f.1", "127.0.0.1"), ("::1", "::1")],
)
async def test_a_number_comes_back_as_the_address_it_is(host, address):
    assert await Resolver().addresses(host, 443) == [address]


@pytest.mark.parametrize("host", ["a..b", "x" * 70 + ".example", "nowhere.invalid"])
async def test_a_name_that_nobody_has_has_no_address(host):
    assert await Resolver().addresses(host, 443) == ()


@pytest.mark.usefixtures("slow")
async def test_a_name_that_is_not_answered_is_given_up():
    begun = monotonic()
    assert await Resolver(patience_seconds=0.05).addresses("a.slow", 443) == ()
    assert monotonic() - begun < 30


async def test_slow_names_take_no_threads_from_other_resolvers_and_other_work(slow):
    theirs, ours = Resolver(at_once=2), Resolver()
    asked = [asyncio.create_task(theirs.addresses(f"{number}.slow", 443)) for number in range(40)]
    for _ in range(2):
        assert await asyncio.to_thread(slow.acquire, timeout=20)
    assert await ours.addresses("127.0.0.1", 443) == ["127.0.0.1"]
    for task in asked:
        task.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
