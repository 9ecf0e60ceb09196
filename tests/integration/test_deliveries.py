"""Deliveries over real sockets: from an event in the database to a receiver on loopback."""

import asyncio
import json
import signal
import ssl
import subprocess
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest
from standardwebhooks import Webhook as Verifier

from app.clocks import ScaledClock, SystemClock
from app.core.event import HOLDFIRE, Actor, Event, EventType
from app.core.permit.request import PermitRequest
from app.core.webhooks.address import Allowed
from app.ports.callbacks import ASK_PREFIX, WaitingAsk, WaitState
from app.ports.clock import Clock
from app.ports.webhooks import DeliveryState, Receiver
from app.resolver import Resolver
from app.services.deliveries import Deliveries
from app.services.destinations import Destinations
from app.services.webhooks import WebhookPlan, Webhooks, new_secret
from app.store.bundle import Store
from app.store.events import append_events
from tests.support.builders import NOW
from tests.support.databases import a_store
from tests.support.receiver import Answer, a_receiver
from tests.support.server import a_server
from workers.deliveries import DeliveryWorker
from workers.posting import Poster

ANN = Actor("k1", "Ann")
HOST = "hooks.test"


async def names(host, port):
    """Resolve the tests' own host to loopback and everything else as the system does."""
    return ["127.0.0.1"] if host == HOST else await Resolver().addresses(host, port)


class Post:
    """A store with its webhooks, and a worker that delivers. settled is set when a try has been written down."""

    def __init__(self, store: Store, clock: Clock) -> None:
        destinations = Destinations(names, Allowed.of(["127.0.0.0/8"]))
        self.store, self.clock, self.settled = store, clock, asyncio.Event()
        self.webhooks = Webhooks(store.webhooks, destinations, store.gates.gates, clock)
        self.deliveries = Deliveries(
            store.webhooks,
            destinations,
            clock,
            asker=self._asker,
            counted=lambda _: self.settled.set(),
            jitter=lambda: 0.0,
        )

    async def make(self, url, **members):
        return await self.webhooks.create(WebhookPlan(name="tool", url=url, **members), ANN)

    async def tell(self, *kinds, subject="gate/default"):
        at = self.clock.now()
        events = [Event(kind, at, HOLDFIRE, subject, "because", "default") for kind in kinds]
        await self.store.database.write(lambda connection: append_events(connection, events))

    async def grant_to_askers(self, url, count):
        """Put out the message that it may go to so many who waited for a permit."""
        at = self.clock.now()
        for number in range(count):
            asked = PermitRequest(1_000, callback_url=url)
            ask = WaitingAsk(f"{ASK_PREFIX}{number}", "k1", None, asked, new_secret(), at, at + timedelta(hours=1))
            await self.store.callbacks.add_ask(ask)
            await self.store.callbacks.end_ask(
                replace(ask, state=WaitState.GRANTED, ended_at=at, permit_id="prm_1"), b"{}"
            )

    async def _asker(self, delivery):
        ask = await self.store.callbacks.ask(delivery.receiver_id)
        return Receiver(ask.asked.callback_url or "", [ask.secret])

    async def ended(self, webhook, state, count=1):
        """Return a webhook's deliveries in that state once so many of them were tried."""
        async with asyncio.timeout(60):
            while True:
                self.settled.clear()
                found = await self.webhooks.deliveries(webhook.id, state=state)
                if sum(each.attempts > 0 for each in found) >= count:
                    return found
                await self.settled.wait()


@asynccontextmanager
async def a_post(folder, *, clock=None, timeout_seconds=15.0, context=None, **members) -> AsyncIterator[Post]:
    clock = clock or SystemClock()
    async with a_store(folder, clock=clock) as store:
        post = Post(store, clock)
        worker = DeliveryWorker(post.deliveries, post=Poster(timeout_seconds, context).post, **members)
        stop = asyncio.Event()
        task = asyncio.create_task(worker.run(stop))
        try:
            yield post
        finally:
            stop.set()
            await task


