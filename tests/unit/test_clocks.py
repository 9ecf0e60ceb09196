"""The clocks a process can run on."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from app.clocks import DataClock, ScaledClock, SystemClock

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def test_the_system_clock_is_aware_utc():
    assert SystemClock().now().utcoffset() == timedelta(0)


async def test_a_scaled_clock_runs_and_sleeps_at_its_speed():
    clock, started = ScaledClock(START, 600), time.monotonic()
    await clock.sleep(30)
    assert clock.now() - START >= timedelta(seconds=30)
    assert time.monotonic() - started < 10


def test_a_scaled_clock_refuses_to_stand_still():
    with pytest.raises(ValueError, match="speed must be > 0"):
        ScaledClock(START, 0)


async def test_a_data_clock_goes_only_forward():
    clock = DataClock(START)
    clock.move_to(START + timedelta(seconds=5))
    clock.move_to(START)
    assert clock.now() == START + timedelta(seconds=5)
    await asyncio.wait_for(clock.sleep(3600), 5)
    assert clock.now() == START + timedelta(seconds=3605)
