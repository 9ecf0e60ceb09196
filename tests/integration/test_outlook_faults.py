"""Whatever goes wrong with an outlook, it becomes no go: it grows old, the gate is unknown, and is back by itself."""

import asyncio
import logging
import os
import signal
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from math import inf, nan

import pytest

from app.api.readiness import ReadinessEndpoint
from app.computing import ChildProcess
from app.core.forecast.case import Rate
from app.core.forecast.foresee import foresee
from app.core.forecast.known import gate_case
from app.core.forecast.uncertainty import MEAN
from app.core.gate.foresight import STALE_AFTER_SECONDS
from app.core.problem import InputRefused
from app.errors import NotComputed, NotDurable
from app.settings import Settings
from app.store.bundle import open_store
from app.telemetry.metrics import Metrics
from app.wiring import build_services
from tests.support.api import an_app
from tests.support.campaigning import announce
from tests.support.databases import a_database_url
from tests.support.foreseen import a_known, a_queue, a_send
from tests.support.looking import OUTLOOK, a_seeing_whole, a_usual_past, look, look_later, report
from tests.support.memory import SteppedClock
from tests.support.whole import Whole, a_whole

BUSY = {"backlog": 9, "agents_staffed": 10, "agents_busy": 10}


@pytest.fixture
async def whole(tmp_path):
    async with a_seeing_whole(tmp_path) as opened:
        yield opened


@pytest.fixture
async def client(whole):
    async with whole.client() as opened:
        yield opened


@pytest.fixture
def planned_apart(whole):
    """Have the outlooks made by a child process, as a server does."""
    child = ChildProcess(patience_seconds=20)
    whole.services.outlooks._planning = whole.services.outlook_questions._planning = child
    yield child
    child.close()


async def asked(client, audience=100):
    """Return status and the code of the first reason, "" without any."""
    answer = await client.get("/api/v1/readiness", params={"audience": audience})
    reasons = answer.json()["reasons"]
    return answer.status_code, reasons[0]["code"] if reasons else ""


async def until(is_so):
    """Return once it is so; the test's timeout ends what never comes."""
    while not is_so():  # noqa: ASYNC110  # there is nothing to wait for
        await asyncio.sleep(0.01)


def no_room(whole, *, is_full=True):
    """Let the database's file not grow, as a full disk would; or grow again."""
    connection = whole.store.database.writer.engine.raw_connection()
    connection.cursor().execute(f"PRAGMA max_page_count={1 if is_full else 2**30}")
    connection.close()


async def grow_old(whole):
    """Let two minutes pass in which the floor is reported, and no outlook is made."""
    for _ in range(4):
        await report(whole, seconds=STALE_AFTER_SECONDS / 4)


# --- the process that computes ---


async def test_an_outlook_whose_process_is_killed_grows_old_until_the_next_is_made(whole, client, planned_apart):
    await look(whole)
    assert await asked(client) == (200, "")
    await report(whole)
    with pytest.raises(NotComputed, match="ended unexpectedly"):
        await signalled(look(whole), planned_apart, signal.SIGKILL)
    assert await asked(client) == (200, "")  # the last one is good for two minutes
    await grow_old(whole)
    assert await asked(client) == (503, "data_outlook_stale")
    await look_later(whole)
    assert await asked(client) == (200, "")


async def test_an_outlook_that_hangs_is_given_up_and_the_next_one_is_made(whole, client, planned_apart):
    await look(whole)
    planned_apart._patience = 1.0
    await report(whole)
    with pytest.raises(NotComputed, match="more than 1 seconds"):
        await signalled(look(whole), planned_apart, signal.SIGSTOP)
    await grow_old(whole)
    assert await asked(client) == (503, "data_outlook_stale")
    planned_apart._patience = 20.0
    await look_later(whole)
    assert await asked(client) == (200, "")


