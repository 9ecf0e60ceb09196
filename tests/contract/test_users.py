"""People and their links, on every store and on the memory double."""

from dataclasses import replace

import pytest

from app.core.access import Role
from app.core.account.invitation import Invitation, Purpose, token_digest
from app.core.event import EventType
from app.errors import Conflict, NotFound
from app.ports.sessions import Session
from app.ports.users import User
from tests.contract.conftest import People
from tests.support.builders import NOW, after, an_event

ANN = User("usr_1", "ann@example.com", "Ann", Role.ADMIN, "hash of hers", NOW)
BOB = User("usr_2", "bob@example.com", "Bob", Role.VIEWER, "hash of his", after(1))
LINK = Invitation("inv_1", token_digest("t"), Purpose.JOIN, Role.MARKETER, "Ann", NOW, after(60), "mia@example.com")
MIA = User("usr_3", "mia@example.com", "Mia", Role.MARKETER, "hash", after(2))
JOINED = an_event(EventType.USER_JOINED, subject="user/usr_3")


async def test_users_are_listed_by_address_exactly_as_added(people: People):
    await people.users.add_user(BOB, an_event())
    await people.users.add_user(ANN, an_event())
    assert list(await people.users.users()) == [ANN, BOB]
    assert await people.users.user("usr_2") == BOB
    assert await people.users.user_of("ann@example.com") == ANN
    assert await people.users.user_of("nobody@example.com") is None


async def test_an_address_is_taken_once(people: People):
    await people.users.add_user(ANN, an_event())
    with pytest.raises(Conflict, match=r"ann@example\.com"):
        await people.users.add_user(replace(BOB, email=ANN.email), an_event())


async def test_only_one_is_the_first(people: People):
    await people.users.add_user(ANN, an_event(), first=True)
    with pytest.raises(Conflict, match="already"):
        await people.users.add_user(BOB, an_event(), first=True)
    assert list(await people.users.users()) == [ANN]


async def test_nobody_is_found_under_an_unknown_id(people: People):
    with pytest.raises(NotFound, match="'usr_9'"):
        await people.users.user("usr_9")


async def test_a_change_is_kept_and_ends_sessions_if_asked_to(people: People):
    await people.users.add_user(ANN, an_event())
    await people.users.add_user(BOB, an_event())
    for user, number in ((ANN, 1), (BOB, 2)):
        session = Session(bytes([number]) * 32, user.id, NOW, NOW, after(60))
        await people.sessions.add_session(session, None)
    renamed = replace(BOB, name="Rob", revision=2)
    await people.users.save_user(renamed, an_event(), expected=1, ends_sessions=False)
    assert len(await people.sessions.sessions_of(BOB.id)) == 1
    moved = replace(renamed, role=Role.WORKFORCE, disabled_at=after(9), revision=3)
    await people.users.save_user(moved, an_event(), expected=2, ends_sessions=True)
    assert await people.users.user(BOB.id) == moved
    assert list(await people.sessions.sessions_of(BOB.id)) == []
    assert len(await people.sessions.sessions_of(ANN.id)) == 1


async def test_who_was_changed_meanwhile_is_not_changed_again(people: People):
    await people.users.add_user(ANN, an_event())
    await people.users.save_user(replace(ANN, name="A", revision=2), an_event(), expected=1, ends_sessions=False)
    with pytest.raises(Conflict, match="revision 2, not 1"):
        await people.users.save_user(replace(ANN, name="B", revision=2), an_event(), expected=1, ends_sessions=False)
    assert (await people.users.user(ANN.id)).name == "A"


@pytest.mark.parametrize("change", [{"role": Role.VIEWER}, {"disabled_at": NOW}], ids=["role", "disabled"])
async def test_the_last_admin_stays_one(people: People, change):
    await people.users.add_user(ANN, an_event())
    await people.users.add_user(BOB, an_event())
    less = replace(ANN, revision=2, **change)
    with pytest.raises(Conflict, match="only admin"):
        await people.users.save_user(less, an_event(), expected=1, ends_sessions=True)
    assert await people.users.user(ANN.id) == ANN
    await people.users.save_user(replace(BOB, role=Role.ADMIN, revision=2), an_event(), expected=1, ends_sessions=False)
    await people.users.save_user(less, an_event(), expected=1, ends_sessions=True)
    assert await people.users.user(ANN.id) == less


