import asyncio
from dataclasses import replace

import pytest

from app.core.campaign.briefing import Briefing, Question, Words
from app.core.campaign.campaign import Campaign
from app.core.event import Actor, Event, EventType
from app.errors import Conflict, HoldfireError, Invalid, NotFound
from app.services.briefings import Briefings, KeptImage
from tests.support.builders import NOW
from tests.support.databases import a_store, prepare
from tests.support.memory import SteppedClock
from tests.support.pictures import an_image

KIM = Actor("key_kim", "Kim")
SPRING = Campaign("spring", "Spring sale", "default", 500_000, "Kim", NOW)
WORDS = Words("20 % off", "all customers", (Question("Until when?", "Sunday"),), (), ("orders", "night"))


class Told:
    """Whoever is told of changes, remembering them."""

    def __init__(self):
        self.briefings: list[Briefing] = []

    def briefing_changed(self, briefing):
        self.briefings.append(briefing)


@pytest.fixture
def told():
    return Told()


@pytest.fixture
async def store(tmp_path):
    prepare("sqlite", tmp_path)
    async with a_store(tmp_path) as opened:
        await opened.campaigns.add_campaign(SPRING, Event(EventType.CAMPAIGN_CREATED, NOW, KIM, "campaign/spring"))
        yield opened


@pytest.fixture
def briefings(store, told):
    return Briefings(store.briefings, store.campaigns, told, SteppedClock(NOW))


async def test_whoever_is_told_learns_of_every_change_with_the_briefing_as_it_is_then(briefings, told):
    await briefings.save("spring", WORDS, KIM, expected=0)
    await briefings.acknowledge("spring", "night", "Lee", None, KIM)
    image = (await briefings.add_image("spring", an_image(), "a.png", "a letter", KIM)).image
    await briefings.remove_image("spring", image.id, KIM)
    await briefings.save("spring", replace(WORDS, offer="25 % off"), KIM, expected=1)
    assert [(each.version, each.missing, len(each.images)) for each in told.briefings] == [
        (1, ("orders", "night"), 0),
        (1, ("orders",), 0),
        (1, ("orders",), 1),
        (1, ("orders",), 0),
        (2, ("orders", "night"), 0),
    ]
    assert told.briefings[-1] == await briefings.of("spring")


async def test_what_changes_nothing_tells_nobody(briefings, told):
    await briefings.save("spring", WORDS, KIM, expected=0)
    await briefings.acknowledge("spring", "night", "Lee", None, KIM)
    told.briefings.clear()
    assert not (await briefings.save("spring", WORDS, KIM, expected=1)).is_new
    assert not (await briefings.acknowledge("spring", "night", "Somebody else", 1, KIM)).is_new
    with pytest.raises(Invalid):
        await briefings.acknowledge("spring", "sales", "Lee", None, KIM)
    with pytest.raises(Invalid):
        await briefings.add_image("spring", b"<html>", "a.png", "a letter", KIM)
    with pytest.raises(NotFound):
        await briefings.acknowledge("autumn", "night", "Lee", None, KIM)
    assert told.briefings == []


async def test_of_many_acknowledgements_at_once_each_counts_once(briefings, told):
    await briefings.save("spring", replace(WORDS, acknowledge_by=()), KIM, expected=0)
    kept = await asyncio.gather(
        *(briefings.acknowledge("spring", f"team {number % 5}", f"person {number}", 1, KIM) for number in range(25))
    )
    assert sum(each.is_new for each in kept) == 5
    assert sorted(each.by for each in (await briefings.of("spring")).acknowledgements) == [
        f"team {number}" for number in range(5)
    ]
    assert told.briefings[-1] == await briefings.of("spring")


async def test_of_two_who_change_the_same_version_one_is_refused(briefings):
    await briefings.save("spring", WORDS, KIM, expected=0)
    changes = (replace(WORDS, offer=offer) for offer in ("25 % off", "30 % off"))
    outcomes = await asyncio.gather(
        *(briefings.save("spring", words, KIM, expected=1) for words in changes), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "Kept"]
    assert (await briefings.of("spring")).version == 2


async def test_a_change_and_an_acknowledgement_at_once_never_leave_the_new_words_acknowledged(briefings, told):
    await briefings.save("spring", replace(WORDS, acknowledge_by=("night",)), KIM, expected=0)
    changed = replace(WORDS, acknowledge_by=("night",), offer="25 % off")
    await asyncio.gather(
        briefings.save("spring", changed, KIM, expected=1),
        briefings.acknowledge("spring", "night", "Lee", 1, KIM),
        return_exceptions=True,
    )
    assert (await briefings.of("spring")).missing == ("night",)
    assert told.briefings[-1].missing == ("night",)


async def test_what_could_not_be_written_down_is_not_told(store, briefings, told):
    await briefings.save("spring", WORDS, KIM, expected=0)
    await store.database.close()
    with pytest.raises(HoldfireError):
        await briefings.acknowledge("spring", "night", "Lee", 1, KIM)
    assert len(told.briefings) == 1


async def test_the_same_picture_at_once_is_kept_once(briefings):
    await briefings.save("spring", WORDS, KIM, expected=0)
    outcomes = await asyncio.gather(
        *(briefings.add_image("spring", an_image(), "a.png", "a letter", KIM) for _ in range(3)),
        return_exceptions=True,
    )
    assert len((await briefings.of("spring")).images) == 1
    assert {type(outcome) for outcome in outcomes} <= {Conflict, KeptImage}
