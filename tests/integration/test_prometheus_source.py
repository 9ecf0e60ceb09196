"""The prometheus source against a strict query API: a day of its life, staleness, warnings, and bad tables."""

import asyncio
from datetime import timedelta

import pytest

from app.core.floor.observation import Observation
from app.errors import Invalid
from app.services.ingest import Ingest
from app.services.sources import Sources
from tests.support.a_day import QUEUE, STEP_SECONDS, live_through
from tests.support.builders import NOW
from tests.support.memory import MemoryStream, SteppedClock
from tests.support.vendors.prometheus import OLDEST_QUERY, WAITING_QUERY, Prometheus
from tests.support.vendors.strict import Broken, Limited, serving
from tests.support.whole import a_whole
from workers.sources.polling import Poller
from workers.sources.registry import configured, one
from workers.sources.worker import Surroundings


@pytest.fixture
def prom():
    with serving(Prometheus()) as prom:
        yield prom


async def test_a_day_is_lived_without_a_wrong_go(prom, tmp_path):
    def stands_still():
        prom.scraped_at = prom.now().timestamp() - STEP_SECONDS

    happenings = {
        12: lambda: prom.troubles.append(Broken()),
        20: lambda: prom.troubles.append(Limited("200")),
        31: stands_still,
        42: lambda: setattr(prom, "scraped_at", None),
        58: lambda: prom.warnings.append("partial response"),
        59: prom.warnings.clear,
    }

    def tell(backlog):
        if prom.scraped_at is None:
            prom.series[WAITING_QUERY] = {QUEUE: str(backlog)}
            prom.series[OLDEST_QUERY] = {QUEUE: "NaN" if backlog == 0 else str(1000 * backlog)}

    async with a_whole(tmp_path) as whole:
        prom.base = whole.clock.now
        _, factory = one("sources[0]", prom.table(interval_seconds=20))
        day = await live_through(whole, factory, tell, happenings, 70)
    assert {10, 12, 15, 56, 57, 60, 67} <= set(day.held)
    assert {25, 36, 37, 40, 41} <= set(day.in_the_dark)  # it tells of what it scraped minutes ago as if it were now
    assert {9, 19, 30, 33, 43, 55} <= set(day.went)
    assert prom.complaints == []


async def test_all_queries_of_one_time_are_evaluated_at_one_instant(prom):
    clock = SteppedClock(NOW)
    stream, sources = MemoryStream(clock), Sources()
    prom.base, prom.clock_ahead = clock.now, timedelta(seconds=7)
    prom.series[WAITING_QUERY] = {QUEUE: "3"}
    _, factory = one("sources[0]", prom.table())
    worker = factory(Surroundings(Ingest(stream, clock, sources), sources, clock))
    lot = await worker.sample()
    assert set(prom.times) == {(NOW + timedelta(seconds=7)).timestamp()}
    assert lot.payloads == [Observation(QUEUE, NOW + timedelta(seconds=5), "prom", "voice", backlog=3)]


async def test_a_query_that_cannot_be_evaluated_is_named(prom):
    clock = SteppedClock(NOW)
    sources = Sources()
    table = prom.table(metrics={"backlog": "sum(("})
    prom.series[WAITING_QUERY] = {QUEUE: "3"}
    _, factory = one("sources[0]", table)
    poller = factory(Surroundings(Ingest(MemoryStream(clock), clock, sources), sources, clock))
    assert isinstance(poller, Poller)
    await poller.poll(asyncio.Event())
    health = sources.find("prom")
    assert health is not None
    assert health.last_error is not None
    assert health.last_error.endswith("/prom/api/v1/query answered HTTP 400: it cannot evaluate the query for backlog")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"queue": "orders"}, "queue_label: and queue: one of them is needed"),
        ({"metrics": {}}, "metrics: is missing"),
        ({"metrics": {"waiting": "x"}}, r"metrics.waiting: is not a metric"),
        ({"metrics": {"backlog": {"query": "x", "unit": "iso"}}}, r"backlog.unit: 'iso' is not known; known are count"),
        ({"metrics": {"offered": "x"}}, r"sources\[0\].window_seconds: is missing"),
        ({"observed_at_query": 7}, "observed_at_query: 7 is not text"),
    ],
)
def test_a_bad_table_is_refused_naming_the_key(values, sentence):
    with pytest.raises(Invalid, match=sentence):
        configured([Prometheus().table(url="http://prometheus:9090", **values)])
