"""The briefing's page over a whole holdfire: reading it, saying so, writing it, and its pictures."""

import pytest

from app.core.campaign.briefing import Words
from app.core.event import Actor
from tests.integration.api.test_briefings import LETTER
from tests.support.campaigning import announce
from tests.support.people import signed_in
from tests.support.pictures import an_image
from tests.support.server import a_server
from tests.support.visits import a_visitor
from tests.support.whole import a_whole

PAGE = "/campaigns/spring/briefing"
EDIT, READ, IMAGES = f"{PAGE}/edit", f"{PAGE}/acknowledgements", f"{PAGE}/images"
DANA = {"by": "orders-voice", "name": "Dana Reyes", "version": "1"}
WORDS = Words("20 % off", "everybody", acknowledge_by=("orders-voice", "retention team"))
KIM = Actor("key_kim", "Kim")
TYPED = {
    "version": "0",
    "offer": "20 % off\r\nuntil Sunday",
    "recipients": "everybody",
    "question-0": "On sale items?",
    "answer-0": "Yes.",
    "question-2": "No code?",
    "answer-2": "Give SPRING20.",
    "link-1": "The offer",
    "address-1": "https://shop.example/spring",
    "acknowledge_by": "orders-voice\r\n\r\n retention team ",
}


@pytest.fixture
async def whole(tmp_path):
    async with a_whole(tmp_path, auth="off") as opened:
        await opened.policy(briefing="required")
        await announce(opened)
        yield opened


@pytest.fixture
async def visitor(whole):
    async with a_visitor(whole) as opened:
        yield opened


async def written(whole, words: Words = WORDS, expected: int = 0):
    return (await whole.services.briefings.save("spring", words, KIM, expected=expected)).briefing


# --- reading ---


async def test_who_has_read_it_says_so_and_the_gate_hears_of_it(whole, visitor):
    await written(whole)
    said = await visitor.post(READ, data=DANA)
    assert (said.status_code, said.headers["location"]) == (303, f"{PAGE}?read=orders-voice#read-by")
    page = (await visitor.get(said.headers["location"])).text
    assert "orders-voice has read version 1. Thank you." in page
    assert "Still to be read by retention team." in page
    assert '<option value="orders-voice"' not in page
    facts = whole.services.campaigns.facts(whole.clock.now())["spring"]
    assert facts.missing_acknowledgements == ("retention team",)
    (newest, *_) = await whole.services.events.page(limit=1)
    assert newest.event.type == "briefing.acknowledged"
    assert newest.event.after["name"] == "Dana Reyes"
    await visitor.post(READ, data=DANA | {"by": "retention team"})
    assert "I have read version" not in (await visitor.get(PAGE)).text


async def test_only_the_version_that_was_seen_can_be_acknowledged(whole, visitor):
    await written(whole)
    await written(whole, Words("30 % off", "everybody", acknowledge_by=("orders-voice",)), expected=1)
    refused = await visitor.post(READ, data=DANA)
    assert refused.status_code == 412
    assert "The briefing has changed since you opened it. This is version 2" in refused.text
    assert 'value="Dana Reyes"' in refused.text
    assert (await whole.services.briefings.of("spring")).acknowledgements == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"by": "nobody"}, "is not asked to acknowledge this briefing"), ({"name": ""}, "The name is empty")],
)
async def test_what_is_wrong_stands_at_its_field(whole, visitor, changes, said):
    await written(whole)
    refused = await visitor.post(READ, data=DANA | changes)
    assert (refused.status_code, said in refused.text) == (422, True)


async def test_where_nobody_is_named_any_queue_or_team_will_do(whole, visitor):
    await written(whole, Words("20 % off", "everybody"))
    assert '<datalist id="queues"><option value="orders-voice">' in (await visitor.get(PAGE)).text
    assert (await visitor.post(READ, data=DANA | {"by": "night shift"})).status_code == 303
    assert (await whole.services.briefings.of("spring")).missing == ()


async def test_who_may_only_read_acknowledges_under_their_own_name_and_writes_nothing(tmp_path):
    with a_server(tmp_path, auth="on") as server, signed_in(server, "marketer") as kim:
        made = kim.post(
            "/campaigns/-/new", data={"title": "Spring", "id": "spring", "audience": "1000", "gate": "default"}
        )
        assert made.status_code == 303, made.text
        assert kim.post(EDIT, data=TYPED).status_code == 303
        with signed_in(server, "viewer") as dana:
            page = dana.get(PAGE).text
            assert "Change the briefing" not in page
            assert 'name="name"' not in page
            assert dana.post(EDIT, data=TYPED | {"version": "1"}).status_code == 403
            assert dana.post("/calendar/move/spring", data={"start": "2031-01-01T10:00"}).status_code == 403
            assert dana.post("/calendar/feed", data={"name": "Mine"}).status_code == 403
            assert dana.post(READ, data=DANA | {"name": "Somebody else"}).status_code == 303
            read = dana.get(PAGE).text
    assert "orders-voice has read" not in read
    assert "Somebody else" not in read
    assert "<td>viewer" in read


