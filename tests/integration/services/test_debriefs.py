"""Debriefs over a whole holdfire: weeks of history, a campaign that goes out, and what is learned from it."""

import asyncio
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from app.core.campaign.campaign import CampaignState
from app.core.event import EventType
from app.errors import NotFound
from app.services.campaigns import Impossible
from tests.support.builders import a_contact
from tests.support.campaigning import KIM, announce
from tests.support.debriefing import FIRST, a_day, a_past, a_sent_campaign, a_window, brought
from tests.support.whole import a_whole

HOUR = 3600.0
ALL = np.concatenate([a_day(60.0)[180:], np.tile(a_day(60.0), 3)])  # from 15 h on
BROUGHT = ALL.copy()  # and the contacts of 50,000 messages, 12 per 1,000
BROUGHT[:48] += brought(12.0, 48)


@pytest.fixture
async def whole(tmp_path):
    async with a_whole(tmp_path, now=FIRST) as opened:
        await a_past(opened, FIRST)
        yield opened


@pytest.fixture
def debriefs(whole):
    return whole.services.debriefs


async def four_hours_later(whole, **members) -> Any:
    await a_sent_campaign(whole, **members)
    await a_window(whole, FIRST, 48, BROUGHT)
    await whole.evaluate(4 * HOUR + 1)
    return await whole.services.debriefs.of("spring")


async def four_days_later(whole, **members) -> None:
    await four_hours_later(whole, **members)
    await a_window(whole, FIRST + timedelta(hours=4), 96 * 12 - 48, BROUGHT[48:])
    await whole.evaluate(92 * HOUR)
    await whole.services.debriefs.look()


async def test_of_what_was_not_sent_there_is_none(whole, debriefs):
    with pytest.raises(NotFound):
        await debriefs.of("spring")
    await announce(whole)
    with pytest.raises(Impossible, match="nothing of campaign 'spring' was sent yet"):
        await debriefs.of("spring")


async def test_in_its_first_minutes_there_is_none_and_then_there_is(whole, debriefs):
    await a_sent_campaign(whole)
    with pytest.raises(Impossible, match="began a few minutes ago"):
        await debriefs.of("spring")
    await whole.evaluate(300)
    assert (await debriefs.of("spring"))["window"]["until"] == "2026-11-18T15:05:00Z"


async def test_it_says_what_was_brought_and_how_the_floor_was_and_would_have_been(whole):
    found = await four_hours_later(whole)
    best = found["contacts"]["headline"]
    assert (found["state"], found["campaign"]["state"]) == ("running", CampaignState.DONE)
    assert found["sent"] == {
        "messages": 50_000, "outstanding": 0, "first_at": "2026-11-18T15:00:00Z", "last_at": "2026-11-18T15:00:00Z",
    }  # fmt: skip
    assert best["low"] < brought(12.0, 48).sum() < best["high"]
    assert best["is_distinguishable"] is True
    assert found["queues"][0]["offered"] == int(BROUGHT[:48].sum())
    figures = {way: found["floor"][way]["figures"] for way in ("measured", "as_sent", "at_once", "nothing")}
    assert figures["measured"]["service_level_ratio"] == pytest.approx(0.8)
    assert figures["measured"]["speed_to_answer_seconds"] == pytest.approx(12)
    assert figures["nothing"]["service_level_ratio"] > figures["at_once"]["service_level_ratio"]
    assert found["release"]["permits"] == 1
    assert found["unknown"] == [
        "What was predicted is not known: no outlook of its gate is kept from before its first message."
    ]


async def test_contacts_that_name_it_are_counted_by_reason_while_it_runs(whole, debriefs):
    await a_sent_campaign(whole)
    await a_window(whole, FIRST, 48, BROUGHT)
    events = [
        a_contact("queued", FIRST + timedelta(seconds=20 * number), f"c-{number}", campaign="spring", channel="voice")
        for number in range(300)
    ]
    wrapped = [
        a_contact("completed", each.at + timedelta(seconds=300), each.contact_id, reason="complaint")
        for each in events[:40]
    ]
    whole.clock.move(4 * HOUR + 1)
    await whole.services.ingest.contacts(events + wrapped)
    await whole.services.tallies.catch_up()
    found = await debriefs.of("spring")
    assert found["contacts"]["headline"]["method"] == "tagged"
    assert found["tagged"]["reasons"] == [{"name": "complaint", "contacts": 40}, {"name": "", "contacts": 260}]
    assert found["tagged"]["channels"] == [{"name": "voice", "contacts": 300}]
    assert "40 of them as a complaint" in found["tagged"]["said"]


