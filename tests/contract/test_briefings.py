from dataclasses import replace
from hashlib import sha256

import pytest
from sqlalchemy import select

from app.core.campaign.briefing import Acknowledgement, Briefing, Image, Link, Question
from app.core.campaign.campaign import Campaign
from app.core.event import Actor, Event, EventType
from app.errors import Conflict, Invalid, NotFound
from app.store.event_tables import EVENTS
from tests.support.builders import NOW, after

SPRING = Campaign("spring", "Spring sale", "default", 500_000, "Kim", NOW)
BRIEFING = Briefing(
    "spring",
    "20 % off\nuntil Sunday",
    "all customers 🎉",
    (Question("Sale items too?", "Yes"), Question("Until when?", "Sunday")),
    (Link("Offer", "https://shop.example"),),
    ("orders-voice", "retention"),
    "crm",
    after(1),
)
CONTENT = b"\x00\xff picture"
IMAGE = Image("img_1", "a.png", "image/png", len(CONTENT), sha256(CONTENT).hexdigest(), 6, 4, "a letter", after(2))
READ = Acknowledgement("orders-voice", "Dana", after(3), 1)


def an_event(kind: EventType = EventType.BRIEFING_SAVED) -> Event:
    return Event(kind, NOW, Actor("abc", "crm"), "campaign/spring", campaign="spring", after={"version": 1})


@pytest.fixture
async def briefings(store):
    await store.campaigns.add_campaign(SPRING, an_event(EventType.CAMPAIGN_CREATED))
    return store.briefings


@pytest.fixture
async def written(briefings):
    await briefings.save_briefing(BRIEFING, an_event(), expected=0)
    return briefings


async def events(store) -> list[str]:
    """The types of all events of briefings, in their order."""
    query = select(EVENTS.c.type).where(EVENTS.c.type.startswith("briefing.")).order_by(EVENTS.c.seq)
    return list(await store.database.read(lambda connection: connection.execute(query).scalars().all()))


async def test_a_briefing_comes_back_exactly_as_it_was_saved(store, briefings):
    assert await briefings.briefing("spring") is None
    assert await briefings.save_briefing(BRIEFING, an_event(), expected=0) == BRIEFING
    assert await briefings.briefing("spring") == BRIEFING
    assert await events(store) == ["briefing.saved"]


async def test_an_unknown_campaign_is_not_found_and_leaves_nothing(store, briefings):
    with pytest.raises(NotFound, match="'autumn'"):
        await briefings.briefing("autumn")
    with pytest.raises(NotFound, match="'autumn'"):
        await briefings.save_briefing(replace(BRIEFING, campaign="autumn"), an_event(), expected=0)
    assert await briefings.briefings(["autumn"]) == {}
    assert await events(store) == []


async def test_only_who_saw_the_present_version_replaces_it(store, written):
    for expected in (0, 2):
        with pytest.raises(Conflict, match="version 1"):
            await written.save_briefing(replace(BRIEFING, version=expected + 1), an_event(), expected=expected)
    second = replace(BRIEFING, offer="25 % off", questions=(), version=2, saved_at=after(9), author="other")
    assert await written.save_briefing(second, an_event(), expected=1) == second
    assert await written.briefing("spring") == second
    assert await events(store) == ["briefing.saved", "briefing.saved"]


async def test_images_are_kept_with_their_bytes_and_shown_without_them_oldest_first(store, written):
    older = replace(IMAGE, id="img_2", added_at=after(1))
    await written.add_image("spring", IMAGE, CONTENT, an_event(EventType.IMAGE_ADDED), most=2)
    kept = await written.add_image("spring", older, CONTENT, an_event(EventType.IMAGE_ADDED), most=2)
    assert kept == replace(BRIEFING, images=(older, IMAGE))
    assert await written.image("spring", "img_1") == (IMAGE, CONTENT)
    assert await events(store) == ["briefing.saved", "briefing.image_added", "briefing.image_added"]


