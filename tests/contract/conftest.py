"""Every suite in this folder runs on every store."""

import pytest

from app.clocks import DataClock
from tests.support.builders import NOW
from tests.support.databases import STORES, a_store


@pytest.fixture
def clock():
    return DataClock(NOW)


@pytest.fixture(params=STORES)
def kind(request):
    return request.param


@pytest.fixture
async def store(kind, tmp_path, clock):
    async with a_store(tmp_path, kind, clock) as opened:
        yield opened
