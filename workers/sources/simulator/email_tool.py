"""The demonstration's email tool: a real HTTP client that asks before it sends, and does as it is told."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

import httpx2

from app.core.simulation.campaign import Campaign
from app.ports import Clock
from workers.sources.simulator.scenarios import PlannedSend

RETRY_UNREACHABLE_SECONDS = 60.0
TIMEOUT_WALL_SECONDS = 10.0


class EmailTool:
    """Sends a planned campaign in the waves it is allowed.

    opens_at: the instant from which the planned time is counted. mail sends one wave and returns how many contacts it
    will cause. say gets one line for people on each change.
    """

    name = "email tool"

    def __init__(
        self,
        send: PlannedSend,
        *,
        opens_at: datetime,
        clock: Clock,
        url: str,
        mail: Callable[[Campaign], int],
        say: Callable[[str], None],
    ) -> None:
        self._send, self._clock, self._url, self._mail, self._say = send, clock, url, mail, say
        self._planned_at = opens_at + timedelta(seconds=send.planned_at)
        self._left, self._told = send.audience, ""

    async def run(self, stop: asyncio.Event) -> None:
        """Send everything, or end when `stop` is set."""
        await self._pause(stop, (self._planned_at - self._clock.now()).total_seconds())
        async with httpx2.AsyncClient(base_url=self._url, timeout=TIMEOUT_WALL_SECONDS) as http:
            while self._left and not stop.is_set():
                allowed, wait = await self._ask(http) if self._send.asks_gate else (self._left, 0.0)
                if allowed:
                    self._mail_to(allowed)
                if self._left:
                    await self._pause(stop, wait)
        if not self._left:
            self._say_once(f"all {self._send.audience:,} emails of '{self._send.campaign}' are sent")

    async def _ask(self, http: httpx2.AsyncClient) -> tuple[int, float]:
        """Return how many may be mailed now, 0 for none, and how many seconds to wait before asking again."""
        question: dict[str, str | int] = {"gate": "default", "audience": self._left, "campaign": self._send.campaign}
        try:
            response = await http.get("/api/v1/readiness", params=question | {"accept_partial": "true"})
            body = response.json()
        except (httpx2.HTTPError, ValueError) as fault:
            self._say_once(f"holdfire cannot be asked ({type(fault).__name__}), so nothing is sent")
            return 0, RETRY_UNREACHABLE_SECONDS
        if response.status_code == HTTPStatus.OK and body.get("proceed") is True:
            allowed = self._left if body["allow"] is None else min(self._left, int(body["allow"]))
            return allowed, self._send.wave_gap_seconds
        self._say_once(_refusal(response.status_code, body), body.get("state"))
        return 0, float(response.headers.get("Retry-After", RETRY_UNREACHABLE_SECONDS))

    def _mail_to(self, audience: int) -> None:
        contacts = self._mail(self._send.part(audience))
        self._left -= audience
        asked = "200, go" if self._send.asks_gate else "nobody was asked"
        self._say_once(
            f"{asked}: {audience:,} emails go out ({self._left:,} left); about {contacts:,} people will call"
        )

    def _say_once(self, line: str, key: str | None = None) -> None:
        if (key or line) != self._told:
            self._told = key or line
            self._say(line)

    async def _pause(self, stop: asyncio.Event, seconds: float) -> None:
        waits = [asyncio.ensure_future(self._clock.sleep(max(0.0, seconds))), asyncio.ensure_future(stop.wait())]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()


def _refusal(status: int, body: dict[str, Any]) -> str:
    binding = [reason["message"] for reason in body.get("reasons", ()) if reason.get("binding")]
    why = binding[0] if binding else body.get("detail", "no reason given")
    return f"{status}, {body.get('state', 'refused')}: {why}; waits and asks again"
