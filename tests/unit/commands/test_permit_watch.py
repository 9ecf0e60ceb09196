"""Watching a permit: what ends a wave, how soon, and what does not."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from app.client import AsyncHoldfire
from app.commands.permit_watch import why_stop

NOW = datetime(2026, 11, 21, 15, tzinfo=UTC)


def a_permit(ttl_seconds=3600.0, **members):
    expires_at = (NOW + timedelta(seconds=ttl_seconds)).isoformat()
    times = {"granted_at": NOW.isoformat(), "expires_at": expires_at}
    return {"id": "prm_1", "state": "active", "must_stop": False, "allow": 5, "sent": 0} | times | members


class Watch:
    """Watches a permit against replies in turn, the last for ever; `asked` has the paths."""

    def __init__(self, *replies, check_seconds=0.01, unchecked_seconds=5.0):
        self.replies, self.asked, self.options = list(replies), [], (check_seconds, unchecked_seconds)

    async def __call__(self):
        transport = httpx2.MockTransport(self._answer)
        async with AsyncHoldfire("http://desk", transport=transport) as holdfire, asyncio.timeout(60):
            return await why_stop(holdfire, "prm_1", *self.options)

    async def _answer(self, request):
        self.asked.append(request.url.path.removeprefix("/api/v1/permits/"))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, float):
            await asyncio.sleep(reply)
        return reply if isinstance(reply, httpx2.Response) else httpx2.Response(200, json=reply)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (a_permit(must_stop=True), "the gate lets nothing go any more"),
        (a_permit(state="paused", must_stop=True, reason="14 waiting, limit 10"), "is paused: 14 waiting, limit 10"),
        (a_permit(state="revoked"), "its permit is revoked"),
        (httpx2.Response(404, json={"detail": "there is no such permit"}), "cannot be checked: status 404"),
        (httpx2.Response(200, text="<html>"), "cannot be checked"),
    ],
)
async def test_a_permit_that_must_not_be_used_any_more_ends_the_wave_and_says_why(reply, why):
    assert why in await Watch(a_permit(), reply)()


@pytest.mark.parametrize(
    "fault", [httpx2.ConnectError("refused"), httpx2.Response(502), httpx2.Response(503, json={}), 60.0], ids=str
)
async def test_a_permit_that_cannot_be_checked_for_too_long_ends_the_wave(fault):
    began = time.monotonic()
    why = await Watch(a_permit(), fault, unchecked_seconds=0.2)()
    assert why == "its permit could not be checked for 0.2 s"
    assert 0.2 <= time.monotonic() - began < 30


async def test_a_short_outage_does_not_end_a_wave():
    outage = [httpx2.ConnectError("refused")] * 5
    watch = Watch(*outage, a_permit(), *outage, a_permit(), a_permit(state="revoked"), unchecked_seconds=2.0)
    assert await watch() == "its permit is revoked"


async def test_a_permit_is_renewed_each_time_that_half_of_its_life_is_gone():
    began = time.monotonic()
    watch = Watch(*[a_permit(ttl_seconds=0.1)] * 15, a_permit(state="revoked"))
    await watch()
    assert 2 <= watch.asked.count("prm_1/renew") <= (time.monotonic() - began) / 0.05
    assert watch.asked[0] == "prm_1"


async def test_a_renewal_that_is_refused_is_tried_again_and_the_wave_goes_on_while_the_permit_lasts():
    refused = httpx2.Response(429, json={"detail": "the gate does not say go"})
    lasting = [a_permit(ttl_seconds=0.02), a_permit(ttl_seconds=0.02), refused]
    watch = Watch(*lasting, a_permit(ttl_seconds=0.02), refused, a_permit(state="expired"))
    assert await watch() == "its permit is expired"
    assert watch.asked.count("prm_1/renew") >= 1
