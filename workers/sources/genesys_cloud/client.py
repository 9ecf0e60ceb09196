"""Asks Genesys Cloud over HTTP: a token, the observations query, notification channels."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import httpx2

from app.ports.clock import Clock
from workers.sources.genesys_cloud.config import Access
from workers.sources.genesys_cloud.translate import METRICS, Fact, of_query
from workers.systems.faults import BadAnswer, Refused, TranslateError
from workers.systems.web import Reach, Web

JSON = {"content-type": "application/json"}
QUEUES_PER_QUERY = 100
NOTABLE = timedelta(seconds=5)
RENEW_SECONDS = 120.0

_WRONG_CLIENT = 400  # what the login answers, beside 401, to a client it does not know


class Channel(NamedTuple):
    """A notification channel that is subscribed: where its messages come."""

    uri: str


class Client:
    """One organisation. ahead: how far its clock is before ours, 0 when within 5 s of it."""

    def __init__(self, access: Access, clock: Clock) -> None:
        self._access, self._clock = access, clock
        self._login: Web | None = None
        self._api: Web | None = None
        self._token, self._good_until = "", 0.0
        self._signing_in = asyncio.Lock()
        self.ahead = timedelta()

    async def facts(self, queues: Sequence[str]) -> tuple[Fact, ...]:
        """Return how these queues stand now. Raises SourceFault."""
        facts: list[Fact] = []
        for start in range(0, len(queues), QUEUES_PER_QUERY):
            predicates = [
                {"type": "dimension", "dimension": "queueId", "operator": "matches", "value": queue}
                for queue in queues[start : start + QUEUES_PER_QUERY]
            ]
            question = {"filter": {"type": "or", "predicates": predicates}, "metrics": list(METRICS)}
            facts.extend(of_query(await self._ask("POST", "/api/v2/analytics/queues/observations/query", question)))
        return tuple(facts)

    async def channel(self, queues: Sequence[str]) -> Channel:
        """Return a new channel, subscribed to these queues, at most 1,000. Raises SourceFault."""
        channel = await self._ask("POST", "/api/v2/notifications/channels", None)
        uri, number = (channel.get("connectUri"), channel.get("id")) if isinstance(channel, dict) else (None, None)
        if not isinstance(uri, str) or not isinstance(number, str) or not number.replace("-", "").isalnum():
            raise TranslateError("a channel has no connectUri, or no id")
        self._must_be_ours(uri)
        topics = [{"id": f"v2.analytics.queues.{queue}.observations"} for queue in queues]
        await self._ask("PUT", f"/api/v2/notifications/channels/{number}/subscriptions", topics)
        return Channel(uri)

    def seconds_left(self) -> float:
        """Return how long the token is good for; channels end with it."""
        return self._good_until - time.monotonic()

    async def close(self) -> None:
        """Let go of connections; the next question opens them anew."""
        for web in (self._login, self._api):
            if web is not None:
                await web.close()
        self._login = self._api = None

    async def _ask(self, method: str, path: str, body: object) -> Any:
        """Ask with the token; with a new one, once, where it is not taken any more."""
        had = self._token
        try:
            return await self._asked(method, path, body)
        except Refused:
            if not had:
                raise
            if self._token == had:
                self._token = ""
            return await self._asked(method, path, body)

    async def _asked(self, method: str, path: str, body: object) -> Any:
        self._api = self._api or Web(Reach(timeout_seconds=self._access.timeout_seconds))
        headers = {"authorization": f"Bearer {await self._good_token()}", **JSON}
        content = None if body is None else json.dumps(body).encode()
        answer = await self._api.ask(method, self._access.api_url + path, content=content, headers=headers)
        self._look_at_the_clock(answer.headers)
        return answer.json()

    async def _good_token(self) -> str:
        async with self._signing_in:  # one token for all who wait for one
            if not self._token or self.seconds_left() <= RENEW_SECONDS:
                self._token = await self._new_token()
            return self._token

    async def _new_token(self) -> str:
        secret = self._access.client_secret.get_secret_value()
        auth = httpx2.BasicAuth(self._access.client_id, secret)
        self._login = self._login or Web(Reach(timeout_seconds=self._access.timeout_seconds, auth=auth))
        url = f"{self._access.login_url}/oauth/token"
        try:
            said = await self._login.json("POST", url, data={"grant_type": "client_credentials"})
        except BadAnswer as fault:
            if fault.status == _WRONG_CLIENT:
                raise Refused("the login does not accept our client_id and client_secret") from None
            raise
        token, lasts = (said.get("access_token"), said.get("expires_in")) if isinstance(said, dict) else (None, None)
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not isinstance(lasts, int):
            raise TranslateError("the login answers without access_token or expires_in")
        self._good_until = time.monotonic() + lasts
        return token

    def _must_be_ours(self, uri: str) -> None:
        """Refuse to listen anywhere but at the region's own hosts, without TLS only where we ask without."""
        parts, host = httpx2.URL(uri), self._access.stream_host
        ours = httpx2.URL(self._access.api_url)
        sound = parts.host.endswith(f".{host}") if host else parts.host == ours.host
        if not sound or parts.scheme != ("ws" if ours.scheme == "http" else "wss"):
            raise TranslateError("a channel's connectUri leads to another host")

    def _look_at_the_clock(self, headers: Mapping[str, str]) -> None:
        try:
            shown = parsedate_to_datetime(headers.get("date", ""))
        except (ValueError, OverflowError):
            return
        ahead = _utc(shown) - self._clock.now()
        self.ahead = ahead if abs(ahead) > NOTABLE else timedelta()


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
