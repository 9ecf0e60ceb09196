"""Pages that look at the same thing share one computation; a failed one is asked again."""

import asyncio
from datetime import timedelta
from typing import Any, cast

import pytest

from app.errors import NotComputed
from app.services.outlook_questions import OutlookQuestions
from app.services.outlooks import GateOutlook
from app.web.outlook.shared import KEPT, SharedOutlooks
from app.web.plan.form import Ways
from tests.support.floors import NOON


class CountedAnswers:
    """Answers every question with its number, once it may."""

    def __init__(self) -> None:
        self.asked = 0
        self.at = NOON
        self.fault: Exception | None = None
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    def newest(self, gate: str) -> GateOutlook:
        return GateOutlook(gate, 1, self.at, 120.0)

    async def outlook(
        self, _gate: str, _audience: int | None, _start_minute: int, *, campaign: str | None, kind: str
    ) -> tuple[str | None, int]:
        assert not (campaign and kind)
        return campaign, await self._answer()

    async def plan(self, _gate: str, campaign: str, _audience: int, **_ways: int | str) -> tuple[str, int]:
        return campaign, await self._answer()

    async def _answer(self) -> int:
        self.asked += 1
        number = self.asked
        await self.may_answer.wait()
        if self.fault is not None:
            raise self.fault
        return number


async def look(shared: SharedOutlooks, counted: CountedAnswers, audience=None, campaign=None, gate="default") -> Any:
    return await shared.outlook(cast("OutlookQuestions", counted), gate, audience, campaign)


async def test_many_who_look_at_once_ask_once():
    shared, counted = SharedOutlooks(), CountedAnswers()
    counted.may_answer.clear()
    looking = [asyncio.ensure_future(look(shared, counted, 500, "spring")) for _ in range(5)]
    await asyncio.sleep(0)
    counted.may_answer.set()
    assert await asyncio.gather(*looking) == [("spring", 1)] * 5


async def test_without_a_send_it_is_the_same_for_every_campaign():
    shared, counted = SharedOutlooks(), CountedAnswers()
    assert await look(shared, counted, None, "spring") == (None, 1)
    assert await look(shared, counted, None, "summer") == (None, 1)
    assert await look(shared, counted, 5, "summer") == ("summer", 2)
    assert await look(shared, counted, 5, "spring") == ("spring", 3)


async def test_a_newer_outlook_is_asked_anew_and_so_is_another_gate():
    shared, counted = SharedOutlooks(), CountedAnswers()
    await look(shared, counted)
    await look(shared, counted, gate="emea")
    counted.at += timedelta(seconds=20)
    await look(shared, counted)
    assert counted.asked == 3


async def test_plans_are_shared_by_all_they_were_asked_with():
    shared, counted = SharedOutlooks(), CountedAnswers()
    questions = cast("OutlookQuestions", counted)
    for ways in (Ways(), Ways(), Ways(every_minutes=30)):
        await shared.plan(questions, "default", "spring", 9_000, ways)
    assert counted.asked == 2
    for asked in ({"kind": "offer"}, {"kind": "offer"}, {"start_minute": 60}):
        await shared.plan(questions, "default", "", 9_000, Ways(), **asked)
    assert counted.asked == 4


async def test_what_failed_is_asked_again():
    shared, counted = SharedOutlooks(), CountedAnswers()
    counted.fault = NotComputed("it took too long")
    with pytest.raises(NotComputed):
        await look(shared, counted)
    counted.fault = None
    assert await look(shared, counted) == (None, 2)


async def test_who_leaves_does_not_take_the_answer_from_the_others():
    shared, counted = SharedOutlooks(), CountedAnswers()
    counted.may_answer.clear()
    leaving, staying = (asyncio.ensure_future(look(shared, counted)) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    counted.may_answer.set()
    assert await staying == (None, 1)
    assert leaving.cancelled()


async def test_only_the_last_answers_are_kept():
    shared, counted = SharedOutlooks(), CountedAnswers()
    for audience in range(1, KEPT + 2):
        await look(shared, counted, audience)
    await look(shared, counted, KEPT + 1)
    assert counted.asked == KEPT + 1
    await look(shared, counted, 1)
    assert counted.asked == KEPT + 2
