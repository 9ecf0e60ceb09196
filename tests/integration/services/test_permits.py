"""What permits promise beyond their routes: nothing is given through a gate that closes, and closing stops senders."""

import asyncio
import threading
from contextlib import asynccontextmanager

import pytest

from app.core.campaign.machine import CampaignStep
from app.core.event import Actor, EventType
from app.core.gate.answer import Answered
from app.core.gate.decision import ReasonCode, Verdict
from app.core.permit.permit import Permit, PermitState, PermitStep, Spent
from app.core.permit.request import PermitRequest
from app.errors import Conflict, NotDurable
from app.ports.keys import ApiKey
from app.services.permit_answers import PermitAnswer
from app.settings import Settings
from app.store.bundle import open_store
from app.telemetry.metrics import Metrics
from app.wiring import build_services
from tests.support.builders import NOW, an_observation
from tests.support.databases import a_database_url
from tests.support.memory import SteppedClock
from tests.support.whole import a_whole

KEY = ApiKey("key1", "ann", frozenset({"permits"}), b"", NOW)
ANN = Actor("key1", "ann")


@pytest.fixture
async def whole(tmp_path):
    async with a_whole(tmp_path) as opened:
        yield opened


@pytest.fixture
def permits(whole):
    return whole.services.permits


async def taken(permits, audience: int = 100, campaign: str | None = None, **members) -> Permit:
    answer = await permits.take(KEY, PermitRequest(audience, campaign=campaign, **members))
    permit: Permit = answer.permit
    assert permit is not None, answer.body
    return permit


async def slam(whole) -> None:
    """Close the gate, and let what follows from it be written down."""
    whole.clock.move(1)
    await whole.slam()
    await whole.services.permits.follow()


async def clear(whole) -> None:
    whole.clock.move(1)
    await whole.quiet()


@asynccontextmanager
async def a_busy_writer(whole):
    """Keep the writer thread from its work meanwhile."""
    go_on = threading.Event()
    whole.store.database.writer.submit(go_on.wait)
    try:
        yield
    finally:
        go_on.set()


async def reasons(whole, kind: EventType) -> list[str]:
    return [written.event.reason for written in await whole.store.events.events(type=kind)]


def execute(whole, sql: str) -> None:
    """Execute a statement on the connection that writes, outside any transaction."""
    connection = whole.store.database.writer.engine.raw_connection()
    connection.cursor().execute(sql)
    connection.close()


def close_at_once(whole) -> None:
    """Leave the gate without a policy: nobody knows what it says."""
    whole.services.evaluator.set_policy("default", None)
    whole.services.evaluator.tick(whole.clock.now())


# --- a gate that closes ---


async def test_a_sender_must_stop_as_soon_as_its_gate_closes_and_its_permit_is_paused(whole, permits):
    permit = await taken(permits)
    assert not permits.must_stop(permit)
    whole.clock.move(1)
    await whole.slam()
    assert permits.must_stop(permit)
    await permits.follow()
    paused = await permits.find(permit.id)
    assert (paused.state, paused.reason) == (PermitState.PAUSED, "orders-voice: 500 waiting, limit 10")
    assert await reasons(whole, EventType.PERMIT_PAUSED) == ["orders-voice: 500 waiting, limit 10"]
    assert permits.spent("default", whole.clock.now()).outstanding == 100


async def test_the_tick_that_closes_a_gate_begins_the_pause_by_itself(whole, permits):
    permit = await taken(permits)
    paused = asyncio.Event()
    permits.subscribe(lambda changes: paused.set() if changes[0].after.state is PermitState.PAUSED else None)
    whole.clock.move(1)
    await whole.slam()
    await asyncio.wait_for(paused.wait(), 5)
    assert (await permits.find(permit.id)).state is PermitState.PAUSED


async def test_silence_pauses_too(whole, permits):
    permit = await taken(permits)
    await whole.evaluate(seconds=200)
    assert permits.must_stop(permit)
    await permits.follow()
    assert (await permits.find(permit.id)).state is PermitState.PAUSED


async def test_a_paused_permit_comes_back_only_by_asking_and_only_while_the_gate_says_go(whole, permits):
    permit = await taken(permits)
    await slam(whole)
    held = await permits.renew(KEY, permit.id)
    assert isinstance(held, PermitAnswer)
    assert held.status == 429
    assert (await permits.find(permit.id)).state is PermitState.PAUSED
    await clear(whole)
    await permits.follow()
    assert permits.must_stop(await permits.find(permit.id))
    renewed = await permits.renew(KEY, permit.id)
    assert isinstance(renewed, Permit)
    assert not permits.must_stop(renewed)
    assert await reasons(whole, EventType.PERMIT_RESUMED) == [""]


