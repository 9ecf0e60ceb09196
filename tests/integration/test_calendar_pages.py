"""The calendar over a whole holdfire: what it shows, moving a campaign, and addresses for other calendars."""

import csv
import re
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest

from app.core.campaign.machine import CampaignStep
from app.core.event import Actor
from tests.support.campaigning import announce, draft
from tests.support.visits import a_visitor
from tests.support.whole import a_whole

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)  # Monday, 9 o'clock in Chicago
DAY = {"day": "2026-11-24"}
SPRING_AT = "2026-11-24T15:00:00Z"
TO = "2026-11-25T10:15"
MOVE = "/calendar/move/spring"
REASON = "The floor asked for it"


@pytest.fixture
async def whole(tmp_path):
    async with a_whole(tmp_path, auth="off", now=NOW) as opened:
        await opened.policy(time_zone="America/Chicago", notice_minutes=240, briefing="required")
        yield opened


@pytest.fixture
async def visitor(whole):
    async with a_visitor(whole) as opened:
        yield opened


def moving(revision: int = 2, **changes: str) -> dict[str, str]:
    return {"start": TO, "seen": TO, "reason": REASON, "revision": str(revision)} | changes


async def start_of(whole, campaign_id: str = "spring") -> str:
    found = await whole.services.campaigns.find(campaign_id)
    return str(found.earliest_start.isoformat())


# --- what it shows ---


async def test_a_week_shows_campaigns_of_all_gates_in_the_centers_zone(whole, visitor):
    await announce(whole, title="Spring <b>sale", earliest_start=SPRING_AT)
    await whole.services.gates.create("north")
    await whole.policy("north")
    await announce(whole, "summer", gate="north", title="Summer", earliest_start=SPRING_AT)
    page = (await visitor.get("/calendar", params=DAY)).text
    assert "Week 48, 23 to 29 November 2026" in page
    assert "Spring &lt;b&gt;sale" in page
    assert "<b>sale" not in page
    assert 'data-start="2026-11-24T09:00"' in page
    assert page.count("data-campaign=") == 2
    assert "America/Chicago" in page
    only = (await visitor.get("/calendar", params=DAY | {"gate": "north"})).text
    assert ("Summer" in only, "Spring" in only) == (True, False)


@pytest.mark.parametrize(("day", "hours"), [("2027-03-14", 167), ("2026-11-24", 168), ("2027-11-07", 169)])
async def test_weeks_in_which_clocks_change_have_as_many_hours_as_they_strike(visitor, day, hours):
    page = (await visitor.get("/calendar", params={"day": day})).text
    assert page.count("data-at=") == hours


async def test_a_month_is_a_table_of_weeks(whole, visitor):
    await announce(whole, earliest_start=SPRING_AT)
    page = (await visitor.get("/calendar", params=DAY | {"view": "month"})).text
    assert "<h1>November 2026</h1>" in page
    assert page.count('aria-label="Week ') == 6
    assert 'data-day="2026-11-24"' in page


async def test_campaigns_that_went_without_a_start_of_their_own_and_drafts_without_a_time_are_found(whole, visitor):
    await announce(whole)
    await draft(whole, "someday", title="Someday sale")
    page = (await visitor.get("/calendar")).text
    assert 'id="campaign-spring"' in page
    assert "Drafts without a time" in page
    assert "/calendar/move/someday" in page


async def test_an_empty_week_leads_to_the_next_campaign(whole, visitor):
    await announce(whole, title="Spring sale", earliest_start=SPRING_AT)
    await draft(whole, "autumn", title="Autumn preview", earliest_start="2026-12-15T15:00:00Z")
    page = (await visitor.get("/calendar", params={"day": "2026-11-16"})).text
    assert "Nothing is planned here" in page
    assert re.search(
        r'href="/calendar\?view=week&amp;day=2026-11-24">Next: Spring sale, <time [^>]*>Tue 24 Nov 09:00', page
    )
    after = (await visitor.get("/calendar", params={"day": "2026-12-21"})).text
    assert "Nothing is planned here" in after
    assert "Next: " not in after


async def test_what_the_contact_center_objects_to_is_a_sentence(whole, visitor):
    await announce(whole, earliest_start=(NOW + timedelta(hours=2)).isoformat())
    await announce(whole, "summer", title="Summer", earliest_start=(NOW + timedelta(hours=3)).isoformat())
    page = (await visitor.get("/calendar")).text
    assert "Short notice." in page
    assert "so it may go from Mon 23 Nov 13:00 on" in page
    assert "Nobody has written its briefing yet" in page
    assert "come together with those of “Summer”" in page


