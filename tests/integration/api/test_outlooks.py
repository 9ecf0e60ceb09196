"""Outlooks and plans over HTTP: what they say, and what is no question."""

from datetime import timedelta

import pytest

from app.api.outlook_shapes import OutlookAnswer, PlanAnswer, ReplayedOutlook
from app.services.shapes import instant
from tests.support.campaigning import KIM, announce, draft
from tests.support.looking import AGENTS, OUTLOOK, VOICE, a_seeing_whole, a_usual_past, look, look_later, report
from tests.support.whole import a_whole

PATH, PLAN = "/api/v1/outlook", "/api/v1/campaigns/spring/plan"
BANDS = ("service_level_ratio", "speed_to_answer_seconds", "backlog")


@pytest.fixture
async def whole(tmp_path):
    async with a_seeing_whole(tmp_path) as opened:
        await look(opened)
        yield opened


@pytest.fixture
async def client(whole):
    async with whole.client() as opened:
        yield opened


async def seen(client, path=PATH, **asked):
    answer = await client.get(path, params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def pointers(client, path=PATH, **asked):
    refused = await client.get(path, params=asked)
    assert refused.status_code == 422, refused.text
    assert refused.headers["content-type"] == "application/problem+json"
    errors = refused.json()["errors"]
    assert all(error["detail"].strip() for error in errors)
    return [error["pointer"] for error in errors]


def later(whole, **span):
    return instant(whole.clock.now() + timedelta(**span))


# --- what is to come ---


async def test_each_queue_is_told_per_five_minutes_to_the_horizon_as_expected_and_as_a_band(client):
    body = await seen(client)
    assert (body["gate"], body["known"], body["unknown"], body["audience"]) == ("default", True, None, None)
    assert (body["limits"]["service_level_ratio"], body["limits"]["horizon_minutes"]) == (0.8, 60)
    assert body["made_from"][0]["agents"] == f"{VOICE} has no schedule: the {AGENTS} agents here now are taken to stay."
    (queue,) = body["queues"]
    assert (queue["queue"], len(queue["points"]), body["interval_seconds"]) == (VOICE, 12, 300)
    for point in queue["points"]:
        assert (point["agents"], point["with_send"]) == (AGENTS, None)
        assert point["without"]["offered"] == pytest.approx(19.5, abs=1)
        level, speed, backlog = (point["without"][name] for name in BANDS)
        assert 0.8 < level["low"] < level["mean"] < level["high"] <= 1
        assert 0 <= speed["low"] < speed["mean"] < speed["high"]
        assert 0 < backlog["mean"] < 1
        assert backlog["low"] <= backlog["high"]
    assert body["with_send"] is None
    assert 0 <= body["without"]["breach_probability"] < 0.1


async def test_a_send_is_laid_beside_and_its_limits_are_named(client):
    body = await seen(client, audience=20_000)
    (queue,) = body["queues"]
    assert body["contacts_per_1000"]["mean"] == 10.0
    assert all(point["with_send"]["offered"] > point["without"]["offered"] for point in queue["points"])
    assert body["with_send"]["breach_probability"] > 0.1
    worst = body["with_send"]["breaches"][0]
    assert (worst["queue"], worst["limit"] in {0.8, 20}) == (VOICE, True)
    assert worst["starts_at"] < worst["ends_at"]
    assert body["room"]["audience"] > 1_000


async def test_a_later_send_within_the_horizon_changes_nothing_before_it(whole, client):
    body = await seen(client, audience=20_000, start_at=later(whole, minutes=30))
    points = body["queues"][0]["points"]
    assert all(point["with_send"] == point["without"] for point in points[:6])
    assert all(point["with_send"]["offered"] > point["without"]["offered"] for point in points[6:])


async def test_a_send_beyond_the_horizon_is_looked_at_from_its_start_on(whole, client):
    begins = later(whole, hours=3)
    body = await seen(client, audience=20_000, start_at=begins)
    points = body["queues"][0]["points"]
    assert (body["start_at"], points[0]["at"], len(points)) == (begins, begins, 12)


async def test_a_start_in_the_past_is_now(whole, client):
    body = await seen(client, audience=20_000, start_at=later(whole, hours=-3))
    assert body["queues"] == (await seen(client, audience=20_000))["queues"]


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"audience": 0}, "/query/audience"),
        ({"audience": -5}, "/query/audience"),
        ({"audience": "many"}, "/query/audience"),
        ({"audience": 1.5}, "/query/audience"),
        ({"audience": 10**9 + 1}, "/query/audience"),
        ({"start_at": "tomorrow"}, "/query/start_at"),
        ({"start_at": "2026-11-21T16:00:00"}, "/query/start_at"),
        ({"start_at": "2026-11-22T20:30:00Z"}, "/query/start_at"),
        ({"start_at": "2026-11-23T16:00:00Z"}, "/query/start_at"),
        ({"start_at": "9999-12-31T23:59:59Z"}, "/query/start_at"),
        ({"campaign": "\u0000"}, "/query/campaign"),
    ],
)
async def test_what_is_no_send_is_refused_with_its_place(client, asked, pointer):
    assert await pointers(client, **{"audience": 100} | asked) == [pointer]


