"""/users: people over the API, with a key that may do everything; their links shown once."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from app.core.access import Role
from app.core.account.invitation import Purpose
from app.core.event import HOLDFIRE
from tests.support.people import PASSWORD
from tests.support.whole import Whole, a_whole

USERS = "/api/v1/users"


@pytest.fixture
async def whole(tmp_path) -> AsyncIterator[Whole]:
    async with a_whole(tmp_path) as made:
        await made.services.accounts.add("ann@example.com", "Ann", Role.ADMIN, PASSWORD, by=HOLDFIRE)
        yield made


@pytest.fixture
async def admin(whole: Whole) -> AsyncIterator[httpx2.AsyncClient]:
    async with whole.client("admin") as client:
        yield client


async def test_users_are_listed_without_anything_of_their_passwords(admin):
    (ann,) = (await admin.get(USERS)).json()["items"]
    assert ann == (await admin.get(f"{USERS}/{ann['id']}")).json()
    assert (ann["email"], ann["role"], ann["disabled_at"], ann["signed_in_at"]) == (
        "ann@example.com",
        "admin",
        None,
        None,
    )
    assert "argon2" not in (await admin.get(USERS)).text


async def test_who_is_invited_joins_by_the_link_that_is_shown_once(whole: Whole, admin):
    made = await admin.post(f"{USERS}/invitations", json={"email": "Mia@example.com", "role": "marketer"})
    assert made.status_code == 201
    link = made.json()["link"]
    assert link.startswith("http://holdfire/join/")
    listed = await admin.get(f"{USERS}/invitations")
    assert [one["email"] for one in listed.json()["items"]] == ["mia@example.com"]
    token = link.rpartition("/")[2]
    assert token not in listed.text
    found = await whole.services.invitations.find(Purpose.JOIN, token)
    await whole.services.accounts.admit(found, found.email, "Mia", PASSWORD)
    assert [user["role"] for user in (await admin.get(USERS)).json()["items"]] == ["admin", "marketer"]
    again = await admin.post(f"{USERS}/invitations", json={"email": "mia@example.com", "role": "viewer"})
    assert again.status_code == 409


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"email": "mia", "role": "viewer"}, "/email"),
        ({"email": "mia@example.com", "role": "king"}, "/role"),
        ({"email": "mia@example.com"}, "/role"),
        ({"email": "mia@example.com", "role": "viewer", "password": "x"}, "/password"),
    ],
)
async def test_what_is_no_invitation_is_refused_where_it_is(admin, given, pointer):
    answer = await admin.post(f"{USERS}/invitations", json=given)
    assert answer.status_code == 422
    assert pointer in {fault["pointer"] for fault in answer.json()["errors"]}


async def test_a_withdrawn_invitation_is_gone(admin):
    made = (await admin.post(f"{USERS}/invitations", json={"email": "mia@example.com", "role": "viewer"})).json()
    assert (await admin.delete(f"{USERS}/invitations/{made['id']}")).status_code == 204
    assert (await admin.delete(f"{USERS}/invitations/{made['id']}")).status_code == 404
    assert (await admin.get(f"{USERS}/invitations")).json()["items"] == []


async def test_a_role_is_changed_by_who_has_read_it_and_ends_sessions(whole: Whole, admin):
    await whole.services.accounts.add("leo@example.com", "Leo", Role.ADMIN, PASSWORD, by=HOLDFIRE)
    leo = (await admin.get(USERS)).json()["items"][1]
    path = f"{USERS}/{leo['id']}"
    _, cookie = await whole.services.sign_ins.sign_in("leo@example.com", PASSWORD, address="", browser="")
    assert (await admin.patch(path, json={"role": "viewer"})).status_code == 428
    assert (await admin.patch(path, json={"role": "viewer"}, headers={"If-Match": '"7"'})).status_code == 412
    assert await whole.services.sessions.find(cookie) is not None
    changed = await admin.patch(path, json={"role": "viewer", "disabled": True}, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.json()["role"], changed.headers["etag"]) == (200, "viewer", '"2"')
    assert changed.json()["disabled_at"] is not None
    assert await whole.services.sessions.find(cookie) is None
    back = await admin.patch(path, json={"disabled": False}, headers={"If-Match": '"2"'})
    assert back.json()["disabled_at"] is None
    (event, *_) = (await admin.get("/api/v1/events?type=user.disabled")).json()["items"]
    assert (event["subject"], event["before"]["role"], event["after"]["role"]) == (
        f"user/{leo['id']}",
        "admin",
        "viewer",
    )


async def test_the_last_admin_stays_one(admin):
    (ann,) = (await admin.get(USERS)).json()["items"]
    for change in ({"role": "viewer"}, {"disabled": True}):
        answer = await admin.patch(f"{USERS}/{ann['id']}", json=change, headers={"If-Match": "*"})
        assert answer.status_code == 409
        assert "only admin" in answer.json()["detail"]


async def test_a_link_to_a_new_password_works_and_is_not_made_for_who_is_disabled(whole: Whole, admin):
    leo = await whole.services.accounts.add("leo@example.com", "Leo", Role.VIEWER, PASSWORD, by=HOLDFIRE)
    made = await admin.post(f"{USERS}/{leo.id}/reset")
    assert made.status_code == 201
    token = made.json()["link"].rpartition("/")[2]
    assert (await whole.services.invitations.find(Purpose.RESET, token)).user_id == leo.id
    await whole.services.accounts.change(leo, HOLDFIRE, disabled=True)
    assert (await admin.post(f"{USERS}/{leo.id}/reset")).status_code == 409
    assert (await admin.post(f"{USERS}/usr_nobody/reset")).status_code == 404
