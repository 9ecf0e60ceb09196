"""The http-json source against a strict system: a day of its life, under the supervisor, and tried by the commands."""

import asyncio
import json
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from prometheus_client import generate_latest
from typer.testing import CliRunner

from app.cli import cli
from app.clocks import SystemClock
from app.core.floor.observation import Observation
from app.services.ingest import Ingest
from app.services.sources import Sources
from app.settings import Settings
from app.telemetry.metrics import Metrics
from app.web.sources.view import Reader, source_row
from tests.support.a_day import QUEUE, live_through
from tests.support.builders import NOW
from tests.support.memory import MemoryStream, SteppedClock
from tests.support.vendors.http_json import CANARIES, TOKEN, Acd, Line
from tests.support.vendors.strict import Answer, Broken, Cut, Limited, Truncated, Vendor, serving
from tests.support.whole import a_whole
from workers.sources.polling import Poller
from workers.sources.registry import one
from workers.sources.worker import Surroundings
from workers.supervisor import crew_for
from workers.systems.faults import TranslateError

A_READER = Reader({}, {}, ZoneInfo("UTC"), NOW, 120)


class NobodyWatches:
    """No live connection is open."""

    connections = 0


@pytest.fixture
def acd():
    with serving(Acd(**{QUEUE: Line(2, None, 7), "mail": Line(None, None, None)})) as acd:
        yield acd


async def test_a_day_is_lived_without_a_wrong_go(acd, tmp_path):
    def clock(hours):
        return lambda: setattr(acd, "clock_ahead", timedelta(hours=hours))

    happenings = {
        12: lambda: acd.troubles.append(Broken()),
        20: lambda: acd.troubles.append(Limited("200")),
        31: clock(1),
        37: clock(0),
        42: clock(-1),
        48: clock(0),
        58: lambda: acd.troubles.extend([Truncated(), Cut()]),
        70: acd.queues.clear,
        76: lambda: acd.queues.update({QUEUE: Line()}),
        81: lambda: acd.troubles.append(Broken(401)),
    }

    def tell(backlog):
        if QUEUE in acd.queues:
            acd.queues[QUEUE].backlog = backlog

    del acd.queues["mail"]
    async with a_whole(tmp_path) as whole:
        acd.base = whole.clock.now
        _, factory = one("sources[0]", acd.table(interval_seconds=20))
        day = await live_through(whole, factory, tell, happenings, 88)
        health = whole.services.sources.find("acd")
    assert {10, 12, 15, 56, 60, 67} <= set(day.held)
    assert {25, 35, 36, 46, 47, 74, 75} <= set(day.in_the_dark)
    assert {9, 19, 30, 41, 55, 80, 87} <= set(day.went)
    assert acd.complaints == []
    assert health is not None
    assert health.rejected == 6  # the hour that its clock was ahead
    assert "ahead of this server's time" in health.refusals[-1].detail


@pytest.mark.parametrize(("age", "seconds"), [(None, 0), ("240", 240), ("240, 3", 240), ("-5", 0), ("soon", 0)])
async def test_what_a_cache_has_kept_is_as_old_as_it_is(age, seconds):
    class Cached(Vendor):
        def answer(self, asked):
            assert asked.headers["cache-control"] == "no-cache"
            return Answer({"waiting": 0}, headers={} if age is None else {"Age": age})

    clock, sources = SteppedClock(NOW), Sources()
    with serving(Cached()) as cached:
        mapping = {"queue": "orders", "metrics": {"backlog": "waiting"}}
        _, factory = one("sources[0]", {"type": "http-json", "url": cached.url("/"), "mapping": mapping})
        lot = await factory(Surroundings(Ingest(MemoryStream(clock), clock, sources), sources, clock)).sample()
    (seen,) = lot.payloads
    assert isinstance(seen, Observation)
    assert seen.observed_at == NOW - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "link", ['</live?page=2>; rel="next"', "<a>; rel=prev, <b>; title=x; rel=next", '<a>;rel="x next"']
)
async def test_one_page_of_several_is_not_the_whole(link):
    class Paged(Vendor):
        def answer(self, _):
            return Answer({"calls": [{}, {}]}, headers={"Link": link})

    clock, sources = SteppedClock(NOW), Sources()
    with serving(Paged()) as paged:
        mapping = {"queue": "orders", "metrics": {"backlog": "length(calls)"}}
        _, factory = one("sources[0]", {"type": "http-json", "url": paged.url("/"), "mapping": mapping})
        worker = factory(Surroundings(Ingest(MemoryStream(clock), clock, sources), sources, clock))
        with pytest.raises(TranslateError, match="one page of several"):
            await worker.sample()


