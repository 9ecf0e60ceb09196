"""Sessions of browsers: as long as their time, while they are used, and gone with their sockets once they are ended."""

import asyncio
from dataclasses import replace

import pytest

from app.core.event import EventType
from app.ports.sessions import Session
from app.services.sessions import PLAIN_COOKIE, SECURE_COOKIE, cookie_in
from tests.support.signing_in import HOUR, House


@pytest.fixture
async def house() -> House:
    made = House()
    await made.add()
    return made


async def session_of(house: House, cookie: str) -> Session:
    found = await house.sessions.find(cookie)
    assert found is not None
    return found.session


async def test_a_cookie_is_found_again_with_whose_it_is(house: House):
    found = await house.sessions.find(await house.sign_in())
    assert found is not None
    assert (found.user.email, found.session.browser) == ("ann@example.com", "Firefox on Linux")
    assert await house.sessions.find("nonsense") is None


async def test_the_id_has_256_bits_and_only_its_hash_is_stored(house: House):
    cookie = await house.sign_in()
    assert len(cookie) >= 43
    (stored,) = house.people.open
    assert len(stored) == 32
    assert cookie.encode() not in stored


async def test_a_session_ends_after_its_hours_however_much_it_is_used(house: House):
    cookie = await house.sign_in()
    for _ in range(4):
        house.clock.move(3 * HOUR - 1)
        assert await house.sessions.find(cookie) is not None
    house.clock.move(4)
    assert await house.sessions.find(cookie) is None


async def test_a_session_that_nothing_uses_ends_before_that(house: House):
    cookie = await house.sign_in()
    house.clock.move(4 * HOUR)
    assert await house.sessions.find(cookie) is not None
    house.clock.move(4 * HOUR + 1)
    assert await house.sessions.find(cookie) is None


async def test_use_is_written_down_so_that_another_process_knows(house: House):
    cookie = await house.sign_in()
    house.clock.move(HOUR)
    session = await session_of(house, cookie)
    await house.sessions.look()
    assert house.people.open[session.id_sha256].seen_at == house.clock.now()


async def test_an_open_page_is_use(house: House):
    cookie = await house.sign_in()
    over = asyncio.Event()
    with house.sessions.watching(await session_of(house, cookie), over.set):
        for _ in range(5):
            house.clock.move(2 * HOUR)
            await house.sessions.look()
        assert not over.is_set()
        house.clock.move(2 * HOUR)
        await house.sessions.look()
        assert over.is_set()


async def test_signing_out_ends_the_session_and_what_is_open(house: House):
    cookie = await house.sign_in()
    over = asyncio.Event()
    with house.sessions.watching(await session_of(house, cookie), over.set):
        await house.sessions.end(cookie, "signed out")
        assert over.is_set()
    assert await house.sessions.find(cookie) is None
    assert house.told()[-1] == EventType.SESSION_ENDED
    await house.sessions.end(cookie, "signed out")
    assert house.told().count(EventType.SESSION_ENDED) == 1


async def test_signing_in_again_makes_the_cookie_that_was_there_worthless(house: House):
    first = await house.sign_in()
    over = asyncio.Event()
    with house.sessions.watching(await session_of(house, first), over.set):
        _, second = await house.sign_ins.sign_in(
            "ann@example.com", "four words in a row", address="", browser="", replaces=first
        )
        assert over.is_set()
    assert second != first
    assert await house.sessions.find(first) is None
    assert await house.sessions.find(second) is not None


async def test_one_of_somebodys_sessions_is_ended_by_its_name_and_nobody_elses(house: House):
    await house.add("bob@example.com", name="Bob")
    own, other, his = await house.sign_in(), await house.sign_in(), await house.sign_in("bob@example.com")
    ann, bob = await house.sessions.find(own), await house.sessions.find(his)
    assert ann is not None
    assert bob is not None
    await house.sessions.end_one(ann.user, bob.session.name, ann.user.actor)
    assert await house.sessions.find(his) is not None
    await house.sessions.end_one(ann.user, (await session_of(house, other)).name, ann.user.actor)
    assert await house.sessions.find(other) is None
    assert await house.sessions.find(own) is not None


async def test_all_others_are_ended_at_once(house: House):
    cookies = [await house.sign_in() for _ in range(3)]
    found = await house.sessions.find(cookies[0])
    assert found is not None
    assert await house.sessions.end_others(found, "ended") == 2
    assert [await house.sessions.find(cookie) is not None for cookie in cookies] == [True, False, False]


async def test_what_another_process_ended_is_noticed_within_seconds(house: House):
    cookie = await house.sign_in()
    session = await session_of(house, cookie)
    over = asyncio.Event()
    with house.sessions.watching(session, over.set):
        await house.sessions.look()
        assert not over.is_set()
        del house.people.open[session.id_sha256]
        await house.sessions.look()
        assert over.is_set()


async def test_who_was_disabled_by_another_process_watches_no_more(house: House):
    cookie = await house.sign_in()
    found = await house.sessions.find(cookie)
    assert found is not None
    over = asyncio.Event()
    with house.sessions.watching(found.session, over.set):
        house.people.kept[found.user.id] = replace(found.user, disabled_at=house.clock.now())
        assert await house.sessions.find(cookie) is None
        await house.sessions.look()
        assert over.is_set()


async def test_sessions_that_are_over_are_cleared_away(house: House):
    await house.sign_in()
    house.clock.move(5 * HOUR)
    await house.sessions.look()
    assert house.people.open == {}


async def test_the_token_of_forms_follows_from_the_session_and_gives_nothing_away(house: House):
    first, second = await house.sign_in(), await house.sign_in()
    token = house.sessions.form_token(first)
    assert token != house.sessions.form_token(first)
    assert first not in token
    assert house.sessions.is_form_token(first, token)
    assert House().sessions.is_form_token(first, token)
    assert not house.sessions.is_form_token(second, token)
    assert not house.sessions.is_form_token(None, token)


async def test_forms_of_who_is_not_signed_in_are_good_in_every_replica(house: House):
    other = House()
    other.people.secret = house.people.secret = b"s" * 32
    assert not other.sessions.is_form_token(None, house.sessions.form_token(None))
    await house.sessions.load()
    await other.sessions.load()
    assert other.sessions.is_form_token(None, house.sessions.form_token(None))


@pytest.mark.parametrize("text", ["", "x", "\u00e9", "A" * 85, "A" * 86, "=" * 86, "*" * 86, "A" * 200])
def test_any_other_text_is_no_token_of_a_form(text):
    sessions = House().sessions
    assert not sessions.is_form_token(None, text)
    assert sessions.is_form_token(None, sessions.form_token(None))
    assert not House().sessions.is_form_token(None, sessions.form_token(None))


def test_the_cookie_that_needs_tls_comes_first_and_is_the_only_one_that_counts_there():
    both = {PLAIN_COOKIE: "plain", SECURE_COOKIE: "secure"}
    assert cookie_in(both) == "secure"
    assert cookie_in({PLAIN_COOKIE: "plain"}) == "plain"
    assert cookie_in({PLAIN_COOKIE: "plain"}, secure=True) is None
    assert cookie_in({}) is None
