"""Sessions of browsers: as good as their key, as long as their time, and gone at sign-out."""

from datetime import UTC, datetime

import pytest

from app.services.keys import Keys
from app.services.sessions import PLAIN_COOKIE, SECURE_COOKIE, Sessions, cookie_in
from app.web.visitors import local_path
from tests.support.memory import MemoryKeyStore, MemorySessions, SteppedClock

HOUR = 3600


class World:
    def __init__(self) -> None:
        self.clock = SteppedClock(datetime(2026, 11, 21, 15, tzinfo=UTC))
        self.keys = Keys(MemoryKeyStore(), self.clock)
        self.store = MemorySessions()
        self.sessions = Sessions(self.store, self.keys, self.clock, hours=12)

    async def signed_in(self, *scopes: str):
        key, token = await self.keys.create("board", scopes or ("read",))
        begun = await self.sessions.begin(token)
        assert begun is not None
        return key, begun[0], begun[1]


@pytest.fixture
def world() -> World:
    return World()


async def test_a_key_that_may_read_signs_in_and_its_cookie_is_found_again(world: World):
    key, identity, cookie = await world.signed_in("read")
    found = await world.sessions.find(cookie)
    assert found is not None
    assert found == identity
    assert found.key.id == key.id
    assert len(cookie) >= 43  # 256 bits


async def test_only_the_hash_of_the_id_is_stored(world: World):
    _, identity, cookie = await world.signed_in()
    assert identity.session is not None
    assert cookie.encode() not in identity.session.id_sha256
    assert len(identity.session.id_sha256) == 32


@pytest.mark.parametrize("scope", ["ingest", "readiness", "policies"])
async def test_a_key_that_may_not_read_cannot_sign_in(world: World, scope):
    _, token = await world.keys.create("sender", (scope,))
    assert await world.sessions.begin(token) is None


@pytest.mark.parametrize("token", ["", "hf_live_x", "hf_live_aaaaaaaa_" + "a" * 46])
async def test_nonsense_cannot_sign_in(world: World, token):
    assert await world.sessions.begin(token) is None


async def test_a_session_ends_when_its_time_is_over(world: World):
    _, identity, cookie = await world.signed_in()
    world.clock.move(12 * HOUR - 1)
    assert world.sessions.holds(identity)
    world.clock.move(1)
    assert await world.sessions.find(cookie) is None
    assert not world.sessions.holds(identity)


async def test_signing_out_ends_the_session_and_what_hangs_on_it(world: World):
    _, identity, cookie = await world.signed_in()
    await world.sessions.end(cookie)
    assert await world.sessions.find(cookie) is None
    assert not world.sessions.holds(identity)


async def test_revoking_the_key_ends_all_its_sessions(world: World):
    key, identity, cookie = await world.signed_in()
    await world.keys.revoke(key.id)
    assert await world.sessions.find(cookie) is None
    assert not world.sessions.holds(identity)


async def test_a_session_ended_elsewhere_is_noticed_by_asking_the_store(world: World):
    _, identity, _ = await world.signed_in()
    assert await world.sessions.confirm(identity)
    assert identity.session is not None
    await world.store.delete_session(identity.session.id_sha256)
    assert world.sessions.holds(identity)
    assert not await world.sessions.confirm(identity)


async def test_sessions_that_are_over_are_cleared_away_at_the_next_sign_in(world: World):
    _, identity, _ = await world.signed_in()
    world.clock.move(13 * HOUR)
    await world.signed_in()
    assert identity.session is not None
    assert await world.store.session(identity.session.id_sha256) is None


def test_the_cookie_for_https_goes_before_the_plain_one():
    assert cookie_in({PLAIN_COOKIE: "plain", SECURE_COOKIE: "secure"}) == "secure"
    assert cookie_in({PLAIN_COOKIE: "plain"}) == "plain"
    assert cookie_in({"other": "x"}) is None


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "\\\\x", "", "x", "/a\nb"]
)
def test_signing_in_leads_nowhere_else(target):
    assert local_path(target) == "/"


def test_signing_in_leads_back_to_the_page_asked_for():
    assert local_path("/?gate=emea&range=6h") == "/?gate=emea&range=6h"
