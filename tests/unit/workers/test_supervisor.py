import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Invalid
from workers.supervisor import LONGEST_PAUSE_SECONDS, Supervisor, backoff

CALLER = "+1 555 0100 100x"


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_backoff_is_bounded_and_never_zero(attempt, jitter):
    assert 0 < backoff(attempt, jitter) <= LONGEST_PAUSE_SECONDS


def test_backoff_doubles_until_its_limit_and_jitter_takes_at_most_half():
    assert [backoff(attempt, 0) for attempt in (0, 1, 2, 6, 7, 99)] == [0.5, 1, 2, 32, 60, 60]
    assert backoff(3, 1) == backoff(3, 0) / 2


class Falling:
    """Falls a number of times, then works until it is stopped."""

    def __init__(self, falls, name="falling"):
        self.name, self.falls, self.starts = name, falls, 0
        self.well = asyncio.Event()

    async def run(self, stop):
        self.starts += 1
        if self.starts <= self.falls:
            raise ConnectionError("the line is dead")
        self.well.set()
        await stop.wait()


async def test_a_worker_that_falls_is_started_again_and_the_fall_is_reported():
    told = []
    worker, stop = Falling(1), asyncio.Event()
    supervisor = Supervisor([worker], failed=lambda name, error: told.append((name, error)), jitter=lambda: 1.0)
    running = asyncio.create_task(supervisor.run(stop))
    await worker.well.wait()
    stop.set()
    await running
    assert worker.starts == 2
    assert told == [("falling", "ConnectionError: the line is dead")]


@pytest.mark.parametrize("grouped", [False, True])
async def test_a_fall_that_nobody_foresaw_is_reported_without_what_it_quotes(grouped, caplog):
    class Quoting(Falling):
        async def run(self, stop):
            if not self.starts:
                self.starts = 1
                try:
                    int(CALLER)
                except ValueError as fault:
                    raise ExceptionGroup(CALLER, [fault]) if grouped else KeyError(CALLER) from fault
            await super().run(stop)

    told = []
    worker, stop = Quoting(0), asyncio.Event()
    running = asyncio.create_task(
        Supervisor([worker], failed=lambda *said: told.append(said), jitter=lambda: 1.0).run(stop)
    )
    await worker.well.wait()
    stop.set()
    await running
    assert told == [("falling", f"{'ExceptionGroup' if grouped else 'KeyError'}: the log says where")]
    (record,) = caplog.records
    assert "ValueError < tests.unit.workers.test_supervisor:" in str(vars(record)["where"])
    assert (record.message, record.exc_info) == ("worker_failed", None)
    assert CALLER not in caplog.text + repr(vars(record))


async def test_others_work_on_while_one_is_down():
    down, other, stop = Falling(10**6), Falling(0, "other"), asyncio.Event()
    running = asyncio.create_task(Supervisor([down, other], jitter=lambda: 0.0).run(stop))
    await other.well.wait()
    assert not running.done()
    stop.set()
    await running


class Misconfigured:
    name = "misconfigured"

    async def run(self, _):
        raise Invalid("sources[0].path: is missing")


async def test_a_configuration_error_ends_everything_and_comes_out():
    other, stop = Falling(0), asyncio.Event()
    with pytest.raises(Invalid, match="is missing"):
        await Supervisor([other, Misconfigured()]).run(stop)
    assert stop.is_set()


async def test_stopping_before_the_start_and_twice_is_fine():
    stop = asyncio.Event()
    stop.set()
    worker = Falling(0)
    supervisor = Supervisor([worker])
    await supervisor.run(stop)
    stop.set()
    await supervisor.run(stop)
    assert worker.starts == 0


async def test_without_workers_it_waits_for_the_stop():
    stop = asyncio.Event()
    running = asyncio.create_task(Supervisor([]).run(stop))
    await asyncio.sleep(0)
    assert not running.done()
    stop.set()
    await running


class Deaf:
    name = "deaf"

    def __init__(self):
        self.cancelled, self.started = False, asyncio.Event()

    async def run(self, _):
        self.started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise


async def test_a_worker_that_does_not_stop_is_cancelled_after_the_grace():
    deaf, stop = Deaf(), asyncio.Event()
    running = asyncio.create_task(Supervisor([deaf], grace_seconds=0.01).run(stop))
    await deaf.started.wait()
    stop.set()
    await running
    assert deaf.cancelled


class Finishing:
    name = "finishing"

    def __init__(self):
        self.starts = 0

    async def run(self, _):
        self.starts += 1


async def test_a_worker_that_is_done_is_not_started_again():
    finishing, other, stop = Finishing(), Falling(0), asyncio.Event()
    running = asyncio.create_task(Supervisor([finishing, other]).run(stop))
    await other.well.wait()
    stop.set()
    await running
    assert finishing.starts == 1