async def test_work_that_is_not_known_is_said_and_never_zero(visitor):
    page = (await visitor.get("/calendar")).text
    assert "It is not known of any of these hours how its work compares" in page
    assert "not known: no schedule, and too little history" in page
    past = (await visitor.get("/calendar", params={"day": "2026-11-02"})).text
    assert "these hours are over" in past
    far = (await visitor.get("/calendar", params={"day": "2027-06-01"})).text
    assert "further than 8 weeks ahead" in far


async def test_a_gate_that_is_not_there_and_a_day_that_is_none(visitor):
    assert (await visitor.get("/calendar", params={"gate": "nowhere"})).status_code == 404
    assert "Week 48" in (await visitor.get("/calendar", params={"day": "soon", "view": "year"})).text
    assert (await visitor.get("/calendar", params={"day": "9999-12-31"})).status_code == 200
    assert (await visitor.get("/calendar", params={"day": "0001-01-01", "view": "month"})).status_code == 200


async def test_both_tables_can_be_had_as_files(whole, visitor):
    await announce(whole, title="=1+1", earliest_start=SPRING_AT)
    answer = await visitor.get("/calendar", params=DAY | {"format": "csv", "table": "campaigns"})
    (row,) = csv.DictReader(StringIO(answer.text.lstrip("\ufeff")))
    assert (row["campaign"], row["title"], row["starts_at"]) == ("spring", "'=1+1", SPRING_AT)
    assert row["warnings"].startswith("no briefing: ")
    hours = (await visitor.get("/calendar", params=DAY | {"format": "json", "table": "hours"})).json()
    assert len(hours) == 168
    assert hours[-1]["agents"] is None
    assert hours[-1]["standing"] == "unknown"


# --- moving ---


async def test_what_a_move_means_is_said_before_anything_is_saved(whole, visitor):
    await announce(whole, earliest_start=SPRING_AT)
    await whole.evaluate(60)
    page = await visitor.get(MOVE, params={"start": "2026-11-23T11:00"})
    assert page.status_code == 200
    assert "22\u202fh earlier" in page.text
    assert "An earlier start is announced anew, so its notice begins again now." in page.text
    assert "so it may go from Mon 23 Nov 13:01 on" in page.text
    assert await start_of(whole) == "2026-11-24T15:00:00+00:00"


async def test_a_move_is_saved_with_who_and_why_once_it_was_seen(whole, visitor):
    await announce(whole, earliest_start=SPRING_AT)
    unseen = await visitor.post(MOVE, data=moving(seen=""))
    assert (unseen.status_code, 'name="seen" value="2026-11-25T10:15"' in unseen.text) == (200, True)
    assert await start_of(whole) == "2026-11-24T15:00:00+00:00"
    moved = await visitor.post(MOVE, data=moving(view="month"))
    assert (moved.status_code, moved.headers["location"]) == (
        303,
        "/calendar?view=month&day=2026-11-25&moved=spring",
    )
    assert await start_of(whole) == "2026-11-25T16:15:00+00:00"
    (newest, *_) = await whole.services.events.page(limit=1)
    assert (newest.event.type, newest.event.reason, newest.event.actor) == (
        "campaign.changed",
        REASON,
        Actor("anonymous", "anonymous"),
    )
    told = await visitor.get(moved.headers["location"])
    assert re.search(r"“Spring sale” was moved to\s+<time[^>]*>Wed 25 Nov 10:15</time>", told.text)


async def test_a_script_is_told_where_to_go(whole, visitor):
    await announce(whole, earliest_start=SPRING_AT)
    moved = await visitor.post(MOVE, data=moving(), headers={"HX-Request": "true"})
    assert (moved.status_code, moved.headers["hx-redirect"]) == (200, "/calendar?view=week&day=2026-11-25&moved=spring")


