import asyncio
import json

import pytest
from standardwebhooks import Webhook as Verifier

from app.core.event import Actor
from app.core.permit.permit import PermitState
from app.core.permit.request import PermitRequest
from app.core.webhooks.standard import LARGEST_BYTES
from app.errors import Conflict, Invalid
from app.ports.callbacks import WaitState
from app.ports.webhooks import DeliveryState
from app.services.deliveries import Outcome, unsent
from tests.support.builders import an_observation
from tests.support.whole import a_whole

URL = "http://8.8.8.8/may-go"
ANN = Actor("k1", "Ann")
ASKED = PermitRequest(audience=1_000, ttl_seconds=600, callback_url=URL)


@pytest.fixture
async def whole(tmp_path):
    async with a_whole(tmp_path) as opened:
        await hold(opened)
        yield opened


async def judge_at_once(whole):
    rule = {"metric": "backlog", "hold_above": 10, "hold_for_seconds": 0, "resume_for_seconds": 0}
    await whole.policy(rules=[rule])


async def hold(whole):
    await judge_at_once(whole)
    whole.clock.move(1)
    await whole.slam()


async def clear(whole, seconds=1):
    whole.clock.move(seconds)
    await whole.quiet()
    await whole.evaluate()


async def an_asker(whole, name="tool"):
    return (await whole.services.keys.create(name, ("permits",)))[0]


async def permits_of(whole, state=PermitState.ACTIVE):
    return [permit for permit in await whole.services.permits.page() if permit.state is state]


async def message(whole):
    """Return the one message on its way to an asker, and how it is sent."""
    (delivery,) = (await whole.services.deliveries.due()).deliveries
    return delivery, await whole.services.deliveries.prepared(delivery)


async def test_an_ask_that_waits_is_given_one_permit_once_the_gate_lets_it_go_and_its_asker_is_told(whole):
    callbacks, asker = whole.services.callbacks, await an_asker(whole)
    ask = await callbacks.wait(asker, ASKED, None)
    await callbacks.offer()
    assert (await callbacks.find(ask.id)).state is WaitState.WAITING
    assert await permits_of(whole) == []
    await clear(whole)
    await callbacks.offer()
    await callbacks.offer()
    (permit,) = await permits_of(whole)
    granted = await callbacks.find(ask.id)
    assert (granted.state, granted.permit_id, permit.key_id) == (WaitState.GRANTED, permit.id, asker.id)
    assert await callbacks.may_go(granted)
    delivery, sent = await message(whole)
    body = Verifier(ask.secret).verify(sent.body, dict(sent.headers))
    assert body["type"] == "decision.send"
    assert body["data"]["permit_id"] == permit.id
    assert (body["data"]["allow"], body["data"]["proceed"]) == (1_000, True)
    assert body["data"]["permit_request_id"] == ask.id
    assert sent.destination.target.path == "/may-go"
    assert delivery.urgent


async def test_an_ask_that_waited_long_enough_is_told_so_once_and_gets_no_permit(whole):
    callbacks = whole.services.callbacks
    ask = await callbacks.wait(await an_asker(whole), ASKED, None)
    await whole.slam()
    whole.clock.move(600)
    await whole.slam()
    await callbacks.offer()
    await clear(whole)
    await callbacks.offer()
    ended = await callbacks.find(ask.id)
    assert (ended.state, ended.permit_id) == (WaitState.GAVE_UP, None)
    _, sent = await message(whole)
    body = json.loads(sent.body)
    assert (body["type"], body["data"]["decision"], body["data"]["proceed"]) == ("decision.hold", "hold", False)
    assert "status" not in body["data"]
    assert await permits_of(whole) == []
    assert not await callbacks.may_go(ended)


async def test_the_same_ask_again_waits_once_and_another_one_waits_beside_it(whole):
    callbacks, asker, other = whole.services.callbacks, await an_asker(whole), await an_asker(whole, "other")
    first = await callbacks.wait(asker, ASKED, None)
    assert await callbacks.wait(asker, ASKED, None) == first
    keyed = await callbacks.wait(asker, ASKED, "key-1")
    others = await callbacks.wait(other, ASKED, None)
    assert len({first.id, keyed.id, others.id}) == 3
    assert len({first.secret, keyed.secret, others.secret}) == 3


