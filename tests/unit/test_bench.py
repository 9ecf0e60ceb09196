"""The benchmark reads wrk rightly, takes medians of interleaved rounds, and writes only between the page's marks."""

from datetime import UTC, datetime, timedelta

import pytest

import bench.__main__ as harness
from app.core.forecast.safe import safe_now
from app.core.forecast.uncertainty import MEAN
from app.core.gate.policy import parse_policy
from app.core.permit.permit import PermitState
from app.services.backtests import Walk, walked
from app.store.migrate import migrate
from app.store.minutes import SqlMinutes
from bench import backtest, observed, planning, steady, stock
from bench.load import Rate, _read
from bench.measuring import interleaved, table
from tests.support.builders import NOW
from tests.support.databases import a_database_url, a_store

REPORT = """\
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.09ms    5.04ms  99.84ms   97.74%
  Latency Distribution
     50%  420.00us
     99%  {p99}
  100725 requests in 3.00s, 49.17MB read
Requests/sec:  33573.79
"""


@pytest.mark.parametrize(("p99", "milliseconds"), [("950.00us", 0.95), ("21.63ms", 21.63), ("1.02s", 1020.0)])
def test_a_report_is_read_in_milliseconds(p99, milliseconds):
    assert _read(REPORT.format(p99=p99)) == pytest.approx(Rate(33573.79, milliseconds))


def test_a_report_without_a_result_is_an_error():
    with pytest.raises(RuntimeError, match="no result"):
        _read("unable to connect")


def test_contenders_take_turns_and_the_first_turn_does_not_count():
    turns = []

    def contender(name, rates):
        def run():
            turns.append(name)
            return Rate(rates.pop(0), 1.0)

        return run

    found = interleaved(3, {"a": contender("a", [999, 1, 9, 5]), "b": contender("b", [999, 2, 2, 8])})
    assert turns == ["a", "b"] * 4
    assert {name: rate.per_second for name, rate in found.items()} == {"a": 5, "b": 2}


def test_writing_replaces_the_tables_and_nothing_else(tmp_path, monkeypatch):
    page = tmp_path / "performance.md"
    page.write_text(f"# Before\n{harness.BEGIN}\nold\n{harness.END}\nafter\n")
    monkeypatch.setattr(harness, "PAGE", page)
    harness.write(table("New", ("a", "b"), [("1", "2")]))
    assert page.read_text() == (
        f"# Before\n{harness.BEGIN}\n\n## New\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n{harness.END}\nafter\n"
    )


def test_the_page_has_both_marks():
    text = harness.PAGE.read_text(encoding="utf-8")
    assert text.index(harness.BEGIN) < text.index(harness.END)


async def test_what_is_stored_beforehand_is_what_the_program_reads(tmp_path):
    migrate(a_database_url("sqlite", tmp_path))
    stock.fill(tmp_path / "holdfire.db", 20)
    async with a_store(tmp_path) as store:
        permits = await store.permits.permits()
        assert [permit.state for permit in permits] == [PermitState.USED] * 20
        decision = await store.decisions.decision(permits[0].decision_id)
        assert (decision.verdict, decision.allow) == ("send", permits[0].allowed)
        assert len(await store.events.events(subject=f"permit/{permits[0].id}")) == 1
        assert await store.permits.spent(NOW) == {}


def test_a_year_for_backtests_is_read_whole(tmp_path):
    url = a_database_url("sqlite", tmp_path)
    migrate(url)
    backtest.fill(tmp_path / "holdfire.db", queues=2, days=2)
    until = datetime.now(UTC).replace(second=0, microsecond=0)
    walk = Walk(SqlMinutes(url), parse_policy(backtest.POLICY), until - timedelta(days=1), until, ())
    report = walked(walk)
    assert [queue.name for queue in report.queues] == ["queue-0", "queue-1"]
    assert report.unseen_minutes <= 60


def test_what_is_planned_for_has_a_limit_and_room():
    found = safe_now(planning.a_case(), planning.AUDIENCE, MEAN)
    assert 1_000 < found.audience < planning.AUDIENCE


async def test_the_history_that_planning_needs_is_written(tmp_path):
    planning.fill(tmp_path / "holdfire.db", days=1)
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    async with a_store(tmp_path) as store:
        flows = await store.flows.flows(planning.QUEUE, hour - timedelta(hours=2), hour, 300)
    assert set(flows.offered.tolist()) == {planning.CONTACTS_PER_STEP}


@pytest.mark.parametrize(
    ("answer", "whole"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", False),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\nserver: x\r\n\r\nabc", True),
    ],
    ids=["head", "body begun", "whole"],
)
def test_an_answer_counts_when_it_is_whole(answer, whole):
    assert steady.is_whole(answer) is whole


def test_waits_are_summed_up_in_milliseconds():
    assert steady.summed_up([0.001 * each for each in range(200, 0, -1)]) == pytest.approx((101, 199, 200))


async def test_what_was_observed_beforehand_is_left_as_by_a_server_that_stopped(tmp_path):
    migrate(a_database_url("sqlite", tmp_path))
    observed.fill(tmp_path / "holdfire.db", 100, 5)
    async with a_store(tmp_path) as store:
        records = await store.stream.read(0)
        assert [record.position for record in records] == list(range(1, 101))
        assert {record.payload.queue for record in records} == {f"queue-{number}" for number in range(5)}
        assert await store.stream.position_before(records[50].received_at) == 49
        checkpoint = await store.evaluation.checkpoint()
        assert checkpoint is not None
        assert (checkpoint.position, len(checkpoint.known)) == (100, 5)


def test_everything_can_be_measured_alone():
    assert list(harness._measures())[:3] == ["readiness", "ingest", "latency"]
    assert {"growth", "prometheus", "fanout", "sockets"} <= harness._measures().keys()
