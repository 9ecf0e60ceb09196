import re
from dataclasses import replace

import pytest
from fastapi import APIRouter

from app.api.auth import ANONYMOUS, authenticate
from app.api.routes import RESOURCES, api_router, scope_of
from app.ports.keys import SCOPES
from tests.support.api import an_api, an_app
from tests.support.builders import after

NAMES = {"queue": "orders", "gate": "default", "key_id": "abcdefgh", "decision_id": "dec_1"}


def operations():
    """Every operation of the API that needs a scope: method, path with names filled in, scope."""
    for path, item in an_app().openapi()["paths"].items():
        for method, operation in item.items():
            if operation.get("security"):
                yield (
                    method.upper(),
                    re.sub(r"\{(\w+)\}", lambda name: NAMES.get(name[1], "nobody"), path),
                    operation["security"][0]["key"][0],
                )


OPERATIONS = list(operations())


def test_every_path_of_the_api_needs_a_scope():
    open_paths = [
        path
        for path, item in an_app().openapi()["paths"].items()
        for operation in item.values()
        if not operation.get("security")
    ]
    assert sorted(open_paths) == ["/api/v1/campaigns.ics", "/livez", "/readyz"]
    assert {scope for _, _, scope in OPERATIONS} <= set(SCOPES)
    assert len(OPERATIONS) > 15


def test_a_route_without_a_scope_cannot_be_served(monkeypatch):
    careless = APIRouter()

    @careless.get("/careless")
    async def tells_everybody() -> None: ...

    with pytest.raises(LookupError, match="/careless must name exactly one scope"):
        scope_of(careless.routes[0])
    monkeypatch.setattr(RESOURCES[0], "router", careless)
    with pytest.raises(LookupError):
        api_router()


@pytest.mark.parametrize(("method", "path"), [operation[:2] for operation in OPERATIONS])
async def test_without_a_key_every_operation_is_401(method, path):
    api = await an_api()
    async with api.client() as client:
        answer = await client.request(method, path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["type"].endswith("unauthenticated")


@pytest.mark.parametrize(("method", "path", "scope"), OPERATIONS)
async def test_with_all_scopes_but_the_one_needed_every_operation_is_403_and_names_it(method, path, scope):
    api = await an_api()
    async with api.client(*(set(SCOPES) - {scope, "admin"})) as client:
        answer = await client.request(method, path)
    assert answer.status_code == 403
    assert repr(scope) in answer.json()["detail"]
    assert f'scope="{scope}"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize(("method", "path", "scope"), OPERATIONS)
async def test_with_the_scope_alone_or_with_admin_nobody_is_sent_away(method, path, scope):
    api = await an_api()
    for scopes in ([scope], ["admin"]):
        async with api.client(*scopes) as client:
            answer = await client.request(method, path)
        assert answer.status_code not in (401, 403)


async def test_expired_and_revoked_keys_are_refused_at_once():
    api = await an_api()
    _, short_token = await api.services.keys.create("short", ["read"], expires_at=after(60))
    gone, gone_token = await api.services.keys.create("gone", ["read"])
    async with api.client() as client:
        for token in (short_token, gone_token):
            client.headers["Authorization"] = f"Bearer {token}"
            assert (await client.get("/api/v1/floor")).status_code == 200
        api.clock.move(60)
        await api.services.keys.revoke(gone.id)
        for token in (short_token, gone_token):
            client.headers["Authorization"] = f"Bearer {token}"
            answer = await client.get("/api/v1/floor")
            assert answer.status_code == 401
            assert "revoked or has expired" in answer.json()["detail"]


async def test_a_mistyped_key_is_told_apart_from_an_unknown_one():
    api = await an_api()
    _, token = await api.services.keys.create("mine", ["read"])
    other = (await an_api()).services.keys
    _, unknown = await other.create("theirs", ["read"])
    mistyped = token[:-1] + ("a" if token[-1] != "a" else "b")
    async with api.client() as client:
        for sent, said in [(mistyped, "checksum"), (token[:30], "cut off"), (unknown, "not known"), ("", "no key")]:
            answer = await client.get("/api/v1/floor", headers={"Authorization": f"Bearer {sent}"})
            assert answer.status_code == 401
            assert said in answer.json()["detail"]
            assert token not in answer.text


@pytest.mark.parametrize("scheme", ["Basic", "bearer", "BEARER", "Token"])
async def test_only_the_bearer_scheme_counts_in_any_case(scheme):
    api = await an_api()
    _, token = await api.services.keys.create("mine", ["read"])
    async with api.client() as client:
        answer = await client.get("/api/v1/floor", headers={"Authorization": f"{scheme} {token}"})
    assert answer.status_code == (200 if scheme.lower() == "bearer" else 401)


async def test_a_key_in_the_url_is_refused_even_beside_a_good_header():
    api = await an_api()
    _, token = await api.services.keys.create("mine", ["admin"])
    async with api.client("admin") as client:
        answer = await client.get("/api/v1/floor", params={"key": token})
    assert answer.status_code == 401
    assert "ends up in logs" in answer.json()["detail"]


async def test_auth_off_lets_everybody_in_as_anonymous():
    api = await an_api(auth="off")
    assert authenticate(api.services, []) is ANONYMOUS
    async with api.client() as client:
        assert (await client.get("/api/v1/keys")).status_code == 200


async def test_a_key_with_another_secret_is_not_accepted():
    api = await an_api()
    key, token = await api.services.keys.create("mine", ["read"])
    forged = replace(key, secret_sha256=b"\0" * 32)
    api.services.keys._by_id[key.id] = forged
    assert api.services.keys.authenticate(token) is None