async def test_caps_that_are_spent_stop_nobody(whole, permits):
    await whole.policy(max_audience_per_wave=100)
    permit = await taken(permits, 100)
    assert not permits.must_stop(permit)
    await permits.follow()
    assert (await permits.renew(KEY, permit.id)).state is PermitState.ACTIVE


async def test_permits_of_a_gate_that_is_deleted_must_stop_and_are_paused(whole, permits):
    permit = await taken(permits)
    await whole.services.gates.delete("default", ANN)
    await whole.evaluate()
    assert permits.must_stop(permit)
    await permits.follow()
    assert (await permits.find(permit.id)).reason.startswith("there is no gate 'default'")


async def test_a_process_that_starts_under_a_closed_gate_pauses_what_was_live(tmp_path):
    async with a_whole(tmp_path) as before:
        permit = await taken(before.services.permits)
        before.clock.move(1)
        slammed = an_observation("orders-voice", before.clock.now(), backlog=500)
        await before.services.ingest.observations([slammed])  # and the process dies before it is evaluated
    clock = SteppedClock(before.clock.now())
    async with open_store(a_database_url("sqlite", tmp_path), clock, alone=True) as store:
        services = await build_services(Settings(data_dir=tmp_path), clock, store, Metrics())
        await services.permits.follow()
        assert (await services.permits.find(permit.id)).state is PermitState.PAUSED


async def test_a_pause_that_cannot_be_written_down_now_is_written_down_later(whole, permits):
    permit = await taken(permits)
    execute(whole, "PRAGMA query_only=ON")
    close_at_once(whole)
    await permits.follow()
    assert permits.must_stop(permit)
    assert (await permits.find(permit.id)).state is PermitState.ACTIVE
    execute(whole, "PRAGMA query_only=OFF")
    await permits.follow()
    assert (await permits.find(permit.id)).state is PermitState.PAUSED


# --- a gate that closes while a permit is given ---


async def test_a_gate_that_closes_while_an_ask_waits_for_the_disk_refuses_it(whole, permits):
    async with a_busy_writer(whole):
        asking = asyncio.ensure_future(permits.take(KEY, PermitRequest(100), "k1"))
        await asyncio.sleep(0.01)
        close_at_once(whole)
    answer = await asking
    assert (answer.status, answer.permit) == (503, None)
    assert answer.looked.answered.reasons[0].code is ReasonCode.DATA_NO_POLICY
    assert await permits.page() == []


async def test_a_gate_that_closes_while_a_permit_is_written_down_takes_it_back(whole, permits):
    closing = iter([lambda: close_at_once(whole)])
    permits.subscribe(lambda _: next(closing, lambda: None)())
    answer = await permits.take(KEY, PermitRequest(100), "k1")
    assert (answer.status, answer.permit, answer.looked.request.audience) == (503, None, 100)
    (permit,) = await permits.page()
    assert permit.state is PermitState.REVOKED
    assert permits.spent("default", whole.clock.now()) == Spent(given=100)
    assert (await reasons(whole, EventType.PERMIT_REVOKED))[0].startswith("closed while it was being given: ")
    await whole.policy()
    assert (await permits.take(KEY, PermitRequest(100), "k1")).permit is not None


# --- taking ---


async def test_a_gate_in_shadow_mode_limits_nobody_and_records_all(whole, permits):
    await whole.policy(mode="shadow", max_audience_per_wave=10)
    await slam(whole)
    permit = await taken(permits, 500)
    assert (permit.allowed, permits.must_stop(permit)) == (500, False)
    assert (await whole.store.decisions.decision(permit.decision_id)).verdict == Verdict.HOLD
    assert permits.spent("default", whole.clock.now()).outstanding == 500


async def test_nothing_is_given_while_the_evaluation_is_late(whole, permits, monkeypatch):
    monkeypatch.setattr(whole.services.answering, "_monotonic", lambda: float("inf"))
    answer = await permits.take(KEY, PermitRequest(100))
    assert (answer.status, answer.permit) == (503, None)
    assert answer.looked.answered.reasons[0].code is ReasonCode.DATA_EVALUATION_LATE


async def test_a_time_that_is_over_frees_the_headroom_for_the_next_ask(whole, permits):
    await whole.policy(max_audience_per_wave=100, stale_after_seconds=7200)
    await taken(permits, 100, ttl_seconds=60)
    assert (await permits.take(KEY, PermitRequest(1))).permit is None
    await whole.evaluate(seconds=60)
    assert (await taken(permits, 100)).allowed == 100


async def test_what_is_over_expires_without_anybody_asking(whole, permits):
    permit = await taken(permits, ttl_seconds=10)
    whole.clock.move(10)
    assert permits.must_stop(permit)
    await permits.follow()
    assert (await permits.find(permit.id)).state is PermitState.EXPIRED
    assert permits.spent("default", whole.clock.now()) == Spent(given=100)


