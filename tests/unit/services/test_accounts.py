"""People: who may come in by which link, and that less than before takes effect everywhere at once."""

import asyncio

import pytest

from app.core.access import Role
from app.core.account.invitation import GOOD_FOR, Purpose
from app.core.event import HOLDFIRE, EventType
from app.errors import Conflict, Invalid, NotFound
from tests.support.signing_in import PASSWORD, House

BY = HOLDFIRE
NEW = "quite another sentence"


@pytest.fixture
def house() -> House:
    return House()


async def test_the_setup_link_makes_the_first_admin_once(house: House):
    token = await house.invitations.set_up()
    assert token is not None
    link = await house.invitations.find(Purpose.SETUP, token)
    made = await house.accounts.admit(link, "Boss@Example.com", " The Boss ", PASSWORD)
    assert (made.email, made.name, made.role) == ("boss@example.com", "The Boss", Role.ADMIN)
    with pytest.raises(NotFound):
        await house.invitations.find(Purpose.SETUP, token)
    with pytest.raises(NotFound):
        await house.accounts.admit(link, "eve@example.com", "Eve", PASSWORD)
    assert await house.invitations.set_up() is None


async def test_a_new_setup_link_makes_the_one_before_void(house: House):
    first, second = await house.invitations.set_up(), await house.invitations.set_up()
    assert first is not None
    assert second is not None
    with pytest.raises(NotFound):
        await house.invitations.find(Purpose.SETUP, first)
    assert await house.invitations.find(Purpose.SETUP, second)


async def test_the_setup_link_is_void_once_somebody_is_there_another_way(house: House):
    token = await house.invitations.set_up()
    assert token is not None
    await house.add()
    with pytest.raises(NotFound):
        await house.invitations.find(Purpose.SETUP, token)


async def test_a_link_is_good_for_its_purpose_and_its_time_alone(house: House):
    made, token = await house.invitations.invite("mia@example.com", Role.MARKETER, BY)
    with pytest.raises(NotFound):
        await house.invitations.find(Purpose.RESET, token)
    with pytest.raises(NotFound):
        await house.invitations.find(Purpose.JOIN, token + "x")
    house.clock.move(GOOD_FOR[Purpose.JOIN].total_seconds() - 1)
    assert await house.invitations.find(Purpose.JOIN, token) == made
    house.clock.move(1)
    with pytest.raises(NotFound):
        await house.invitations.find(Purpose.JOIN, token)


async def test_only_the_hash_of_a_token_is_kept_and_told(house: House):
    _, token = await house.invitations.invite("mia@example.com", Role.MARKETER, BY)
    assert token not in repr(house.people.links)
    assert token not in repr(house.people.events)
    assert len(token) >= 43


async def test_who_is_invited_joins_in_the_role_and_under_the_address_of_the_invitation(house: House):
    link, _ = await house.invitations.invite("Mia@example.com", Role.MARKETER, BY)
    mia = await house.accounts.admit(link, link.email, "Mia", PASSWORD)
    assert (mia.email, mia.role) == ("mia@example.com", Role.MARKETER)
    assert house.told() == [EventType.USER_INVITED, EventType.USER_JOINED]


async def test_a_user_is_not_invited_and_what_is_no_address_neither(house: House):
    await house.add()
    with pytest.raises(Conflict, match="a user already"):
        await house.invitations.invite("ANN@example.com", Role.VIEWER, BY)
    with pytest.raises(Invalid) as refused:
        await house.invitations.invite("ann", Role.VIEWER, BY)
    assert refused.value.problems[0].pointer == "/email"


async def test_every_fault_of_a_new_user_is_named_at_once(house: House):
    with pytest.raises(Invalid) as refused:
        await house.accounts.add("ann", " ", Role.VIEWER, "short")
    assert [problem.pointer for problem in refused.value.problems] == ["/name", "/email", "/password"]
    assert "short" not in repr(refused.value.problems)


@pytest.mark.parametrize("what", ["role", "disable", "password"])
async def test_less_or_other_than_before_signs_out_everywhere_at_once(house: House, what):
    ann = await house.add()
    await house.add("boss@example.com", name="Boss")
    cookie = await house.sign_in()
    found = await house.sessions.find(cookie)
    assert found is not None
    over = asyncio.Event()
    with house.sessions.watching(found.session, over.set):
        if what == "role":
            changed = await house.accounts.change(ann, BY, role=Role.VIEWER)
        elif what == "disable":
            changed = await house.accounts.change(ann, BY, disabled=True, reason="left")
        else:
            changed = await house.accounts.set_password(ann, NEW)
        assert over.is_set()
    assert await house.sessions.find(cookie) is None
    assert changed.revision == 2
    told = house.people.events[-1]
    assert told.subject == f"user/{ann.id}"
    assert NEW not in repr(told)


async def test_the_same_role_changes_nothing_and_signs_nobody_out(house: House):
    ann = await house.add()
    cookie = await house.sign_in()
    assert await house.accounts.change(ann, BY, role=Role.ADMIN, disabled=False) is ann
    assert await house.sessions.find(cookie) is not None


async def test_a_new_password_is_the_only_one_that_works(house: House):
    ann = await house.add()
    await house.accounts.set_password(ann, NEW)
    assert await house.sign_in(password=NEW)
    with pytest.raises(Exception, match="do not go together"):
        await house.sign_in(password=PASSWORD)


async def test_who_was_disabled_comes_back_with_the_password_they_had(house: House):
    ann = await house.add()
    await house.add("boss@example.com", name="Boss")
    off = await house.accounts.change(ann, BY, disabled=True)
    assert off.scopes == frozenset()
    assert await house.accounts.change(off, BY, disabled=True) is off
    on = await house.accounts.change(off, BY, disabled=False)
    assert on.disabled_at is None
    assert await house.sign_in()
    assert house.told()[-3:-1] == [EventType.USER_DISABLED, EventType.USER_ENABLED]


async def test_a_link_to_a_new_password_works_once_and_not_for_who_is_disabled(house: House):
    ann = await house.add()
    await house.add("boss@example.com", name="Boss")
    link, token = await house.invitations.reset(ann, BY)
    changed = await house.accounts.set_password(ann, NEW, invitation=link)
    assert house.people.events[-1].reason == "a new password, by a link"
    with pytest.raises(NotFound):
        await house.invitations.find(Purpose.RESET, token)
    _, another = await house.invitations.reset(changed, BY)
    off = await house.accounts.change(changed, BY, disabled=True)
    with pytest.raises(NotFound):
        await house.invitations.find(Purpose.RESET, another)
    with pytest.raises(Conflict, match="is disabled"):
        await house.invitations.reset(off, BY)


async def test_a_withdrawn_link_is_void(house: House):
    link, token = await house.invitations.invite("mia@example.com", Role.VIEWER, BY)
    assert [one.id for one in await house.invitations.all()] == [link.id]
    await house.invitations.withdraw(link.id, BY)
    assert list(await house.invitations.all()) == []
    with pytest.raises(NotFound):
        await house.invitations.find(Purpose.JOIN, token)
