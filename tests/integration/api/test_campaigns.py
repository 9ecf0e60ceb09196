"""Campaigns over HTTP, in a whole holdfire."""

import pytest

from tests.support.whole import a_whole

PATH = "/api/v1/campaigns"
WAVES = {"mode": "waves", "audience_per_wave": 100, "wave_gap_seconds": 60}
PLAN: dict[str, object] = {"title": "Spring sale", "audience": 1_000, "release": WAVES}
ALL = ("campaigns", "read", "readiness", "permits")


@pytest.fixture
async def whole(tmp_path):
    async with a_whole(tmp_path) as opened:
        yield opened


@pytest.fixture
async def client(whole):
    async with whole.client(*ALL) as opened:
        yield opened


async def make(client, **members):
    response = await client.post(PATH, json=PLAN | {"id": "spring"} | members)
    assert response.status_code == 201, response.text
    return response.json()


async def step(client, what, reason="because"):
    return await client.post(f"{PATH}/spring/{what}", json={"reason": reason})


async def release(whole, seconds=0):
    whole.clock.move(seconds)
    await whole.quiet()
    await whole.services.releases.advance()


async def pointers(response):
    assert response.status_code == 422
    return [error["pointer"] for error in response.json()["errors"]]


# --- plans ---


async def test_a_campaign_is_drafted_read_and_listed(client):
    made = await client.post(PATH, json=PLAN)
    assert (made.status_code, made.headers["location"], made.headers["etag"]) == (201, f"{PATH}/spring-sale", '"1"')
    read = await client.get(made.headers["location"])
    assert read.json() == made.json()
    assert (read.json()["state"], read.json()["left"], read.json()["steps"]) == ("draft", 1_000, ["schedule"])
    assert read.json()["owner"].startswith("key for campaigns")
    assert (await client.get(PATH)).json() == {"items": [read.json()], "next_cursor": None}


async def test_who_is_held_out_is_said_and_not_left_to_send_to(client):
    made = await make(client, holdout_ratio=0.05, queue_mix={"orders-voice": 0.75, "billing": 0.25})
    assert (made["audience"], made["held_out"], made["left"]) == (1_000, 50, 950)
    assert (made["holdout_ratio"], made["queue_mix"]) == (0.05, {"billing": 0.25, "orders-voice": 0.75})


async def test_the_share_held_out_stays_once_the_release_began(whole, client):
    await make(client, holdout_ratio=0.05)
    await step(client, "schedule")
    await release(whole)
    changed = await client.patch(f"{PATH}/spring", json={"holdout_ratio": 0.1}, headers={"If-Match": "*"})
    assert await pointers(changed) == ["/holdout_ratio"]


BAD: list[tuple[dict[str, object], str]] = [
    ({"audience": 0}, "/audience"),
    ({"audience": -1}, "/audience"),
    ({"audience": 10**9 + 1}, "/audience"),
    ({"audience": 99}, "/release/audience_per_wave"),
    ({"gate": "nowhere"}, "/gate"),
    ({"earliest_start": "2026-12-24T10:00:00"}, "/earliest_start"),
    ({"earliest_start": "2026-12-24T10:00:00Z", "give_up_at": "2026-12-24T09:00:00Z"}, "/give_up_at"),
    ({"id": "Spring"}, "/id"),
]


async def test_bad_input_is_refused_with_its_place_and_nothing_is_made(client):
    for members, pointer in BAD:
        assert await pointers(await client.post(PATH, json=PLAN | members)) == [pointer], members
    assert (await client.get(PATH)).json()["items"] == []


async def test_an_id_is_taken_once(client):
    await make(client)
    assert (await client.post(PATH, json=PLAN | {"id": "spring"})).status_code == 409


async def test_a_change_needs_the_etag_that_was_read(client):
    await make(client)
    change = {"audience": 900}
    assert (await client.patch(f"{PATH}/spring", json=change)).status_code == 428
    changed = await client.patch(f"{PATH}/spring", json=change, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.json()["audience"], changed.headers["etag"]) == (200, 900, '"2"')
    assert (await client.patch(f"{PATH}/spring", json=change, headers={"If-Match": '"1"'})).status_code == 412


async def test_a_change_with_faults_changes_nothing(client):
    before = await make(client)
    response = await client.patch(f"{PATH}/spring", json={"gate": "nowhere"}, headers={"If-Match": "*"})
    assert await pointers(response) == ["/gate"]
    response = await client.patch(f"{PATH}/spring", json={"audience": 5}, headers={"If-Match": "*"})
    assert await pointers(response) == ["/release/audience_per_wave"]
    assert (await client.get(f"{PATH}/spring")).json() == before


