"""Driving an email tool over a whole holdfire: real permits and waves, a fake tool over real sockets, one clock."""

import asyncio

import pytest

from app.core.campaign.campaign import CampaignState
from app.core.campaign.machine import CampaignStep
from app.core.event import EventType
from app.core.permit.permit import PermitState
from app.errors import Invalid
from app.ports.senders import SenderFault
from tests.support.driven import ANN, WAVES, Drive
from tests.support.tools import DITTOFEED, KEILA, LISTMONK, MAILMAN
from tests.support.vendors.strict import Broken, Limited, Lost, serving
from tests.support.whole import a_whole

E, S = EventType, CampaignState


@pytest.fixture
async def drive(tmp_path, request):
    tool = getattr(request, "param", LISTMONK)
    async with a_whole(tmp_path) as whole:
        with serving(tool.make()) as fake:
            drive = Drive(whole, fake, tool)
            yield drive
            await drive.close()


def driving(tool):
    return pytest.mark.parametrize("drive", [tool], ids=[tool.kind], indirect=True)


# --- a campaign from its beginning to its end ---


async def test_two_waves_go_out_with_a_slammed_floor_between_and_the_book_says_what_was_sent(drive):
    drive.fake.add("12", 2_000, "draft")
    await drive.begin()
    await drive.until(lambda: drive.sent > 200)
    drive.floor = drive.whole.slam
    await drive.seconds(3)
    assert drive.job.status == "paused"
    await drive.seconds(10)
    stopped_at = drive.sent
    assert 0 < stopped_at < 1_000
    assert (drive.booked, drive.campaign.state, drive.campaign.paused_by) == (stopped_at, S.PAUSED, "gate")
    await drive.seconds(10)
    assert drive.sent == stopped_at
    drive.floor = drive.whole.quiet
    await drive.until(lambda: drive.campaign.state is S.DONE)
    assert drive.job.sink == list(range(2_000))
    assert (drive.booked, drive.job.status) == (2_000, "finished")
    log = [each.type for each in await drive.told(*(kind for kind in E if not kind.startswith("decision.")))]
    assert log.index(E.SENDER_STARTED) > log.index(E.WAVE_OPENED) > log.index(E.PERMIT_GRANTED)
    assert log.index(E.SENDER_PAUSED) > log.index(E.PERMIT_PAUSED)
    assert log.count(E.SENDER_STARTED) >= 2
    assert [each for each in log if each.startswith("campaign.")] == [
        E.CAMPAIGN_CREATED,
        E.CAMPAIGN_SCHEDULED,
        E.CAMPAIGN_DUE,
        E.CAMPAIGN_STARTED,
        E.CAMPAIGN_PAUSED,
        E.CAMPAIGN_RESUMED,
        E.CAMPAIGN_DONE,
    ]


async def test_no_wave_sends_more_than_its_permit_though_the_tool_counts_late(drive):
    drive.fake.add("12", 5_000, "draft")
    await drive.begin(5_000)
    await drive.until(lambda: drive.wave is not None and drive.wave.number == 3)
    waves = await drive.services.campaigns.waves("spring")
    assert [(wave.allowed, 500 < wave.sent <= wave.allowed) for wave in waves[:2]] == [(1_000, True)] * 2
    permits = await drive.services.permits.page(campaign="spring")
    assert all(permit.sent <= permit.allowed for permit in permits)
    assert drive.sent == sum(permit.sent for permit in permits)


async def test_nothing_is_begun_without_a_permit(drive):
    drive.fake.add("12", 2_000, "draft")
    drive.floor = drive.whole.slam
    await drive.begin()
    await drive.seconds(20)
    assert (drive.campaign.state, drive.wave, drive.fake.commands) == (S.WAITING, None, [])


