import asyncio

import pytest

from app.core.gate.policy import default_policy_document, parse_policy
from app.errors import Conflict, NotFound
from app.ports.gates import PolicyVersion
from tests.support.builders import NOW, after, an_event
from tests.support.databases import a_store

DOCUMENT = {"queues": ["orders-*"], "rules": [{"metric": "backlog", "hold_above": 10}], "note": "ü", "n": 1.5}


@pytest.fixture
def gates(store):
    return store.gates


async def save(gates, gate="default", expected=1, document=DOCUMENT, author="ann"):
    return await gates.save_policy(
        gate, document, author=author, reason="because", at=after(expected), expected=expected, event=an_event()
    )


async def test_a_new_installation_has_the_default_gate_with_the_default_policy(gates):
    assert await gates.gates() == ["default"]
    saved = await gates.policy("default")
    assert (saved.version, saved.author, saved.saved_at) == (1, "holdfire", NOW)
    assert saved.document == default_policy_document()
    assert parse_policy(saved.document).rules


async def test_a_deleted_default_gate_stays_deleted_after_reopening(gates, store, kind, tmp_path):
    await gates.delete_gate("default", an_event())
    await store.close()
    async with a_store(tmp_path, kind) as again:
        assert await again.gates.gates() == []


async def test_gates_are_listed_by_name_and_begin_without_a_policy(gates):
    await gates.create_gate("spring", NOW, an_event())
    await gates.create_gate("autumn", NOW, an_event())
    assert await gates.gates() == ["autumn", "default", "spring"]
    assert await gates.policy("spring") is None
    assert await gates.policy_versions("spring", None, 10) == []


async def test_a_name_is_taken_once(gates):
    with pytest.raises(Conflict, match="'default'"):
        await gates.create_gate("default", NOW, an_event())


async def test_a_saved_policy_is_read_back_word_for_word_and_in_its_order(gates):
    saved = await save(gates)
    assert saved == PolicyVersion("default", 2, DOCUMENT, "ann", "because", after(1))
    read = await gates.policy("default")
    assert read == saved
    assert list(read.document) == list(DOCUMENT)
    assert (await gates.policy("default", 1)).version == 1
    assert await gates.policy("default", 3) is None


@pytest.mark.parametrize("expected", [0, 2])
async def test_a_save_on_top_of_another_version_than_the_newest_is_refused(gates, expected):
    with pytest.raises(Conflict, match="version 1"):
        await save(gates, expected=expected)
    assert (await gates.policy("default")).version == 1


async def test_the_first_policy_of_a_gate_expects_version_none(gates):
    await gates.create_gate("spring", NOW, an_event())
    assert (await save(gates, "spring", expected=0)).version == 1


async def test_of_saves_at_the_same_time_exactly_one_succeeds(gates):
    saves = (save(gates, author=f"author-{number}") for number in range(8))
    outcomes = await asyncio.gather(*saves, return_exceptions=True)
    winners = [outcome for outcome in outcomes if isinstance(outcome, PolicyVersion)]
    assert len(winners) == 1
    assert all(isinstance(outcome, Conflict) for outcome in outcomes if outcome not in winners)
    assert await gates.policy("default") == winners[0]


async def test_versions_come_newest_first_in_pages(gates):
    for version in range(1, 6):
        await save(gates, expected=version)
    first = await gates.policy_versions("default", None, 4)
    second = await gates.policy_versions("default", first[-1].version, 4)
    assert [saved.version for saved in [*first, *second]] == [6, 5, 4, 3, 2, 1]


async def test_a_gate_that_does_not_exist_is_not_found(gates):
    for call in (
        gates.policy("nowhere"),
        gates.policy_versions("nowhere", None, 1),
        gates.delete_gate("nowhere", an_event()),
        save(gates, "nowhere", expected=0),
    ):
        with pytest.raises(NotFound, match="'nowhere'"):
            await call


async def test_a_deleted_gate_takes_its_policies_with_it(gates):
    await gates.delete_gate("default", an_event())
    with pytest.raises(NotFound):
        await gates.policy("default", 1)
    await gates.create_gate("default", NOW, an_event())
    assert await gates.policy("default") is None
