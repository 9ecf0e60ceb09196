"""Outlooks over a whole holdfire: made, kept, made again, and what the gate does with them."""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
import numpy as np
import pytest

from app.core.debrief.lesson import Lesson
from app.core.event import EventType
from app.core.forecast.safe import Bound
from app.core.gate.foresight import STALE_AFTER_SECONDS
from app.core.permit.request import PermitRequest
from app.errors import Invalid
from app.ports.keys import ApiKey
from app.ports.learning import KeptDebrief
from app.services.outlook_inputs import AHEAD_MINUTES
from app.services.replaying import replay
from tests.support.builders import NOW, an_event
from tests.support.campaigning import KIM, announce, draft
from tests.support.looking import (
    AGENTS,
    OUTLOOK,
    VOICE,
    a_seeing_whole,
    a_usual_past,
    look,
    look_later,
    report,
)
from tests.support.whole import a_whole

KEY = ApiKey("key1", "ann", frozenset({"permits"}), b"", NOW)
ASK = "/api/v1/readiness"


@pytest.fixture
async def whole(tmp_path):
    async with a_seeing_whole(tmp_path) as opened:
        yield opened


@pytest.fixture
async def client(whole):
    async with whole.client() as opened:
        yield opened


async def asked(client, audience=500_000, **members):
    """Return status and body of an ask for readiness."""
    answer = await client.get(ASK, params={"audience": audience, **members})
    return answer.status_code, answer.json()


async def taken(whole, audience, **members):
    """Return how many were given of those that were asked for."""
    request = PermitRequest(audience, **{"accept_partial": True} | members)
    answer = await whole.services.permits.take(KEY, request)
    return answer.permit.allowed if answer.permit else 0


def room_of(whole, campaign=None):
    state = whole.services.evaluator.published.gates["default"]
    return state.foresight.room(campaign).audience


# --- made and kept ---


async def test_an_outlook_is_made_of_what_is_known_and_kept_with_it(whole):
    made = await look(whole)
    (queue,) = made.gathered.known.queues
    assert (queue.queue, queue.busy, queue.waiting, queue.handle_seconds) == (VOICE, 20, 0, 300.0)
    assert set(queue.agents.tolist()) == {AGENTS}
    assert queue.expected[:12] == pytest.approx(np.full(12, 19.5), rel=0.05)  # a day's usual, at 3 in the afternoon
    (notes,) = made.gathered.notes
    assert notes.agents == f"{VOICE} has no schedule: the {AGENTS} agents here now are taken to stay."
    assert whole.services.outlooks.newest("default") is made
    again = await whole.services.outlook_questions.again("default", whole.clock.now())
    assert (again.kept.at, again.is_same) == (made.at, True)
    assert again.found["sends"][0][1]["audience"] == dict(made.foreseen.sends)[""].audience


async def test_what_past_campaigns_taught_is_reckoned_with_and_kept(whole):
    for number, per_1000 in enumerate((2.2, 2.6, 2.4, 2.7, 2.1, 2.5)):
        lesson = Lesson(f"past-{number}", "newsletter", NOW, per_1000, 0.1, (), None, ())
        kept = KeptDebrief(lesson.campaign, NOW, {}, b"", msgspec.to_builtins(lesson))
        await whole.store.debriefs.save_debrief(kept, an_event(EventType.CAMPAIGN_DEBRIEFED))
    await whole.services.learning.load()
    await announce(whole, kind="newsletter")
    made = await look_later(whole)
    rate = made.gathered.sender("spring").rate
    assert (rate.mean, rate.cv) == (pytest.approx(2.4, abs=0.1), pytest.approx(0.1, abs=0.05))
    assert (await whole.services.outlook_questions.again("default", whole.clock.now())).is_same


async def test_where_nothing_is_known_of_the_night_it_is_looked_into_the_evening(tmp_path):
    async with a_whole(tmp_path, auth="off") as whole:
        await a_usual_past(whole, days=5, is_known_at_night=False)
        await whole.policy(outlook=OUTLOOK)
        made = await look_later(whole, agents_staffed=40)
        (queue,) = made.gathered.known.queues
        assert 180 < made.gathered.known.minutes < AHEAD_MINUTES
        assert not np.isnan(queue.expected).any()
        assert room_of(whole) > 0


