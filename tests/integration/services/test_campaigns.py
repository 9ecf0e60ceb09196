"""What campaigns promise beyond their routes: facts for answers, and memory that is never ahead of the store."""

import asyncio
from dataclasses import replace

import pytest

from app.core.campaign.briefing import Acknowledgement, Briefing
from app.core.campaign.campaign import CampaignState
from app.core.campaign.machine import CampaignStep
from app.core.event import Actor
from app.errors import Conflict, NotFound
from app.services.campaigns import Impossible
from tests.support.builders import NOW
from tests.support.whole import a_whole

ANN = Actor("key_ann", "ann")
PLAN = {"id": "spring", "title": "Spring", "audience": 1_000}


@pytest.fixture
async def whole(tmp_path):
    async with a_whole(tmp_path) as opened:
        await opened.services.campaigns.create(PLAN, ANN)
        yield opened


def facts(whole):
    return whole.services.campaigns.facts(whole.clock.now())["spring"]


async def test_answers_know_of_a_step_before_it_is_answered(whole):
    await whole.services.campaigns.take("spring", CampaignStep.SCHEDULE, ANN)
    assert whole.services.evaluator.published.campaigns["spring"].state is CampaignState.WAITING
    await whole.services.campaigns.take("spring", CampaignStep.PAUSE, ANN)
    published = whole.services.evaluator.published.campaigns["spring"]
    assert (published.state, published.paused_by) == (CampaignState.PAUSED, "ann")


async def test_facts_are_built_anew_only_when_something_changed(whole):
    first = facts(whole)
    assert facts(whole) is first
    await whole.services.campaigns.change("spring", {"audience": 900}, ANN, expected=1)
    assert facts(whole).audience == 900


async def test_facts_follow_the_briefing(whole):
    assert facts(whole).missing_acknowledgements is None
    briefing = Briefing("spring", "10% off", "everybody", (), (), ("team-1", "team-2"), "ann", NOW)
    whole.services.campaigns.briefing_changed(briefing)
    assert facts(whole).missing_acknowledgements == ("team-1", "team-2")
    read = replace(briefing, acknowledgements=(Acknowledgement("team-1", "Bob", NOW, 1),))
    whole.services.campaigns.briefing_changed(read)
    assert facts(whole).missing_acknowledgements == ("team-2",)


async def test_whoever_awaits_a_change_may_go_away_and_it_is_still_whole(whole):
    campaigns = whole.services.campaigns
    step = asyncio.create_task(campaigns.take("spring", CampaignStep.SCHEDULE, ANN))
    await asyncio.sleep(0)
    step.cancel()
    await asyncio.wait([step])
    await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})
    kept = await whole.store.campaigns.campaign("spring")
    assert kept.state is CampaignState.WAITING
    assert campaigns.book.known("spring") == kept


async def test_of_two_changes_on_the_same_revision_one_is_refused(whole):
    changes = [
        whole.services.campaigns.change("spring", {"audience": audience}, ANN, expected=1) for audience in (800, 900)
    ]
    done = await asyncio.gather(*changes, return_exceptions=True)
    assert [type(each) for each in done].count(Conflict) == 1
    assert (await whole.services.campaigns.find("spring")).revision == 2


async def test_memory_that_fell_behind_the_store_catches_up_with_the_first_refusal(whole):
    book = whole.services.campaigns.book
    moved = replace(book.known("spring"), title="Changed elsewhere", revision=2)
    await whole.store.campaigns.save_campaign(moved, [], expected=1)
    with pytest.raises(Conflict, match="revision 2"):
        await whole.services.campaigns.take("spring", CampaignStep.SCHEDULE, ANN)
    assert (await whole.services.campaigns.take("spring", CampaignStep.SCHEDULE, ANN)).title == "Changed elsewhere"


async def test_what_ended_is_watched_for_a_day_and_refused_for_ever(whole):
    campaigns = whole.services.campaigns
    for step in (CampaignStep.SCHEDULE, CampaignStep.CANCEL):
        await campaigns.take("spring", step, ANN)
    whole.clock.move(86_399)
    campaigns.book.forget(whole.clock.now())
    assert campaigns.book.known("spring") is not None
    whole.clock.move(1)
    campaigns.book.forget(whole.clock.now())
    assert campaigns.book.known("spring") is None
    assert facts(whole).state is CampaignState.CANCELLED
    with pytest.raises(Impossible, match="has ended"):
        await campaigns.take("spring", CampaignStep.SCHEDULE, ANN)


async def test_names_that_no_campaign_has_leave_nothing_in_memory(whole):
    book = whole.services.campaigns.book
    for number in range(20):
        with pytest.raises(NotFound):
            await whole.services.campaigns.take(f"nobody-{number}", CampaignStep.PAUSE, ANN)
    async with book.lock("spring"):
        assert book.lock("spring").locked()  # the same one for everybody, while somebody has it
        assert list(book._locks) == ["spring"]
