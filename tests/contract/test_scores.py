from collections.abc import AsyncIterator

import pytest

from app.core.event import EventType
from app.ports.learning import KeptDebrief
from app.ports.scores import KeptScore, ScoreStore
from tests.support.builders import after, an_event
from tests.support.databases import STORES, a_store
from tests.support.memory_values import MemoryScores

DEBRIEFED = ("autumn", "spring", "winter")


def kept(campaign: str, seconds: float = 0, *, is_final: bool = True, **members: object) -> KeptScore:
    return KeptScore(campaign, after(seconds), is_final, {"campaign": campaign} | members)


@pytest.fixture(params=(*STORES, "memory"))
async def scores(request, tmp_path, clock) -> AsyncIterator[ScoreStore]:
    """A store of scores beside three final debriefs."""
    if request.param == "memory":
        yield MemoryScores(DEBRIEFED)
        return
    async with a_store(tmp_path, request.param, clock) as store:
        for name in DEBRIEFED:
            debrief = KeptDebrief(name, after(60), {}, b"")
            await store.debriefs.save_debrief(debrief, an_event(EventType.CAMPAIGN_DEBRIEFED))
        yield store.scores


async def names(scores: ScoreStore, start: float, until: float) -> list[object]:
    return [each["campaign"] for each in await scores.scores(after(start), after(until))]


async def test_lines_come_in_the_order_in_which_campaigns_began_within_the_span(scores):
    await scores.put_scores([kept("b", 20), kept("c", 10), kept("a", 20), kept("d", 30)])
    assert await names(scores, 10, 30) == ["c", "a", "b"]
    assert await names(scores, 11, 20) == []


async def test_a_line_is_kept_whole_and_replaced_by_a_newer_one(scores):
    await scores.put_scores([])
    await scores.put_scores([kept("spring", is_final=False, messages=1, per_1000=None)])
    await scores.put_scores([kept("spring", 5, is_final=False, messages=2)])
    assert await scores.scores(after(0), after(9)) == [{"campaign": "spring", "messages": 2}]


async def test_a_final_line_is_replaced_by_a_final_one_alone(scores):
    await scores.put_scores([kept("spring", messages=1)])
    await scores.put_scores([kept("spring", is_final=False, messages=2)])
    assert await scores.scores(after(0), after(9)) == [{"campaign": "spring", "messages": 1}]
    await scores.put_scores([kept("spring", messages=3)])
    assert await scores.scores(after(0), after(9)) == [{"campaign": "spring", "messages": 3}]


async def test_debriefs_that_still_need_a_final_line_are_named(scores):
    await scores.put_scores([kept("spring"), kept("winter", is_final=False), kept("running", is_final=False)])
    assert await scores.unscored(9) == ["autumn", "winter"]
    assert await scores.unscored(1) == ["autumn"]
