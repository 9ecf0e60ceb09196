"""Releases over a whole holdfire: real database, real permits, a floor that is told to be quiet or slammed."""

import json
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from app.core.campaign.campaign import CampaignState
from app.core.campaign.machine import CampaignStep
from app.core.campaign.pace import RAMP_GAP_SECONDS
from app.core.event import HOLDFIRE, Actor, EventType
from app.core.permit.permit import PermitState, PermitStep
from app.core.permit.request import PermitRequest
from app.errors import Conflict
from app.ports.keys import ApiKey
from app.services.asks import Question
from app.services.releases import WAVE_TTL_SECONDS
from tests.support.builders import NOW, after
from tests.support.whole import a_whole

ANN = Actor("key_ann", "ann")
TOOL = ApiKey("key_tool", "tool", frozenset(), b"", NOW)
S = CampaignState
GAP = 60
WAVES = {"mode": "waves", "audience_per_wave": 100, "wave_gap_seconds": GAP}
WHEN_READY = {"mode": "when-ready"}


class Release:
    """A campaign of 1,000 under way in a whole holdfire, and its sender, who reports what it is told to."""

    def __init__(self, whole):
        self.whole = whole

    @property
    def services(self):
        return self.whole.services

    @property
    def campaign(self) -> Any:
        return self.services.campaigns.book.known("spring")

    @property
    def wave(self) -> Any:
        return self.services.campaigns.book.wave("spring")

    @property
    def spent(self):
        return self.services.campaigns.progress(self.campaign).spent

    async def draft(self, **members):
        document = {"id": "spring", "title": "Spring", "audience": 1_000, "release": WAVES} | members
        await self.services.campaigns.create(document, ANN)

    async def take(self, step, reason=""):
        return await self.services.campaigns.take("spring", CampaignStep(step), ANN, reason)

    async def step(self, seconds=0.0):
        """Let time pass, keep the floor as it was last reported, and look once as a running holdfire does."""
        self.whole.clock.move(seconds)
        await self.floor()
        await self.services.permits.follow()
        await self.services.releases.advance()
        await self.services.permits.follow()

    async def quiet(self, seconds=0.0):
        self.floor = self.whole.quiet
        await self.step(seconds)

    async def slam(self, seconds=0.0):
        self.floor = self.whole.slam
        await self.step(seconds)

    async def silence(self, seconds):
        """Let the sources say nothing for so long."""
        self.whole.clock.move(seconds)
        await self.whole.evaluate()
        await self.services.permits.follow()
        await self.services.releases.advance()

    async def begin(self, **members):
        await self.draft(**members)
        await self.take("schedule")
        await self.quiet()

    async def report(self, sent):
        return await self.services.permits.report(self.wave.permit_id, sent, ANN)

    async def permit(self, wave=None):
        return await self.services.permits.find((wave or self.wave).permit_id)

    async def events(self, kind):
        return [each.event for each in reversed(await self.whole.store.events.events(type=kind, campaign="spring"))]

    async def waves(self):
        return await self.services.campaigns.waves("spring")

    async def send_one(self, gap=GAP):
        """Send the open wave whole, and look again when the next may open."""
        await self.report(self.wave.allowed)
        await self.quiet(gap)


@pytest.fixture
async def release(tmp_path):
    async with a_whole(tmp_path) as whole:
        yield Release(whole)


# --- beginning ---


async def test_a_campaign_waits_for_its_start_and_is_then_released_by_itself(release):
    await release.begin(earliest_start="2026-11-21T16:00:00Z")
    assert (release.campaign.state, release.wave) == (S.SCHEDULED, None)
    await release.quiet(3_599)
    assert release.campaign.state == S.SCHEDULED
    await release.quiet(1)
    assert release.campaign.state == S.RELEASING
    assert (release.wave.number, release.wave.allowed, release.wave.is_probe) == (1, 100, False)
    assert (await release.permit()).wave == 1


async def test_one_that_is_released_by_hand_waits_for_a_person(release):
    await release.begin(release={"mode": "manual"})
    await release.quiet(60)
    assert (release.campaign.state, release.wave) == (S.WAITING, None)
    await release.take("start", "now")
    await release.quiet()
    assert (release.campaign.state, release.wave.allowed) == (S.RELEASING, 1_000)


