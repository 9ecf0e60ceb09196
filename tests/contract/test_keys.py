from dataclasses import replace
from hashlib import sha256

import pytest

from app.errors import Conflict, NotFound
from app.ports.keys import ApiKey, Scope
from tests.support.builders import NOW, after, an_event

KEY = ApiKey("abc", "crm", frozenset({Scope("ingest"), Scope("read")}), sha256(b"x").digest(), NOW, after(3600))


async def test_keys_are_listed_oldest_first_exactly_as_added(store):
    newer = replace(KEY, id="aaa", created_at=after(1), scopes=frozenset(), expires_at=None)
    await store.keys.add_key(newer, an_event())
    await store.keys.add_key(KEY, an_event())
    assert await store.keys.keys() == [KEY, newer]


async def test_an_id_is_taken_once(store):
    await store.keys.add_key(KEY, an_event())
    with pytest.raises(Conflict, match="'abc'"):
        await store.keys.add_key(replace(KEY, name="another"), an_event())


async def test_a_revoked_key_stays_listed_and_is_revoked_once(store):
    await store.keys.add_key(KEY, an_event())
    revoked = replace(KEY, revoked_at=after(5))
    assert await store.keys.revoke_key("abc", after(5), an_event()) == revoked
    assert await store.keys.revoke_key("abc", after(9), an_event()) == revoked
    assert await store.keys.keys() == [revoked]


async def test_revoking_an_unknown_key_is_not_found(store):
    with pytest.raises(NotFound, match="'nobody'"):
        await store.keys.revoke_key("nobody", NOW, an_event())
