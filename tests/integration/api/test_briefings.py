import pytest
from sqlalchemy import select

from app.api.briefings import BriefingShape, CampaignAcknowledgements, ImageShape
from app.store.event_tables import EVENTS
from tests.support.campaigning import BRIEFING, READ, announce, draft, schedule
from tests.support.pictures import an_image, opened
from tests.support.whole import Whole, a_whole

PATH = "/api/v1/campaigns/spring/briefing"
IMAGES, ACKNOWLEDGEMENTS = f"{PATH}/images", f"{PATH}/acknowledgements"
LETTER = {"name": "letter.png", "alt": "The letter with a green button"}
PNG = {"Content-Type": "image/png"}


@pytest.fixture
async def whole(tmp_path):
    async with a_whole(tmp_path) as opened_whole:
        await draft(opened_whole)
        yield opened_whole


@pytest.fixture
async def client(whole):
    async with whole.client("campaigns", "read") as opened_client:
        yield opened_client


@pytest.fixture
async def briefed(client):
    (await client.put(PATH, json=BRIEFING)).raise_for_status()
    return client


async def events(whole: Whole) -> list[tuple[str, str, str]]:
    query = select(EVENTS.c.type, EVENTS.c.actor_name, EVENTS.c.gate)
    query = query.where(EVENTS.c.type.startswith("briefing."), EVENTS.c.campaign == "spring").order_by(EVENTS.c.seq)
    return [tuple(row) for row in await whole.store.database.read(lambda connection: connection.execute(query).all())]


def pointers(answer) -> list[str]:
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return [error["pointer"] for error in answer.json()["errors"]]


async def test_a_briefing_is_written_read_and_shown_with_who_is_missing(whole, client):
    assert (await client.get(PATH)).status_code == 404
    saved = await client.put(PATH, json=BRIEFING)
    assert (saved.status_code, saved.headers["etag"]) == (200, '"1"')
    read = await client.get(PATH)
    assert read.json() == saved.json()
    BriefingShape.model_validate(read.json())
    assert {name: read.json()[name] for name in BRIEFING} == BRIEFING
    assert (read.json()["version"], read.json()["author"]) == (1, "key for campaigns, read")
    assert read.json()["missing"] == BRIEFING["acknowledge_by"]
    assert read.json()["is_acknowledged"] is False
    assert await events(whole) == [("briefing.saved", "key for campaigns, read", "default")]


async def test_lines_end_alike_whoever_writes_them(client):
    saved = await client.put(PATH, json=BRIEFING | {"offer": "20 % off\r\nuntil Sunday"})
    assert saved.json()["offer"] == "20 % off\nuntil Sunday"


async def test_nobody_replaces_what_they_have_not_read(briefed):
    changed = BRIEFING | {"offer": "25 % off"}
    assert (await briefed.put(PATH, json=changed)).status_code == 428
    for tag in ('"2"', '"0"', "nonsense"):
        assert (await briefed.put(PATH, json=changed, headers={"If-Match": tag})).status_code == 412
    assert (await briefed.get(PATH)).json()["version"] == 1
    saved = await briefed.put(PATH, json=changed, headers={"If-Match": '"1"'})
    assert (saved.status_code, saved.json()["version"], saved.headers["etag"]) == (200, 2, '"2"')


async def test_the_first_one_needs_no_etag_and_cannot_pretend_to_one(client):
    assert (await client.put(PATH, json=BRIEFING, headers={"If-Match": '"1"'})).status_code == 412


async def test_the_same_words_again_are_no_new_version_and_no_event(whole, briefed):
    again = await briefed.put(PATH, json=BRIEFING, headers={"If-Match": '"1"'})
    assert (again.status_code, again.json()["version"]) == (200, 1)
    assert len(await events(whole)) == 1


async def test_every_fault_of_a_briefing_is_named_with_its_place_and_nothing_is_kept(client):
    bad = {
        "offer": " ",
        "recipients": "a\u0000b",
        "questions": [{"question": "Why?", "answer": "Because."}, {"question": "Why?", "answer": "\n"}],
        "links": [{"title": "x", "url": "javascript:alert(1)"}],
        "acknowledge_by": ["night", "night"],
    }
    assert pointers(await client.put(PATH, json=bad)) == [
        *("/offer", "/recipients", "/questions/1/answer", "/links/0/url", "/acknowledge_by/1")
    ]
    assert pointers(await client.put(PATH, json={"offer": 1, "surprise": 2})) == ["/offer", "/recipients", "/surprise"]
    assert pointers(await client.put(PATH, json=BRIEFING | {"links": [{"title": "x"}]})) == ["/links/0/url"]
    assert (await client.get(PATH)).status_code == 404