async def test_late_in_the_evening_it_says_what_is_missing_of_the_night(tmp_path):
    async with a_whole(tmp_path, auth="off") as whole:
        whole.clock.move(4 * 3600)  # until 19 h
        await a_usual_past(whole, days=5, is_known_at_night=False)
        await whole.policy(outlook=OUTLOOK | {"horizon_minutes": 180})
        made = await look_later(whole)
        assert f"{VOICE}: what comes in is known for the next " in made.unknown
        assert "min, the outlook takes 180; opening hours would say whether it is closed then" in made.unknown


# --- the gate ---


async def test_until_the_first_outlook_the_gate_is_unknown_and_then_decides_by_it(whole, client):
    status, body = await asked(client, 100)
    assert (status, body["decision"], body["state"]) == (503, "hold", "unknown")
    assert body["reasons"][0]["code"] == "data_outlook_missing"
    assert body["reasons"][0]["message"] == "there is no outlook for this policy yet"
    await look(whole)
    assert (await asked(client, 100))[0] == 200


async def test_the_answer_says_how_many_why_no_more_when_the_rest_and_how_many_agents(whole, client):
    await look(whole)
    await whole.services.outlooks._look_into_oldest()
    await whole.evaluate()
    status, body = await asked(client, 10_000)
    room, (reason,) = room_of(whole), body["reasons"]
    assert (status, body["decision"], body["allow"], body["requested"]) == (429, "throttle", room, 10_000)
    assert (reason["code"], reason["queue"], reason["binding"]) == ("predicted_service_level_low", VOICE, True)
    assert reason["observed"] < reason["limit"] == 0.8
    first = body["next_window"]
    assert "2026-11-21T15:15" < first["starts_at"] < "2026-11-21T15:30"
    why, later, agents = reason["message"].split("; ")
    assert why.startswith(f"more than {room:,} now would break a limit: {VOICE}: service level 7")
    assert later.startswith(f"{first['allow']:,} may go from 15:16 (UTC), ")
    assert agents == "8 more agents would make 10,000 safe now"
    assert body["summary"].startswith(f"{room:,} of 10,000 now: more than")


async def test_a_floor_that_breaks_by_itself_holds_and_two_good_outlooks_let_go(whole, client):
    await look_later(whole, backlog=9, agents_staffed=10, agents_busy=10)
    status, body = await asked(client, 100)
    assert (status, body["decision"], body["reasons"][0]["code"]) == (429, "hold", "predicted_service_level_low")
    assert "even if nothing is sent, 10 % accepted" in body["summary"]
    await look_later(whole)
    status, body = await asked(client, 100)
    assert (status, body["decision"]) == (429, "hold")
    assert body["summary"] == "predicted within limits again, releasing with the next outlook if it stays so"
    await whole.evaluate(5)  # the same outlook, looked at again, is no second one
    assert (await asked(client, 100))[0] == 429
    await look_later(whole)
    assert (await asked(client, 100))[0] == 200


async def test_an_outlook_that_cannot_be_known_in_between_ends_no_hold(whole, client):
    await look_later(whole, backlog=9, agents_staffed=10, agents_busy=10)
    await look_later(whole, agents_staffed=None, agents_busy=None, seconds=STALE_AFTER_SECONDS + 1)
    assert (await asked(client, 100))[0] == 503
    await look_later(whole)
    assert (await asked(client, 100))[0] == 429
    await look_later(whole)
    assert (await asked(client, 100))[0] == 200


async def test_an_outlook_of_another_policy_counts_for_nothing_from_the_moment_of_the_save(whole, client):
    await look(whole)
    assert (await asked(client, 100))[0] == 200
    await whole.policy(outlook=OUTLOOK | {"backlog": 15})
    status, body = await asked(client, 100)
    assert (status, body["reasons"][0]["code"]) == (503, "data_outlook_missing")
    await look(whole)
    assert (await asked(client, 100))[0] == 200