async def test_when_its_contacts_are_over_it_is_final_and_told_once(whole, debriefs):
    await four_days_later(whole)
    found = await debriefs.of("spring")
    assert found["state"] == "final"
    await whole.evaluate(24 * HOUR)
    await debriefs.look()
    assert await debriefs.of("spring") == found
    (told,) = await whole.services.events.page(type=EventType.CAMPAIGN_DEBRIEFED)
    assert (told.event.subject, told.event.campaign) == ("campaign/spring", "spring")
    assert told.event.after["contacts_per_1000"] == pytest.approx(found["contacts"]["headline"]["per_1000"], abs=0.01)


async def test_a_final_one_can_be_made_again_from_what_was_kept(whole, debriefs):
    with pytest.raises(NotFound, match="no final debrief"):
        await debriefs.again("spring")
    await four_days_later(whole)
    again, is_same = await debriefs.again("spring")
    assert is_same is True
    assert again == await debriefs.of("spring")


async def test_the_next_of_its_kind_is_expected_by_it_also_after_a_restart(whole):
    await four_days_later(whole, kind="offer", contacts_per_1000=None)
    spring = await whole.services.campaigns.find("spring")
    learning = whole.services.learning
    believed, before = learning.rate_for(spring), 5.0
    brought = (await whole.services.debriefs.of("spring"))["contacts"]["headline"]["per_1000"]
    assert before < believed.mean < brought + 0.5
    lift = learning.lift("orders-voice", FIRST, FIRST + timedelta(hours=4))
    assert (len(lift), lift.sum()) == (48, pytest.approx(brought * 28.1, rel=0.02))
    assert learning.lift("billing", FIRST, FIRST + timedelta(hours=4)).sum() == 0
    again = type(learning)(whole.store.debriefs, whole.services.computing, whole.clock)
    await again.load()
    assert again.rate_for(spring) == believed
    assert again.lift("orders-voice", FIRST, FIRST + timedelta(hours=4)).tolist() == lift.tolist()


async def test_what_a_campaign_under_way_brings_is_known_to_the_forecasts_at_once(whole, debriefs):
    await four_hours_later(whole, kind="offer")
    spring = await whole.services.campaigns.find("spring")
    learning = whole.services.learning
    assert learning.lift("orders-voice", FIRST, FIRST + timedelta(hours=1)).sum() == 0
    before = learning.rate_for(spring)
    await debriefs.look()
    assert learning.lift("orders-voice", FIRST, FIRST + timedelta(hours=1)).sum() > 0
    assert learning.rate_for(spring).sd < before.sd
    assert learning.rate_before(spring) == before


async def test_one_that_has_not_ended_stays_open_however_long_ago_it_was_sent(whole, debriefs):
    await announce(
        whole, audience=50_000, release={"mode": "waves", "audience_per_wave": 1_000, "wave_gap_seconds": 60}
    )
    await whole.quiet()
    await whole.services.releases.advance()
    (permit,) = whole.services.permits.of_campaign("spring")
    await whole.services.permits.report(permit.id, 1_000, KIM)
    await whole.evaluate(96 * HOUR)
    await debriefs.look()
    assert (await debriefs.of("spring"))["state"] == "running"


async def test_names_that_no_campaign_has_are_passed_over(whole, debriefs):
    async with whole.client("permits", "read") as client:
        granted = await client.post("/api/v1/permits", json={"audience": 10, "campaign": "label"})
        await client.post(f"/api/v1/permits/{granted.json()['permit_id']}/report", json={"sent": 10})
    await whole.evaluate(HOUR)
    await debriefs.look()
    with pytest.raises(NotFound):
        await debriefs.of("label")


async def test_it_looks_by_itself_and_ends_when_told_to(whole, debriefs):
    await four_hours_later(whole)
    stop = asyncio.Event()
    running = asyncio.create_task(debriefs.run(stop))
    learning = whole.services.learning
    while not learning.lift("orders-voice", FIRST, FIRST + timedelta(hours=1)).any():  # noqa: ASYNC110
        await asyncio.sleep(0)
    stop.set()
    await running
    assert running.done()