async def test_an_answer_that_is_kept_somewhere_is_not_told_as_new_again_and_again(acd):
    clock, sources = SteppedClock(NOW), Sources()
    stream, stop = MemoryStream(clock), asyncio.Event()
    table = {"type": "http-json", "name": "acd", "url": acd.url("/api/v2/live?view=live"), "bearer_token": TOKEN}
    mapping = {"rows": "data.rows", "queue_from": "queue.id", "metrics": {"backlog": "stats.waiting"}}
    worker = one("sources[0]", table | {"mapping": mapping})[1](
        Surroundings(Ingest(stream, clock, sources), sources, clock)
    )
    assert isinstance(worker, Poller)
    acd.base = clock.now
    del acd.queues["mail"]
    told = []
    for step in range(6):
        kept = NOW + timedelta(seconds=40)  # from steps 2 to 4 a proxy on the way keeps what it was answered
        acd.base = (lambda: kept) if 2 <= step < 5 else clock.now  # noqa: B023 - called in this turn only
        await worker.poll(stop)
        told.append(len(stream.records))
        clock.move(20)
    stop.set()
    await worker.run(stop)
    assert told == [1, 2, 3, 3, 3, 4]
    health = sources.find("acd")
    assert health is not None
    assert health.last_error == "the Date of its answers has stood still for 40 s: they are kept somewhere"


async def test_under_the_supervisor_it_says_how_it_does(acd):
    clock, sources, stop = SystemClock(), Sources(), asyncio.Event()
    stream = MemoryStream(clock)
    acd.troubles.append(Broken())
    del acd.queues["mail"]
    crew = crew_for(Settings(sources=(acd.table(interval_seconds=0.05),)))
    running = asyncio.create_task(crew(Surroundings(Ingest(stream, clock, sources), sources, clock), []).run(stop))
    async for _ in stream.tail(0):
        break
    stop.set()
    await running
    health = sources.find("acd")
    assert health is not None
    assert (health.kind, health.status, health.consecutive_failures) == ("http-json", "working", 0)
    assert health.last_error == f"{acd.url('/api/v2/live')} answered HTTP 500"
    assert list(health.queues) == [QUEUE]


