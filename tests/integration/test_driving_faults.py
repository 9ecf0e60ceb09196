"""Driving an email tool while something fails: the disk, the tool's counting, a long look, the code itself."""

import asyncio
from dataclasses import replace

import pytest

from app.core.campaign.campaign import CampaignState
from app.core.campaign.machine import CampaignStep
from app.core.event import EventType
from app.errors import NotDurable
from app.ports.senders import SenderBusy, SenderFault, SenderRefused
from app.services import driving, reins
from tests.support.driven import ANN, WAVES, Drive
from tests.support.tools import LISTMONK
from tests.support.vendors.strict import serving
from tests.support.whole import a_whole


@pytest.fixture
async def drive(tmp_path):
    async with a_whole(tmp_path) as whole:
        with serving(LISTMONK.make()) as fake:
            fake.add("12", 5_000, "draft")
            drive = Drive(whole, fake, LISTMONK)
            yield drive
            await drive.close()


async def sending(drive, **members):
    await drive.begin(**{"recipients": 5_000} | members)
    await drive.until(lambda: drive.sent > 100)


async def test_what_cannot_be_booked_counts_all_the_same(drive, monkeypatch):
    await sending(drive)

    async def full(*_):
        raise NotDurable("the disk is full")

    monkeypatch.setattr(drive.services.permits, "report", full)
    await drive.seconds(40)
    assert drive.job.status == "paused"
    assert drive.sent <= 1_000


async def test_a_log_that_cannot_be_written_keeps_nobody_from_stopping_the_tool(drive, monkeypatch):
    drive.fake.add("13", 3_000, "draft")
    parts = [{"id": "12", "recipients": 5_000}, {"id": "13", "recipients": 3_000}]
    await sending(drive, sender={"name": "listmonk", "campaigns": parts}, recipients=8_000)
    for job in drive.fake.jobs.values():
        if job.status == "draft":
            drive.fake.begin(job, "running")
    await drive.second()

    async def full(*_):
        raise NotDurable("the disk is full")

    monkeypatch.setattr(drive.driver.around.events, "append", full)
    await drive.driver.rest()
    assert {job.status for job in drive.fake.jobs.values()} == {"paused"}


async def test_a_fault_of_ours_while_the_tool_is_asked_pauses_it_as_silence_does(drive):
    await sending(drive)

    async def broken(_):
        raise ValueError("of a kind that nobody foresaw")

    drive.sender.status = broken
    await drive.seconds(12)
    assert drive.job.status == "paused"
    assert drive.sent <= 1_000


async def test_a_tool_that_counts_less_than_it_did_is_not_let_go_on(drive):
    await sending(drive)
    await drive.until(lambda: drive.booked > 500)
    asked, before = drive.sender.status, drive.booked

    async def anew(campaign):
        standing = await asked(campaign)
        return replace(standing, sent=max(0, standing.sent - before))

    drive.sender.status = anew
    await drive.seconds(40)
    assert drive.job.status == "paused"
    assert drive.sent <= 1_100
    assert "counts fewer" in drive.health.last_error


async def test_a_tool_whose_answers_take_long_is_paused_that_much_earlier(drive):
    await sending(drive)
    asked = drive.sender.status

    async def slow(campaign):
        standing = await asked(campaign)
        drive.clock.move(8)
        return standing

    drive.sender.status = slow
    for _ in range(8):
        await drive.driver.look()
        drive.clock.move(1)
    assert drive.sent <= 1_000


async def test_a_tool_that_says_nothing_about_one_campaign_keeps_no_other_from_being_stopped(drive):
    drive.fake.add("13", 1_500, "draft")
    await sending(drive)
    handed = {"name": "listmonk", "campaigns": ["13"]}
    document = {"id": "summer", "title": "Summer", "audience": 1_500, "release": WAVES, "sender": handed}
    await drive.services.campaigns.create(document, ANN)
    await drive.services.campaigns.take("summer", CampaignStep.SCHEDULE, ANN, "")
    asked, for_ever = drive.sender.status, asyncio.Event()

    async def silent(campaign):
        if campaign == "13":
            await for_ever.wait()
        return await asked(campaign)

    drive.sender.status = silent
    await drive.driver.look(0.3)
    await drive.services.campaigns.take("spring", CampaignStep.PAUSE, ANN, "wrong link")
    await paused_meanwhile(drive)
    for_ever.set()
    assert drive.job.status == "paused"
    await drive.driver.rest()  # until the look that hung has ended: its client is closed next


async def paused_meanwhile(drive):
    """Look again and again without waiting for what hangs, until the campaign is paused."""
    async with asyncio.timeout(30):
        while drive.job.status != "paused":
            await drive.driver.look(0.05)