@pytest.mark.parametrize("path", ["/api/v1/outlook?audience=5000", "/api/v1/campaigns/spring/plan"])
async def test_a_question_whose_process_dies_is_answered_503_and_logged_in_one_line_and_the_next_one_is_answered(
    whole, client, planned_apart, caplog, path
):
    await announce(whole)
    await look_later(whole)
    failed = await signalled(client.get(path), planned_apart, signal.SIGKILL)
    assert (failed.status_code, failed.headers["content-type"]) == (503, "application/problem+json")
    assert "has ended unexpectedly" in failed.json()["detail"]
    (line,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert (line.message, line.exc_info) == ("request_not_served", None)
    assert line.error == "the process that computes has ended unexpectedly"
    assert (await client.get(path)).status_code == 200


async def signalled(work, child, number):
    """Do the work, and signal the child process while it is at it."""
    (process,) = child._pool._processes
    os.kill(process, signal.SIGSTOP)
    working = asyncio.ensure_future(work)
    while not child._turn.locked():  # noqa: ASYNC110  # there is nothing to wait for
        await asyncio.sleep(0.001)
    os.kill(process, number)
    return await working


@pytest.mark.usefixtures("planned_apart")
async def test_many_questions_at_once_do_not_keep_a_gate_from_its_outlook(whole, client):
    await announce(whole, audience=20_000)
    await look_later(whole)
    questions = [asyncio.ensure_future(client.get("/api/v1/campaigns/spring/plan")) for _ in range(12)]
    await asyncio.sleep(0)
    await look_later(whole)
    assert sum(question.done() for question in questions) <= 3
    answers = await asyncio.gather(*questions)
    assert {answer.status_code for answer in answers} == {200}


async def test_while_nobody_looks_any_more_the_evaluator_goes_on_and_the_gate_becomes_unknown(whole, client):
    stop = asyncio.Event()
    looking = asyncio.ensure_future(whole.services.outlooks.run(stop))
    await until(lambda: whole.services.outlooks.newest("default"))
    stop.set()
    await asyncio.wait_for(looking, 20)
    await report(whole)
    assert await asked(client) == (200, "")
    await grow_old(whole)
    assert await asked(client) == (503, "data_outlook_stale")


async def test_what_goes_wrong_is_logged_as_a_sentence_and_tried_again(whole, client, caplog):
    caplog.set_level(logging.WARNING)
    no_room(whole)
    stop = asyncio.Event()
    looking = asyncio.ensure_future(whole.services.outlooks.run(stop))
    await until(lambda: caplog.records)
    no_room(whole, is_full=False)
    whole.services.outlooks.wake()
    await until(lambda: whole.services.outlooks.newest("default"))
    stop.set()
    await asyncio.wait_for(looking, 20)
    assert {(record.message, record.exc_info) for record in caplog.records} == {("outlook_not_made", None)}
    await report(whole)
    assert await asked(client) == (200, "")


# --- the disk and the clock ---


async def test_an_outlook_that_cannot_be_kept_is_not_used(whole, client):
    no_room(whole)
    with pytest.raises(NotDurable):
        await look(whole)
    await whole.evaluate()
    assert await asked(client) == (503, "data_outlook_missing")
    no_room(whole, is_full=False)
    await look_later(whole)
    assert await asked(client) == (200, "")


@pytest.mark.parametrize("seconds", [-3_600, 3_600])
async def test_a_clock_that_jumps_makes_the_outlook_useless_until_the_next(whole, client, seconds):
    await look(whole)
    await whole.services.outlooks._look_into_oldest()
    whole.clock.move(seconds)
    if seconds < 0:
        await whole.services.evaluator.start()  # as it does by itself when it sees a clock that was set back
    await report(whole)
    assert await asked(client) == (503, "data_outlook_stale")
    await look_later(whole)
    assert await asked(client) == (200, "")
    await whole.services.outlooks._look_into_oldest()
    (looked,) = whole.services.outlooks._looked.values()
    assert looked.at == whole.services.outlooks.newest("default").at


# --- a restart ---


@asynccontextmanager
async def the_same_again(folder, now):
    """Yield a holdfire over the same folder, as a restart leaves it."""
    clock = SteppedClock(now)
    async with open_store(a_database_url("sqlite", folder), clock, alone=True) as store:
        services = await build_services(Settings(auth="off", data_dir=folder), clock, store, Metrics())
        yield Whole(clock, store, services, an_app(), ReadinessEndpoint())


async def test_after_a_restart_the_gate_is_unknown_and_a_hold_still_takes_two_good_outlooks(tmp_path):
    async with a_seeing_whole(tmp_path) as whole, whole.client() as client:
        await look_later(whole, **BUSY)
        assert await asked(client) == (429, "predicted_service_level_low")
        await report(whole)
        now = whole.clock.now()
    async with the_same_again(tmp_path, now + timedelta(seconds=30)) as whole, whole.client() as client:
        await report(whole)
        assert await asked(client) == (503, "data_outlook_missing")
        await look_later(whole)
        status, body = await readiness(client)
        assert (status, body["summary"].startswith("predicted within limits again")) == (429, True)
        await look_later(whole)
        assert await asked(client) == (200, "")


async def readiness(client):
    answer = await client.get("/api/v1/readiness", params={"audience": 100})
    return answer.status_code, answer.json()


# --- numbers that are none ---

ARRAYS = ("expected", "cv")
NUMBERS = ("handle_seconds", "patience_seconds", "step_seconds", "step_offset_seconds")


def refused_or_never_a_go(known):
    try:
        found = foresee(gate_case(known), MEAN)
    except InputRefused as fault:
        return bool(str(fault))
    limits = known.limits
    return not found.without.probability <= limits.max_breach_probability or not any(
        send.audience for _, send in found.sends
    )


@pytest.mark.parametrize("value", [nan, inf, -1.0])
@pytest.mark.parametrize("name", [*ARRAYS, *NUMBERS])
def test_a_number_that_is_none_in_what_is_known_of_a_queue_lets_nothing_go(name, value):
    queue = a_queue()
    if name in ARRAYS:
        values = getattr(queue, name).copy()
        values[3] = value
        changed = a_queue(**{name: values})
    else:
        changed = a_queue(**{name: value})
    assert refused_or_never_a_go(a_known(changed))


@pytest.mark.parametrize("value", [nan, inf, -1.0])
@pytest.mark.parametrize("where", ["rate", "cv", "share", "minute", "messages"])
def test_a_number_that_is_none_in_what_was_sent_lets_nothing_go(where, value):
    send = a_send((-30.0, 1_000.0))
    changed = {
        "rate": replace(send, rate=Rate(value, 0.5)),
        "cv": replace(send, rate=Rate(10.0, value)),
        "share": replace(send, shares=(("orders", value),)),
        "minute": replace(send, messages=((value if value > 0 else 1.0, 1_000.0),)),
        "messages": replace(send, messages=((-30.0, value),)),
    }[where]
    assert refused_or_never_a_go(a_known(sent=(changed,)))


@pytest.mark.parametrize("value", [nan, inf, -1.0])
@pytest.mark.parametrize("where", ["rate", "cv", "share"])
def test_a_number_that_is_none_in_who_may_send_lets_nothing_go(where, value):
    known = a_known()
    (sender,) = known.senders
    changed = {
        "rate": replace(sender, rate=Rate(value, 0.5)),
        "cv": replace(sender, rate=Rate(10.0, value)),
        "share": replace(sender, shares=(("orders", value),)),
    }[where]
    assert refused_or_never_a_go(replace(known, senders=(changed,)))


@pytest.mark.parametrize("value", [nan, -1.0])
@pytest.mark.parametrize(
    "name", ["service_level_ratio", "max_breach_probability", "window_seconds", "service_level_seconds"]
)
def test_a_limit_that_is_none_lets_nothing_go(name, value):
    known = a_known()
    assert refused_or_never_a_go(replace(known, limits=replace(known.limits, **{name: value})))


# --- floors that say odd things ---


async def no_handle_time(whole):
    await a_usual_past(whole, "odd", handle_seconds=0.0)
    return {}


async def no_agents(whole):
    await a_usual_past(whole, "odd")
    return {"agents_staffed": 0, "agents_busy": 0}


async def no_contacts_ever(whole):
    await a_usual_past(whole, "odd", per_step=0.0)
    return {"handle_time_seconds": 300.0}


async def a_few_hours_of_history(whole):
    await a_usual_past(whole, "odd", days=0)
    return {}


async def a_backlog_beyond_belief(whole):
    await a_usual_past(whole, "odd")
    return {"backlog": 10**9}


async def agents_beyond_belief(whole):
    await a_usual_past(whole, "odd")
    return {"agents_staffed": 10**9, "agents_busy": 10**9}


async def a_floor_that_never_reported(_whole):
    return None


@pytest.mark.parametrize(
    ("arrange", "sentence"),
    [
        (no_handle_time, "odd: no handle time is known"),
        (no_agents, "odd: service level 0 % predicted"),
        (no_contacts_ever, "odd: on the 2 days that a forecast could be made from, no contact came at these times"),
        (a_few_hours_of_history, "odd: "),
        (a_backlog_beyond_belief, "waiting"),
        (agents_beyond_belief, "agents"),
        (a_floor_that_never_reported, "no queue on the floor matches 'odd'"),
    ],
)
async def test_a_floor_that_says_odd_things_is_held_with_a_reason_in_words(tmp_path, arrange, sentence):
    async with a_whole(tmp_path, auth="off") as whole, whole.client() as client:
        rules = [{"metric": "oldest_wait_seconds", "hold_above": 300}]
        await whole.policy(queues=["odd"], rules=rules, outlook=OUTLOOK)
        gauges = await arrange(whole)
        if gauges is not None:
            await report(whole, "odd", oldest_wait_seconds=0, **gauges)
        await look(whole)
        status, body = await readiness(client)
        assert (status in {429, 503}, body["proceed"], body["decision"]) == (True, False, "hold")
        assert any(sentence in reason["message"] for reason in body["reasons"]), body["reasons"]
