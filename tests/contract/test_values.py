from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from app.core.campaign.campaign import Campaign
from app.core.campaign.value import CampaignValue, Figures, Source
from app.core.event import Actor, Event, EventType
from app.errors import Conflict, NotFound
from app.ports.scores import ValueStore
from tests.support.builders import NOW, after, an_event
from tests.support.databases import STORES, a_store
from tests.support.memory_values import MemoryValues

FIGURES = Figures(1_200, 310, None, Decimal("42.5"), Decimal("-0.000001"), "EUR")
VALUE = CampaignValue("spring", 1, FIGURES, Source.FILE, Actor("key1", "Ann"), after(5))


class Kept:
    """A value store in which two campaigns are known, and the events that were written with its changes."""

    def __init__(self, values: ValueStore, events: Callable[[], Awaitable[Sequence[Event]]]) -> None:
        self.values, self._events = values, events

    async def told(self) -> Sequence[Event]:
        return await self._events()


@pytest.fixture(params=(*STORES, "memory"))
async def kept(request, tmp_path, clock) -> AsyncIterator[Kept]:
    if request.param == "memory":
        memory = MemoryValues(["spring", "summer"])

        async def told() -> Sequence[Event]:
            return memory.events

        yield Kept(memory, told)
        return
    async with a_store(tmp_path, request.param, clock) as store:
        for name in ("spring", "summer"):
            campaign = Campaign(name, name, "default", 1_000, "Ann", NOW)
            await store.campaigns.add_campaign(campaign, an_event(EventType.CAMPAIGN_CREATED))

        async def written() -> Sequence[Event]:
            return [each.event for each in await store.events.events(type=EventType.CAMPAIGN_VALUED)]

        yield Kept(store.values, written)


async def test_what_nobody_reported_is_not_there(kept):
    assert await kept.values.value("spring") is None
    assert await kept.values.values([]) == {}
    assert await kept.values.values(["spring", "nothing"]) == {}
    assert await kept.values.value_revisions("spring") == []


async def test_figures_are_read_back_to_the_last_digit_with_their_event(kept):
    told = an_event(EventType.CAMPAIGN_VALUED)
    await kept.values.save_values([VALUE], [told])
    assert await kept.values.value("spring") == VALUE
    assert await kept.told() == [told]


async def test_every_revision_is_kept_and_the_newest_counts(kept):
    corrected = replace(VALUE, revision=2, figures=Figures(lost=4), at=after(9), source=Source.API)
    other = replace(VALUE, campaign="summer", figures=Figures())
    await kept.values.save_values([VALUE, other], [])
    await kept.values.save_values([corrected], [])
    assert await kept.values.value_revisions("spring") == [corrected, VALUE]
    assert await kept.values.values(["spring", "summer"]) == {"spring": corrected, "summer": other}


@pytest.mark.parametrize("revision", [1, 3])
async def test_who_was_too_slow_changes_nothing_not_even_of_other_campaigns(kept, revision):
    await kept.values.save_values([VALUE], [])
    late = [replace(VALUE, campaign="summer"), replace(VALUE, revision=revision)]
    with pytest.raises(Conflict, match="spring"):
        await kept.values.save_values(late, [an_event(EventType.CAMPAIGN_VALUED)])
    assert await kept.values.value("summer") is None
    assert await kept.told() == []


async def test_a_campaign_that_is_not_there_has_no_value(kept):
    with pytest.raises(NotFound, match="'winter'"):
        await kept.values.save_values([VALUE, replace(VALUE, campaign="winter")], [])
    assert await kept.values.value("spring") is None
