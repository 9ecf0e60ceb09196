"""Who evaluates a database does so alone; who only reads or writes it may come along."""

import subprocess
import sys
from contextlib import contextmanager

import pytest

from app.errors import Invalid
from app.store.bundle import open_store
from tests.support.builders import NOW
from tests.support.memory import SteppedClock

HOLDER = """
import asyncio, sys
from app.clocks import SystemClock
from app.store.bundle import open_store

async def main(url):
    async with open_store(url, SystemClock(), alone=True):
        print("open", flush=True)
        await asyncio.Event().wait()

asyncio.run(main(sys.argv[1]))
"""


@contextmanager
def holding(url):
    """Hold the database open to evaluate it, in a process of its own; killed at the end."""
    with subprocess.Popen([sys.executable, "-c", HOLDER, url], stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "open\n"
            yield
        finally:
            holder.kill()


async def test_a_second_evaluator_is_refused_until_the_first_is_gone_even_by_kill(tmp_path):
    url, clock = f"sqlite:///{tmp_path}/holdfire.db", SteppedClock(NOW)
    with holding(url):
        with pytest.raises(Invalid, match="in use by another holdfire"):
            async with open_store(url, clock, alone=True):
                pass
        async with open_store(url, clock) as store:
            assert await store.gates.gates() == ["default"]
    async with open_store(url, clock, alone=True):
        pass
    async with open_store(url, clock, alone=True):
        pass


async def test_a_lock_that_cannot_be_had_is_refused_by_name(tmp_path):
    (tmp_path / "holdfire.db.lock").mkdir()
    with pytest.raises(Invalid, match=r"holdfire\.db\.lock cannot be written"):
        async with open_store(f"sqlite:///{tmp_path}/holdfire.db", SteppedClock(NOW), alone=True):
            pass