async def take_as_tool(release, audience):
    asked = PermitRequest(audience, "default", "spring", accept_partial=True)
    answer = await release.services.permits.take(TOOL, asked)
    await release.step()
    return answer


async def test_one_that_its_tool_releases_gets_no_wave_and_goes_with_the_tools_permits(release):
    await release.begin(release={"mode": "by-tool"})
    await release.quiet(60)
    assert (release.campaign.state, release.wave, release.spent.outstanding) == (S.WAITING, None, 0)
    taken = await take_as_tool(release, 400)
    assert (taken.status, taken.permit.allowed) == (200, 400)
    assert (release.campaign.state, release.wave) == (S.RELEASING, None)
    await release.services.permits.report(taken.permit.id, 400, ANN)
    last = await take_as_tool(release, 1_000)
    assert last.permit.allowed == 600
    await release.services.permits.report(last.permit.id, 600, ANN)
    await release.quiet()
    assert (release.campaign.state, await release.waves()) == (S.DONE, [])


async def test_after_a_hold_a_tool_is_given_a_probe_first_and_more_with_each_permit(release):
    await release.begin(release={"mode": "by-tool"})
    before = await take_as_tool(release, 100)
    await release.slam(5)
    assert (release.campaign.state, release.campaign.paused_by) == (S.PAUSED, "gate")
    assert (await take_as_tool(release, 100)).status == 429
    await release.services.permits.release(before.permit.id, ANN)
    await release.quiet(5)
    assert release.campaign.state == S.RELEASING
    allowed = []
    for _ in range(3):
        taken = await take_as_tool(release, 1_000)
        allowed.append(taken.permit.allowed)
        await release.services.permits.release(taken.permit.id, ANN)
        await release.quiet(5)
    assert allowed == [100, 350, 600]


async def test_a_tool_cannot_take_several_probes_at_once(release):
    await release.begin(release={"mode": "by-tool"})
    await release.slam(5)
    await release.quiet(5)
    asked = PermitRequest(1_000, "default", "spring", accept_partial=True)
    given = [await release.services.permits.take(TOOL, asked) for _ in range(3)]
    assert [(each.status, each.permit and each.permit.allowed) for each in given] == [
        (200, 100),
        (429, None),
        (429, None),
    ]


async def test_a_tools_paused_permit_goes_on_only_as_far_as_a_probe_may(release):
    await release.begin(release={"mode": "by-tool"})
    large, small = [(await take_as_tool(release, audience)).permit for audience in (200, 60)]
    await release.slam(5)
    await release.quiet(5)
    refused = await release.services.permits.renew(TOOL, large.id)
    assert (refused.status, json.loads(refused.body)["reasons"][0]["code"]) == (429, "campaign_probing")
    await release.services.permits.release(large.id, ANN)
    await release.quiet(5)
    assert (await release.services.permits.renew(TOOL, small.id)).state is PermitState.ACTIVE


async def test_a_tools_pace_grows_once_with_each_permit_whatever_becomes_of_them(release):
    await release.begin(release={"mode": "by-tool"})
    await release.slam(5)
    await release.quiet(5)
    probe = await take_as_tool(release, 10)
    await release.quiet(5)
    more = await take_as_tool(release, 10)
    grown = release.services.campaigns.book.pace("spring")
    assert grown.percent == 35
    await release.services.permits.release(more.permit.id, ANN)
    await release.quiet(5)
    assert release.services.campaigns.book.pace("spring") == grown
    assert probe.permit.state is PermitState.ACTIVE


async def test_while_its_gate_holds_a_campaign_waits_and_begins_with_a_probe(release):
    await release.draft()
    await release.take("schedule")
    await release.slam(1)
    assert (release.campaign.state, release.wave) == (S.WAITING, None)
    await release.quiet(1)
    assert (release.wave.allowed, release.wave.is_probe) == (10, True)