async def test_an_unknown_campaign_is_404_everywhere(client):
    other = PATH.replace("spring", "autumn")
    for answer in (
        await client.get(other),
        await client.put(other, json=BRIEFING),
        await client.get(f"{other}/acknowledgements"),
        await client.post(f"{other}/acknowledgements", json=READ),
        await client.post(f"{other}/images", params=LETTER, content=an_image(), headers=PNG),
        await client.get(f"{other}/images/img_1"),
        await client.delete(f"{other}/images/img_1"),
    ):
        assert answer.status_code == 404, answer.url


async def test_an_image_is_kept_and_given_back_so_that_nothing_in_it_can_run(whole, briefed):
    added = await briefed.post(IMAGES, params=LETTER, content=an_image(), headers=PNG)
    assert added.status_code == 201
    assert (added.json()["name"], added.json()["media_type"], added.json()["width"]) == ("letter.png", "image/png", 60)
    got = await briefed.get(added.headers["location"])
    assert (got.status_code, got.headers["content-type"]) == (200, "image/png")
    assert len(got.content) == added.json()["size"]
    assert opened(got.content).size == (60, 40)
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert got.headers["content-disposition"].startswith('inline; filename="letter.png"')
    assert got.headers["cache-control"].startswith("private")
    ImageShape.model_validate(added.json())
    again = await briefed.get(added.headers["location"], headers={"If-None-Match": got.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    whole_briefing = (await briefed.get(PATH)).json()
    assert (whole_briefing["version"], whole_briefing["images"]) == (1, [added.json()])
    assert [kind for kind, _, _ in await events(whole)] == ["briefing.saved", "briefing.image_added"]


async def test_the_same_image_sent_again_is_kept_once_and_under_another_name_it_is_a_conflict(whole, briefed):
    first = await briefed.post(IMAGES, params=LETTER, content=an_image(), headers=PNG)
    again = await briefed.post(IMAGES, params=LETTER, content=an_image(), headers=PNG)
    assert (again.status_code, again.json()) == (200, first.json())
    other = await briefed.post(IMAGES, params=LETTER | {"name": "b.png"}, content=an_image(), headers=PNG)
    assert other.status_code == 409
    assert len(await events(whole)) == 2


async def test_the_type_is_what_the_bytes_are_whatever_was_said(briefed):
    added = await briefed.post(IMAGES, params=LETTER, content=an_image("JPEG"), headers=PNG)
    assert (added.json()["media_type"], added.json()["name"]) == ("image/jpeg", "letter.png.jpg")
    got = await briefed.get(added.headers["location"])
    assert got.headers["content-type"] == "image/jpeg"


async def test_what_is_no_image_is_refused_with_what_it_is(briefed):
    for content, said in [
        (b"<!doctype html><script>alert(1)</script>", "HTML"),
        (b"", "empty"),
        (an_image()[:300], "cut off"),
        (b"\x89PNG\r\n\x1a\n<script>", "begins like an image"),
    ]:
        answer = await briefed.post(IMAGES, params=LETTER, content=content, headers=PNG)
        assert pointers(answer) == [""]
        assert said in answer.json()["errors"][0]["detail"]
    assert (await briefed.get(PATH)).json()["images"] == []


async def test_another_form_is_415_and_names_those_there_are(briefed):
    for media_type in ("text/html", "image/svg+xml", "image/gif", "application/octet-stream", ""):
        answer = await briefed.post(IMAGES, params=LETTER, content=an_image(), headers={"Content-Type": media_type})
        assert answer.status_code == 415
        assert "image/webp" in answer.json()["detail"]


async def test_images_may_be_larger_than_other_bodies_and_not_larger_than_two_mebibytes(briefed):
    noise = an_image("PNG") + b"\x00" * (2**21 - 3000)
    assert 2**20 < len(noise) <= 2**21
    assert (await briefed.post(IMAGES, params=LETTER, content=noise, headers=PNG)).status_code == 201
    for sent in (b"\x00" * (2**21 + 1), chunks(2**21 + 1)):
        answer = await briefed.post(IMAGES, params=LETTER, content=sent, headers=PNG)
        assert answer.status_code == 413
        assert "2,097,152" in answer.json()["detail"]
    assert (await briefed.put(PATH, content=b" " * (2**20 + 1), headers=PNG)).status_code == 413


async def chunks(size):
    while size > 0:
        yield b"\x00" * min(size, 65_536)
        size -= 65_536


async def test_names_and_texts_of_images_are_checked(briefed):
    answer = await briefed.post(IMAGES, params={"name": "../a.png", "alt": " "}, content=an_image(), headers=PNG)
    assert pointers(answer) == ["/query/name", "/query/alt"]
    answer = await briefed.post(IMAGES, params={"name": "a.png"}, content=an_image(), headers=PNG)
    assert pointers(answer) == ["/query/alt"]


async def test_there_are_at_most_ten_images(briefed):
    for number in range(10):
        content = an_image(size=(20 + number, 20))
        assert (await briefed.post(IMAGES, params=LETTER, content=content, headers=PNG)).status_code == 201
    answer = await briefed.post(IMAGES, params=LETTER, content=an_image(size=(50, 50)), headers=PNG)
    assert answer.status_code == 409
    assert "10 are allowed" in answer.json()["detail"]
    image_id = (await briefed.get(PATH)).json()["images"][0]["id"]
    assert (await briefed.delete(f"{IMAGES}/{image_id}")).status_code == 204
    assert (await briefed.get(f"{IMAGES}/{image_id}")).status_code == 404
    assert (await briefed.delete(f"{IMAGES}/{image_id}")).status_code == 404


async def test_there_is_no_image_without_a_briefing(client):
    answer = await client.post(IMAGES, params=LETTER, content=an_image(), headers=PNG)
    assert (answer.status_code, "write it first" in answer.json()["detail"]) == (404, True)


async def test_acknowledging_counts_once_per_queue_or_team_and_version(whole, briefed):
    first = await briefed.post(ACKNOWLEDGEMENTS, json=READ)
    assert (first.status_code, first.json()["missing"]) == (201, ["retention team"])
    whole.clock.move(60)
    again = await briefed.post(ACKNOWLEDGEMENTS, json=READ | {"name": "Somebody else"})
    assert (again.status_code, again.json()) == (200, first.json())
    last = await briefed.post(ACKNOWLEDGEMENTS, json={"by": "retention team", "name": "Lee", "version": 1})
    assert (last.json()["is_acknowledged"], last.json()["missing"]) == (True, [])
    assert [given["by"] for given in last.json()["acknowledgements"]] == ["retention team", "orders-voice"]
    assert (await briefed.get(ACKNOWLEDGEMENTS)).json() == last.json()
    CampaignAcknowledgements.model_validate(last.json())
    kinds = [kind for kind, _, _ in await events(whole)]
    assert kinds == ["briefing.saved", "briefing.acknowledged", "briefing.acknowledged"]


async def test_new_words_have_to_be_acknowledged_anew_and_the_old_acknowledgement_stays_in_sight(briefed):
    await briefed.post(ACKNOWLEDGEMENTS, json=READ)
    await briefed.put(PATH, json=BRIEFING | {"offer": "25 % off"}, headers={"If-Match": '"1"'})
    shown = (await briefed.get(ACKNOWLEDGEMENTS)).json()
    assert shown["missing"] == BRIEFING["acknowledge_by"]
    assert [(given["version"], given["counts"]) for given in shown["acknowledgements"]] == [(1, False)]
    late = await briefed.post(ACKNOWLEDGEMENTS, json=READ | {"version": 1})
    assert pointers(late) == ["/version"]
    assert (await briefed.post(ACKNOWLEDGEMENTS, json=READ | {"version": 2})).status_code == 201


async def test_who_is_not_asked_cannot_acknowledge_and_is_told_who_can(briefed):
    answer = await briefed.post(ACKNOWLEDGEMENTS, json={"by": "sales", "name": "Dana"})
    assert pointers(answer) == ["/by"]
    assert "orders-voice, retention team" in answer.json()["errors"][0]["detail"]
    assert pointers(await briefed.post(ACKNOWLEDGEMENTS, json={"by": "", "name": ""})) == ["/by", "/name", "/by"]


async def test_where_nobody_is_named_the_crowd_is_bounded(client, monkeypatch):
    monkeypatch.setattr("app.services.briefings.MOST_ACKNOWLEDGEMENTS", 2)
    await client.put(PATH, json=BRIEFING | {"acknowledge_by": []})
    for by in ("a", "b"):
        assert (await client.post(ACKNOWLEDGEMENTS, json={"by": by, "name": "x"})).status_code == 201
    assert (await client.post(ACKNOWLEDGEMENTS, json={"by": "c", "name": "x"})).status_code == 409


async def test_reading_is_not_enough_to_acknowledge(whole, briefed):
    async with whole.client("read") as reader:
        assert (await reader.get(PATH)).status_code == 200
        assert (await reader.post(ACKNOWLEDGEMENTS, json=READ)).status_code == 403
        assert (await reader.put(PATH, json=BRIEFING)).status_code == 403
    assert (await briefed.get(PATH)).json()["missing"] == BRIEFING["acknowledge_by"]


async def test_an_event_has_the_words_before_and_after(whole, briefed):
    await briefed.put(PATH, json=BRIEFING | {"offer": "25 % off"}, headers={"If-Match": '"1"'})
    query = select(EVENTS.c.before, EVENTS.c.after).where(EVENTS.c.type == "briefing.saved").order_by(EVENTS.c.seq)
    (_, first), (before, after) = await whole.store.database.read(lambda connection: connection.execute(query).all())
    assert before == first
    assert "25 % off" in after


async def codes(whole: Whole) -> tuple[int, set[str]]:
    """What somebody with 1,000 mails of the campaign is told now, the floor being quiet."""
    await whole.quiet()
    asked = {"gate": "default", "audience": "1000", "campaign": "spring"}
    async with whole.client("readiness") as caller:
        answer = await caller.get("/api/v1/readiness", params=asked)
    return answer.status_code, {reason["code"] for reason in answer.json()["reasons"]}


async def test_readiness_follows_notice_and_briefing_within_one_evaluation(whole, briefed):
    await whole.policy(notice_minutes=240, briefing="required")
    await schedule(whole)
    assert await codes(whole) == (429, {"notice_too_short", "briefing_not_acknowledged"})
    for by in BRIEFING["acknowledge_by"]:
        assert (await briefed.post(ACKNOWLEDGEMENTS, json={"by": by, "name": "x"})).status_code == 201
    assert await codes(whole) == (429, {"notice_too_short"})
    whole.clock.move(240 * 60 - 1)
    assert await codes(whole) == (429, {"notice_too_short"})
    whole.clock.move(1)
    assert await codes(whole) == (200, set())
    changed = await briefed.put(PATH, json=BRIEFING | {"offer": "25 % off"}, headers={"If-Match": '"1"'})
    assert changed.status_code == 200
    assert await codes(whole) == (429, {"briefing_not_acknowledged"})


async def test_a_campaign_without_any_briefing_is_held_where_one_is_required(whole, client):
    await whole.policy(briefing="required")
    await schedule(whole)
    assert await codes(whole) == (429, {"briefing_not_acknowledged"})
    await client.put(PATH, json=BRIEFING | {"acknowledge_by": []})
    assert await codes(whole) == (429, {"briefing_not_acknowledged"})
    await client.post(ACKNOWLEDGEMENTS, json=READ)
    assert await codes(whole) == (200, set())


async def test_after_a_restart_the_same_acknowledgements_count(tmp_path):
    async with a_whole(tmp_path) as before:
        await announce(before)
        await before.policy(briefing="required")
        async with before.client("campaigns") as client:
            await client.put(PATH, json=BRIEFING | {"acknowledge_by": ["orders-voice"]})
            assert await codes(before) == (429, {"briefing_not_acknowledged"})
            await client.post(ACKNOWLEDGEMENTS, json=READ)
            assert await codes(before) == (200, set())
    async with a_whole(tmp_path) as after:
        await after.policy(briefing="required")
        assert await codes(after) == (200, set())