async def test_an_ask_answered_directly_waits_no_longer_and_nobody_is_told(whole):
    callbacks, asker = whole.services.callbacks, await an_asker(whole)
    ask = await callbacks.wait(asker, ASKED, None)
    await callbacks.answered(asker, ASKED, None)
    await clear(whole)
    await callbacks.offer()
    assert (await callbacks.find(ask.id)).state is WaitState.WITHDRAWN
    assert await permits_of(whole) == []
    assert (await whole.services.deliveries.due()).waiting == 0


async def test_with_a_key_of_its_own_the_asker_and_the_callback_get_the_same_permit(whole):
    callbacks, asker = whole.services.callbacks, await an_asker(whole)
    await callbacks.wait(asker, ASKED, "key-1")
    await clear(whole)
    answered = await whole.services.permits.take(asker, ASKED, "key-1")
    await callbacks.offer()
    (permit,) = await permits_of(whole)
    assert answered.permit == permit
    _, sent = await message(whole)
    assert json.loads(sent.body)["data"]["permit_id"] == permit.id


@pytest.mark.parametrize("turns", range(3))
async def test_asked_again_while_the_callback_is_being_granted_there_is_one_permit(whole, turns):
    async with whole.client("permits") as client:
        ask = {"audience": 1_000, "ttl_seconds": 600, "callback_url": URL}
        same = {"Idempotency-Key": "spring-1"}  # without it, an ask after the grant would be another ask
        assert (await client.post("/api/v1/permits", json=ask, headers=same)).status_code == 429
        await clear(whole)
        offering = asyncio.ensure_future(whole.services.callbacks.offer())
        for _ in range(turns):
            await asyncio.sleep(0)
        again = await client.post("/api/v1/permits", json=ask, headers=same)
        await offering
    assert again.status_code in (200, 409)
    (permit,) = await permits_of(whole)
    assert again.status_code == 409 or again.json()["permit_id"] == permit.id


async def test_a_crash_after_the_permit_and_before_its_note_gives_the_same_permit_again(tmp_path):
    async with a_whole(tmp_path) as whole:
        await hold(whole)
        asker = await an_asker(whole)
        ask = await whole.services.callbacks.wait(asker, ASKED, None)
        await clear(whole)
        await whole.services.permits.take(asker, ASKED, ask.permit_key)
    async with a_whole(tmp_path) as whole:
        await whole.services.callbacks.offer()
        (permit,) = await permits_of(whole)
        assert (await whole.services.callbacks.find(ask.id)).permit_id == permit.id
        assert (await whole.services.deliveries.due()).waiting == 1


async def test_what_waits_survives_a_restart(tmp_path):
    async with a_whole(tmp_path) as whole:
        await hold(whole)
        asker = await an_asker(whole)
        ask = await whole.services.callbacks.wait(asker, ASKED, None)
    async with a_whole(tmp_path) as whole:
        assert await whole.services.callbacks.wait(asker, ASKED, None) == ask
        await judge_at_once(whole)
        await clear(whole, seconds=5)
        await whole.services.callbacks.offer()
        assert (await whole.services.callbacks.find(ask.id)).state is WaitState.GRANTED


async def test_a_message_that_says_go_is_not_sent_while_its_permit_must_stop_nor_after_it_ended(whole):
    callbacks, deliveries = whole.services.callbacks, whole.services.deliveries
    ask = await callbacks.wait(await an_asker(whole), ASKED, None)
    await clear(whole)
    await callbacks.offer()
    delivery, _ = await message(whole)
    whole.clock.move(1)
    await whole.slam()
    with pytest.raises(Invalid, match="must not be used now") as shut:
        await deliveries.prepared(delivery)
    assert await deliveries.settle(delivery, unsent(shut.value)) is DeliveryState.PENDING
    granted = await callbacks.find(ask.id)
    assert not await callbacks.may_go(granted)
    await whole.services.permits.release(granted.permit_id, ANN)
    with pytest.raises(Conflict, match="released") as ended:
        await deliveries.prepared(delivery)
    assert await deliveries.settle(delivery, unsent(ended.value)) is DeliveryState.FAILED