async def test_a_hold_that_is_not_the_floors_is_followed_by_full_waves(release):
    await release.whole.policy(notice_minutes=30)
    await release.draft()
    await release.take("schedule")
    await release.quiet()
    assert (release.campaign.state, release.wave) == (S.WAITING, None)
    await release.quiet(1_800)
    assert (release.wave.allowed, release.wave.is_probe) == (100, False)


async def test_a_draft_is_left_alone(release):
    await release.draft()
    await release.quiet(600)
    assert (release.campaign.state, release.wave) == (S.DRAFT, None)


# --- waves ---


async def test_waves_follow_each_other_by_their_gap_until_everybody_was_sent_to(release):
    await release.begin(audience=250)
    await release.report(100)
    await release.quiet(GAP - 1)
    assert (release.wave.number, release.wave.ending) == (1, "used")
    await release.quiet(1)
    assert release.wave.number == 2
    await release.send_one()
    assert (release.wave.number, release.wave.allowed) == (3, 50)
    await release.send_one()
    assert (release.campaign.state, release.campaign.ended_at) == (S.DONE, release.whole.clock.now())
    assert [(wave.sent, wave.ending) for wave in await release.waves()] == [(100, "used"), (100, "used"), (50, "used")]
    (done,) = await release.events(EventType.CAMPAIGN_DONE)
    assert done.actor == HOLDFIRE


async def test_who_is_held_out_gets_no_wave_and_the_campaign_is_done_without_them(release):
    await release.begin(audience=125, holdout_ratio=0.2)
    await release.send_one()
    assert (release.campaign.state, release.campaign.held_out) == (S.DONE, 25)
    assert [(wave.allowed, wave.sent) for wave in await release.waves()] == [(100, 100)]


async def test_the_next_wave_waits_for_the_end_of_the_one_before(release):
    await release.begin()
    await release.report(99)
    await release.quiet(GAP * 5)
    assert (release.wave.number, release.wave.sent) == (1, 99)
    await release.report(100)
    await release.quiet()
    assert release.wave.number == 2


async def test_what_a_wave_did_not_send_stays_with_the_campaign(release):
    await release.begin(audience=150)
    await release.report(80)
    await release.services.permits.release(release.wave.permit_id, ANN)
    await release.quiet(GAP)
    first, second = await release.waves()
    assert (first.sent, first.ending) == (80, "released")
    assert second.allowed == 70


async def test_an_unreported_wave_is_charged_until_it_expires(release):
    await release.begin(audience=100)
    await release.quiet(WAVE_TTL_SECONDS - 1)
    assert (release.wave.number, release.spent.outstanding) == (1, 100)
    await release.quiet(1)
    assert [(wave.sent, wave.ending) for wave in await release.waves()] == [(0, "expired"), (0, "")]


async def test_every_wave_is_told_when_it_opens_and_when_it_is_over(release):
    await release.begin()
    await release.send_one()
    opened, again = await release.events(EventType.WAVE_OPENED)
    first, _ = await release.waves()
    assert (opened.after["wave"], again.after["wave"], opened.after["permit_id"]) == (1, 2, first.permit_id)
    (over,) = await release.events(EventType.WAVE_COMPLETED)
    assert (over.after["sent"], over.after["ending"]) == (100, "used")


async def test_the_gate_is_asked_before_each_wave_and_its_caps_bind(release):
    await release.whole.policy(max_audience_per_wave=30)
    await release.begin()
    assert release.wave.allowed == 30
    await release.quiet()
    assert release.campaign.state == S.RELEASING


async def test_a_campaign_without_room_waits_and_is_not_slowed(release):
    await release.whole.policy(max_audience_per_hour=100)
    await release.begin()
    await release.send_one()
    assert (release.campaign.state, release.wave.number) == (S.RELEASING, 1)
    await release.quiet(3_600)
    assert (release.wave.number, release.wave.allowed) == (2, 100)


async def test_a_wave_takes_up_what_its_sender_was_given_by_itself(release):
    await release.begin(audience=120)
    await release.send_one()
    assert release.wave.allowed == 20
    assert release.spent.outstanding + release.spent.sent_last_hour == 120


# --- holds ---