async def test_running_follows_until_it_is_stopped(whole, permits):
    permit, stop, expired = await taken(permits, ttl_seconds=10), asyncio.Event(), asyncio.Event()
    permits.subscribe(lambda _: expired.set())
    whole.clock.move(10)
    running = asyncio.ensure_future(permits.run(stop))
    await asyncio.wait_for(expired.wait(), 5)
    stop.set()
    await asyncio.wait_for(running, 60)
    assert (await permits.find(permit.id)).state is PermitState.EXPIRED


async def test_a_key_in_flight_is_refused_and_free_again_after_its_caller_went_away(whole, permits):
    async with a_busy_writer(whole):
        first = asyncio.ensure_future(permits.take(KEY, PermitRequest(100), "k1"))
        await asyncio.sleep(0.01)
        with pytest.raises(Conflict, match="is being settled"):
            await permits.take(KEY, PermitRequest(100), "k1")
        first.cancel()
        await asyncio.wait([first])
    again = await permits.take(KEY, PermitRequest(100), "k1")
    assert again.is_repeat
    assert len(await permits.page()) == 1


async def test_a_closed_database_gives_nothing(whole, permits):
    await whole.store.close()
    with pytest.raises(NotDurable):
        await permits.take(KEY, PermitRequest(100))


# --- for campaigns ---


@pytest.fixture
async def spring(whole):
    """A campaign of 1,000 people that may send."""
    await whole.services.campaigns.create({"id": "spring", "title": "Spring", "audience": 1_000}, ANN)
    await whole.services.campaigns.take("spring", CampaignStep.SCHEDULE, ANN)
    await whole.services.campaigns.take("spring", CampaignStep.START, ANN)
    await whole.evaluate()


@pytest.mark.usefixtures("spring")
async def test_a_campaign_is_never_granted_more_than_its_audience(permits):
    answers = await asyncio.gather(
        *(permits.take(KEY, PermitRequest(300, campaign="spring", accept_partial=True)) for _ in range(8))
    )
    assert sorted(answer.permit.allowed for answer in answers if answer.permit) == [100, 300, 300, 300]
    assert {answer.status for answer in answers} == {200, 429}
    await permits.report(answers[0].permit.id, answers[0].permit.allowed, ANN)
    answer = await permits.take(KEY, PermitRequest(1, campaign="spring"))
    assert answer.looked.answered.reasons[0].code is ReasonCode.CAMPAIGN_AUDIENCE_SPENT


@pytest.mark.usefixtures("spring")
async def test_a_wave_gets_as_many_as_may_go_and_the_refusal_when_none_may(whole, permits):
    await whole.policy(max_audience_per_wave=400)
    wave = await permits.take_for_campaign("spring", "default", 600, 60, wave=1)
    assert isinstance(wave, Permit)
    assert (wave.allowed, wave.wave, wave.key_id) == (400, 1, "holdfire")
    refused = await permits.take_for_campaign("spring", "default", 600, 60, wave=2)
    assert isinstance(refused, Answered)
    assert refused.reasons[0].code is ReasonCode.HEADROOM_SPENT
    assert permits.of_campaign("spring") == [wave]


@pytest.mark.usefixtures("spring")
async def test_stopping_a_campaign_takes_the_step_with_each_of_its_live_permits(permits):
    mine = [await taken(permits, 10, "spring") for _ in range(3)]
    other = await taken(permits, 10, "autumn")
    await permits.release(mine[0].id, ANN)
    stopped = await permits.stop_campaign("spring", PermitStep.REVOKE, actor=ANN, reason="wrong list")
    assert sorted(permit.id for permit in stopped) == sorted(permit.id for permit in mine[1:])
    assert {permit.reason for permit in stopped} == {"wrong list"}
    assert permits.of_campaign("spring") == []
    assert (await permits.find(other.id)).state is PermitState.ACTIVE


async def test_ending_what_has_ended_leaves_it_as_it_is(permits):
    permit = await taken(permits)
    await permits.report(permit.id, 100, ANN)
    ended = await permits.end(permit.id, PermitStep.REVOKE, actor=ANN, reason="late")
    assert (ended.state, ended.reason) == (PermitState.USED, "")


async def test_what_a_watched_campaign_ever_sent_is_known_from_memory(whole, permits):
    permit = await taken(permits, 100, "label")
    await permits.report(permit.id, 30, ANN)
    await permits.watch(["label"])
    await permits.report(permit.id, 70, ANN)
    spent = permits.spent_by_campaign("label", whole.clock.now())
    assert (spent.outstanding, spent.sent_last_hour) == (30, 70)
    stored = await whole.store.permits.spent_by_campaign(["label"], whole.clock.now())
    assert stored["label"] == spent
