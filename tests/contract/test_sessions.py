"""Browsers in which people are signed in, on every store and on the memory double."""

from dataclasses import replace

from app.core.event import EventType
from app.ports.sessions import Session
from tests.contract.conftest import People
from tests.contract.test_users import ANN, BOB
from tests.support.builders import NOW, after, an_event

ONE = Session(b"1" * 32, ANN.id, NOW, NOW, after(100), "Firefox on Linux")
TWO = replace(ONE, id_sha256=b"2" * 32, created_at=after(5), seen_at=after(50))
ENDED = an_event(EventType.SESSION_ENDED, subject="user/usr_1")


async def opened(people: People, *sessions: Session) -> None:
    for user in (ANN, BOB):
        await people.users.add_user(user, an_event())
    for session in sessions:
        await people.sessions.add_session(session, None)


async def test_a_session_is_found_with_whose_it_is(people: People):
    await opened(people, ONE)
    assert await people.sessions.session(ONE.id_sha256) == (ONE, ANN)
    assert await people.sessions.session(b"x" * 32) is None


async def test_the_secret_of_forms_is_the_first_that_was_given(people: People):
    assert await people.sessions.form_secret(b"one" * 10) == b"one" * 10
    assert await people.sessions.form_secret(b"two" * 10) == b"one" * 10


async def test_signing_in_is_noted_and_going_on_is_not(people: People):
    await opened(people, ONE)
    assert (await people.users.user(ANN.id)).signed_in_at is None
    await people.sessions.add_session(TWO, an_event())
    assert (await people.users.user(ANN.id)).signed_in_at == TWO.created_at


async def test_a_session_takes_the_place_of_another(people: People):
    await opened(people, ONE)
    await people.sessions.add_session(TWO, None, replaces=ONE.id_sha256)
    assert list(await people.sessions.sessions_of(ANN.id)) == [TWO]


async def test_the_session_used_last_comes_first(people: People):
    await opened(people, ONE, TWO, replace(ONE, id_sha256=b"3" * 32, user_id=BOB.id))
    assert list(await people.sessions.sessions_of(ANN.id)) == [TWO, ONE]
    await people.sessions.mark_seen({ONE.id_sha256: after(60), b"x" * 32: after(60)})
    assert list(await people.sessions.sessions_of(ANN.id)) == [replace(ONE, seen_at=after(60)), TWO]


async def test_live_are_those_in_time_in_use_and_of_people_who_may(people: People):
    his = replace(ONE, id_sha256=b"3" * 32, user_id=BOB.id, expires_at=after(300), seen_at=after(99))
    await opened(people, ONE, TWO, his)
    assert await people.sessions.live_sessions(after(99), NOW) == {ONE.id_sha256, TWO.id_sha256, his.id_sha256}
    assert await people.sessions.live_sessions(after(99), after(1)) == {TWO.id_sha256, his.id_sha256}
    assert await people.sessions.live_sessions(after(100), NOW) == {his.id_sha256}
    disabled = replace(BOB, disabled_at=NOW, revision=2)
    await people.users.add_user(replace(ANN, id="usr_9", email="z@example.com"), an_event())
    await people.users.save_user(disabled, an_event(), expected=1, ends_sessions=False)
    assert await people.sessions.live_sessions(after(100), NOW) == frozenset()


async def test_ended_sessions_are_counted_and_gone(people: People):
    await opened(people, ONE, TWO)
    assert await people.sessions.delete_sessions([ONE.id_sha256, b"x" * 32], ENDED) == 1
    assert await people.sessions.delete_sessions([ONE.id_sha256], ENDED) == 0
    assert list(await people.sessions.sessions_of(ANN.id)) == [TWO]


async def test_sessions_that_are_over_or_idle_are_pruned(people: People):
    await opened(people, ONE, TWO)
    assert await people.sessions.prune_sessions(after(100), NOW) == 0
    assert await people.sessions.prune_sessions(after(100), after(1)) == 1
    assert await people.sessions.prune_sessions(after(101), NOW) == 1
    assert list(await people.sessions.sessions_of(ANN.id)) == []
