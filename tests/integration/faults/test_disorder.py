"""Observations that come twice, late or in any order: what is known in the end is the same, and no decision goes back.

Each seed makes a day's worth of reports, then tells them to one holdfire as they were made, and to others in disorder.
"""

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.core.floor.observation import Observation
from tests.integration.faults.load import note
from tests.support.builders import after, an_observation
from tests.support.whole import Whole, a_whole

SEEDS = [1, 2]
QUEUES, SOURCES = ("orders-voice", "orders-mail"), ("acd", "wfm")
STEPS, STEP_SECONDS = 40, 20


def a_course(chance: random.Random) -> list[Observation]:
    """Return what each source says of each queue, step by step; the queues slam now and then."""
    course = []
    for step in range(1, STEPS + 1):
        for queue in QUEUES:
            for source in SOURCES:
                at = after(step * STEP_SECONDS + chance.random())
                backlog = chance.choice([0, 3, 9, 12, 40])
                counts = {"window_seconds": 20, "offered": 5, "answered": chance.randint(0, 5)}
                course.append(an_observation(queue, at, source, backlog=backlog, **counts))
    return course


def a_folder(within: Path, name: str) -> Path:
    (within / name).mkdir()
    return within / name


async def seen(whole: Whole) -> list[Any]:
    """Return the floor as people see it, and its history."""
    async with whole.client("read") as client:
        shown = [(await client.get("/api/v1/floor")).json()]
        span: dict[str, Any] = {"from": after(0).isoformat(), "to": after(7_200).isoformat(), "points": 120}
        for queue in QUEUES:
            for metric in ("backlog", "abandonment_ratio"):
                asked = {"queue": queue, "metric": metric} | span
                answer = await client.get("/api/v1/history", params=asked)
                assert answer.is_success, answer.text
                shown.append(answer.json())
    return shown


async def told_at_once(folder: Path, observations: list[Observation]) -> list[Any]:
    """Return what is seen after all of it came within a moment, in batches of any size."""
    async with a_whole(folder) as whole:
        whole.clock.move(STEPS * STEP_SECONDS + 1)
        for start in range(0, len(observations), 37):
            await whole.services.ingest.observations(observations[start : start + 37])
        await whole.evaluate()
        return await seen(whole)


@pytest.mark.parametrize("seed", SEEDS)
async def test_any_order_and_any_repetition_end_with_the_same_floor_and_history(tmp_path, seed):
    note(f"seed {seed}")
    chance = random.Random(seed)
    course = a_course(chance)
    disorder = course + chance.choices(course, k=len(course) // 2)
    chance.shuffle(disorder)
    assert await told_at_once(a_folder(tmp_path, "disorder"), disorder) == await told_at_once(
        a_folder(tmp_path, "order"), course
    )


@pytest.mark.parametrize("seed", SEEDS)
async def test_what_comes_again_or_late_changes_no_decision(tmp_path, seed):
    note(f"seed {seed}")
    course = a_course(random.Random(seed))
    in_order = await decided(a_folder(tmp_path, "order"), course, None)
    assert {"send", "hold"} <= set(in_order)
    assert await decided(a_folder(tmp_path, "disorder"), course, random.Random(seed)) == in_order


async def decided(folder: Path, course: list[Observation], chance: random.Random | None) -> list[str]:
    """Return what the gate said after each report; with a chance, others of before are told along with it."""
    verdicts = []
    async with a_whole(folder) as whole:
        for number, report in enumerate(course):
            whole.clock.move((report.observed_at - whole.clock.now()).total_seconds())
            batch = [report]
            if chance is not None and number:
                batch += chance.choices(course[:number], k=2)
                batch += [late(each, chance) for each in chance.choices(course[:number], k=2)]
                chance.shuffle(batch)
            await whole.services.ingest.observations(batch)
            evaluator = whole.services.evaluator
            evaluator.apply(await whole.store.stream.read(evaluator.position))
            verdicts.append(evaluator.tick(whole.clock.now()).gates["default"].decision.verdict.value)
    return verdicts


def late(report: Observation, chance: random.Random) -> Observation:
    """Return a report, which did not come then, of some time before another one, as bad as can be."""
    at: datetime = report.observed_at - timedelta(seconds=chance.uniform(0.001, 5))
    return an_observation(report.queue, at, report.source, backlog=chance.choice([0, 1_000]))