async def test_a_change_does_not_undo_when_somebody_signed_in(people: People):
    await people.users.add_user(ANN, an_event())
    read = await people.users.user(ANN.id)
    await people.sessions.add_session(Session(b"x" * 32, ANN.id, after(5), after(5), after(60)), an_event())
    await people.users.save_user(replace(read, name="A", revision=2), an_event(), expected=1, ends_sessions=False)
    assert (await people.users.user(ANN.id)).signed_in_at == after(5)


async def test_a_hash_is_replaced_only_while_it_is_the_one_kept(people: People):
    await people.users.add_user(ANN, an_event())
    await people.users.save_hash(ANN.id, "another", "newer")
    assert (await people.users.user(ANN.id)).password_hash == "hash of hers"
    await people.users.save_hash(ANN.id, "hash of hers", "newer")
    assert (await people.users.user(ANN.id)).password_hash == "newer"


async def test_links_are_found_by_their_hash_and_listed_while_they_are_good(people: People):
    await people.links.add_invitation(LINK, an_event())
    later = replace(LINK, id="inv_2", token_sha256=token_digest("u"), email="leo@example.com", created_at=after(5))
    await people.links.add_invitation(later, an_event())
    assert await people.links.invitation(token_digest("t")) == LINK
    assert await people.links.invitation(token_digest("v")) is None
    assert list(await people.links.invitations(after(59))) == [later, LINK]
    assert list(await people.links.invitations(after(60))) == []


async def test_a_new_link_for_the_same_person_makes_the_one_before_void(people: People):
    await people.links.add_invitation(LINK, an_event())
    again = replace(LINK, id="inv_2", token_sha256=token_digest("u"), role=Role.ADMIN)
    await people.links.add_invitation(again, an_event())
    assert await people.links.invitation(token_digest("t")) is None
    assert list(await people.links.invitations(NOW)) == [again]


async def test_links_past_their_time_are_gone_with_the_next_one(people: People):
    await people.links.add_invitation(LINK, an_event())
    setup = Invitation("inv_3", token_digest("s"), Purpose.SETUP, Role.ADMIN, "holdfire", after(61), after(99))
    await people.links.add_invitation(setup, None)
    assert await people.links.invitation(token_digest("t")) is None


async def test_a_link_lets_one_person_in_once(people: People):
    await people.links.add_invitation(LINK, an_event())
    await people.users.admit(LINK, MIA, JOINED)
    assert await people.users.user(MIA.id) == MIA
    assert await people.links.invitation(token_digest("t")) is None
    with pytest.raises(NotFound, match="used already"):
        await people.users.admit(LINK, replace(MIA, id="usr_4", email="eve@example.com"), JOINED)
    assert [user.id for user in await people.users.users()] == ["usr_3"]


async def test_a_link_that_cannot_be_used_is_not_used_up(people: People):
    await people.links.add_invitation(LINK, an_event())
    await people.users.add_user(replace(ANN, email=MIA.email), an_event())
    with pytest.raises(Conflict, match="already"):
        await people.users.admit(LINK, MIA, JOINED)
    assert await people.links.invitation(token_digest("t")) == LINK


async def test_the_setup_link_makes_nobody_once_somebody_is_there(people: People):
    setup = Invitation("inv_3", token_digest("s"), Purpose.SETUP, Role.ADMIN, "holdfire", NOW, after(99))
    await people.links.add_invitation(setup, None)
    await people.users.add_user(ANN, an_event())
    with pytest.raises(Conflict, match="already"):
        await people.users.admit(setup, MIA, JOINED)


async def test_a_new_password_uses_its_link_up(people: People):
    await people.users.add_user(ANN, an_event())
    reset = replace(LINK, purpose=Purpose.RESET, user_id=ANN.id)
    await people.links.add_invitation(reset, an_event())
    changed = replace(ANN, password_hash="new", revision=2)
    await people.users.save_user(changed, an_event(), expected=1, ends_sessions=True, invitation=reset)
    assert await people.links.invitation(reset.token_sha256) is None
    with pytest.raises(NotFound, match="used already"):
        await people.users.save_user(
            replace(changed, revision=3), an_event(), expected=2, ends_sessions=True, invitation=reset
        )
    assert await people.users.user(ANN.id) == changed


async def test_a_withdrawn_link_is_gone(people: People):
    await people.links.add_invitation(LINK, an_event())
    assert await people.links.withdraw("inv_1", an_event()) == LINK
    assert await people.links.invitation(LINK.token_sha256) is None
    with pytest.raises(NotFound, match="'inv_1'"):
        await people.links.withdraw("inv_1", an_event())