def toml(value):
    """Return a value as TOML writes it in one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(each)}" for key, each in value.items()) + " }"
    return json.dumps(value)


@pytest.fixture
def holdfire(acd, tmp_path, monkeypatch):
    """Run a command on a holdfire.toml with this source."""

    def run(*arguments, typed=b"", **values):
        table = acd.table(**values)
        text = "\n".join(f"{key} = {toml(value)}" for key, value in table.items())
        (tmp_path / "holdfire.toml").write_text(f"[[sources]]\n{text}\n")
        monkeypatch.setenv("HOLDFIRE_CONFIG", str(tmp_path / "holdfire.toml"))
        return CliRunner().invoke(cli, arguments, input=typed)

    return run


def test_doctor_shows_one_reading_and_changes_nothing(acd, holdfire):
    acd.queues[QUEUE].oldest_ms = 94_500
    done = holdfire("doctor", "--source", "acd", "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    values = {each["metric"]: (each["value"], each["unit"]) for each in said["sample"]}
    assert values == {
        "backlog": (2, "contacts"),
        "oldest_wait_seconds": (94.5, "seconds"),
        "agents_staffed": (7, "agents"),
    }
    assert {(each["queue"], each["channel"]) for each in said["sample"]} == {(QUEUE, "voice")}
    assert [(each["row"], each["detail"]) for each in said["rejected"]] == [(2, "none of the mapped metrics is said")]
    assert len(acd.asked) == 1
    table = holdfire("doctor", "--source", "acd")
    assert "oldest_wait_seconds" in table.stdout
    assert not [word for word in CANARIES if word in done.output + table.output]


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [(Broken(401), "does not accept our credentials"), (Truncated(), "the answer is not JSON"), (Cut(), "cannot be")],
)
def test_doctor_names_the_fault(acd, holdfire, trouble, sentence):
    acd.troubles.append(trouble)
    done = holdfire("doctor", "--source", "acd")
    assert done.exit_code == 1
    assert sentence in done.stderr


def test_doctor_says_when_the_clock_of_a_system_is_ahead(acd, holdfire):
    acd.clock_ahead = timedelta(hours=1)
    done = holdfire("doctor", "--source", "acd", "--json")
    assert done.exit_code == 1
    said = json.loads(done.stdout)
    assert "check the source's clock" in said["detail"]
    assert said["detail"].endswith(
        f"its clock is {said['clock_ahead_seconds']:,.0f} s ahead of ours: set one of them right"
    )
    assert abs(said["clock_ahead_seconds"] - 3600) < 60


@pytest.mark.parametrize("hours", [-1, 0, 2])
async def test_the_clock_of_a_system_is_shown_and_said_where_it_is_wrong(acd, tmp_path, hours):
    async with a_whole(tmp_path) as whole:
        acd.base, acd.clock_ahead = whole.clock.now, timedelta(hours=hours)
        around = Surroundings(whole.services.ingest, whole.services.sources, whole.clock)
        worker = one("sources[0]", acd.table())[1](around)
        assert isinstance(worker, Poller)
        await worker.poll(stop := asyncio.Event())
        async with whole.client("read") as client:
            (shown,) = [each for each in (await client.get("/api/v1/sources")).json()["items"] if each["name"] == "acd"]
        metrics = Metrics()
        metrics.watch(whole.services, NobodyWatches())
        (health,) = [each for each in whole.services.sources.all() if each.name == "acd"]
        page = source_row(health, A_READER)
        stop.set()
        await worker.run(stop)
    assert abs(shown["clock_ahead_seconds"] - hours * 3600) < 60
    told = f'holdfire_source_clock_ahead_seconds{{source="acd"}} {shown["clock_ahead_seconds"]:.1f}'
    assert told in generate_latest(metrics.registry).decode()
    assert ("its clock is" in shown["status"]) is (hours == -1)  # of what is ahead nothing can be taken
    assert page.clock_wrong is (hours != 0)
    assert page.clock.rpartition(" ")[2] == {-1: "behind", 0: "ours", 2: "ahead"}[hours]


def test_doctor_lists_the_sources_there_are(holdfire):
    done = holdfire("doctor", "--source", "pbx")
    assert (done.exit_code, done.stderr) == (1, "holdfire: there is no source 'pbx'; there are acd\n")


def test_a_sample_is_tried_without_asking_anybody(acd, holdfire):
    row = {"queue": {"id": "sales", "media": "chat"}, "stats": {"waiting": 4}, "oldestCaller": {"number": CANARIES[0]}}
    sample = json.dumps({"asOf": acd.now().isoformat(), "data": {"rows": [row]}}).encode()
    done = holdfire("sources", "try", "--source", "acd", "--sample", "-", "--json", typed=sample)
    assert done.exit_code == 0, done.output
    (seen,) = json.loads(done.stdout)["sample"]
    assert (seen["queue"], seen["metric"], seen["value"]) == ("sales", "backlog", 4)
    assert acd.asked == []
    nothing = holdfire("sources", "try", "--source", "acd", "--sample", "-", typed=b"{}")
    assert nothing.exit_code == 1
    assert "observed_at_from: asOf gives nothing" in nothing.stderr
    assert holdfire("sources", "try", "--source", "x", "--sample", "-", typed=b"{}").exit_code == 2
    assert holdfire("sources", "try", "--source", "acd", "--sample", "/nowhere").exit_code == 2


def test_config_check_names_the_key_and_show_never_the_secret(holdfire):
    bad = holdfire("config", "check", interval_seconds=0)
    assert bad.exit_code == 2
    assert "sources[0].interval_seconds: 0 is not allowed; give seconds from 0.05 to 3600" in bad.stderr
    assert holdfire("config", "check").exit_code == 0
    for arguments in (("config", "show"), ("config", "show", "--json")):
        shown = holdfire(*arguments)
        assert shown.exit_code == 0
        assert "data.rows" in shown.stdout
        assert TOKEN not in shown.output
