import asyncio
import re

import pytest

from app.errors import Invalid, NotDurable, NotFound
from app.ports.keys import SCOPES
from app.services import keys as module
from app.services.keys import KEY_FORM, Keys, is_whole, new_token
from tests.support.builders import NOW, after
from tests.support.memory import MemoryKeyStore, SteppedClock


def some_keys():
    clock, store = SteppedClock(NOW), MemoryKeyStore()
    return Keys(store, clock), store, clock


async def test_a_new_key_is_recognised_and_its_secret_is_kept_nowhere():
    keys, store, _ = some_keys()
    key, token = await keys.create("mailer", ["read", "ingest"], "test")
    assert re.fullmatch(r"hf_test_[a-z2-7]{8}_[a-z2-7]{46}", token)
    assert keys.authenticate(token) == key
    assert token.rpartition("_")[2] not in repr(await store.keys())


async def test_scopes_may_be_given_as_those_that_there_are():
    keys, store, _ = some_keys()
    key, _ = await keys.create("mailer", SCOPES[:2])
    assert key.scopes == {"ingest", "readiness"}
    assert {type(scope) for scope in key.scopes} == {str}
    assert store.events[-1].after["scopes"] == ["ingest", "readiness"]


def test_a_key_carries_at_least_190_random_bits_and_no_two_are_alike():
    tokens = {new_token("live")[1] for _ in range(200)}
    assert len(tokens) == 200
    assert module.SECRET_LENGTH * 5 >= 190


def test_the_checksum_finds_every_single_mistyped_character():
    _, token = new_token("live")
    assert is_whole(token)
    assert KEY_FORM.fullmatch(token)
    for place, right in enumerate(token):
        wrong = "a" if right != "a" else "b"
        assert not is_whole(token[:place] + wrong + token[place + 1 :])
    assert not is_whole(token[:-1])


@pytest.mark.parametrize("token", ["", "hf", "hf_live_x", "hf_live_aaaaaaaa_", "____", "hf_live_aaaaaaaa_" + "é" * 46])
async def test_nonsense_is_nobody(token):
    keys, _, _ = some_keys()
    await keys.create("mailer", ["read"])
    assert keys.authenticate(token) is None


async def test_another_environment_or_secret_is_nobody():
    keys, _, _ = some_keys()
    _, token = await keys.create("mailer", ["read"])
    assert keys.authenticate(token.replace("hf_live", "hf_test")) is None
    assert keys.authenticate(token[:-1] + "a") is None or token.endswith("a")


async def test_a_key_ends_at_its_expiry_to_the_second():
    keys, _, clock = some_keys()
    _, token = await keys.create("mailer", ["read"], expires_at=after(10))
    clock.move(9.999)
    assert keys.authenticate(token)
    clock.move(0.001)
    assert keys.authenticate(token) is None


async def test_revoking_is_for_good_and_an_unknown_key_is_not_found():
    keys, _, clock = some_keys()
    key, token = await keys.create("mailer", ["read"])
    revoked = await keys.revoke(key.id)
    clock.move(5)
    assert (await keys.revoke(key.id)).revoked_at == revoked.revoked_at
    assert keys.authenticate(token) is None
    with pytest.raises(NotFound):
        await keys.revoke("aaaaaaaa")


async def test_what_another_process_changed_counts_after_a_reload_and_a_failed_reload_changes_nothing(monkeypatch):
    keys, store, clock = some_keys()
    elsewhere = Keys(store, clock)
    key, token = await elsewhere.create("mailer", ["read"])
    assert keys.authenticate(token) is None
    monkeypatch.setattr(module, "RELOAD_SECONDS", 0.001)
    stop, reloaded, fail = asyncio.Event(), asyncio.Event(), False
    read = store.keys

    async def read_or_fail():
        reloaded.set()
        if fail:
            raise NotDurable("the database is away")
        return await read()

    monkeypatch.setattr(store, "keys", read_or_fail)
    running = asyncio.create_task(keys.run(stop))

    async def reload_twice():
        for _ in range(2):
            reloaded.clear()
            await asyncio.wait_for(reloaded.wait(), 5)

    await reload_twice()
    assert keys.authenticate(token)
    fail = True
    await reload_twice()
    assert keys.authenticate(token)
    fail = False
    await elsewhere.revoke(key.id)
    await reload_twice()
    assert keys.authenticate(token) is None
    stop.set()
    await asyncio.wait_for(running, 60)


@pytest.mark.parametrize(
    ("arguments", "pointer"),
    [
        (("", ["read"]), "/name"),
        (("x" * 101, ["read"]), "/name"),
        (("mailer", []), "/scopes"),
        (("mailer", ["read", "root"]), "/scopes"),
        (("mailer", ["read"], "Live"), "/env"),
        (("mailer", ["read"], "live", NOW), "/expires_at"),
    ],
)
async def test_a_bad_key_is_refused_and_nothing_is_made(arguments, pointer):
    keys, store, _ = some_keys()
    with pytest.raises(Invalid) as refused:
        await keys.create(*arguments)
    assert [problem.pointer for problem in refused.value.problems] == [pointer]
    assert await store.keys() == []