async def one_part_hangs(drive):
    """Let one of a campaign's two parts send, and the tool say nothing about the other from now on."""
    drive.fake.add("13", 1_500, "draft")
    parts = [{"id": "12", "recipients": 5_000}, {"id": "13", "recipients": 1_500}]
    await sending(drive, sender={"name": "listmonk", "campaigns": parts}, recipients=6_500)
    asked = drive.sender.status

    async def silent(campaign):
        if campaign == "13":
            await asyncio.Event().wait()
        return await asked(campaign)

    drive.sender.status = silent
    await drive.driver.look(0.05)


async def test_a_part_that_says_nothing_keeps_no_other_from_being_stopped(drive, monkeypatch):
    monkeypatch.setattr(driving, "LAST_LOOK_SECONDS", 0.1)
    await one_part_hangs(drive)
    await drive.services.campaigns.take("spring", CampaignStep.PAUSE, ANN, "wrong link")
    await paused_meanwhile(drive)
    assert drive.job.status == "paused"
    await drive.driver.rest()


async def test_a_part_that_says_nothing_lets_no_other_go_on_unseen(drive, monkeypatch):
    monkeypatch.setattr(driving, "LAST_LOOK_SECONDS", 0.1)
    await one_part_hangs(drive)
    for _ in range(30):
        drive.clock.move(1)
        await drive.driver.look(0.05)
    assert drive.job.status == "paused"
    assert drive.sent <= 1_000
    await drive.driver.rest()


@pytest.mark.parametrize("seen", [True, False], ids=["seen to rest meanwhile", "unseen since"])
async def test_a_start_that_arrives_after_it_was_stopped_is_stopped_again_though_nothing_can_be_asked(drive, seen):
    start, arrives = drive.sender.start, asyncio.Event()

    async def late(campaign):
        await arrives.wait()
        await start(campaign)

    async def unanswered(_):
        raise SenderFault("no answer")

    drive.sender.start = late
    await drive.begin(5_000)
    drive.clock.move(1)
    await drive.floor()
    await drive.services.releases.advance()
    await drive.driver.look(0.05)
    [watch] = drive.driver.watches_of(drive.campaign)
    if not seen:
        drive.sender.status = unanswered
    await drive.services.campaigns.take("spring", CampaignStep.PAUSE, ANN, "wrong link")
    async with asyncio.timeout(30):
        while "paused" not in drive.fake.commands or (seen and watch.told is not None):
            await drive.driver.look(0.05)
    drive.sender.status = unanswered
    arrives.set()
    async with asyncio.timeout(30):
        while "running" not in drive.fake.commands:
            await drive.driver.look(0.05)
    await paused_meanwhile(drive)
    assert drive.job.status == "paused"
    await drive.driver.rest()


async def test_what_ran_when_holdfire_was_killed_and_cannot_be_asked_about_is_paused_at_once(drive):
    await sending(drive)
    drive.start_anew()

    async def busy(_):
        raise SenderBusy("it wants to be asked less often", 3.0)

    drive.sender.status = busy
    await drive.second()
    assert drive.job.status == "paused"


async def test_what_it_books_itself_is_no_reason_to_look_again_at_once(drive):
    await sending(drive)
    await drive.until(lambda: drive.booked > 300)
    drive.clock.move(6)
    before = drive.booked
    await drive.driver.look()
    assert drive.booked > before
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(drive.driver.woken(), 0.05)
    await drive.services.campaigns.take("spring", CampaignStep.PAUSE, ANN, "wrong link")
    await asyncio.wait_for(drive.driver.woken(), 1)


async def test_a_tool_that_begins_after_it_was_given_up_is_seen_at_once(drive):
    drive.fake.deaf.add("running")
    await drive.begin(5_000)
    await drive.seconds(4)
    assert (drive.fake.commands, drive.job.status) == (["running"], "draft")
    drive.floor = drive.whole.slam
    await drive.seconds(3)
    assert drive.campaign.state is CampaignState.PAUSED
    drive.fake.begin(drive.job, "running")
    await drive.seconds(2)
    assert drive.job.status == "paused"


async def test_several_that_somebody_started_by_hand_are_paused_in_one_look(drive):
    for name in ("13", "14"):
        drive.fake.add(name, 1_000, "draft")
    parts = [{"id": "12", "recipients": 5_000}] + [{"id": name, "recipients": 1_000} for name in ("13", "14")]
    drive.floor = drive.whole.slam
    await drive.begin(7_000, sender={"name": "listmonk", "campaigns": parts})
    for job in drive.fake.jobs.values():
        drive.fake.begin(job, "running")
    drive.clock.move(16)
    await drive.driver.look()
    assert [job.status for job in drive.fake.jobs.values()] == ["paused"] * 3


