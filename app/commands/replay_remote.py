"""Sends recorded payloads to a running server as if they happened now."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import httpx2
import msgspec

from app.core.floor.contact import ContactEvent
from app.core.floor.observation import Observation
from app.core.problem import Problem
from app.errors import HoldfireError
from app.ports.stream import Payload
from app.services.replay import KEPT_REJECTIONS, Progress, Replayed

BATCH = 1_000
LOOK_SECONDS = 0.5
TIMEOUT_SECONDS = 30.0
GIVE_UP_SECONDS = 600.0
FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 0.5, 30.0
LATER = frozenset({429, 502, 503, 504})


class Unsent(HoldfireError):
    """The server refused for good, or could not be reached for ten minutes."""


class Remote:
    """A running server. Times are shifted: the data's first instant is now, and `speed` seconds of data pass in one.

    Contacts get the run's start into their names: the same calls played tomorrow are other contacts.
    """

    def __init__(
        self,
        url: str,
        key: str | None,
        speed: float,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._url, self._speed, self._now, self._sleep = url.rstrip("/"), speed, now, sleep
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._transport = transport
        self._started_at = now()
        self._replayed = Replayed()
        self._reached = False

    async def send(self, payloads: Iterable[Payload], progress: Progress) -> Replayed:
        """Return once all are accepted, each sent when its time has come. Raises Unsent."""
        async with self._client() as client:
            for batch in self._batches(payloads):
                due_at = _instant(batch[0])
                while (early := (due_at - self._now()).total_seconds()) > 0:
                    await self._sleep(min(early, LOOK_SECONDS))
                for path, kind in (("contacts", ContactEvent), ("observations", Observation)):
                    if items := [payload for payload in batch if isinstance(payload, kind)]:
                        await self._post(client, path, items)
                progress(due_at)
            await self._count_transitions(client)
        return self._replayed

    async def totals(self, start: datetime, until: datetime, target_seconds: float) -> Any:
        """Return the server's totals of the contacts queued from start to until, inclusive."""
        query = {
            "from": start.isoformat(),
            "to": (until + timedelta(microseconds=1)).isoformat(),
            "service_level_seconds": str(target_seconds),
        }
        async with self._client() as client:
            return await self._ask(lambda: client.get("/api/v1/contacts/totals", params=query))

    # --- in what portions -------------------------------------------------------------------------------------------

    def _batches(self, payloads: Iterable[Payload]) -> Iterator[list[Payload]]:
        """Yield shifted payloads in portions of at most half a second and 1,000."""
        batch: list[Payload] = []
        first: datetime | None = None
        for payload in payloads:
            first = first or _instant(payload)
            moved = self._moved(payload, first)
            if batch and (
                len(batch) >= BATCH or (_instant(moved) - _instant(batch[0])).total_seconds() >= LOOK_SECONDS
            ):
                yield batch
                batch = []
            batch.append(moved)
            self._note(_instant(moved))
        if batch:
            yield batch

    def _moved(self, payload: Payload, first: datetime) -> Payload:
        at = self._started_at + (_instant(payload) - first) / self._speed
        if isinstance(payload, Observation):
            return payload._replace(observed_at=at)
        return payload._replace(at=at, contact_id=f"{int(self._started_at.timestamp()):x}:{payload.contact_id}")

    def _note(self, at: datetime) -> None:
        replayed = self._replayed
        replayed.first_at = min(replayed.first_at or at, at)
        replayed.last_at = max(replayed.last_at or at, at)

    # --- HTTP -------------------------------------------------------------------------------------------------------

    def _client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            base_url=self._url, headers=self._headers, timeout=TIMEOUT_SECONDS, transport=self._transport
        )

    async def _post(self, client: httpx2.AsyncClient, path: str, items: Sequence[Payload]) -> None:
        body = b"\n".join(map(_line, items))
        headers = {"Content-Type": "application/x-ndjson"}
        answer = await self._ask(lambda: client.post(f"/api/v1/{path}", content=body, headers=headers))
        refused = answer.get("rejected") or answer.get("errors") or []
        self._replayed.accepted += answer.get("accepted", 0)
        self._replayed.duplicates += answer.get("duplicates", 0)
        self._replayed.rejected += len({fault.get("index") for fault in refused})
        room = KEPT_REJECTIONS - len(self._replayed.rejections)
        self._replayed.rejections.extend(Problem(str(one["pointer"]), str(one["detail"])) for one in refused[:room])

    async def _ask(self, request: Callable[[], Awaitable[httpx2.Response]]) -> Any:
        """Return the answer's JSON; try again as long as the server is away or asks for it. Raises Unsent."""
        began, pause = time.monotonic(), FIRST_RETRY_SECONDS
        while True:
            try:
                response = await request()
            except (httpx2.TransportError, httpx2.InvalidURL) as fault:
                reason, wait = f"{self._url} cannot be reached: {str(fault) or type(fault).__name__}", pause
                if not self._reached:  # a wrong address would be as wrong in ten minutes
                    raise Unsent(reason) from fault
            else:
                self._reached = True
                if response.status_code not in LATER:
                    return self._read(response)
                reason = f"{self._url} answered {response.status_code}"
                wait = retry_after_seconds(response.headers.get("retry-after"), self._now()) or pause
            if time.monotonic() - began + wait > GIVE_UP_SECONDS:
                raise Unsent(f"{reason}; given up after {GIVE_UP_SECONDS:.0f} s")
            await self._sleep(wait)
            pause = min(LONGEST_RETRY_SECONDS, pause * 2)

    def _read(self, response: httpx2.Response) -> Any:
        """Return what was answered; 422 to a batch says why each of its items was refused."""
        try:
            body = response.json()
        except ValueError:
            body = None
        refused = response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY and isinstance(body, dict)
        if isinstance(body, dict) and (response.is_success or (refused and body.get("errors"))):
            return body
        detail = body.get("detail") if isinstance(body, dict) else None
        raise Unsent(f"{self._url} answered {response.status_code}: {detail or 'not as holdfire does'}")

    async def _count_transitions(self, client: httpx2.AsyncClient) -> None:
        query = {"kind": "transition", "from": self._started_at.isoformat(), "limit": "500"}
        while True:
            page = await self._ask(lambda: client.get("/api/v1/decisions", params=query))
            self._replayed.transitions += len(page["items"])
            if page["next_cursor"] is None:
                return
            query["cursor"] = page["next_cursor"]


def retry_after_seconds(value: str | None, now: datetime) -> float | None:
    """Return what a Retry-After header asks for (seconds or an HTTP date), None when it is absent or unreadable."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (ValueError, TypeError):
        return None


def _instant(payload: Payload) -> datetime:
    return payload.observed_at if isinstance(payload, Observation) else payload.at


def _line(payload: Payload) -> bytes:
    return msgspec.json.encode({name: value for name, value in payload._asdict().items() if value is not None})
