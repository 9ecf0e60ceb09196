"""The machine's clock is set an hour ahead or back while all of holdfire runs: no go on the wrong time's data."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from app.clocks import SystemClock
from app.main import HoldfireApp, create_app
from app.settings import Settings
from tests.integration.faults.load import POLICY, RECOVERY_SECONDS, note
from tests.support.databases import prepare
from tests.support.told import OK, now_us

HOUR_SECONDS = 3_600
LOOKS = 40
LONG = {"stale_after_seconds": 60}


class SetClock(SystemClock):
    """The machine's clock, as somebody set it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


class Running:
    """A holdfire with all that runs beside its requests, in this process, and a source with a clock of its own."""

    def __init__(self, client: httpx2.AsyncClient, clock: SetClock) -> None:
        self.client, self.clock, self.source = client, clock, SetClock()

    async def report(self) -> int:
        told = {"queue": "orders", "source": "acd", "observed_at": self.source.now().isoformat(), "backlog": 0}
        return (await self.client.post("/api/v1/observations", json=told)).status_code

    async def ask(self) -> int:
        return (await self.client.get("/api/v1/readiness")).status_code

    async def until_open(self) -> float:
        """Report and ask until a send is answered; return how long that took."""
        began = now_us()
        async with asyncio.timeout(RECOVERY_SECONDS):
            while await self.report() != OK or await self.ask() != OK:  # noqa: ASYNC110  # a source reports
                await asyncio.sleep(0.02)
        return (now_us() - began) / 1_000_000

    async def shut(self) -> None:
        """See that within a second or two, and from then on, nothing is answered with a go, however much is told."""
        async with asyncio.timeout(RECOVERY_SECONDS):
            while await self.ask() == OK:  # noqa: ASYNC110  # as a sender does
                await asyncio.sleep(0.02)
        for _ in range(LOOKS):
            await self.report()
            assert await self.ask() != OK
            await asyncio.sleep(0.02)


@asynccontextmanager
async def a_running(folder: Path) -> AsyncIterator[Running]:
    prepare("sqlite", folder)
    clock = SetClock()
    app = create_app(Settings(auth="off", data_dir=folder), clock=clock)
    async with app.router.lifespan_context(app) as state:
        transport = httpx2.ASGITransport(app=_with_state(app, dict(state or {})))
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            running = Running(client, clock)
            saved = await client.put("/api/v1/gates/default/policy", json=POLICY | LONG, headers={"If-Match": "*"})
            assert saved.is_success, saved.text
            await running.until_open()
            yield running


def _with_state(app: HoldfireApp, state: dict[str, object]) -> ASGIApp:
    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = state.copy()
        await app(scope, receive, send)

    return served


@pytest.mark.parametrize("seconds", [HOUR_SECONDS, -HOUR_SECONDS], ids=["ahead", "back"])
async def test_a_clock_set_by_an_hour_gives_no_go_until_it_is_right_again_or_sources_go_by_it_too(tmp_path, seconds):
    async with a_running(tmp_path) as running:
        running.clock.ahead = timedelta(seconds=seconds)
        await running.shut()
        running.clock.ahead = timedelta()
        note(f"a clock set right by {-seconds} s: well again after {await running.until_open():.2f} s")
        running.clock.ahead = timedelta(seconds=seconds)
        await running.shut()
        running.source.ahead = running.clock.ahead
        note(f"a clock set by {seconds} s: well again after {await running.until_open():.2f} s")
        assert running.source.ahead == timedelta(seconds=seconds)