async def test_no_permit_is_taken_for_a_tool_that_does_not_answer(drive):
    drive.fake.add("12", 2_000, "draft")
    drive.fake.troubles.extend([Broken()] * 8)
    await drive.begin()
    await drive.seconds(5)
    assert (drive.campaign.state, drive.wave) == (S.RELEASING, None)
    assert (drive.health.status, drive.health.consecutive_failures > 0) == ("failing", True)
    await drive.until(lambda: drive.sent > 0)
    assert drive.wave.number == 1


async def test_a_campaign_with_fewer_people_than_announced_is_done_when_its_tool_has_nobody_left(drive):
    drive.fake.add("12", 700, "draft")
    await drive.begin(1_000)
    await drive.until(lambda: drive.campaign.state is S.DONE)
    assert (drive.sent, drive.booked) == (700, 700)
    assert "nobody left to send to; 700 of 1,000" in drive.campaign.reason


async def test_a_wave_too_small_to_be_stopped_in_time_is_given_back_and_says_why(drive):
    drive.fake.add("12", 2_000, "draft")
    await drive.begin(release=WAVES | {"audience_per_wave": 200})
    await drive.seconds(10)
    (released,) = await drive.told(E.PERMIT_RELEASED)
    assert "too few to stop the tool in time; it takes at least 302" in released.reason
    assert drive.fake.commands == []


async def test_a_tool_faster_than_configured_is_booked_as_it_is_and_the_log_says_by_how_much(drive):
    drive.fake.rate = 400
    drive.fake.add("12", 9_000, "draft")
    await drive.begin(9_000)
    await drive.until(lambda: drive.job.status == "paused")
    await drive.seconds(2)
    (permit, *_) = await drive.services.permits.page(campaign="spring")
    assert (permit.state, permit.sent, drive.booked) == (PermitState.USED, drive.sent, drive.sent)
    assert f"{permit.sent - 1_000:,} more than allowed" in (await drive.told(E.PERMIT_REPORTED))[-1].reason


# --- stopping ---


async def test_a_person_who_pauses_the_campaign_stops_the_tool_within_a_look(drive):
    drive.fake.add("12", 2_000, "draft")
    await drive.begin()
    await drive.until(lambda: drive.sent > 100)
    await drive.services.campaigns.take("spring", CampaignStep.PAUSE, ANN, "wrong link")
    await asyncio.wait_for(drive.driver.woken(), 1)
    await drive.driver.look()
    assert drive.job.status == "paused"
    (paused,) = await drive.told(E.SENDER_PAUSED)
    assert (paused.reason, paused.actor.name, paused.after["sent"]) == ("wrong link", "listmonk", drive.sent)
    assert drive.booked == drive.sent


async def test_a_cancelled_campaign_is_paused_and_what_went_meanwhile_is_booked(drive):
    drive.fake.add("12", 2_000, "draft")
    await drive.begin()
    await drive.until(lambda: drive.sent > 100)
    await drive.services.campaigns.take("spring", CampaignStep.CANCEL, ANN, "over")
    await drive.seconds(2)
    assert (drive.job.status, drive.booked) == ("paused", drive.sent)


async def test_a_revoked_permit_stops_the_tool(drive):
    drive.fake.add("12", 2_000, "draft")
    await drive.begin()
    await drive.until(lambda: drive.sent > 100)
    await drive.services.permits.revoke(drive.wave.permit_id, ANN, "not this one")
    await drive.driver.look()
    assert (drive.job.status, drive.booked) == ("paused", drive.sent)


async def test_silence_of_the_sources_pauses_the_tool(drive):
    drive.fake.add("12", 100_000, "draft")
    await drive.begin(100_000, release={"mode": "when-ready"})
    await drive.until(lambda: drive.sent > 100)
    drive.floor = drive.whole.evaluate
    for seconds in (115, 10, 1):
        await drive.second(seconds)
    assert drive.job.status == "paused"


async def test_a_tool_that_somebody_started_by_hand_is_paused(drive):
    job = drive.fake.add("12", 2_000, "draft")
    drive.floor = drive.whole.slam
    await drive.begin()
    drive.fake.begin(job, "running")
    await drive.seconds(16)
    assert drive.job.status == "paused"