# --- writing ---


async def test_what_is_typed_becomes_the_briefing(whole, visitor):
    assert "Nobody has written a briefing" in (await visitor.get(PAGE)).text
    saved = await visitor.post(EDIT, data=TYPED)
    assert (saved.status_code, saved.headers["location"]) == (303, PAGE)
    briefing = await whole.services.briefings.of("spring")
    assert (briefing.offer, briefing.version, briefing.author) == ("20 % off\nuntil Sunday", 1, "anonymous")
    assert [(each.question, each.answer) for each in briefing.questions] == [
        ("On sale items?", "Yes."),
        ("No code?", "Give SPRING20."),
    ]
    assert [each.url for each in briefing.links] == ["https://shop.example/spring"]
    assert briefing.acknowledge_by == ("orders-voice", "retention team")
    form = (await visitor.get(EDIT)).text
    assert ">Give SPRING20.</textarea>" in form
    assert 'name="version" value="1"' in form


async def test_faults_stand_at_the_rows_in_which_they_were_typed_and_nothing_is_lost(whole, visitor):
    refused = await visitor.post(EDIT, data=TYPED | {"answer-2": "", "address-1": "shop.example", "offer": ""})
    assert refused.status_code == 422
    for field in ("answer-2", "address-1", "offer"):
        assert f'id="{field}-fault"' in refused.text
    assert ">No code?</textarea>" in refused.text
    assert await whole.services.briefings.find("spring") is None


async def test_more_rows_save_nothing(whole, visitor):
    page = await visitor.post(EDIT, data=TYPED | {"more": "yes"})
    assert (page.status_code, 'id="question-5"' in page.text) == (200, True)
    assert await whole.services.briefings.find("spring") is None


async def test_who_was_slower_keeps_what_they_typed_and_saves_over_what_they_saw(whole, visitor):
    await written(whole)
    refused = await visitor.post(EDIT, data=TYPED)
    assert refused.status_code == 412
    assert "Somebody saved version 1 meanwhile." in refused.text
    assert ">Give SPRING20.</textarea>" in refused.text
    assert 'name="version" value="1"' in refused.text
    assert (await whole.services.briefings.of("spring")).offer == "20 % off"
    assert (await visitor.post(EDIT, data=TYPED | {"version": "1"})).status_code == 303
    assert (await whole.services.briefings.of("spring")).version == 2


async def test_a_fault_does_not_make_who_was_slower_overwrite_what_they_never_saw(whole, visitor):
    await written(whole)
    refused = await visitor.post(EDIT, data=TYPED | {"recipients": ""})
    assert (refused.status_code, 'name="version" value="0"' in refused.text) == (422, True)
    assert (await visitor.post(EDIT, data=TYPED)).status_code == 412


# --- pictures ---


async def test_a_picture_is_added_with_its_words_and_taken_away_in_two_steps(whole, visitor):
    await written(whole)
    file = {"file": ("letter.png", an_image(), "image/png")}
    added = await visitor.post(IMAGES, data={"alt": LETTER["alt"]}, files=file)
    assert (added.status_code, added.headers["location"]) == (303, f"{EDIT}#images")
    (image,) = (await whole.services.briefings.of("spring")).images
    assert (image.alt, image.name) == (LETTER["alt"], "letter.png")
    sure = await visitor.get(EDIT, params={"remove": image.id})
    assert "Take this picture away?" in sure.text
    for _ in range(2):
        assert (await visitor.post(f"{IMAGES}/{image.id}/remove")).status_code == 303
    assert (await whole.services.briefings.of("spring")).images == ()


@pytest.mark.parametrize(
    ("alt", "content", "field"),
    [("", an_image(), "alt"), ("A letter", b"no picture", "file"), ("A letter", b"", "file")],
)
async def test_a_picture_that_is_none_or_says_nothing_is_refused(whole, visitor, alt, content, field):
    await written(whole)
    refused = await visitor.post(IMAGES, data={"alt": alt}, files={"file": ("letter.png", content, "image/png")})
    assert refused.status_code == 422
    assert f'id="{field}-fault"' in refused.text
    assert (await whole.services.briefings.of("spring")).images == ()


async def test_a_campaign_that_is_not_there_has_no_briefing_to_write(visitor):
    for path in (PAGE, EDIT):
        assert (await visitor.get(path.replace("spring", "autumn"))).status_code == 404
    for path in (EDIT, READ, IMAGES, f"{IMAGES}/img_1/remove"):
        assert (await visitor.post(path.replace("spring", "autumn"), data=DANA)).status_code == 404
