from dataclasses import replace

import pytest
from sqlalchemy import select

from app.core.campaign.campaign import Campaign, CampaignState, Release, ReleaseMode, TrafficClass
from app.core.campaign.handover import Handover, ToolCampaign
from app.core.event import Actor, Event, EventType
from app.errors import Conflict, NotFound
from app.ports.campaigns import Wave
from app.store.event_tables import EVENTS
from tests.support.builders import NOW, after

ANN = Actor("key_1", "ann")
S = CampaignState


@pytest.fixture
def campaigns(store):
    return store.campaigns


def a_campaign(campaign_id="spring", at=0, **members):
    return Campaign(campaign_id, "Spring", "default", 500_000, "ann", after(at), **members)


def a_wave(number=1, **members):
    return Wave("spring", number, f"prm_{number}", 100, after(number), **members)


def told(kind=EventType.CAMPAIGN_CHANGED, campaign="spring"):
    return Event(kind, NOW, ANN, f"campaign/{campaign}", gate="default", campaign=campaign)


async def add(campaigns, campaign):
    await campaigns.add_campaign(campaign, told(EventType.CAMPAIGN_CREATED, campaign.id))


async def written(store):
    query = select(EVENTS.c.type).where(EVENTS.c.subject == "campaign/spring").order_by(EVENTS.c.seq)
    return await store.database.read(lambda connection: connection.execute(query).scalars().all())


async def test_a_campaign_is_read_back_whole(campaigns):
    whole = a_campaign(
        kind="offer",
        traffic_class=TrafficClass.SERVICE,
        contacts_per_1000=12.5,
        earliest_start=after(60),
        give_up_at=after(3600),
        release=Release(ReleaseMode.WAVES, 25_000, 900.0),
        state=S.PAUSED,
        announced_at=after(1),
        started_at=after(2),
        ended_at=after(3),
        paused_by="gate",
        reason="because",
        revision=7,
        queue_mix=(("billing", 0.25), ("orders-voice", 0.75)),
        holdout_ratio=0.05,
        sender=Handover("keila", (ToolCampaign("nmc_1", 400), ToolCampaign("nmc_2", 100))),
    )
    await add(campaigns, whole)
    assert await campaigns.campaign("spring") == whole


async def test_a_plain_campaign_is_read_back_as_plain(campaigns):
    await add(campaigns, a_campaign())
    assert await campaigns.campaign("spring") == a_campaign()


async def test_an_id_is_taken_once_and_a_refusal_tells_nothing(campaigns, store):
    await add(campaigns, a_campaign())
    with pytest.raises(Conflict, match="'spring' already"):
        await add(campaigns, a_campaign())
    assert await written(store) == [EventType.CAMPAIGN_CREATED]


async def test_an_unknown_gate_is_not_found_when_added_and_when_changed(campaigns):
    with pytest.raises(NotFound, match="no gate 'nowhere'; known: default"):
        await add(campaigns, replace(a_campaign(), gate="nowhere"))
    await add(campaigns, a_campaign())
    with pytest.raises(NotFound, match="no gate 'nowhere'"):
        await campaigns.save_campaign(replace(a_campaign(), gate="nowhere"), [told()], expected=1)
    assert await campaigns.campaign("spring") == a_campaign()


async def test_a_campaign_outlives_its_gate_and_can_still_be_ended(campaigns, store):
    await add(campaigns, a_campaign())
    await store.gates.delete_gate("default", told())
    await campaigns.save_campaign(replace(a_campaign(), state=S.CANCELLED, revision=2), [told()], expected=1)
    assert (await campaigns.campaign("spring")).state is S.CANCELLED


async def test_a_save_replaces_it_and_tells_of_it(campaigns, store):
    await add(campaigns, a_campaign())
    changed = replace(a_campaign(), state=S.WAITING, revision=2)
    events = [told(EventType.CAMPAIGN_SCHEDULED), told(EventType.CAMPAIGN_DUE)]
    await campaigns.save_campaign(changed, events, expected=1)
    assert await campaigns.campaign("spring") == changed
    assert await written(store) == [
        *(EventType.CAMPAIGN_CREATED, EventType.CAMPAIGN_SCHEDULED),
        EventType.CAMPAIGN_DUE,
    ]


@pytest.mark.parametrize("expected", [0, 2])
async def test_nobody_overwrites_or_deletes_what_they_have_not_read(campaigns, store, expected):
    await add(campaigns, a_campaign())
    with pytest.raises(Conflict, match=f"revision 1, not {expected}"):
        await campaigns.save_campaign(replace(a_campaign(), title="Other"), [told()], expected=expected)
    with pytest.raises(Conflict, match="revision 1"):
        await campaigns.delete_campaign("spring", told(), expected=expected)
    assert await campaigns.campaign("spring") == a_campaign()
    assert len(await written(store)) == 1