async def test_an_image_too_many_or_twice_is_a_conflict_and_without_a_briefing_there_is_none(store, briefings):
    with pytest.raises(NotFound, match="no briefing yet"):
        await briefings.add_image("spring", IMAGE, CONTENT, an_event(EventType.IMAGE_ADDED), most=1)
    await briefings.save_briefing(BRIEFING, an_event(), expected=0)
    await briefings.add_image("spring", IMAGE, CONTENT, an_event(EventType.IMAGE_ADDED), most=1)
    with pytest.raises(Conflict, match="there already"):
        await briefings.add_image("spring", IMAGE, CONTENT, an_event(EventType.IMAGE_ADDED), most=2)
    with pytest.raises(Conflict, match="1 are allowed"):
        await briefings.add_image(
            "spring", replace(IMAGE, id="img_2"), CONTENT, an_event(EventType.IMAGE_ADDED), most=1
        )
    assert len(await events(store)) == 2


async def test_an_image_goes_once(store, written):
    await written.add_image("spring", IMAGE, CONTENT, an_event(EventType.IMAGE_ADDED), most=1)
    assert await written.remove_image("spring", "img_1", an_event(EventType.IMAGE_REMOVED)) == BRIEFING
    for step in (written.image("spring", "img_1"), written.remove_image("spring", "img_1", an_event())):
        with pytest.raises(NotFound, match="'img_1'"):
            await step
    assert (await events(store))[-1] == "briefing.image_removed"


async def test_an_acknowledgement_is_made_of_the_briefing_as_it_is_then(store, written):
    seen = []

    def step(present: Briefing) -> tuple[Acknowledgement, Event]:
        seen.append(present)
        return READ, an_event(EventType.BRIEFING_ACKNOWLEDGED)

    kept = await written.acknowledge("spring", step)
    assert seen == [BRIEFING]
    assert kept == await written.briefing("spring") == replace(BRIEFING, acknowledgements=(READ,))
    assert kept.missing == ("retention",)
    assert await events(store) == ["briefing.saved", "briefing.acknowledged"]


async def test_a_step_that_does_nothing_or_refuses_leaves_everything_as_it_was(store, written):
    def refuse(present: Briefing) -> None:
        raise Invalid(f"not version {present.version}")

    assert await written.acknowledge("spring", lambda _: None) == BRIEFING
    with pytest.raises(Invalid, match="not version 1"):
        await written.acknowledge("spring", refuse)
    assert await written.briefing("spring") == BRIEFING
    assert await events(store) == ["briefing.saved"]


async def test_new_words_keep_images_and_the_acknowledgements_of_old_ones(written):
    await written.add_image("spring", IMAGE, CONTENT, an_event(EventType.IMAGE_ADDED), most=1)
    await written.acknowledge("spring", lambda _: (READ, an_event()))
    changed = replace(BRIEFING, offer="25 % off", version=2)
    kept = await written.save_briefing(changed, an_event(), expected=1)
    assert kept == replace(changed, images=(IMAGE,), acknowledgements=(READ,))
    assert kept.missing == ("orders-voice", "retention")


async def test_several_briefings_are_read_at_once_each_with_its_own(store, written):
    await store.campaigns.add_campaign(replace(SPRING, id="summer"), an_event(EventType.CAMPAIGN_CREATED))
    await store.campaigns.add_campaign(replace(SPRING, id="bare"), an_event(EventType.CAMPAIGN_CREATED))
    summer = replace(BRIEFING, campaign="summer", acknowledge_by=())
    await written.save_briefing(summer, an_event(), expected=0)
    await written.acknowledge("summer", lambda _: (READ, an_event()))
    assert await written.briefings(["summer", "spring", "bare", "nobody"]) == {
        "spring": BRIEFING,
        "summer": replace(summer, acknowledgements=(READ,)),
    }
    assert await written.briefings([]) == {}


async def test_a_deleted_campaign_takes_its_briefing_along(store, written):
    await written.add_image("spring", IMAGE, CONTENT, an_event(EventType.IMAGE_ADDED), most=1)
    await written.acknowledge("spring", lambda _: (READ, an_event()))
    await store.campaigns.delete_campaign("spring", an_event(EventType.CAMPAIGN_DELETED), expected=1)
    assert await written.briefings(["spring"]) == {}
    with pytest.raises(NotFound):
        await written.image("spring", "img_1")
    await store.campaigns.add_campaign(SPRING, an_event(EventType.CAMPAIGN_CREATED))
    assert await written.briefing("spring") is None