async def test_a_gate_that_is_not_there_is_not_found(client):
    for path, asked in ((PATH, {}), (f"{PATH}/replay", {"at": "2026-11-21T16:00:00Z"})):
        missing = await client.get(path, params={"gate": "no where"} | asked)
        assert (missing.status_code, "no where" in missing.json()["detail"]) == (404, True)


async def test_a_campaign_is_looked_at_by_its_own_numbers_on_its_way_or_a_draft(whole, client):
    await announce(whole, contacts_per_1000=2.0)
    await draft(whole, "autumn", contacts_per_1000=3.0)
    await look_later(whole)
    assert (await seen(client, audience=100, campaign="spring"))["contacts_per_1000"]["mean"] == 2.0
    assert (await seen(client, audience=100, campaign="autumn"))["contacts_per_1000"]["mean"] == 3.0
    assert (await seen(client, audience=100, campaign="unheard-of"))["contacts_per_1000"]["mean"] == 10.0


async def test_what_is_not_known_is_said_and_nothing_is_made_up(tmp_path):
    async with a_whole(tmp_path, auth="off") as whole, whole.client() as client:
        await whole.policy(outlook=OUTLOOK)
        body = await seen(client, audience=100)
        assert (body["known"], body["unknown"]) == (False, "there is no outlook for this policy yet")
        await report(whole)
        await look(whole)
        body = await seen(client, audience=100)
        assert body["unknown"].startswith(f"{VOICE}: ")
        assert (body["known"], body["queues"], body["with_send"], body["room"]) == (False, [], None, None)
        assert body["limits"] is None


async def test_an_audience_beyond_all_measure_breaks_every_limit_and_says_what_is_shown(client):
    body = await seen(client, audience=10**9)
    assert body["audience_shown"] < 10**9
    assert body["with_send"]["breach_probability"] > 0.8


# --- again ---


async def test_a_past_outlook_is_made_again(whole, client):
    first = whole.clock.now()
    await look_later(whole, backlog=5)
    body = await seen(client, f"{PATH}/replay", at=instant(first))
    assert (body["gate"], body["at"], body["same"]) == ("default", instant(first), True)
    assert body["found"]["sends"][0][0] == ""
    newest = await seen(client, f"{PATH}/replay", at=later(whole, hours=1))
    assert (newest["at"], newest["same"]) == (later(whole), True)
    missing = await client.get(f"{PATH}/replay", params={"at": later(whole, hours=-1)})
    assert (missing.status_code, "is kept" in missing.json()["detail"]) == (404, True)


# --- plans ---


async def test_a_plan_says_how_much_now_in_which_waves_when_the_rest_and_how_many_agents(whole, client):
    await announce(whole, audience=12_000)
    await look_later(whole)
    body = await seen(client, PLAN, wave_gap_minutes=15, waves=4, lead_minutes=0)
    assert (body["campaign"], body["audience"], body["known"]) == ("spring", 12_000, True)
    now, greedy, equal = body["now"], body["greedy_waves"], body["equal_waves"]
    assert 1_000 < now["audience"] < 12_000
    assert (now["bound"], now["forbids_more"]["queue"]) == ("limit", VOICE)
    assert body["without"]["breach_probability"] < 0.1 < body["at_once"]["breach_probability"]
    assert (greedy[0]["audience"], len({wave["audience"] for wave in equal})) == (now["audience"], 1)
    assert len(equal) <= 4
    assert len(greedy) <= 4
    assert body["next_window"]["starts_at"] > body["at"]
    assert 1 <= body["agents"]["by_queue"][VOICE] <= 50
    assert body["agents"]["breach_probability"] <= 0.1


