import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest

from app.computing import ChildProcess
from app.errors import NotComputed

ORPHAN = """
import asyncio, os, sys, time
from app.computing import ChildProcess
async def main():
    print(await ChildProcess().run(os.getpid), flush=True)
    time.sleep(60)
if __name__ == "__main__":
    asyncio.run(main())
"""


@pytest.fixture
def child():
    child = ChildProcess(patience_seconds=60)
    yield child
    child.close()


def end_of_this_process() -> None:
    os._exit(3)


async def test_it_computes_in_another_process_at_a_lower_priority(child):
    assert await child.run(os.getpid) != os.getpid()
    assert await child.run(os.nice, 0) > os.nice(0)


async def test_what_the_function_raises_is_raised_here(child):
    with pytest.raises(ZeroDivisionError):
        await child.run(divmod, 1, 0)
    assert await child.run(divmod, 7, 2) == (3, 1)


async def test_a_process_that_dies_fails_one_computation_and_the_next_one_runs(child):
    with pytest.raises(NotComputed, match="ended unexpectedly"):
        await child.run(end_of_this_process)
    assert await child.run(abs, -2) == 2


async def test_a_process_that_died_while_nobody_used_it_is_replaced(child):
    process = await child.run(os.getpid)
    os.kill(process, signal.SIGKILL)
    assert await asyncio.to_thread(is_broken_within, child, seconds=60)
    assert await child.run(abs, -2) == 2


async def test_want_of_memory_fails_one_computation_and_the_next_one_runs(child):
    with pytest.raises(NotComputed, match="not memory enough"):
        await child.run(bytearray, 1 << 62)
    assert await child.run(abs, -2) == 2


async def test_a_computation_that_takes_too_long_is_ended_and_the_next_one_runs():
    child = ChildProcess(patience_seconds=2)
    await child.run(abs, -1)
    begun = time.monotonic()
    with pytest.raises(NotComputed, match="more than 2 seconds"):
        await child.run(time.sleep, 60)
    assert time.monotonic() - begun < 30
    assert await child.run(abs, -2) == 2
    child.close()


async def test_the_event_loop_goes_on_while_it_computes(child):
    await child.run(abs, -1)
    computing = asyncio.ensure_future(child.run(sum, range(30_000_000)))
    turns = 0
    while not computing.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert await computing == sum(range(30_000_000))
    assert turns > 20


def test_the_process_ends_when_its_parent_is_killed(tmp_path):
    script = tmp_path / "orphan.py"
    script.write_text(ORPHAN)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        assert is_gone_within(child, seconds=60)


def is_broken_within(child: ChildProcess, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if child._pool is not None and child._pool._broken:
            return True
        time.sleep(0.01)
    return False


def is_gone_within(process: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False