async def test_a_gate_without_a_wish_for_an_outlook_is_looked_at_and_decides_without(tmp_path):
    async with a_whole(tmp_path, auth="off") as whole, whole.client() as client:
        assert (await asked(client))[0] == 200
        made = await look(whole)
        assert made.unknown
        assert (await asked(client))[0] == 200


async def test_of_many_queues_none_is_forecast_after_the_first_of_which_nothing_is_known(tmp_path):
    async with a_seeing_whole(tmp_path) as whole:
        for number in range(8):
            await report(whole, queue=f"zone-{number}")
        made = await look(whole)
        arrivals = whole.services.outlooks._inputs.arrivals
        assert made.unknown.startswith("zone-0: ")
        assert list(arrivals._pasts) == [VOICE, "zone-0"]


async def test_what_is_forgotten_of_a_deleted_gate_does_not_come_back_with_its_name(whole, client):
    state = whole.services.evaluator.published.gates["default"]
    await look(whole)
    await whole.services.gates.delete("default", KIM)
    await whole.services.outlooks._look_into_oldest()  # which goes on by what it knew
    await whole.services.gates.create("default", KIM)
    for _ in range(state.policy_version):
        await whole.policy(outlook=OUTLOOK | {"backlog": 5})
    await whole.services.outlooks.look(state)  # which was being made meanwhile
    assert whole.services.evaluator.published.gates["default"].policy_version == state.policy_version
    status, body = await asked(client, 100)
    assert (status, body["reasons"][0]["code"]) == (503, "data_outlook_missing")


# --- what is not known ---

HELD_BY_WAIT = [{"metric": "oldest_wait_seconds", "hold_above": 300}]
SEEN: dict[str, Any] = {"queue": "chat", "oldest_wait_seconds": 0, "agents_staffed": AGENTS, "agents_busy": 5}


async def no_backlog(whole):
    await a_usual_past(whole, "chat")
    await report(whole, **SEEN | {"backlog": None})


async def stale_backlog(whole):
    await a_usual_past(whole, "chat")
    await report(whole, **SEEN)
    await report(whole, **SEEN | {"backlog": None, "seconds": STALE_AFTER_SECONDS})


async def no_history(whole):
    await report(whole, **SEEN)


async def no_handle_time(whole):
    await a_usual_past(whole, "chat", handled=0.0, handle_seconds=0.0)
    await report(whole, **SEEN)


async def nobody_counts_agents(whole):
    await a_usual_past(whole, "chat")
    await report(whole, **SEEN | {"agents_staffed": None})


async def closed_beyond_sight(whole):
    await a_usual_past(whole, "chat")
    async with whole.client() as client:
        hours = {"time_zone": "UTC", "weekly": [{"days": ["wed"], "from": "08:00", "to": "20:00"}]}  # today is Saturday
        saved = await client.put("/api/v1/queues/chat/hours", json=hours)
        assert saved.status_code == 200, saved.text
    await report(whole, **SEEN)


@pytest.mark.parametrize(
    ("arrange", "sentence"),
    [
        (no_backlog, "chat: nobody says how many are waiting; its backlog is missing or stale"),
        (stale_backlog, "chat: nobody says how many are waiting; its backlog is missing or stale"),
        (no_history, "less than 3 days of history"),
        (no_handle_time, "chat: no handle time is known"),
        (nobody_counts_agents, "chat has no schedule for this time, and nobody says how many are here"),
        (closed_beyond_sight, "chat: it opens in none of the next 30 hours"),
    ],
)
async def test_what_is_missing_makes_the_gate_unknown_and_is_named(tmp_path, arrange, sentence):
    async with a_whole(tmp_path, auth="off") as whole, whole.client() as client:
        await whole.policy(queues=["chat"], rules=HELD_BY_WAIT, outlook=OUTLOOK)
        await arrange(whole)
        made = await look(whole)
        assert made.foreseen is None
        status, body = await asked(client, 100)
        assert (status, body["decision"], body["proceed"]) == (503, "hold", False)
        (reason,) = body["reasons"]
        assert reason["code"] == "data_outlook_missing"
        assert reason["message"].startswith("the outlook is unknown: ")
        assert sentence in reason["message"]