async def test_a_pause_that_is_not_followed_is_loud_and_tried_until_it_is(drive):
    drive.fake.add("12", 9_000, "draft")
    drive.fake.deaf.add("paused")
    await drive.begin(9_000, release={"mode": "when-ready"})
    await drive.until(lambda: drive.sent > 100)
    drive.floor = drive.whole.slam
    await drive.seconds(20)
    (loud,) = await drive.told(E.SENDER_NOT_PAUSED)
    assert loud.reason == "it goes on though it was told to pause"
    assert (drive.health.status, drive.fake.commands.count("paused") >= 10) == ("sends what it must not", True)
    (permit,) = await drive.services.permits.page(campaign="spring")
    assert (permit.state, permit.outstanding > 0) == (PermitState.PAUSED, True)
    drive.fake.deaf.clear()
    await drive.seconds(2)
    assert (drive.job.status, drive.health.status) == ("paused", "at rest")
    assert drive.booked == drive.sent
    assert len(await drive.told(E.SENDER_PAUSED)) == 1


async def test_what_runs_and_cannot_be_asked_about_is_paused_before_it_can_have_sent_too_much(drive):
    drive.fake.add("12", 2_000, "draft")
    await drive.begin()
    await drive.until(lambda: drive.sent > 100)
    drive.sender.status = unanswered = Unanswered()
    await drive.seconds(11)
    assert unanswered.asked > 5
    assert drive.job.status == "paused"
    assert drive.sent <= 1_000


class Unanswered:
    """A status that cannot be had."""

    def __init__(self):
        self.asked = 0

    async def __call__(self, _):
        self.asked += 1
        raise SenderFault("no answer")


async def test_wrong_credentials_are_not_tried_again_every_second(drive):
    drive.fake.add("12", 2_000, "draft")
    drive.sender = drive.tool.sender(drive.fake.url(), password="wrong")
    drive.senders.append(drive.sender)
    drive.driver = drive.services.driving.driver("listmonk", "listmonk", drive.sender, 1.0)
    await drive.begin()
    await drive.seconds(50)
    assert len(drive.fake.asked) == 1
    assert "does not accept our credentials" in drive.health.last_error


async def test_a_tool_that_is_away_is_asked_less_and_less_and_nobody_says_that_it_sends(drive):
    drive.fake.add("12", 2_000, "draft")
    await drive.begin()
    await drive.until(lambda: drive.sent > 100)
    drive.services.driving.senders._health.clear()
    drive.start_anew()
    drive.sender.status = unanswered = Unanswered()
    drive.floor = drive.whole.slam
    await drive.seconds(60)
    assert 5 <= unanswered.asked <= 25
    assert drive.job.status == "paused"
    assert await drive.told(E.SENDER_NOT_PAUSED) == []


async def test_a_tool_that_wants_to_be_left_alone_is_still_paused(drive):
    drive.fake.add("12", 2_000, "draft")
    await drive.begin()
    await drive.until(lambda: drive.sent > 100)
    drive.fake.troubles.append(Limited("60"))
    await drive.second()
    drive.floor = drive.whole.slam
    await drive.seconds(2)
    assert drive.job.status == "paused"


# --- commands that did something else ---


async def test_a_start_whose_answer_was_lost_is_found_and_not_repeated(drive):
    drive.fake.add("12", 2_000, "draft")
    drive.sender.start = LosesItsAnswer(drive)
    await drive.begin()
    await drive.until(lambda: drive.sent > 0)
    assert drive.fake.commands.count("running") == 1


class LosesItsAnswer:
    """A start that the tool gets, and whose answer never comes."""

    def __init__(self, drive):
        self.drive, self.resume = drive, drive.sender.resume

    async def __call__(self, campaign):
        self.drive.fake.troubles.append(Lost())
        await self.resume(campaign)