async def test_a_spike_in_mid_flight_pauses_the_campaign_its_wave_and_its_permit(release):
    await release.begin()
    await release.report(40)
    await release.slam(1)
    assert (release.campaign.state, release.campaign.paused_by) == (S.PAUSED, "gate")
    assert release.campaign.reason == "orders-voice: 500 waiting, limit 10"
    assert (release.wave.sent, release.wave.ending) == (40, "paused")
    permit = await release.permit()
    assert permit.state is PermitState.PAUSED
    (paused,) = await release.events(EventType.CAMPAIGN_PAUSED)
    assert (paused.actor, paused.after["paused_by"]) == (HOLDFIRE, "gate")


async def test_after_a_hold_one_small_wave_probes_and_then_they_grow(release):
    await release.begin()
    await release.report(40)
    await release.slam(1)
    await release.quiet(GAP)
    assert (release.campaign.state, release.wave.number, release.wave.is_probe) == (S.RELEASING, 2, True)
    sizes = [release.wave.allowed]
    for _ in range(5):
        await release.send_one()
        sizes.append(release.wave.allowed)
    assert sizes == [10, 35, 60, 85, 100, 100]
    assert len(await release.events(EventType.CAMPAIGN_RESUMED)) == 1


async def test_the_paused_permit_is_revoked_before_the_probe_opens_and_its_late_report_counts(release):
    await release.begin()
    first = release.wave
    await release.slam(1)
    await release.services.permits.report(first.permit_id, 55, ANN)
    await release.quiet(GAP)
    assert (await release.permit(first)).state is PermitState.REVOKED
    assert (await release.waves())[0].sent == 55
    assert (release.spent.sent_last_hour, release.spent.outstanding) == (55, 10)


async def test_the_permit_of_a_wave_that_was_paused_is_never_good_again_so_that_the_probe_stays_small(release):
    await release.begin()
    first = release.wave
    await release.slam(1)
    await release.quiet(1)
    assert (release.campaign.state, release.wave.ending) == (S.RELEASING, "paused")
    with pytest.raises(Conflict, match="what is left of it comes with a later wave"):
        await release.services.permits.renew(TOOL, first.permit_id)
    assert release.services.permits.must_stop(await release.permit(first))


async def test_a_wave_that_is_over_leaves_no_permit_to_go_on_with(release):
    await release.begin()
    release.whole.clock.move(31)  # nothing was evaluated for so long: only the release has noticed yet
    await release.services.releases.advance()
    assert (release.campaign.state, release.wave.ending) == (S.PAUSED, "paused")
    await release.whole.quiet()
    assert release.services.permits.must_stop(await release.permit())


async def test_a_hold_during_the_probe_begins_anew_with_a_probe(release):
    await release.begin()
    await release.slam(1)
    await release.quiet(GAP)
    await release.slam(1)
    await release.quiet(GAP)
    assert (release.wave.number, release.wave.allowed, release.wave.is_probe) == (3, 10, True)


async def test_silence_of_the_sources_pauses_it_and_halves_the_next_wave(release):
    await release.begin()
    await release.silence(130)
    assert (release.campaign.state, release.campaign.paused_by) == (S.PAUSED, "gate")
    await release.quiet()
    assert (release.campaign.state, release.wave.number, release.wave.allowed) == (S.RELEASING, 2, 50)


async def test_without_waves_of_its_own_a_campaign_keeps_its_distance_after_a_hold(release):
    await release.begin(release=WHEN_READY)
    assert release.wave.allowed == 1_000
    await release.slam(1)
    await release.quiet(RAMP_GAP_SECONDS)
    assert (release.wave.allowed, release.wave.is_probe) == (100, True)
    await release.send_one(RAMP_GAP_SECONDS - 1)
    assert release.wave.number == 2
    await release.quiet(1)
    assert (release.wave.number, release.wave.allowed) == (3, 350)


async def test_a_gate_that_is_deleted_holds(release):
    await release.begin()
    await release.services.gates.delete("default", actor=ANN)
    await release.whole.evaluate()
    await release.services.releases.advance()
    assert (release.campaign.state, release.campaign.paused_by) == (S.PAUSED, "gate")
    assert "no gate" in release.campaign.reason