# --- permits ---


async def test_sixty_four_who_ask_at_once_never_get_more_than_the_room(whole):
    await look(whole)
    room = room_of(whole)
    given = await asyncio.gather(*(taken(whole, 300) for _ in range(64)))
    assert room - 300 < sum(given) <= room
    assert await taken(whole, 1) == 0


async def test_what_was_given_is_charged_until_the_next_outlook_has_it_in_flight(whole, client):
    await look(whole)
    before = room_of(whole)
    assert await taken(whole, 1_000) == 1_000
    await whole.evaluate()
    assert (await asked(client))[1]["allow"] == before - 1_000
    made = await look_later(whole)
    (send,) = made.gathered.known.sent
    assert (send.campaign, send.messages) == ("", ((0.0, 1_000.0),))
    assert made.gathered.given == 1_000
    assert room_of(whole) == pytest.approx(before - 1_000, rel=0.1)
    assert (await asked(client))[1]["allow"] == room_of(whole)  # charged no second time


async def test_what_was_sent_is_in_flight_since_the_last_of_it_went_and_fades(whole):
    await look(whole)
    before = room_of(whole)
    answer = await whole.services.permits.take(KEY, PermitRequest(1_000))
    await whole.services.permits.report(answer.permit.id, 1_000, KIM)
    made = await look_later(whole, seconds=1_800)
    (send,) = made.gathered.known.sent
    assert send.messages == ((pytest.approx(-30, abs=1), 1_000.0),)
    assert before - 1_000 < room_of(whole) < before


async def test_a_permit_that_expired_without_a_report_is_reckoned_as_sent(whole):
    await look(whole)
    before = room_of(whole)
    assert await taken(whole, 1_000, ttl_seconds=60) == 1_000
    whole.clock.move(120)
    await whole.services.permits.follow()
    made = await look_later(whole)
    (send,) = made.gathered.known.sent
    assert send.messages == ((pytest.approx(-1.5, abs=1), 1_000.0),)  # it could be sent until it expired
    assert (made.gathered.given, room_of(whole) < before) == (1_000, True)


async def test_a_dry_run_says_what_would_be_given_and_charges_nothing(whole):
    await look(whole)
    room = room_of(whole)
    rehearsed = await whole.services.permits.take(KEY, PermitRequest(500_000, accept_partial=True, dry_run=True))
    assert (rehearsed.status, rehearsed.permit) == (200, None)
    assert msgspec.json.decode(rehearsed.body)["allow"] == room
    await whole.evaluate()
    assert await taken(whole, 500_000) == room


# --- campaigns ---


async def test_a_campaign_is_reckoned_with_its_own_rate_and_queues(whole, client):
    await a_usual_past(whole, "billing")
    await report(whole, "billing")
    await announce(whole, contacts_per_1000=2.0, queue_mix={"billing": 1.0})
    await announce(whole, "loud", contacts_per_1000=40.0, audience=400)
    made = await look_later(whole)
    spring, loud, anybody = (made.gathered.sender(campaign) for campaign in ("spring", "loud", None))
    assert (spring.rate.mean, spring.shares, spring.most) == (2.0, (("billing", 1.0),), 500_000)
    assert (loud.rate.mean, loud.most) == (40.0, 400)
    assert anybody.shares == (("billing", 0.5), (VOICE, 0.5))
    assert room_of(whole, "spring") > 2 * room_of(whole) > 0
    assert (await asked(client, campaign="spring"))[1]["allow"] == room_of(whole, "spring")
    assert (await asked(client, 400, campaign="loud"))[0] == 200


async def test_mail_of_the_most_demanding_campaign_is_what_any_mail_is_charged_as(whole, client):
    await announce(whole, contacts_per_1000=40.0)
    await look_later(whole)
    before = room_of(whole)
    assert await taken(whole, 300, campaign="spring") == 300
    await whole.evaluate()
    assert (await asked(client))[1]["allow"] == before - 4 * 300  # of 10 per 1,000 as against 40


