"""Backtests over HTTP, on a whole holdfire with real history."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import ParamSpec, TypeVar

import pytest

from app.core.floor.metric import Metric
from app.core.floor.rollup import RollupDelta
from app.ports.evaluation import Checkpoint
from app.services.backtests import MOST_AT_ONCE, Backtests
from app.services.shapes import instant
from tests.support.builders import NOW, after
from tests.support.whole import POLICY, a_whole

PATH = "/api/v1/gates/default/policy/backtest"
P = ParamSpec("P")
R = TypeVar("R")
HOUR = {"from": instant(after(-3_600)), "to": instant(NOW)}


@pytest.fixture
async def whole(tmp_path):
    async with a_whole(tmp_path) as whole:
        yield whole


@pytest.fixture
async def client(whole):
    async with whole.client("read") as client:
        yield client


async def backlog(whole, *values, queue="orders-voice"):
    """Put one backlog per minute into history, the last one a minute before now."""
    deltas = []
    for place, value in enumerate(reversed(values), start=1):
        at = after(-60 * place)
        deltas.append(RollupDelta(queue, Metric.BACKLOG, at, 1, value, value, value, value, at))
    await whole.store.evaluation.flush(Checkpoint(0, NOW, {}), [], deltas)


async def test_the_policy_in_force_is_walked_over_the_last_weeks(whole, client):
    await backlog(whole, *[0] * 20, *[11] * 30, *[0] * 10)
    body = (await client.get(PATH)).json()
    assert (body["from"], body["to"]) == (instant(NOW - timedelta(days=28)), instant(NOW))
    assert (body["policy_version"], body["holds"], body["longest_hold_seconds"]) == (2, 1, 1_800)
    assert body["minutes"] - body["unseen_minutes"] == 60 - 1
    assert [note for note in body["notes"] if "no data" in note]


async def test_a_posted_document_is_walked_and_not_saved(whole, client):
    await backlog(whole, *[0] * 30, *[11] * 30)
    document = POLICY | {"rules": [{"metric": "backlog", "hold_above": 20}]}
    body = (await client.post(PATH, json=HOUR | {"policy": document})).json()
    assert (body["policy_version"], body["holds"], body["held_ratio"]) == (None, 0, 0)
    assert await whole.services.gates.newest_version("default") == 2


async def test_a_stored_version_is_walked(whole, client):
    await backlog(whole, *[0] * 30, *[11] * 30)
    await whole.policy(rules=[{"metric": "backlog", "hold_above": 20}])
    newest = (await client.get(PATH, params=HOUR)).json()
    former = (await client.post(PATH, json=HOUR | {"version": 2})).json()
    assert [(one["policy_version"], one["holds"]) for one in (newest, former)] == [(3, 0), (2, 1)]
    assert (await client.get(PATH, params=HOUR | {"version": 2})).json() == former


async def test_a_breach_can_be_said(whole, client):
    await backlog(whole, *[0] * 20, 11, *[0] * 19, *[30] * 20)
    breach = [{"metric": "backlog", "hold_above": 25}]
    body = (await client.post(PATH, json=HOUR | {"breach": breach})).json()
    assert (body["breaches"], body["missed"], body["holds"], body["precision_ratio"]) == (1, 1, 2, 1.0)
    assert [(rule["metric"], rule["hold_above"]) for rule in body["breach"]] == [("backlog", 25)]
    assert not [note for note in body["notes"] if "A breach" in note]


async def test_both_limits_of_each_rule_are_shown_a_fifth_lower_and_higher(whole, client):
    await backlog(whole, *[9] * 60)
    body = (await client.get(PATH, params=HOUR)).json()
    assert [(one["rule"], one["factor"], one["hold_limit"], one["held_ratio"]) for one in body["shifts"]] == [
        (0, 0.8, 8, 59 / 60),
        (0, 1.2, 12, 0),
    ]


async def test_a_span_without_history_says_so(client):
    body = (await client.get(PATH, params={"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"})).json()
    assert (body["unknown_ratio"], body["unseen_minutes"], body["holds"]) == (1.0, 1_440, 0)
    assert "There is no 1-minute history in this span" in body["notes"][0]
    assert body["gaps"] == [{"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}]


async def test_what_is_asked_for_after_now_is_left_out_and_said(client):
    body = (await client.get(PATH, params={"from": instant(after(-600)), "to": instant(after(86_400))})).json()
    assert (body["to"], body["minutes"]) == (instant(NOW), 10)
    assert "History ends now" in body["notes"][0]


async def test_a_policys_outlook_is_said_to_be_left_out(client):
    document = POLICY | {"outlook": {"service_level_ratio": 0.8, "service_level_seconds": 20}}
    body = (await client.post(PATH, json=HOUR | {"policy": document})).json()
    assert [note for note in body["notes"] if "outlook is not part" in note]


async def test_a_policy_that_watches_no_queue_says_so(client):
    body = (await client.post(PATH, json=HOUR | {"policy": POLICY | {"queues": ["sales-*"]}})).json()
    assert body["unknown_ratio"] == 1.0
    assert [note for note in body["notes"] if '"sales-*"' in note or "'sales-*'" in note]


@pytest.mark.parametrize(
    ("given", "pointer", "detail"),
    [
        ({"policy": {"queues": []}}, "/policy/queues", "without queues"),
        ({"policy": POLICY | {"rules": [{"metric": "backlog"}]}}, "/policy/rules/0/hold_above", "needs this limit"),
        ({"breach": [{"metric": "mood", "hold_above": 1}]}, "/breach/0/metric", "is no metric"),
        ({"policy": POLICY, "version": 1}, "/version", "not both"),
        ({"from": instant(NOW), "to": instant(after(-60))}, "/from", "must be before to"),
        ({"from": instant(after(60)), "to": instant(after(600))}, "/from", "has not been yet"),
        ({"from": "2020-01-01T00:00:00Z"}, "/from", "400 days"),
        ({"from": "yesterday"}, "/from", "no RFC 3339 time"),
        ({"until": instant(NOW)}, "/until", "unknown field"),
    ],
)
async def test_a_bad_question_is_refused_with_its_place(client, given, pointer, detail):
    answer = await client.post(PATH, json=given)
    assert answer.status_code == 422
    faults = {fault["pointer"]: fault["detail"] for fault in answer.json()["errors"]}
    assert detail in faults[pointer]


async def test_a_document_is_refused_exactly_as_saving_it_would_be(whole, client):
    document = {"queues": ["["], "time_zone": "Mars", "rules": [{"metric": "backlog", "hold_above": -1}], "x": 1}
    tried = (await client.post(PATH, json={"policy": document})).json()["errors"]
    async with whole.client("policies") as writer:
        saved = await writer.put("/api/v1/gates/default/policy", json=document, headers={"If-Match": "*"})
    assert [{**fault, "pointer": f"/policy{fault['pointer']}"} for fault in saved.json()["errors"]] == tried


async def test_an_unknown_gate_or_version_is_not_found(client):
    for path, given in (
        ("/api/v1/gates/nowhere/policy/backtest", {}),
        ("/api/v1/gates/nowhere/policy/backtest", {"policy": POLICY}),
        (PATH, {"version": 99}),
    ):
        assert (await client.post(path, json=given)).status_code == 404


async def test_it_needs_the_scope_to_read(whole):
    async with whole.client("ingest") as client:
        assert (await client.get(PATH)).status_code == 403
        assert (await client.post(PATH, json={})).status_code == 403


class Held:
    """Computes nothing until it is let go."""

    def __init__(self):
        self.begun: asyncio.Queue[object] = asyncio.Queue()
        self.let_go = asyncio.Event()

    async def run(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        self.begun.put_nowait(function)
        await self.let_go.wait()
        return function(*args, **kwargs)


async def test_one_key_has_one_backtest_at_a_time_and_few_run_at_all(whole, client):
    held = Held()
    backtests = Backtests(whole.services.gates, whole.store.minutes, held, whole.clock)
    object.__setattr__(whole.services, "backtests", backtests)
    running = [asyncio.create_task(client.get(PATH, params=HOUR))]
    await held.begun.get()
    again = await client.get(PATH, params=HOUR)
    assert (again.status_code, again.headers["retry-after"]) == (429, "5")
    for _ in range(MOST_AT_ONCE - 1):
        running.append(asyncio.create_task(_ask(whole)))
        await held.begun.get()
    assert ((busy := await _ask(whole)).status_code, busy.headers["retry-after"]) == (503, "5")
    held.let_go.set()
    assert [(await one).status_code for one in running] == [200] * MOST_AT_ONCE
    assert (await client.get(PATH, params=HOUR)).status_code == 200


async def _ask(whole):
    async with whole.client("read") as other:
        return await other.get(PATH, params=HOUR)
