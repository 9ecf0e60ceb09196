"""Many senders at once on real sockets, and a server that dies under them: one headroom is given away once."""

import asyncio
import random
import signal
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx2
import pytest

from tests.support.senders import PERMITS, Ask, an_ask, open_gate, post, run_clients, stored_permits
from tests.support.server import a_server

CLIENTS = 64
CAP = 100_000
GRANTED, BUSY, REFUSED = 200, 409, 429


class Senders:
    """Clients that ask for random audiences, and what each of their keys was answered."""

    def __init__(self, seed: int, largest: int) -> None:
        self._random, self._largest = random.Random(seed), largest
        self.asked: dict[str, Ask] = {}
        self.granted: dict[str, bytes] = {}
        self.refused: list[dict[str, Any]] = []
        self._threshold = 0
        self._then: Callable[[], None] = lambda: None

    def when_granted(self, number: int, then: Callable[[], None]) -> None:
        """Do something as soon as that many keys were granted."""
        self._threshold, self._then = number, then

    def ask(self, key: str) -> Ask:
        audience, partial = self._random.randint(1, self._largest), self._random.random() < 0.5
        self.asked[key] = an_ask(key, audience, accept_partial=partial)
        return self.asked[key]

    def take_in(self, ask: Ask, response: httpx2.Response) -> dict[str, Any] | None:
        """Note one answer and return the permit; None for a refusal. Whatever was said before must be said again."""
        if response.status_code == BUSY:
            return None
        if response.status_code != GRANTED:
            assert response.status_code == REFUSED, response.text
            assert int(response.headers["retry-after"]) > 0
            self.refused.append(response.json())
            return None
        assert self.granted.setdefault(ask.key, response.content) == response.content
        permit: dict[str, Any] = response.json()
        assert permit["allow"] == ask.body["audience"] or ask.body["accept_partial"]
        assert 1 <= permit["allow"] <= ask.body["audience"]
        if len(self.granted) == self._threshold:
            self._then()
        return permit


def ids(senders: Senders) -> dict[str, int]:
    """Return what was granted, by permit."""
    bodies = [httpx2.Response(GRANTED, content=content).json() for content in senders.granted.values()]
    found = {body["permit_id"]: body["allow"] for body in bodies}
    assert len(found) == len(bodies), "two keys were given one permit"
    return found


def test_64_clients_share_one_headroom_and_leave_nothing_of_it(tmp_path):
    senders = Senders(seed=1, largest=3_000)

    async def shoot(client: httpx2.AsyncClient, index: int) -> None:
        for number in range(6):
            ask = senders.ask(f"{index}-{number}")
            answers = await asyncio.gather(*(post(client, ask) for _ in range(1 + number % 2)))
            for answer in answers:
                senders.take_in(ask, answer)

    with a_server(tmp_path) as server:
        open_gate(server, max_audience_per_hour=CAP)
        run_clients(server.url, CLIENTS, shoot)
        with server.client() as client:
            last = client.post(PERMITS, json={"gate": "default", "audience": CAP, "accept_partial": True})
    given = ids(senders) | ({last.json()["permit_id"]: last.json()["allow"]} if last.is_success else {})
    assert sum(given.values()) == CAP
    assert len(senders.refused) > 10
    assert {permit.id: permit.allowed for permit in stored_permits(tmp_path).values()} == given


def test_reports_and_releases_between_the_grants_free_no_more_than_was_not_sent(tmp_path):
    senders = Senders(seed=2, largest=6_000)
    sent = 0

    async def send(client: httpx2.AsyncClient, index: int) -> None:
        nonlocal sent
        chance = random.Random(index)
        for number in range(6):
            ask = senders.ask(f"{index}-{number}")
            permit = senders.take_in(ask, await post(client, ask))
            if permit is None:
                continue
            url, total = f"{PERMITS}/{permit['permit_id']}", chance.randint(0, permit["allow"])
            for part in (total // 2, total, total // 2, total):
                reply = await client.post(f"{url}/report", json={"sent": part})
                assert reply.status_code in {GRANTED, BUSY, 422}, reply.text
            sent += total
            if chance.random() < 0.7:
                reply = await client.post(f"{url}/release")
                assert reply.is_success or total == permit["allow"], reply.text

    with a_server(tmp_path) as server:
        open_gate(server, max_audience_per_hour=CAP)
        run_clients(server.url, CLIENTS, send)
    stored = stored_permits(tmp_path)
    assert set(ids(senders)) == set(stored)
    assert sum(permit.sent for permit in stored.values()) == sent
    assert sent + sum(permit.outstanding for permit in stored.values()) <= CAP
    assert sum(permit.allowed for permit in stored.values()) > CAP, "what was released was not given out again"


def shoot_until_it_dies(url: str, senders: Senders, wave: str) -> None:
    async def shoot(client: httpx2.AsyncClient, index: int) -> None:
        for number in range(1_000):
            ask = senders.ask(f"{wave}-{index}-{number}")
            try:
                senders.take_in(ask, await post(client, ask))
            except httpx2.HTTPError:
                return

    run_clients(url, 16, shoot)


def ask_all_again(url: str, senders: Senders) -> None:
    """Repeat every ask that was ever made: what was granted is said again word for word, the rest asked anew."""

    async def again(client: httpx2.AsyncClient, index: int) -> None:
        for ask in list(senders.asked.values())[index::16]:
            before = senders.granted.get(ask.key)
            answer = await post(client, ask)
            assert before is None or (answer.status_code, answer.content) == (GRANTED, before)
            senders.take_in(ask, answer)

    run_clients(url, 16, again)


@pytest.mark.slow
def test_a_server_killed_in_mid_flight_gives_each_key_one_permit_and_the_headroom_once(tmp_path):
    senders, cap = Senders(seed=3, largest=60), 6_000
    for number, grants in enumerate((20, 90, 170)):
        with a_server(tmp_path) as server:
            open_gate(server, max_audience_per_hour=cap)
            senders.when_granted(grants, partial(server.process.send_signal, signal.SIGKILL))
            shoot_until_it_dies(server.url, senders, str(number))
            server.stop(signal.SIGKILL)
    heard = len(senders.granted)
    with a_server(tmp_path) as server:
        open_gate(server, max_audience_per_hour=cap)
        ask_all_again(server.url, senders)
        ask_all_again(server.url, senders)
    stored = {permit.id: permit.allowed for permit in stored_permits(tmp_path).values()}
    assert stored == ids(senders), "a grant that no key leads back to, or one that was lost"
    assert heard < len(stored), "it never died between a grant and its answer"
    assert sum(stored.values()) <= cap