def certified(folder):
    """Return a server's context with a certificate for HOST, and a client's that trusts it."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "2",
            ),
            *("-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}", "-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    return server, ssl.create_default_context(cafile=str(certificate))


async def test_an_event_arrives_at_once_signed_and_under_the_hosts_own_name(tmp_path):
    with a_receiver() as receiver:
        async with a_post(tmp_path) as post:
            webhook = await post.make(receiver.url(HOST))
            begun = monotonic()
            await post.tell(EventType.DECISION_HOLD)
            received = await asyncio.to_thread(receiver.next)
            assert monotonic() - begun < 10
            assert received.path == "/hook?key=1"
            assert received.headers["host"] == f"{HOST}:{receiver.port}"
            body = Verifier(webhook.secret).verify(received.body, dict(received.headers))
            assert body["data"]["subject"] == "gate/default"
            (delivery,) = await post.ended(webhook, DeliveryState.DELIVERED)
            assert (delivery.id, delivery.last_status, delivery.attempts) == (received.id, 204, 1)


async def test_a_tls_receiver_is_checked_by_the_name_in_its_url_not_by_its_address(tmp_path):
    server, client = certified(tmp_path)
    with a_receiver(context=server) as receiver:
        async with a_post(tmp_path, context=client) as post:
            good, bad = await post.make(receiver.url(HOST)), await post.make(receiver.url("localhost"))
            await post.tell(EventType.POLICY_SAVED)
            await post.ended(good, DeliveryState.DELIVERED)
            (delivery,) = await post.ended(bad, DeliveryState.PENDING)
            assert "CERTIFICATE_VERIFY_FAILED" in delivery.last_detail


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(tmp_path, status):
    with a_receiver() as elsewhere, a_receiver(lambda _: Answer(status, {"location": elsewhere.url()})) as receiver:
        async with a_post(tmp_path) as post:
            webhook = await post.make(receiver.url())
            await post.tell(EventType.DECISION_HOLD)
            (delivery,) = await post.ended(webhook, DeliveryState.PENDING)
            assert f"HTTP {status}: redirects are not followed" in delivery.last_detail
            assert elsewhere.got.empty()


async def test_proxies_of_the_environment_are_not_used(tmp_path, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with a_receiver() as receiver:
        async with a_post(tmp_path) as post:
            webhook = await post.make(receiver.url(HOST))
            await post.tell(EventType.DECISION_HOLD)
            (delivery,) = await post.ended(webhook, DeliveryState.DELIVERED)
        assert (delivery.event_type, delivery.last_detail) == ("decision.hold", "HTTP 204")
        assert receiver.got.qsize() == 1


async def test_an_answer_of_any_length_is_read_only_so_far(tmp_path):
    with a_receiver(lambda _: Answer(200, {}, b"x" * 50_000_000)) as receiver:
        async with a_post(tmp_path) as post:
            webhook = await post.make(receiver.url())
            await post.tell(EventType.DECISION_HOLD)
            (delivery,) = await post.ended(webhook, DeliveryState.DELIVERED)
            assert delivery.last_detail == "HTTP 200"


async def test_a_receiver_that_does_not_answer_holds_up_nobody_else_and_not_its_own_urgent_ones(tmp_path):
    release = threading.Event()

    def slow(received):
        return Answer(release=release if b"policy.saved" in received.body else None)

    with a_receiver(slow) as hanging, a_receiver() as other:
        async with a_post(tmp_path) as post:
            slow_one, quick_one = await post.make(hanging.url()), await post.make(other.url())
            await post.tell(EventType.POLICY_SAVED, EventType.OVERRIDE_CREATED, EventType.DECISION_HOLD)
            await post.ended(quick_one, DeliveryState.DELIVERED, 3)
            (urgent,) = await post.ended(slow_one, DeliveryState.DELIVERED)
            assert urgent.event_type == "decision.hold"
            assert hanging.got.qsize() == 2  # one of the others at a time
            release.set()
            await post.ended(slow_one, DeliveryState.DELIVERED, 3)


async def test_no_more_than_so_many_are_on_their_way_and_places_are_kept_for_urgent_ones(tmp_path):
    release = threading.Event()
    with a_receiver(lambda _: Answer(release=release)) as receiver:
        async with a_post(tmp_path, at_once=4) as post:
            hooks = [await post.make(receiver.url()) for _ in range(6)]
            await post.tell(EventType.POLICY_SAVED)
            for _ in range(3):
                await asyncio.to_thread(receiver.next)
            await post.tell(EventType.DECISION_HOLD)
            assert b"decision.hold" in (await asyncio.to_thread(receiver.next)).body
            assert receiver.got.empty()
            release.set()
            for webhook in hooks:
                await post.ended(webhook, DeliveryState.DELIVERED, 2)


async def test_those_who_wait_for_a_permit_cannot_hold_up_a_stop(tmp_path):
    release = threading.Event()
    with a_receiver(lambda _: Answer(release=release)) as slow, a_receiver() as other:
        async with a_post(tmp_path, at_once=4) as post:
            webhook = await post.make(other.url())
            await post.grant_to_askers(slow.url(), 8)
            for _ in range(2):
                await asyncio.to_thread(slow.next)
            await post.tell(EventType.DECISION_HOLD)
            await post.ended(webhook, DeliveryState.DELIVERED)
            assert slow.got.empty()  # half of the places, and no more
            release.set()
            for _ in range(6):
                await asyncio.to_thread(slow.next)


@pytest.mark.parametrize("value", ["Mon, 01 Jan 2024 00:00:00 +99999999999999999999", "\x01", "9" * 5_000])
async def test_a_receiver_that_answers_nonsense_stops_nobody_elses_deliveries(tmp_path, value):
    with a_receiver(lambda _: Answer(429, {"retry-after": value})) as odd, a_receiver() as other:
        async with a_post(tmp_path) as post:
            first, second = await post.make(odd.url()), await post.make(other.url())
            for _ in range(2):
                await post.tell(EventType.DECISION_HOLD)
            await post.ended(second, DeliveryState.DELIVERED, 2)
            tried = await post.ended(first, DeliveryState.PENDING)
            assert {each.last_detail for each in tried if each.attempts} == {"HTTP 429"}


async def test_what_cannot_be_sent_for_a_reason_nobody_thought_of_is_a_failed_try(tmp_path, caplog):
    with a_receiver() as receiver:
        async with a_post(tmp_path) as post:
            broken, sound = await post.make(receiver.url()), await post.make(receiver.url())
            await post.store.database.write(
                lambda connection: connection.exec_driver_sql(
                    "UPDATE webhooks SET secret = 'whsec_?' WHERE id = ?", (broken.id,)
                )
            )
            await post.tell(EventType.DECISION_HOLD)
            await post.ended(sound, DeliveryState.DELIVERED)
            (tried,) = await post.ended(broken, DeliveryState.PENDING)
            assert tried.last_detail.startswith("not sent: ")
            assert "the log has the cause" in tried.last_detail
            assert broken.secret not in caplog.text


async def test_silence_ends_after_the_timeout_though_the_clock_runs_fast(tmp_path):
    release = threading.Event()
    with a_receiver(lambda _: Answer(release=release)) as receiver:
        async with a_post(tmp_path, clock=ScaledClock(NOW, 60), timeout_seconds=0.5) as post:
            webhook = await post.make(receiver.url())
            begun = monotonic()
            await post.tell(EventType.DECISION_HOLD)
            await asyncio.to_thread(receiver.next)
            await asyncio.to_thread(receiver.next)
            assert monotonic() - begun > 0.5
            (delivery,) = await post.webhooks.deliveries(webhook.id)
            assert delivery.last_detail == "no answer within 0.5 s"
            release.set()


async def test_urgent_ones_come_in_order_over_failures_each_try_under_the_same_id(tmp_path):
    statuses = iter([500, 503, 204, 204])
    with a_receiver(lambda _: Answer(next(statuses))) as receiver:
        async with a_post(tmp_path, clock=ScaledClock(NOW, 60)) as post:
            webhook = await post.make(receiver.url())
            await post.tell(EventType.FEED_STALE, EventType.DECISION_UNKNOWN)
            await post.ended(webhook, DeliveryState.DELIVERED, 2)
            got = [receiver.next() for _ in range(4)]
            kinds = [json.loads(each.body)["type"] for each in got]
            assert kinds == ["feed.stale"] * 3 + ["decision.unknown"]
            assert len({each.id for each in got[:3]}) == 1
            assert got[3].id != got[0].id


async def test_410_disables_and_the_receiver_hears_no_more(tmp_path):
    with a_receiver(lambda _: Answer(410)) as receiver:
        async with a_post(tmp_path) as post:
            webhook = await post.make(receiver.url())
            await post.tell(EventType.DECISION_HOLD)
            await post.ended(webhook, DeliveryState.FAILED)
            await post.tell(EventType.DECISION_HOLD)
            assert (await post.webhooks.get(webhook.id)).disabled_at is not None
            assert receiver.got.qsize() == 1


async def test_nobody_there_is_a_failed_try_and_not_the_end_of_the_worker(tmp_path):
    with a_receiver() as receiver:
        async with a_post(tmp_path) as post:
            webhook, alive = await post.make("http://127.0.0.1:1/"), await post.make(receiver.url())
            await post.tell(EventType.DECISION_HOLD)
            await post.ended(alive, DeliveryState.DELIVERED)
            (delivery,) = await post.ended(webhook, DeliveryState.PENDING)
            assert "ConnectError" in delivery.last_detail


def test_a_crash_between_the_answer_and_its_note_sends_again_under_the_same_id(tmp_path):
    allowed = {"HOLDFIRE_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.1"}
    release = threading.Event()
    with a_receiver(lambda _: Answer(release=release)) as receiver:
        with a_server(tmp_path, **allowed) as server, server.client() as client:
            made = client.post("/api/v1/webhooks", json={"name": "tool", "url": receiver.url()})
            assert made.status_code == 201, made.text
            client.post(f"/api/v1/webhooks/{made.json()['id']}/test")
            first = receiver.next()
            server.stop(signal.SIGKILL)
        release.set()
        with a_server(tmp_path, **allowed) as server, server.client() as client:
            second = receiver.next()
            assert (second.id, second.body) == (first.id, first.body)
            url = f"/api/v1/webhooks/{made.json()['id']}/deliveries?state=delivered"
            until = monotonic() + 60
            while not client.get(url).json()["items"]:
                assert monotonic() < until


def test_a_refused_ask_is_called_back_with_its_permit_when_the_floor_clears(tmp_path):
    def report(client, backlog):
        at = datetime.now(UTC).isoformat()
        told = client.post("/api/v1/observations", json={"queue": "q", "observed_at": at, "backlog": backlog})
        assert told.status_code == 200, told.text

    rule = {"metric": "backlog", "hold_above": 10, "hold_for_seconds": 0, "resume_for_seconds": 0}
    policy = {"queues": ["*"], "rules": [rule]}
    with (
        a_receiver() as receiver,
        a_server(tmp_path, HOLDFIRE_WEBHOOK_ALLOWED_NETWORKS="127.0.0.1") as server,
        server.client() as client,
    ):
        client.put("/api/v1/gates/default/policy", json=policy, headers={"If-Match": "*"}).raise_for_status()
        report(client, 500)
        until = monotonic() + 60
        while client.get("/api/v1/readiness").status_code != 429:
            assert monotonic() < until
        waits = client.post(
            "/api/v1/permits",
            json={"audience": 100, "callback_url": receiver.url()},
            headers={"Prefer": "respond-async"},
        )
        assert waits.status_code == 202, waits.text
        assert receiver.got.empty()
        report(client, 0)
        received = receiver.next()
        told = Verifier(waits.json()["callback_secret"]).verify(received.body, dict(received.headers))
        assert (told["type"], told["data"]["allow"]) == ("decision.send", 100)
        permit = client.get(f"/api/v1/permits/{told['data']['permit_id']}").json()
        assert (permit["state"], permit["must_stop"]) == ("active", False)
        assert client.get(waits.headers["location"]).status_code == 200