async def test_a_tool_that_refuses_one_campaign_is_asked_about_the_others(drive):
    drive.fake.add("13", 1_500, "draft")
    handed = {"name": "listmonk", "campaigns": ["13"]}
    document = {"id": "summer", "title": "Summer", "audience": 1_500, "release": WAVES, "sender": handed}
    await drive.services.campaigns.create(document, ANN)
    await drive.services.campaigns.take("summer", CampaignStep.SCHEDULE, ANN, "")
    asked, refused = drive.sender.status, []

    async def refuses_one(campaign):
        if campaign == "13":
            refused.append(campaign)
            raise SenderRefused("it may not read this one")
        return await asked(campaign)

    drive.sender.status = refuses_one
    await sending(drive)
    await drive.seconds(5)
    assert (drive.job.status, len(refused)) == ("running", 1)
    summer = drive.services.campaigns.known("summer")
    assert "cannot be asked" in drive.services.senders.why_not(summer)


async def test_what_was_said_of_one_campaign_of_the_tool_says_nothing_of_another(drive):
    drive.fake.jobs["12"].status, drive.fake.jobs["12"].shown = "finished", 5_000
    drive.fake.add("13", 5_000, "draft")
    await drive.begin(5_000, release={"mode": "manual"})
    await drive.driver.look()
    assert drive.services.senders.why_not(drive.campaign) is not None
    other = {"sender": {"name": "listmonk", "campaigns": ["13"]}}
    await drive.services.campaigns.change("spring", other, ANN, expected=drive.campaign.revision)
    assert "has not said how the campaign stands" in drive.services.senders.why_not(drive.campaign)
    await drive.driver.look()
    assert drive.services.senders.why_not(drive.campaign) is None


async def test_what_sends_is_not_let_go_of_when_another_campaign_comes_to_name_a_part_of_it(drive):
    job = drive.fake.add("13", 5_000, "draft")
    handed = {"name": "listmonk", "campaigns": ["99"]}
    document = {"id": "older", "title": "Older", "audience": 10, "release": {"mode": "manual"}, "sender": handed}
    await drive.services.campaigns.create(document, ANN)
    await drive.services.campaigns.take("older", CampaignStep.SCHEDULE, ANN, "")
    drive.clock.move(1)
    parts = [{"id": "13", "recipients": 5_000}, {"id": "12", "recipients": 5_000}]
    await drive.begin(10_000, sender={"name": "listmonk", "campaigns": parts})
    await drive.until(lambda: len(job.sink) > 100)
    older = drive.services.campaigns.known("older")
    claims = {"sender": {"name": "listmonk", "campaigns": ["12"]}}
    await drive.services.campaigns.change("older", claims, ANN, expected=older.revision)
    drive.floor = drive.whole.slam
    await drive.seconds(3)
    assert (job.status, drive.booked) == ("paused", len(job.sink))
    assert "is sent by the same campaign" in drive.services.senders.why_not(drive.services.campaigns.known("older"))


async def test_a_campaign_that_is_driven_no_more_is_forgotten(drive):
    await drive.begin(5_000, release={"mode": "manual"})
    await drive.driver.look()
    assert drive.services.senders.why_no_wave("spring") is None
    assert set(drive.services.senders._ready) == {"spring"}
    gone = {"sender": None}
    await drive.services.campaigns.change("spring", gone, ANN, expected=drive.campaign.revision)
    await drive.driver.look()
    assert not drive.services.senders._ready


async def test_waves_too_small_for_the_tool_are_tried_less_and_less_often_until_the_plan_changes(drive):
    plan = {"mode": "waves", "audience_per_wave": 200, "wave_gap_seconds": 0}
    await drive.begin(5_000, release=plan)
    await drive.seconds(25)
    assert 4 <= len(await drive.told(EventType.PERMIT_RELEASED)) <= 5
    assert "in a row back" in drive.services.senders.why_not(drive.campaign)
    larger = {"release": plan | {"audience_per_wave": 1_000}}
    await drive.services.campaigns.change("spring", larger, ANN, expected=drive.campaign.revision)
    await drive.seconds(8)
    assert drive.sent > 0


async def test_a_wave_that_truly_begins_lets_the_next_too_small_one_be_tried_soon_again(drive):
    plan = {"mode": "waves", "audience_per_wave": 1_000, "wave_gap_seconds": 0}
    await drive.begin(5_000, release=plan)
    await drive.until(lambda: drive.sent > 100)
    drive.floor = drive.whole.slam
    await drive.seconds(8)
    stopped_at, drive.floor = drive.sent, drive.whole.quiet
    given_back = drive.driver.given_back_of(drive.campaign)
    await drive.until(lambda: given_back.times == 1)  # after a hold the first wave is a tenth: too small
    await drive.until(lambda: drive.sent > stopped_at)
    assert given_back.times == 0


async def test_what_runs_and_lets_an_answer_wait_is_paused_before_the_permit_can_be_used_up(drive, monkeypatch):
    monkeypatch.setattr(reins, "LEAST_PATIENCE_SECONDS", 0.1)
    drive.sender._abilities = replace(drive.sender.abilities, per_second=100.0)
    await sending(drive)
    await drive.until(lambda: drive.booked >= 400)

    async def silent(_):
        await asyncio.Event().wait()

    drive.sender.status = silent
    await drive.driver.look(1)
    assert drive.job.status == "paused"
    await drive.driver.rest()
