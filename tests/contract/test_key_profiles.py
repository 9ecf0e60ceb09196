from dataclasses import replace
from hashlib import sha256

import pytest

from app.core.client_profile import PLAIN, ClientProfile, RetryUnit
from app.errors import NotFound
from app.ports.keys import ApiKey, Scope
from tests.support.builders import NOW, an_event

PROFILE = ClientProfile(hold_status=404, unknown_status=200, retry_after_unit=RetryUnit.MILLISECONDS, max_rps=0.5)
KEY = ApiKey("abc", "crm", frozenset({Scope("readiness")}), sha256(b"x").digest(), NOW)


@pytest.mark.parametrize("profile", [PLAIN, PROFILE])
async def test_a_key_keeps_its_profile(store, profile):
    await store.keys.add_key(replace(KEY, profile=profile), an_event())
    (key,) = await store.keys.keys()
    assert key.profile == profile


async def test_a_profile_is_replaced_and_can_be_taken_back(store):
    await store.keys.add_key(KEY, an_event())
    assert (await store.keys.save_profile("abc", PROFILE, an_event())).profile == PROFILE
    assert (await store.keys.keys())[0].profile == PROFILE
    assert (await store.keys.save_profile("abc", PLAIN, an_event())).profile == PLAIN
    assert await store.keys.keys() == [KEY]


async def test_the_profile_of_an_unknown_key_is_not_found(store):
    with pytest.raises(NotFound, match="'nobody'"):
        await store.keys.save_profile("nobody", PROFILE, an_event())