async def test_a_date_of_the_tools_own_is_told_and_taken_back(drive):
    job = drive.fake.add("12", 2_000, "draft")
    job.send_at = drive.clock.now().replace(year=2030)
    await drive.begin()
    await drive.seconds(4)
    assert (job.status, drive.sent) == ("draft", 0)
    (mismatch,) = await drive.told(E.SENDER_MISMATCH)
    assert mismatch.after["state"] == "scheduled"
    assert drive.fake.commands[:3] == ["running", "paused", "draft"]
    job.send_at = None
    await drive.until(lambda: drive.sent > 0)


async def test_a_start_that_did_nothing_is_repeated_with_growing_pauses(drive):
    drive.fake.add("12", 2_000, "draft")
    drive.fake.deaf.add("running")
    await drive.begin()
    for _ in range(24):
        await drive.second(5)
    assert 3 <= drive.fake.commands.count("running") <= 6
    assert drive.sent == 0


# --- starting anew ---


async def test_what_ran_when_holdfire_was_killed_goes_on_under_its_permit(drive):
    drive.fake.add("12", 1_200, "draft")
    await drive.begin(1_200)
    await drive.until(lambda: drive.sent > 100)
    drive.start_anew()
    await drive.seconds(3)
    assert (drive.job.status, drive.fake.commands) == ("running", ["running"])
    await drive.until(lambda: drive.campaign.state is S.DONE)
    assert (drive.job.sink, drive.booked) == (list(range(1_200)), 1_200)


async def test_what_ran_when_holdfire_was_killed_is_paused_where_no_permit_lets_it(drive):
    drive.fake.add("12", 5_000, "draft")
    await drive.begin(5_000)
    await drive.until(lambda: drive.sent > 100)
    drive.floor = drive.whole.evaluate  # nobody looks for two hours, and nobody reports
    drive.clock.move(60)
    drive.start_anew()
    await drive.second(7_200)
    assert drive.job.status in {"paused", "finished"}
    assert drive.booked == drive.sent


@pytest.mark.parametrize("killed_at", [2, 9, 18, 33])
async def test_killed_at_any_second_it_books_what_was_sent_and_sends_nobody_twice(drive, killed_at):
    drive.fake.add("12", 1_500, "draft")
    await drive.begin(1_500)
    await drive.seconds(killed_at)
    drive.start_anew()
    await drive.until(lambda: drive.campaign.state is S.DONE)
    assert (drive.job.sink, drive.booked) == (list(range(1_500)), 1_500)
    permits = await drive.services.permits.page(campaign="spring")
    assert all(permit.sent <= permit.allowed for permit in permits)


async def test_before_holdfire_ends_the_tool_is_paused_and_goes_on_after_the_next_start(drive):
    drive.fake.add("12", 1_200, "draft")
    await drive.begin(1_200)
    await drive.until(lambda: drive.sent > 100)
    await drive.driver.rest()
    assert (drive.job.status, drive.booked) == ("paused", drive.sent)
    drive.start_anew()
    await drive.until(lambda: drive.campaign.state is S.DONE)
    assert drive.job.sink == list(range(1_200))


# --- tools that cannot be paused ---


PARTS = [{"id": "nmc_1", "recipients": 1_000}, {"id": "nmc_2", "recipients": 400}, {"id": "nmc_3", "recipients": 100}]


@driving(KEILA)
async def test_a_tool_that_cannot_pause_sends_one_part_per_wave_of_those_that_fit(drive):
    for part in PARTS:
        drive.fake.add(part["id"], part["recipients"], "new")
    sender = {"name": "keila", "campaigns": PARTS}
    await drive.begin(1_500, release=WAVES | {"audience_per_wave": 500}, sender=sender)
    await drive.seconds(10)
    assert {name: job.status for name, job in drive.fake.jobs.items()} == {
        "nmc_1": "new",
        "nmc_2": "sent",
        "nmc_3": "sent",
    }
    assert drive.booked == 500
    await drive.seconds(60)
    assert drive.fake.jobs["nmc_1"].status == "new"
    assert "none of what is left has at most 500 recipients" in (await drive.told(E.PERMIT_RELEASED))[-1].reason