async def test_an_asker_that_is_gone_fails_its_own_message_and_disables_nothing(whole):
    callbacks = whole.services.callbacks
    await callbacks.wait(await an_asker(whole), ASKED, None)
    await clear(whole)
    await callbacks.offer()
    delivery, _ = await message(whole)
    assert await whole.services.deliveries.settle(delivery, Outcome(410, "HTTP 410")) is DeliveryState.FAILED


async def test_an_ask_whose_key_was_revoked_gives_up(whole):
    callbacks, asker = whole.services.callbacks, await an_asker(whole)
    ask = await callbacks.wait(asker, ASKED, None)
    await whole.services.keys.revoke(asker.id)
    await clear(whole)
    await callbacks.offer()
    assert (await callbacks.find(ask.id)).state is WaitState.GAVE_UP
    assert await permits_of(whole) == []


async def test_an_ask_whose_gate_is_deleted_gives_up(whole):
    await whole.services.gates.create("spring")
    callbacks, asker = whole.services.callbacks, await an_asker(whole)
    ask = await callbacks.wait(asker, PermitRequest(1_000, "spring", callback_url=URL), None)
    await whole.services.gates.delete("spring")
    await whole.evaluate()
    await callbacks.offer()
    ended = await callbacks.find(ask.id)
    assert ended.state is WaitState.GAVE_UP
    assert "no gate 'spring'" in ended.reason


async def test_what_cannot_be_written_down_now_is_tried_at_the_next_look(whole):
    callbacks = whole.services.callbacks
    ask = await callbacks.wait(await an_asker(whole), ASKED, None)
    await clear(whole)
    refuse = "CREATE TRIGGER full BEFORE UPDATE ON waiting_asks BEGIN SELECT RAISE(ABORT, 'no space left'); END"
    await whole.store.database.write(lambda connection: connection.exec_driver_sql(refuse))
    await callbacks.offer()
    assert (await callbacks.find(ask.id)).state is WaitState.WAITING
    await whole.store.database.write(lambda connection: connection.exec_driver_sql("DROP TRIGGER full"))
    await callbacks.offer()
    assert (await callbacks.find(ask.id)).state is WaitState.GRANTED
    assert len(await permits_of(whole)) == 1


async def test_a_callback_url_that_leads_inside_is_refused_before_anything_is_asked(whole):
    for url in ("http://127.0.0.1/", "http://169.254.169.254/", "http://localhost/", "http://2130706433/"):
        with pytest.raises(Invalid) as fault:
            await whole.services.callbacks.check(PermitRequest(1, callback_url=url))
        assert [problem.pointer for problem in fault.value.problems] == ["/callback_url"]
    await whole.services.callbacks.check(PermitRequest(1))


async def test_waiting_fills_no_log(whole):
    callbacks = whole.services.callbacks
    await callbacks.wait(await an_asker(whole), ASKED, None)
    for _ in range(3):
        await callbacks.offer()
    await whole.services.asks.write()
    assert await whole.services.decisions.page(kind="asked") == []


# --- over HTTP ---

PATH = "/api/v1/permits"
BODY = {"audience": 1_000, "ttl_seconds": 600, "callback_url": URL}


async def test_without_prefer_the_answer_is_the_refusal_and_the_ask_waits_too(whole):
    async with whole.client("permits") as client:
        refused = await client.post(PATH, json=BODY)
        assert refused.status_code == 429
        assert refused.headers["content-type"] == "application/problem+json"
        assert int(refused.headers["retry-after"]) > 0
        body = refused.json()
        assert (body["decision"], body["proceed"], body["status"]) == ("hold", False, 429)
        assert body["callback_secret"].startswith("whsec_")
        waits = await client.get(f"{PATH}/requests/{body['permit_request_id']}")
        assert (waits.status_code, waits.json()["state"], waits.json()["proceed"]) == (202, "waiting", False)
        assert "callback_secret" not in waits.json()
        assert "location" not in refused.headers