async def test_what_was_sent_already_is_planned_no_more(whole, client):
    await announce(whole, audience=12_000)
    await look_later(whole)
    await whole.services.releases.advance()
    (permit,) = whole.services.permits.of_campaign("spring")
    await whole.services.permits.report(permit.id, 400, KIM)
    await look_later(whole)
    body = await seen(client, PLAN)
    assert body["audience"] == 12_000 - permit.allowed


async def test_a_draft_is_planned_and_what_ended_is_not(whole, client):
    await draft(whole, audience=12_000)
    assert (await seen(client, PLAN))["now"]["audience"] > 0
    await client.post("/api/v1/campaigns/spring/schedule", json={"reason": "it is time"})
    cancelled = await client.post("/api/v1/campaigns/spring/cancel", json={"reason": "it is off"})
    assert cancelled.status_code == 200, cancelled.text
    refused = await client.get(PLAN)
    assert (refused.status_code, "is cancelled" in refused.json()["detail"]) == (409, True)


async def test_a_campaign_with_nobody_left_is_not_planned(whole, client):
    await announce(whole, audience=100)
    await look_later(whole)
    await whole.services.releases.advance()
    refused = await client.get(PLAN)
    assert (refused.status_code, "nobody left" in refused.json()["detail"]) == (409, True)


async def test_a_campaign_that_is_not_there_is_not_found(client):
    assert (await client.get(PLAN)).status_code == 404


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"wave_gap_minutes": 0}, "/query/wave_gap_minutes"),
        ({"wave_gap_minutes": 1_000}, "/query/wave_gap_minutes"),
        ({"waves": 0}, "/query/waves"),
        ({"waves": 49}, "/query/waves"),
        ({"lead_minutes": -1}, "/query/lead_minutes"),
        ({"lead_minutes": "soon"}, "/query/lead_minutes"),
    ],
)
async def test_ways_that_are_none_are_refused_with_their_place(whole, client, asked, pointer):
    await draft(whole)
    assert await pointers(client, PLAN, **asked) == [pointer]


async def test_where_nothing_is_known_nothing_is_planned(tmp_path):
    async with a_whole(tmp_path, auth="off") as whole, whole.client() as client:
        await whole.policy(outlook=OUTLOOK)
        await draft(whole)
        body = await seen(client, PLAN)
        assert (body["known"], body["now"], body["greedy_waves"], body["agents"]) == (False, None, None, None)


# --- keys, and what is documented ---


async def test_it_takes_a_key_that_may_read(tmp_path):
    async with a_whole(tmp_path) as whole:
        await draft(whole)
        async with (
            whole.client() as nobody,
            whole.client("ingest", "permits") as sender,
            whole.client("read") as reader,
        ):
            for path, found in ((PATH, 200), (f"{PATH}/replay?at=2026-11-21T16:00:00Z", 404), (PLAN, 200)):
                answers = [(await each.get(path)).status_code for each in (nobody, sender, reader)]
                assert answers == [401, 403, found], path


async def test_answers_have_exactly_the_members_that_are_documented(whole, client):
    await a_usual_past(whole, "billing")
    await report(whole, "billing")
    await announce(whole, audience=12_000)
    await look_later(whole)
    await whole.services.outlooks._look_into_oldest()
    for path, asked, model in (
        (PATH, {"audience": 20_000}, OutlookAnswer),
        (f"{PATH}/replay", {"at": later(whole)}, ReplayedOutlook),
        (PLAN, {}, PlanAnswer),
    ):
        answer = await client.get(path, params=asked)
        read = model.model_validate_json(answer.text, strict=True)
        assert read.model_dump(mode="json", by_alias=True) == answer.json(), path


async def test_a_plan_offers_nothing_that_begins_outside_the_send_windows(whole, client):
    closed_now = [{"days": ["sat", "sun"], "from": "15:30", "to": "17:00"}]  # it is Saturday, 15:00
    await whole.policy(outlook=OUTLOOK, send_windows=closed_now)
    await announce(whole, audience=2_000)
    await look_later(whole)
    body = await seen(client, PLAN, wave_gap_minutes=5, waves=3)
    assert (body["now"]["audience"], body["now"]["bound"], body["spread"]["audience"]) == (0, "send_window", 0)
    begin = [wave["starts_at"] for wave in (*body["greedy_waves"], *body["equal_waves"], body["next_window"])]
    assert begin
    assert all("2026-11-21T15:30" <= at < "2026-11-21T17:00" for at in begin)
