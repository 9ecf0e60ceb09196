"""One POST to a receiver: to the address that was checked, without redirects, proxies or cookies, in bounded time."""

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2

from app.services.deliveries import Message, Outcome

TIMEOUT_SECONDS = 15.0
MOST_READ_BYTES = 16_384
_NO_REUSE = httpx2.Limits(max_keepalive_connections=0)


class Poster:
    """Posts messages. ssl_context None: whom httpx2 trusts, which SSL_CERT_FILE can widen."""

    def __init__(self, timeout_seconds: float = TIMEOUT_SECONDS, ssl_context: ssl.SSLContext | None = None) -> None:
        self._timeout = timeout_seconds
        self._ssl = ssl_context or httpx2.create_ssl_context()

    async def post(self, message: Message) -> Outcome:
        """Return how it ended; no fault of the receiver or the network raises."""
        try:
            async with asyncio.timeout(self._timeout):
                return await self._exchange(message)
        except TimeoutError:
            return Outcome(None, f"no answer within {self._timeout:g} s")
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as fault:
            return Outcome(None, f"{type(fault).__name__}: {fault}")

    async def _exchange(self, message: Message) -> Outcome:
        """Send it over a connection of its own: two hosts behind one address must not share a TLS session."""
        target, address = message.destination
        host = f"[{address}]" if ":" in address else address
        async with (
            httpx2.AsyncClient(
                verify=self._ssl, trust_env=False, follow_redirects=False, timeout=self._timeout, limits=_NO_REUSE
            ) as client,
            client.stream(
                "POST",
                f"{target.scheme}://{host}:{target.port}{target.path}",
                headers={"host": target.authority, "connection": "close", **message.headers},
                content=message.body,
                extensions={"sni_hostname": target.host},
            ) as response,
        ):
            await _read_some(response)
            return Outcome(response.status_code, _detail(response), retry_after(response.headers))


async def _read_some(response: httpx2.Response) -> None:
    """Let the receiver finish its answer, within bounds; what it says is not kept."""
    read = 0
    with suppress(httpx2.HTTPError):  # the status is what counts, and that has come
        async for chunk in response.aiter_raw():
            read += len(chunk)
            if read > MOST_READ_BYTES:
                return


def _detail(response: httpx2.Response) -> str:
    if response.is_redirect:
        return f"HTTP {response.status_code}: redirects are not followed; give the webhook its final URL"
    return f"HTTP {response.status_code}"


def retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds that Retry-After asks for (RFC 9110 section 10.2.3), 0 without a sound one."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, OverflowError):  # OverflowError for numbers that no clock has
        return 0.0
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