# --- what people do ---


async def test_a_persons_pause_stops_its_permits_within_the_request_and_stays(release):
    await release.begin()
    await release.take("pause", "wrong link")
    permit = await release.permit()
    assert permit.state is PermitState.PAUSED
    assert release.services.permits.must_stop(permit)
    await release.quiet(GAP * 2)
    assert (release.campaign.state, release.campaign.paused_by) == (S.PAUSED, "ann")
    assert (release.wave.number, release.wave.ending) == (1, "paused")


async def test_a_resumed_campaign_goes_on_with_what_is_left(release):
    await release.begin(audience=150)
    await release.report(30)
    await release.take("pause")
    await release.quiet(GAP)
    await release.take("resume", "link mended")
    await release.quiet()
    assert (release.campaign.state, release.wave.number, release.wave.allowed) == (S.RELEASING, 2, 100)
    assert release.spent.sent_last_hour + release.spent.outstanding == 130


async def test_a_cancelled_campaign_is_stopped_within_the_request_and_for_good(release):
    await release.begin()
    await release.take("cancel", "offer withdrawn")
    permit = await release.permit()
    assert permit.state is PermitState.REVOKED
    await release.quiet(GAP)
    assert (release.campaign.state, release.wave.ending) == (S.CANCELLED, "revoked")
    assert await release.waves() == [release.wave]


async def test_bigger_waves_and_a_smaller_audience_count_from_the_next_wave_on(release):
    await release.begin()
    change = {"audience": 130, "release": {"audience_per_wave": 20}}
    await release.services.campaigns.change("spring", change, ANN, expected=release.campaign.revision)
    await release.send_one()
    assert release.wave.allowed == 20


async def test_lowering_the_audience_to_what_was_sent_ends_it(release):
    await release.begin()
    await release.report(100)
    await release.quiet()
    change = {"audience": 100}
    await release.services.campaigns.change("spring", change, ANN, expected=release.campaign.revision)
    await release.quiet()
    assert release.campaign.state == S.DONE


# --- deadlines ---


async def test_at_its_deadline_it_is_given_up_and_its_permits_are_revoked(release):
    await release.begin(give_up_at="2026-11-21T15:10:00Z")
    await release.report(40)
    await release.quiet(599)
    assert release.campaign.state == S.RELEASING
    await release.quiet(1)
    assert release.campaign.state == S.GAVE_UP
    assert release.campaign.reason == "its deadline is over; 40 of 1,000 were sent"
    assert (await release.permit()).state is PermitState.REVOKED
    assert release.wave.ending == "revoked"
    await release.quiet(GAP)
    assert len(await release.waves()) == 1


async def test_no_go_outlives_the_deadline_not_even_a_kept_one(release):
    await release.begin(give_up_at="2026-11-21T15:01:00Z")
    await release.report(50)
    await release.quiet(58)
    question = Question("default", 1, "spring", accept_partial=False)

    def told():
        gate, ready = (
            release.services.campaign_gate.answer("a", "spring"),
            release.services.readiness.answer("a", question),
        )
        return gate.status, ready.status, dict(gate.headers)[b"cache-control"], json.loads(ready.body)["valid_until"]

    assert told() == (200, 200, b"private, max-age=2", "2026-11-21T15:01:00Z")
    release.whole.clock.move(2)
    assert told()[:2] == (429, 429)


async def test_one_that_never_began_is_given_up_too(release):
    await release.begin(release={"mode": "manual"}, give_up_at="2026-11-21T15:10:00Z")
    await release.quiet(600)
    assert release.campaign.state == S.GAVE_UP


# --- faults ---


@asynccontextmanager
async def started_anew(folder, clock):
    async with a_whole(folder, now=clock.now()) as whole:
        yield Release(whole)