async def test_only_a_draft_is_deleted(client):
    await make(client)
    assert (await client.delete(f"{PATH}/spring")).status_code == 428
    assert (await client.delete(f"{PATH}/spring", headers={"If-Match": '"1"'})).status_code == 204
    assert (await client.get(f"{PATH}/spring")).status_code == 404
    await make(client)
    await step(client, "schedule")
    refused = await client.delete(f"{PATH}/spring", headers={"If-Match": "*"})
    assert (refused.status_code, "cancel it" in refused.json()["detail"]) == (409, True)


async def test_campaigns_come_in_pages_and_by_state(client):
    for name in ("a", "b", "c"):
        await make(client, id=name)
    await client.post(f"{PATH}/b/schedule")
    first = (await client.get(PATH, params={"limit": 2})).json()
    second = (await client.get(PATH, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [each["id"] for each in first["items"] + second["items"]] == ["c", "b", "a"]
    assert second["next_cursor"] is None
    found = await client.get(PATH, params=[("state", "draft"), ("state", "done")])
    assert [each["id"] for each in found.json()["items"]] == ["c", "a"]


async def test_each_operation_needs_its_scope(whole):
    async with whole.client("readiness") as client:
        assert (await client.get(PATH)).status_code == 403
        assert (await client.post(PATH, json=PLAN)).status_code == 403
        assert (await client.post(f"{PATH}/spring/pause")).status_code == 403
        assert (await client.get(f"{PATH}/spring/gate")).status_code == 404
    async with whole.client("read", "campaigns") as client:
        assert (await client.get(f"{PATH}/spring/gate")).status_code == 403
    async with whole.client() as client:
        assert (await client.get(f"{PATH}/spring/gate")).status_code == 401


# --- steps ---


async def test_a_campaign_is_announced_paused_resumed_and_cancelled_by_who_says_so(whole, client):
    await make(client, earliest_start="2026-11-21T18:00:00Z")
    scheduled = (await step(client, "schedule")).json()
    assert (scheduled["state"], scheduled["announced_at"]) == ("scheduled", "2026-11-21T15:00:00Z")
    paused = (await step(client, "pause", "wrong link")).json()
    assert (paused["state"], paused["reason"]) == ("paused", "wrong link")
    assert paused["paused_by"].startswith("key for")
    assert (await step(client, "resume")).json()["state"] == "scheduled"
    assert (await step(client, "cancel")).json()["state"] == "cancelled"
    told = [each.event.type for each in await whole.store.events.events(subject="campaign/spring")]
    assert told == [
        *("campaign.cancelled", "campaign.resumed", "campaign.paused"),
        *("campaign.scheduled", "campaign.created"),
    ]


async def test_a_step_that_is_not_possible_is_409_and_names_those_that_are(client):
    await make(client)
    refused = await step(client, "pause")
    assert (refused.status_code, refused.json()["title"]) == (409, "It cannot be done as things stand")
    assert "possible are: schedule, delete" in refused.json()["detail"]
    assert (await client.post(f"{PATH}/nothing/pause")).status_code == 404


async def test_one_without_a_start_can_be_started_right_after_it_was_scheduled(client):
    await make(client, release={"mode": "manual"})
    assert (await client.post(f"{PATH}/spring/schedule")).json()["state"] == "waiting"
    assert (await client.post(f"{PATH}/spring/start")).json()["state"] == "releasing"


async def test_a_reason_must_be_text_of_one_line(client):
    await make(client)
    assert await pointers(await step(client, "schedule", "a\nb")) == ["/reason"]
    assert await pointers(await client.post(f"{PATH}/spring/schedule", json={"why": "x"})) == ["/why"]


async def test_progress_and_waves_are_shown(whole, client):
    await make(client)
    await step(client, "schedule")
    await release(whole)
    permit_id = (await client.get(f"{PATH}/spring")).json()["wave"]["permit_id"]
    await client.post(f"/api/v1/permits/{permit_id}/report", json={"sent": 40})
    await release(whole)
    shown = (await client.get(f"{PATH}/spring")).json()
    assert (shown["sent"], shown["outstanding"], shown["left"]) == (40, 60, 900)
    (wave,) = (await client.get(f"{PATH}/spring/waves")).json()["items"]
    assert wave == shown["wave"]
    assert (wave["number"], wave["sent"], wave["allow"], wave["ended_at"]) == (1, 40, 100, None)


async def test_a_cancelled_campaign_is_refused_for_ever_and_is_never_a_mere_label(whole, client):
    await make(client)
    await step(client, "schedule")
    await step(client, "cancel")
    for seconds in (0, 3 * 86_400):
        await release(whole, seconds)
        asked = await client.get("/api/v1/readiness", params={"campaign": "spring", "audience": 1})
        assert (asked.status_code, asked.json()["reasons"][0]["code"]) == (429, "campaign_ended")
    assert (await client.get(f"{PATH}/spring")).json()["state"] == "cancelled"


# --- the gate of the open wave ---


async def gate(client, etag=None):
    return await client.get(f"{PATH}/spring/gate", headers={"If-None-Match": etag} if etag else {})


async def code(client):
    response = await gate(client)
    assert response.json()["proceed"] is False
    assert response.json()["must_stop"] is True
    assert int(response.headers["retry-after"]) >= 1
    assert response.headers["cache-control"] == "no-store"
    return response.status_code, response.json()["reasons"][0]["code"]


async def test_an_open_wave_is_a_go_for_what_is_left_of_it(whole, client):
    await make(client)
    await step(client, "schedule")
    await release(whole)
    response = await gate(client)
    body = response.json()
    assert (response.status_code, body["decision"], body["proceed"], body["must_stop"]) == (200, "send", True, False)
    assert (body["allow"], body["wave"], body["campaign_state"]) == (100, 1, "releasing")
    assert response.headers["cache-control"] == "private, max-age=5"
    await client.post(f"/api/v1/permits/{body['permit_id']}/report", json={"sent": 40})
    assert (await gate(client)).json()["allow"] == 60


async def test_a_go_that_still_stands_is_304_and_anything_else_is_told_whole(whole, client):
    await make(client)
    await step(client, "schedule")
    await release(whole)
    first = await gate(client)
    etag = first.headers["etag"]
    await release(whole, 1)
    again = await gate(client, etag)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    await client.post(f"/api/v1/permits/{first.json()['permit_id']}/report", json={"sent": 40})
    assert (await gate(client, etag)).status_code == 200
    await step(client, "pause")
    stopped = await gate(client, etag)
    assert (stopped.status_code, "etag" in stopped.headers) == (429, False)


async def test_without_an_open_wave_the_answer_is_a_hold_that_says_why(whole, client):
    await make(client)
    assert await code(client) == (429, "campaign_not_started")
    await step(client, "schedule")
    assert await code(client) == (429, "campaign_no_open_wave")
    await release(whole)
    permit_id = (await gate(client)).json()["permit_id"]
    await client.post(f"/api/v1/permits/{permit_id}/report", json={"sent": 100})
    assert await code(client) == (429, "campaign_no_open_wave")
    assert int((await gate(client)).headers["retry-after"]) == 60
    await step(client, "pause")
    assert await code(client) == (429, "campaign_paused")
    await step(client, "cancel")
    assert await code(client) == (429, "campaign_ended")


async def test_a_spike_stops_it_at_once_and_after_it_small_waves_are_said_to_be_small(whole, client):
    await make(client)
    await step(client, "schedule")
    await release(whole)
    whole.clock.move(1)
    await whole.slam()
    assert await code(client) == (429, "backlog_high")
    await whole.services.releases.advance()
    await release(whole, 1)
    assert await code(client) == (429, "campaign_no_open_wave")
    assert "the next ones are small" in (await gate(client)).json()["summary"]
    await release(whole, 60)
    assert ((await gate(client)).status_code, (await gate(client)).json()["allow"]) == (200, 10)


async def test_silence_is_503(whole, client):
    await make(client)
    await step(client, "schedule")
    await release(whole)
    await whole.evaluate(130)
    assert await code(client) == (503, "data_stale")


async def test_a_wave_ends_with_its_permit_even_before_anybody_has_noticed(whole, client):
    await make(client)
    await step(client, "schedule")
    await release(whole)
    whole.clock.move(3_600)
    await whole.quiet()
    assert await code(client) == (429, "campaign_no_open_wave")


async def test_asking_has_no_side_effects_and_the_same_answer_is_one_line_of_the_log(whole, client):
    await make(client)
    await step(client, "schedule")
    await release(whole)
    before = (await client.get(f"{PATH}/spring")).json()
    ids = {(await gate(client)).json()["decision_id"] for _ in range(20)}
    assert len(ids) == 1
    assert (await client.get(f"{PATH}/spring")).json() == before
    await whole.services.asks.write()
    reviewed = await whole.services.decisions.get(ids.pop())
    assert (reviewed.row.count, reviewed.row.status, reviewed.row.allow) == (20, 200, 100)
    assert reviewed.replayed is not None
    assert reviewed.replayed.same


async def test_parameters_and_other_methods_are_refused(client):
    await make(client)
    assert await pointers(await client.get(f"{PATH}/spring/gate?audience=5")) == ["/query/audience"]
    assert (await client.post(f"{PATH}/spring/gate")).status_code == 405
    assert (await client.head(f"{PATH}/spring/gate")).content == b""