@pytest.mark.parametrize("prefer", ["respond-async", "wait=10, Respond-Async", "respond-async; x=1"])
async def test_who_prefers_it_is_answered_202_with_where_to_look(whole, prefer):
    async with whole.client("permits") as client:
        accepted = await client.post(PATH, json=BODY, headers={"Prefer": prefer})
        assert accepted.status_code == 202
        assert accepted.headers["preference-applied"] == "respond-async"
        assert (accepted.json()["decision"], accepted.json()["proceed"]) == ("hold", False)
        where = accepted.headers["location"]
        assert (await client.get(where)).status_code == 202
        await clear(whole)
        await whole.services.callbacks.offer()
        granted = await client.get(where)
        assert (granted.status_code, granted.json()["state"], granted.json()["proceed"]) == (200, "granted", True)
        whole.clock.move(1)
        await whole.slam()
        assert (await client.get(where)).status_code == 409


async def test_202_is_for_nobody_who_named_no_callback_and_not_while_it_may_go(whole):
    prefer = {"Prefer": "respond-async"}
    async with whole.client("permits") as client:
        assert (await client.post(PATH, json={"audience": 1_000}, headers=prefer)).status_code == 429
        assert (await client.post(PATH, json=BODY | {"dry_run": True}, headers=prefer)).status_code == 429
        waiting = (await client.post(PATH, json=BODY, headers=prefer)).headers["location"]
        await clear(whole)
        assert (await client.post(PATH, json=BODY, headers=prefer)).status_code == 200
        assert (await client.get(waiting)).status_code == 409
        await whole.services.callbacks.offer()
        assert len(await permits_of(whole)) == 1


async def test_a_bad_callback_url_is_refused_with_its_pointer_even_while_it_may_go(whole):
    await clear(whole)
    async with whole.client("permits") as client:
        for url in ("http://169.254.169.254/", "http://localhost/", "ftp://8.8.8.8/", "http://a:b@8.8.8.8/", 7):
            refused = await client.post(PATH, json=BODY | {"callback_url": url})
            assert refused.status_code == 422, url
            assert [error["pointer"] for error in refused.json()["errors"]] == ["/callback_url"]
        assert (await client.get(f"{PATH}/requests/prq_none")).status_code == 404
    assert await permits_of(whole) == []


async def test_nobody_takes_all_the_places_to_wait(whole, monkeypatch):
    monkeypatch.setattr("app.services.callbacks.MAX_WAITING_OF_ONE", 2)
    callbacks, greedy, other = whole.services.callbacks, await an_asker(whole), await an_asker(whole, "other")
    first = await callbacks.wait(greedy, ASKED, "a")
    await callbacks.wait(greedy, ASKED, "b")
    with pytest.raises(Conflict, match="2 asks of this key wait already"):
        await callbacks.wait(greedy, ASKED, "c")
    assert await callbacks.wait(greedy, ASKED, "a") == first
    assert (await callbacks.wait(other, ASKED, "c")).key_id == other.id


async def test_what_an_asker_is_told_stays_below_20_kb_and_says_where_the_rest_is(whole):
    queues = [f"orders-{number:03}-{'voice' * 20}" for number in range(100)]
    await whole.tell(*(an_observation(queue, whole.clock.now(), backlog=500) for queue in queues))
    await whole.services.callbacks.wait(await an_asker(whole), ASKED, None)
    whole.clock.move(ASKED.ttl_seconds)
    await whole.tell(*(an_observation(queue, whole.clock.now(), backlog=500) for queue in queues))
    await whole.services.callbacks.offer()
    delivery, _ = await message(whole)
    data = json.loads(delivery.payload)["data"]
    assert len(delivery.payload) < LARGEST_BYTES
    assert (data["state"], data["proceed"], data["reasons"], data["truncated"]) == ("gave_up", False, [], True)
    await whole.services.asks.write()
    async with whole.client("read") as client:
        assert len((await client.get(data["read_at"])).json()["reasons"]) >= 100
