import pytest
from icalendar import Calendar

from app.api.calendar import CalendarTokens, NewCalendarToken
from app.core.campaign.machine import CampaignStep
from tests.support.builders import NOW
from tests.support.campaigning import KIM, announce, draft
from tests.support.whole import a_whole

FEED, TOKENS = "/api/v1/campaigns.ics", "/api/v1/calendar-tokens"


@pytest.fixture
async def whole(tmp_path):
    async with a_whole(tmp_path) as opened:
        yield opened


@pytest.fixture
async def admin(whole):
    async with whole.client("admin") as client:
        yield client


async def a_token(admin, name="Outlook"):
    made = await admin.post(TOKENS, json={"name": name})
    assert made.status_code == 201
    return made.json()


async def test_the_address_a_token_comes_with_is_a_calendar_of_what_was_announced(whole, admin):
    await draft(whole, "secret")
    await announce(whole, title="Spring sale; now, or never", earliest_start="2026-11-21T19:00:00Z")
    made = await a_token(admin)
    assert made["url"] == f"http://holdfire/api/v1/campaigns.ics?token={made['token']}"
    async with whole.client() as nobody:
        answer = await nobody.get(made["url"])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["referrer-policy"] == "no-referrer"
    (event,) = Calendar.from_ical(answer.content).walk("VEVENT")
    assert event["SUMMARY"] == "Email to 500,000: Spring sale; now, or never"
    assert event["URL"] == "http://holdfire/campaigns/spring/briefing"


async def test_a_calendar_that_has_not_changed_is_not_sent_again(whole, admin):
    await announce(whole)
    url = (await a_token(admin))["url"]
    first = await admin.get(url)
    again = await admin.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    await announce(whole, "autumn")
    assert (await admin.get(url, headers={"If-None-Match": first.headers["etag"]})).status_code == 200


async def test_a_refusal_does_not_tell_a_wrong_token_from_a_revoked_or_missing_one(whole, admin):
    made = await a_token(admin)
    assert (await admin.delete(f"{TOKENS}/{made['id']}")).status_code == 204
    refusals = []
    async with whole.client() as nobody:
        for token in (made["token"], "hfc_" + "a" * 40, "x", "", None):
            answer = await nobody.get(FEED, params={} if token is None else {"token": token})
            assert answer.status_code == 401
            assert "www-authenticate" in answer.headers
            refusals.append({name: value for name, value in answer.json().items() if name != "request_id"})
            assert made["token"] not in answer.text
    assert all(refusal == refusals[0] for refusal in refusals)


async def test_a_calendar_token_opens_nothing_else_and_a_key_is_no_calendar_token(whole, admin):
    made = await a_token(admin)
    async with whole.client() as nobody:
        headers = {"Authorization": f"Bearer {made['token']}"}
        for path in ("/api/v1/floor", TOKENS, "/api/v1/campaigns/spring/briefing"):
            assert (await nobody.get(path, headers=headers)).status_code == 401
            assert (await nobody.get(path, params={"token": made["token"]})).status_code == 401
        key = admin.headers["authorization"].removeprefix("Bearer ")
        assert (await nobody.get(FEED, params={"token": key})).status_code == 401
        assert (await nobody.get(FEED, headers={"Authorization": f"Bearer {key}"})).status_code == 401


async def test_tokens_are_listed_without_their_secrets_and_with_their_last_use(admin):
    made, unused = await a_token(admin), await a_token(admin, "Apple")
    await admin.get(made["url"])
    await admin.delete(f"{TOKENS}/{unused['id']}")
    await admin.delete(f"{TOKENS}/{unused['id']}")
    answer = await admin.get(TOKENS)
    CalendarTokens.model_validate(answer.json())
    NewCalendarToken.model_validate(made)
    listed = answer.json()["items"]
    used, revoked = sorted(listed, key=lambda item: item["name"], reverse=True)
    at = NOW.isoformat().replace("+00:00", "Z")
    assert (used["name"], used["last_used_at"], used["revoked_at"]) == ("Outlook", at, None)
    assert (revoked["name"], revoked["last_used_at"], revoked["revoked_at"]) == ("Apple", None, at)
    assert "token" not in used
    assert made["token"] not in str(listed)


async def test_only_an_admin_makes_and_revokes_tokens(whole, admin):
    made = await a_token(admin)
    async with whole.client("read", "campaigns", "policies") as other:
        assert (await other.get(TOKENS)).status_code == 403
        assert (await other.post(TOKENS, json={"name": "x"})).status_code == 403
        assert (await other.delete(f"{TOKENS}/{made['id']}")).status_code == 403
    assert (await admin.delete(f"{TOKENS}/cal_none")).status_code == 404
    answer = await admin.post(TOKENS, json={"name": " "})
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/name"]


async def test_without_authentication_a_calendar_needs_no_token(tmp_path):
    async with a_whole(tmp_path, auth="off") as whole, whole.client() as client:
        await announce(whole)
        answer = await client.get(FEED)
        assert answer.status_code == 200
        assert len(Calendar.from_ical(answer.content).walk("VEVENT")) == 1


async def test_a_cancelled_campaign_stays_in_the_calendar_as_cancelled(whole, admin):
    await announce(whole)
    await whole.services.campaigns.take("spring", CampaignStep.CANCEL, KIM)
    url = (await a_token(admin))["url"]
    (event,) = Calendar.from_ical((await admin.get(url)).content).walk("VEVENT")
    assert event["STATUS"] == "CANCELLED"