@driving(KEILA)
async def test_a_send_that_was_accepted_and_not_begun_yet_keeps_its_permit(drive):
    drive.fake.scan_seconds = 30
    drive.fake.add("nmc_1", 1_000, "new")
    sender = {"name": "keila", "campaigns": [PARTS[0]]}
    await drive.begin(1_000, sender=sender)
    await drive.seconds(20)
    assert (drive.fake.commands, drive.booked) == (["send"], 0)
    assert drive.services.permits.of_campaign("spring")[0].outstanding == 1_000
    await drive.until(lambda: drive.campaign.state is S.DONE)
    assert (drive.fake.commands, drive.booked) == (["send"], 1_000)


@driving(KEILA)
async def test_what_cannot_be_paused_and_whose_size_nobody_says_is_not_begun(drive):
    drive.fake.add(KEILA.campaign, 500, "new")
    await drive.begin(1_000)
    await drive.seconds(5)
    assert drive.fake.commands == []


@driving(MAILMAN)
async def test_held_messages_are_accepted_when_their_whole_list_may_be_sent_to(drive):
    drive.fake.add(MAILMAN.campaign, 800, "held")
    await drive.begin(800, release={"mode": "when-ready"})
    await drive.until(lambda: drive.campaign.state is S.DONE)
    assert (drive.fake.commands, drive.sent, drive.booked) == (["accept"], 800, 800)


@driving(MAILMAN)
async def test_a_held_message_that_was_gone_before_is_not_taken_for_sent(drive):
    drive.fake.add(MAILMAN.campaign, 800, "discarded")
    await drive.begin(800, release={"mode": "when-ready"})
    await drive.seconds(3)
    assert (drive.campaign.state, drive.wave, drive.booked) == (S.RELEASING, None, 0)
    assert "before anything was let go from here" in drive.services.senders.why_not(drive.campaign)


@driving(DITTOFEED)
async def test_a_tool_that_follows_later_is_waited_for(drive):
    drive.fake.signal_seconds = 4.0
    drive.fake.add(DITTOFEED.campaign, 3_000, "Draft")
    await drive.begin(3_000, release={"mode": "when-ready"})
    await drive.until(lambda: drive.sent > 300)
    drive.floor = drive.whole.slam
    await drive.seconds(7)
    assert drive.job.status == "Paused"
    assert await drive.told(E.SENDER_NOT_PAUSED) == []
    assert drive.fake.commands[0] == "start"
    assert drive.booked == drive.sent


# --- what a campaign may say ---


async def test_two_campaigns_cannot_be_sent_by_one_of_the_tools(drive):
    drive.fake.add("12", 2_000, "draft")
    await drive.begin(id="spring")
    handed = {"name": "listmonk", "campaigns": ["12"]}
    document = {"id": "summer", "title": "Summer", "audience": 2_000, "release": WAVES, "sender": handed}
    await drive.services.campaigns.create(document, ANN)
    await drive.services.campaigns.take("summer", CampaignStep.SCHEDULE, ANN, "")
    await drive.seconds(5)
    summer = drive.services.campaigns.known("summer")
    assert "campaign 'spring' is sent by the same" in drive.services.senders.why_not(summer)
    assert drive.services.campaigns.book.wave("summer") is None


async def test_a_campaign_whose_sender_is_not_configured_waits(drive):
    drive.fake.add("12", 2_000, "draft")
    await drive.begin(sender={"name": "other", "campaigns": ["12"]})
    await drive.seconds(5)
    assert drive.services.senders.why_not(drive.campaign) == "no sender is called 'other' in the configuration"
    assert drive.wave is None


async def test_a_tool_that_asks_for_itself_is_not_driven(drive):
    with pytest.raises(Invalid) as refused:
        await drive.begin(release={"mode": "by-tool"})
    assert [problem.pointer for problem in refused.value.problems] == ["/sender"]