async def test_after_a_restart_it_goes_on_where_it_stood(tmp_path):
    async with a_whole(tmp_path) as whole:
        before = Release(whole)
        await before.begin()
        await before.slam(1)
        await before.quiet(GAP)
        assert (before.wave.number, before.wave.allowed) == (2, 10)
    async with started_anew(tmp_path, before.whole.clock) as release:
        await release.quiet()
        assert release.wave == before.wave
        await release.send_one()
        assert (release.wave.number, release.wave.allowed) == (3, 35)


async def test_a_wave_whose_permit_was_given_just_before_a_crash_is_opened_once(tmp_path):
    async with a_whole(tmp_path) as whole:
        before = Release(whole)
        await before.begin()
        await before.report(100)
        await before.quiet(GAP - 1)
        given: Any = await whole.services.permits.take_for_campaign("spring", "default", 100, 3_600, 2)
    async with started_anew(tmp_path, before.whole.clock) as release:
        await release.quiet(1)
        assert (release.wave.number, release.wave.permit_id) == (2, given.id)
        await release.quiet(GAP)
        assert [wave.number for wave in await release.waves()] == [1, 2]
        assert release.spent.outstanding == 100


async def test_a_pause_that_a_crash_cut_short_stops_the_permits_at_the_next_start(tmp_path):
    async with a_whole(tmp_path) as whole:
        before = Release(whole)
        await before.begin()
        cut_short = replace(before.campaign, state=S.PAUSED, paused_by="ann")
        await before.services.campaigns.book.save(cut_short, [])
    async with started_anew(tmp_path, before.whole.clock) as release:
        await release.quiet()
        assert (await release.permit()).state is PermitState.PAUSED
        assert release.wave.ending == "paused"


async def sql(release, statement):
    await release.whole.store.database.write(lambda connection: connection.exec_driver_sql(statement))


async def test_what_cannot_be_written_down_is_tried_again_and_stops_no_other_campaign(release, caplog):
    await release.begin()
    await release.services.campaigns.create(
        {"id": "other", "title": "Other", "audience": 5, "release": WHEN_READY}, ANN
    )
    await release.services.campaigns.take("other", CampaignStep.SCHEDULE, ANN)
    await release.report(100)
    await sql(release, "CREATE TRIGGER fault BEFORE UPDATE ON waves BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
    await release.quiet(GAP)
    assert release.wave.ended_at is None
    assert release.services.campaigns.book.wave("other").allowed == 5
    assert "release_not_advanced" in caplog.text
    await sql(release, "DROP TRIGGER fault")
    await release.quiet()
    assert [(wave.number, wave.sent) for wave in await release.waves()] == [(1, 100), (2, 0)]


async def test_a_wave_that_could_not_be_written_down_is_the_one_that_is_opened_later(release):
    await release.draft()
    await release.take("schedule")
    await sql(release, "CREATE TRIGGER fault BEFORE INSERT ON waves BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
    await release.quiet()
    (permit,) = release.services.permits.of_campaign("spring")
    assert await release.waves() == []
    await sql(release, "DROP TRIGGER fault")
    await release.quiet(1)
    assert (release.wave.number, release.wave.permit_id, release.spent.outstanding) == (1, permit.id, 100)


@pytest.mark.parametrize("stop", ["slam", "pause", "cancel"])
async def test_a_wave_that_could_not_be_written_down_is_not_opened_after_a_stop(release, stop):
    await release.draft()
    await release.take("schedule")
    await sql(release, "CREATE TRIGGER fault BEFORE INSERT ON waves BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
    await release.quiet()
    (permit,) = release.services.permits.of_campaign("spring")
    await sql(release, "DROP TRIGGER fault")
    await (release.slam(1) if stop == "slam" else release.take(stop))
    await release.step(1)
    assert await release.events(EventType.WAVE_OPENED) == []
    assert (await release.services.permits.find(permit.id)).state is PermitState.REVOKED


async def test_a_permit_that_was_revoked_by_hand_closes_its_wave(release):
    await release.begin()
    await release.services.permits.end(release.wave.permit_id, PermitStep.REVOKE, actor=ANN, reason="test")
    await release.quiet()
    assert (release.wave.number, release.wave.ending) == (1, "revoked")
    assert (release.campaign.state, release.wave.ended_at) == (S.RELEASING, after(0))
