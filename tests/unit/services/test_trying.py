import asyncio
import gc
import json
import resource
import signal
import time

import pytest

from app.computing import InProcess
from app.errors import Invalid
from app.services.trying import LONGEST_SAMPLE, LONGEST_TABLE, Trials
from tests.support.builders import NOW
from tests.support.memory import SteppedClock
from workers.sources.trying import SampleReader

MAPPING = {"queue_from": "q", "metrics": {"backlog": "w"}}
TABLE = 'type = "http-json"\nmapping = { queue_from = "q", metrics = { backlog = "w" } }\n'
CONFIGURED = (
    {"type": "queue-log", "path": "/x"},
    {"type": "http-json", "name": "acd", "url": "https://acd.example", "bearer_token": "t0p", "mapping": MAPPING},
    {"type": "http-json", "mapping": MAPPING},
)
NUMBER = "+1 555 0100 100"
# What is raised in a callback of the garbage collector goes no further; pytest tells of it.
LOST_IN_A_CALLBACK = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def trials():
    return Trials(SampleReader(), CONFIGURED, InProcess(), SteppedClock(NOW))


def test_sources_with_a_mapping_can_be_tried():
    assert trials().sources == ("acd", "http_json")
    assert "http-json" in trials().kinds


async def test_a_configured_source_reads_a_sample():
    trial = await trials().try_source("acd", '[{"q": "a", "w": 3}, {"q": "b", "w": "' + NUMBER + '"}]')
    assert [(each.queue, each.metric, each.value, each.unit) for each in trial.seen] == [
        ("a", "backlog", 3, "contacts")
    ]
    (missed,) = trial.missed
    assert (missed.row, missed.field, missed.value) == (2, "backlog", None)
    assert missed.detail == "backlog: what w gives is a text, not a number"


@pytest.mark.parametrize("text", [TABLE, f"[[sources]]\n{TABLE}", f"[sources]\n{TABLE}"])
async def test_a_pasted_table_reads_a_sample(text):
    (seen,) = (await trials().try_table(text, '{"q": "a", "w": 3}')).seen
    assert (seen.queue, seen.value, seen.age_seconds) == ("a", 3, 0.0)


async def test_what_ingest_would_refuse_is_among_the_rejected():
    table = TABLE.replace('queue_from = "q"', 'queue_from = "q", observed_at_from = "at"')
    trial = await trials().try_table(table, json.dumps({"q": "a", "w": 3, "at": "2031-01-01T00:00:00Z"}))
    assert trial.seen == ()
    assert [(each.row, each.field) for each in trial.missed] == [(None, "observed_at")]
    assert "check the source's clock" in trial.missed[0].detail


@pytest.mark.parametrize(
    ("text", "sample", "pointer", "detail"),
    [
        ("", "{}", "/table", "paste one"),
        ("= 1", "{}", "/table", "is not TOML"),
        (f"[[sources]]\n{TABLE}[[sources]]\n{TABLE}", "{}", "/table", "paste one"),
        ('type = "queue-log"', "{}", "/table", "sources.type: 'queue-log' is not known; known are"),
        (TABLE.replace("backlog", "waiting"), "{}", "/table", "sources.mapping.metrics.waiting: is not a metric"),
        (TABLE, " ", "/sample", "paste what the system says"),
        (TABLE, "{", "/sample", "the answer is not JSON"),
        (TABLE, "x" * (LONGEST_SAMPLE + 1), "/sample", "has 200,001 characters"),
        ("#" * (LONGEST_TABLE + 1), "{}", "/table", "has 20,001 characters"),
    ],
)
async def test_what_cannot_be_read_is_said_where_it_stands(text, sample, pointer, detail):
    with pytest.raises(Invalid, match=detail) as raised:
        await trials().try_table(text, sample)
    assert [problem.pointer for problem in raised.value.problems] == [pointer]


async def test_a_source_that_is_not_there_is_said():
    with pytest.raises(Invalid, match="no source 'x' that can be tried") as raised:
        await trials().try_source("x", "{}")
    assert [problem.pointer for problem in raised.value.problems] == ["/source"]


async def test_no_file_is_read_for_a_pasted_table(tmp_path):
    text = f'bearer_token_file = "{tmp_path}/secret"\nurl = "https://acd.example"\n{TABLE}'
    assert len((await trials().try_table(text, '{"q": "a", "w": 3}')).seen) == 1


async def test_an_expression_that_makes_ever_more_of_a_sample_is_stopped():
    grown = "q" + "|join('', [@,@,@])" * 27
    table = TABLE.replace('queue_from = "q"', f'queue_from = "{grown}"')
    with pytest.raises(Invalid) as raised:
        await trials().try_table(table, '{"q": "aaaaaaaa", "w": 3}')
    assert [each.pointer for each in raised.value.problems] == ["/table"]
    assert "makes far more of the sample" in raised.value.problems[0].detail
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY


SLOW = "@"
for _ in range(5):
    SLOW = f"map(&{SLOW}, `{[0] * 20}`)"  # three million steps


@LOST_IN_A_CALLBACK
async def test_an_expression_that_computes_for_ever_is_stopped(monkeypatch):
    monkeypatch.setattr("workers.sources.trying.MOST_SECONDS", 0.05)
    table = TABLE.replace('backlog = "w"', f'backlog = "{SLOW}"')
    with pytest.raises(Invalid) as raised:
        await trials().try_table(table, '{"q": "a", "w": 3}')
    assert [each.pointer for each in raised.value.problems] == ["/table"]
    assert "computes for more than 0.05 s" in raised.value.problems[0].detail


@LOST_IN_A_CALLBACK
async def test_it_is_stopped_although_its_time_ends_while_garbage_is_collected(monkeypatch):
    monkeypatch.setattr("workers.sources.trying.MOST_SECONDS", 0.05)
    began: list[float] = []

    def dawdle(_phase: str, _of: object) -> None:
        if not began and signal.getitimer(signal.ITIMER_PROF)[0]:
            began.append(time.process_time())
            while time.process_time() < began[0] + 0.2:
                pass

    gc.callbacks.append(dawdle)
    seldom = gc.get_threshold()
    gc.set_threshold(100)
    try:
        table = TABLE.replace('backlog = "w"', f'backlog = "{SLOW}"')
        with pytest.raises(Invalid):
            await trials().try_table(table, '{"q": "a", "w": 3}')
    finally:
        gc.set_threshold(*seldom)
        gc.callbacks.remove(dawdle)
    assert began


class Slow(InProcess):
    """Computes one thing after the other, and each takes a while; knows how many wait."""

    def __init__(self) -> None:
        self.waiting, self.let_go = 0, asyncio.Event()

    async def run(self, function, /, *args, **kwargs):
        self.waiting += 1
        await self.let_go.wait()
        self.waiting -= 1
        return function(*args, **kwargs)


async def test_many_trials_stand_in_the_way_of_others_as_one():
    slow = Slow()
    many = Trials(SampleReader(), CONFIGURED, slow, SteppedClock(NOW))
    trying = [asyncio.create_task(many.try_source("acd", '{"q": "a", "w": 3}')) for _ in range(4)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert slow.waiting == 1
    slow.let_go.set()
    assert [len((await each).seen) for each in trying] == [1, 1, 1, 1]