async def test_waves_of_a_campaign_are_cut_to_the_room(whole):
    waves = {"mode": "waves", "audience_per_wave": 100_000, "wave_gap_seconds": 60}
    await announce(whole, release=waves)
    await look_later(whole)
    room = room_of(whole, "spring")
    await whole.services.releases.advance()
    (permit,) = whole.services.permits.of_campaign("spring")
    assert 0 < permit.allowed <= room
    await whole.services.permits.report(permit.id, permit.allowed, KIM)
    made = await look_later(whole, seconds=90)
    assert made.gathered.known.sent[0].messages[0][1] == permit.allowed
    await whole.services.releases.advance()
    again = sum(each.allowed for each in whole.services.permits.of_campaign("spring"))
    assert again <= max(room_of(whole, "spring"), 0)


async def test_a_draft_is_planned_with_its_own_rate_and_queues(whole):
    campaign = await draft(whole, contacts_per_1000=2.0)
    made = await look_later(whole)
    assert [sender.campaign for sender in made.gathered.known.senders] == [""]
    _, plan = await whole.services.outlook_questions.plan(
        "default", campaign.id, 500_000, every_minutes=20, waves=3, lead_minutes=30
    )
    assert plan.now.bound is Bound.LIMIT
    await announce(whole, "twin", contacts_per_1000=2.0)
    await look_later(whole)
    assert plan.now.audience == pytest.approx(room_of(whole, "twin"), rel=0.1)


async def test_mail_of_a_kind_is_planned_with_what_is_known_of_that_kind(whole):
    await look(whole)
    plan = partial(
        whole.services.outlook_questions.plan, "default", "", 500_000, every_minutes=20, waves=3, lead_minutes=30
    )
    (made, of_any), (_, newsletter) = await plan(), await plan(kind="newsletter")
    assert made.gathered.sender(None).rate.mean == 10.0
    assert newsletter.now.audience > 3 * of_any.now.audience > 0
    assert newsletter.now.bound is Bound.LIMIT


async def test_a_plan_can_begin_later_as_far_as_its_whole_horizon_is_known(whole):
    made = await look(whole)
    questions, known = whole.services.outlook_questions, made.gathered.known
    late = made.at + timedelta(minutes=known.minutes - known.limits.horizon_minutes)
    minute = questions.start_minute("default", late, whole_horizon=True)
    assert minute == known.minutes - known.limits.horizon_minutes
    assert questions.start_minute("default", made.at - timedelta(hours=1)) == 0
    with pytest.raises(Invalid, match="is too far ahead"):
        questions.start_minute("default", late + timedelta(minutes=5), whole_horizon=True)
    _, plan = await questions.plan("default", "", 400, every_minutes=20, waves=3, lead_minutes=30, start_minute=minute)
    assert plan.now.audience == 400
    assert plan.agents.from_minute == 0


# --- people, and gates that only watch ---


async def test_an_override_that_allows_lifts_what_is_predicted(whole, client):
    await look(whole)
    allow = {"effect": "allow", "comment": "forty more agents log in at four", "duration_minutes": 30}
    created = await client.post("/api/v1/gates/default/overrides", json=allow)
    assert created.status_code == 201, created.text
    status, body = await asked(client)
    assert (status, body["decision"], body["allow"]) == (200, "send", 500_000)
    assert body["override"]["id"] == created.json()["id"]
    await whole.evaluate(STALE_AFTER_SECONDS)
    assert (await asked(client))[0] == 503  # without data it lifts nothing


async def test_a_gate_that_only_watches_lets_everything_go_and_says_what_it_would_have_done(whole, client):
    await whole.policy(mode="shadow", outlook=OUTLOOK)
    await look(whole)
    status, body = await asked(client)
    assert (status, body["proceed"], body["allow"], body["would_decide"]) == (200, True, 500_000, "throttle")


async def test_a_decision_by_an_outlook_can_be_made_again(whole, client):
    await look(whole)
    _, body = await asked(client)
    await whole.services.asks.write()
    (row,) = await whole.services.decisions.page(gate="default", kind="asked")
    assert (row.id, row.allow) == (body["decision_id"], body["allow"])
    assert replay(row).same
