"""Signing in: one sentence and the same work for every cause, nothing of what was typed in the log."""

import pytest
from argon2 import PasswordHasher

from app.core.account.tries import FREE_OF_ACCOUNT
from app.core.event import EventType
from app.services.passwords import Passwords
from app.services.sign_ins import NotSignedIn
from app.services.throttle import TooManyTries
from tests.support.signing_in import CHEAP, PASSWORD, House

WRONG = "something else entirely"


@pytest.fixture
async def house() -> House:
    made = House()
    await made.add()
    return made


async def test_who_knows_the_password_is_let_in_however_the_address_is_written(house: House):
    assert await house.sessions.find(await house.sign_in(" ANN@example.com ")) is not None
    assert house.told()[-1] == EventType.SESSION_STARTED
    assert house.people.events[-1].after == {"browser": "Firefox on Linux"}


@pytest.mark.parametrize(
    "who", ["ann@example.com", "nobody@example.com", "disabled@example.com", "", "no address", "\ud800"]
)
async def test_every_refusal_says_and_costs_the_same(house: House, who):
    off = await house.add("disabled@example.com")
    await house.accounts.change(off, off.actor, disabled=True)
    before = house.passwords.compared
    password = PASSWORD if who.startswith("disabled") else WRONG
    with pytest.raises(NotSignedIn) as refused:
        await house.sign_in(who, password)
    assert str(refused.value) == str(NotSignedIn())
    assert house.passwords.compared == before + 1
    assert house.told()[-1] == EventType.SESSION_REFUSED


async def test_the_log_has_nothing_of_what_was_typed(house: House):
    for email in ("ann@example.com", "my password in the wrong field"):
        with pytest.raises(NotSignedIn):
            await house.sign_in(email, WRONG)
    known, unknown = house.people.events[-2:]
    assert known.subject.startswith("user/usr_")
    assert unknown.subject == "user/unknown"
    assert WRONG not in repr([known, unknown])
    assert "wrong field" not in repr(unknown)


async def test_tries_are_slowed_alike_for_accounts_that_are_there_and_that_are_not(house: House):
    for who in ("ann@example.com", "nobody@example.com"):
        for number in range(FREE_OF_ACCOUNT):
            with pytest.raises(NotSignedIn):
                await house.sign_in(who, WRONG, f"192.0.2.{number}")
        compared = house.passwords.compared
        with pytest.raises(TooManyTries, match="wait 1 s"):
            await house.sign_in(who, PASSWORD)
        assert house.passwords.compared == compared
    house.clock.move(1)
    assert await house.sign_in()


async def test_a_link_lets_in_who_was_slowed(house: House):
    for number in range(FREE_OF_ACCOUNT):
        with pytest.raises(NotSignedIn):
            await house.sign_in(password=WRONG, address=f"192.0.2.{number}")
    (ann,) = await house.accounts.all()
    await house.sign_ins.let_in(ann, "Firefox", "by a link")
    assert await house.sign_in()


async def test_asking_again_is_counted_as_signing_in_is(house: House):
    (ann,) = await house.accounts.all()
    await house.sign_ins.confirm(ann, PASSWORD, address="192.0.2.1")
    for _ in range(FREE_OF_ACCOUNT):
        with pytest.raises(NotSignedIn):
            await house.sign_ins.confirm(ann, WRONG, address="192.0.2.1")
    with pytest.raises(TooManyTries):
        await house.sign_ins.confirm(ann, PASSWORD, address="192.0.2.1")


async def test_a_hash_made_at_other_costs_is_made_anew_when_its_owner_signs_in(house: House):
    (ann,) = await house.accounts.all()
    former = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1).hash(PASSWORD)
    await house.people.save_hash(ann.id, str(ann.password_hash), former)
    await house.sign_in()
    renewed = (await house.accounts.find(ann.id)).password_hash
    assert renewed not in (former, None)
    assert not house.passwords.is_outdated(str(renewed))
    assert await house.sign_in()


async def test_a_hash_costs_what_rfc_9106_asks_for_where_memory_is_short():
    assert (await Passwords().hash(PASSWORD)).startswith("$argon2id$v=19$m=65536,t=3,p=4$")


@pytest.mark.parametrize("kept", [None, "", "no hash at all", "$argon2id$v=19$m=8,t=1,p=1$x$y"])
async def test_what_is_no_hash_matches_nothing(kept):
    assert not await Passwords(CHEAP).matches(PASSWORD, kept)


async def test_any_text_can_be_a_password_and_is_compared_exactly(house: House):
    for password in ("spaces at the end  ", "ünïcödé \ud800 pass", "x\x00y and more of it"):
        kept = await house.passwords.hash(password)
        assert await house.passwords.matches(password, kept)
        assert not await house.passwords.matches(password.strip().upper(), kept)
        assert not await house.passwords.matches(password[:-1], kept)