async def test_what_is_not_there_is_not_found(campaigns):
    with pytest.raises(NotFound, match="'spring'"):
        await campaigns.campaign("spring")
    with pytest.raises(NotFound):
        await campaigns.save_campaign(a_campaign(), [told()], expected=1)
    with pytest.raises(NotFound):
        await campaigns.delete_campaign("spring", told(), expected=1)
    with pytest.raises(NotFound):
        await campaigns.waves("spring")
    with pytest.raises(NotFound):
        await campaigns.add_wave(a_wave(), told())


async def test_a_deleted_campaign_leaves_its_events_and_takes_its_waves(campaigns, store):
    await add(campaigns, a_campaign())
    await campaigns.add_wave(a_wave(), told(EventType.WAVE_OPENED))
    await campaigns.delete_campaign("spring", told(EventType.CAMPAIGN_DELETED), expected=1)
    assert await written(store) == [
        *(EventType.CAMPAIGN_CREATED, EventType.WAVE_OPENED),
        EventType.CAMPAIGN_DELETED,
    ]
    await add(campaigns, a_campaign())
    assert await campaigns.waves("spring") == []


async def test_campaigns_are_listed_newest_first_in_pages_without_gap_or_repeat(campaigns):
    ids = ["c", "a", "d", "b"]
    for at, campaign_id in zip([0, 1, 1, 2], ids, strict=True):
        await add(campaigns, a_campaign(campaign_id, at))
    assert [each.id for each in await campaigns.campaigns()] == ["b", "d", "a", "c"]
    first = await campaigns.campaigns(limit=2)
    rest = await campaigns.campaigns(before=(first[-1].created_at, first[-1].id), limit=2)
    assert [each.id for each in (*first, *rest)] == ["b", "d", "a", "c"]


async def test_campaigns_are_found_by_gate_state_and_start(campaigns, store):
    await store.gates.create_gate("other", NOW, told())
    await add(campaigns, a_campaign("one", 1, earliest_start=after(100), state=S.SCHEDULED))
    await add(campaigns, a_campaign("two", 2, earliest_start=after(200), state=S.WAITING))
    await add(campaigns, replace(a_campaign("three", 3), gate="other"))

    async def found(**members):
        return [each.id for each in await campaigns.campaigns(**members)]

    assert await found(gate="other") == ["three"]
    assert await found(states=[S.SCHEDULED, S.WAITING]) == ["two", "one"]
    assert await found(start=after(100), until=after(200)) == ["one"]
    assert await found(start=after(101)) == ["two"]
    assert await found(gate="default", states=[S.DRAFT]) == []


async def test_waves_are_read_back_in_their_order(campaigns, store):
    await add(campaigns, a_campaign())
    for number in (2, 10, 1):
        await campaigns.add_wave(a_wave(number, is_probe=number == 2), told(EventType.WAVE_OPENED))
    closed = replace(a_wave(2, is_probe=True), sent=40, ended_at=after(90), ending="paused")
    await campaigns.save_wave(closed, told(EventType.WAVE_COMPLETED))
    await campaigns.save_wave(replace(a_wave(1), sent=5), None)
    assert await campaigns.waves("spring") == [replace(a_wave(1), sent=5), closed, a_wave(10)]
    assert (await written(store)).count(EventType.WAVE_COMPLETED) == 1


async def test_a_wave_is_opened_once(campaigns, store):
    await add(campaigns, a_campaign())
    await campaigns.add_wave(a_wave(), told(EventType.WAVE_OPENED))
    with pytest.raises(Conflict, match="wave 1 already"):
        await campaigns.add_wave(replace(a_wave(), permit_id="prm_other"), told(EventType.WAVE_OPENED))
    with pytest.raises(NotFound, match="no wave 2"):
        await campaigns.save_wave(a_wave(2), told())
    assert await campaigns.waves("spring") == [a_wave()]
    assert (await written(store)).count(EventType.WAVE_OPENED) == 1


async def test_a_pace_is_kept_through_changes_until_the_campaign_ends(campaigns):
    await add(campaigns, a_campaign())
    assert await campaigns.paces() == {}
    await campaigns.save_pace("spring", '{"percent":10}')
    await campaigns.save_campaign(replace(a_campaign(), state=S.WAITING, revision=2), [told()], expected=1)
    assert await campaigns.paces() == {"spring": '{"percent":10}'}
    await campaigns.save_campaign(replace(a_campaign(), state=S.DONE, revision=3), [told()], expected=2)
    assert await campaigns.paces() == {}