async def test_who_was_slower_sees_what_happened_and_loses_nothing(whole, visitor):
    spring = await announce(whole, earliest_start=SPRING_AT)
    later = {"earliest_start": "2026-11-26T15:00:00Z"}
    await whole.services.campaigns.change(spring.id, later, Actor("key_1", "Dana"), expected=spring.revision)
    refused = await visitor.post(MOVE, data=moving(spring.revision))
    assert refused.status_code == 412
    assert "Somebody changed this campaign meanwhile, and nothing was moved." in refused.text
    assert "Thu 26 Nov 09:00" in refused.text
    for kept in (f'value="{TO}"', f'value="{REASON}"', f'name="revision" value="{spring.revision + 1}"'):
        assert kept in refused.text
    again = await visitor.post(MOVE, data=moving(spring.revision + 1))
    assert again.status_code == 303
    assert await start_of(whole) == "2026-11-25T16:15:00+00:00"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"start": "", "seen": ""}, "Choose a date and a time"),
        ({"start": "2026-11-22T10:00"}, "is over; choose a time ahead"),
        ({"start": "2027-03-14T02:30"}, "does not exist"),
        ({"reason": " "}, "Say why, in one line"),
        ({"reason": "a\x07b"}, "Say why, in one line"),
    ],
)
async def test_what_is_wrong_stands_at_its_field_and_nothing_is_moved(whole, visitor, changes, said):
    await announce(whole, earliest_start=SPRING_AT)
    refused = await visitor.post(MOVE, data=moving(**changes))
    assert (refused.status_code, said in refused.text) == (422, True)
    assert await start_of(whole) == "2026-11-24T15:00:00+00:00"


async def test_a_time_that_comes_twice_is_asked_back_about(whole, visitor):
    await announce(whole, earliest_start=SPRING_AT)
    twice = "2027-11-07T01:30"
    asked = await visitor.post(MOVE, data=moving(start=twice, seen=twice))
    assert asked.status_code == 422
    assert "the second, CST" in asked.text
    chosen = moving(start=twice, start_which="second", seen=f"{twice} second")
    assert (await visitor.post(MOVE, data=chosen)).status_code == 303
    assert await start_of(whole) == "2027-11-07T07:30:00+00:00"


async def test_a_deadline_in_the_way_is_said(whole, visitor):
    await announce(whole, earliest_start=SPRING_AT, give_up_at="2026-11-24T20:00:00Z")
    refused = await visitor.post(MOVE, data=moving())
    assert refused.status_code == 422
    assert "must be after earliest_start" in refused.text


async def test_what_has_begun_or_is_nobodys_cannot_be_moved(whole, visitor):
    await announce(whole, release={"mode": "manual"})
    spring = await whole.services.campaigns.take("spring", CampaignStep.CANCEL, Actor("key_1", "Dana"))
    assert "Its start can no longer be changed" in (await visitor.get(MOVE)).text
    assert (await visitor.post(MOVE, data=moving(spring.revision))).status_code == 409
    assert (await visitor.get("/calendar/move/nobodys")).status_code == 404
    assert (await visitor.post("/calendar/move/nobodys", data=moving())).status_code == 404


# --- addresses for other calendars ---


async def test_an_address_is_shown_once_works_and_is_taken_back_in_two_steps(whole, visitor):
    empty = await visitor.post("/calendar/feed", data={"name": " "})
    assert (empty.status_code, "It says nothing" in empty.text) == (422, True)
    made = await visitor.post("/calendar/feed", data={"name": "Outlook of planning"})
    token = re.search(r"http://127\.0\.0\.1/api/v1/campaigns\.ics\?token=(hfc_\w+)", made.text)
    assert token
    (kept,) = await whole.services.calendars.all()
    assert (await whole.services.calendars.authenticate(token[1])).id == kept.id
    listed = await visitor.get("/calendar/feed")
    assert token[1] not in listed.text
    assert "Outlook of planning" in listed.text
    sure = await visitor.get("/calendar/feed", params={"revoke": kept.id})
    assert "Take back the address for Outlook of planning?" in sure.text
    gone = await visitor.post(f"/calendar/feed/{kept.id}/revoke")
    assert gone.status_code == 303
    assert await whole.services.calendars.authenticate(token[1]) is None
    assert (await visitor.post("/calendar/feed/cal_none/revoke")).status_code == 404


async def test_forms_from_elsewhere_change_nothing(whole, visitor):
    await announce(whole, earliest_start=SPRING_AT)
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    for path, data in ((MOVE, moving()), ("/calendar/feed", {"name": "Mine"})):
        assert (await visitor.post(path, data=data, headers=foreign)).status_code == 403
    assert await start_of(whole) == "2026-11-24T15:00:00+00:00"
    assert list(await whole.services.calendars.all()) == []
