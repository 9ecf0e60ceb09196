"""The one HTTP client of sources and senders: bounded in time and size, without redirects, strict about JSON.

Every fault is one of workers.systems.faults, in a sentence that names the address without its query.
"""

import asyncio
import json
import os
import re
import socket
import ssl
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Self

import httpx2
import msgspec

from app.core.json_members import repeated
from workers.posting import retry_after
from workers.systems import clocks
from workers.systems.faults import BadAnswer, RateLimited, Refused, SourceFault, TranslateError
from workers.systems.table import Table

TIMEOUT_SECONDS = 10.0
LARGEST_BYTES = 8 << 20
_ALWAYS = {
    "accept": "application/json",
    "accept-encoding": "gzip",
    "cache-control": "no-cache",  # what a cache kept is as old as it is
    "user-agent": "holdfire",
}
_BYTE = re.compile(r"\(byte ([0-9]{1,9})\)")
_GZIP = zlib.MAX_WBITS | 16
KEPT_SECONDS = 5.0
_PARTIAL = 206
_UNAUTHORIZED, _FORBIDDEN, _TOO_MANY, _UNAVAILABLE = 401, 403, 429, 503


@dataclass(frozen=True, slots=True, repr=False)
class Reach:
    """How to reach a system. auth and headers may hold secrets, so nothing here is ever printed.

    timeout_seconds bounds one whole exchange; ca_file: whom to trust beside the usual ones; proxy: its URL.
    """

    timeout_seconds: float = TIMEOUT_SECONDS
    auth: httpx2.Auth | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    ca_file: Path | None = None
    proxy: str | None = None
    largest_bytes: int = LARGEST_BYTES


class Answer(NamedTuple):
    """A good answer (2xx): its headers and its body, which is complete."""

    url: str
    headers: httpx2.Headers
    body: bytes

    @property
    def kept_seconds(self) -> float:
        """For how long a cache on the way has kept it (Age, RFC 9111 section 5.1), 0 where none did."""
        value = self.headers.get("age", "").split(",")[0].strip()
        return float(value[:9]) if value.isascii() and value.isdigit() else 0.0

    def json(self) -> Any:
        """Return what the body says in JSON. Raises TranslateError when it is not JSON."""
        return json_of(self.body, f"the answer of {self.url}")


class Bearer(httpx2.Auth):
    """Sends a token as RFC 6750 wants it."""

    def __init__(self, token: str) -> None:
        self._header = f"Bearer {token}"

    def auth_flow(self, request: httpx2.Request) -> Any:
        """Add the token to a request."""
        request.headers["Authorization"] = self._header
        yield request


class Web:
    """A client with connections of its own, opened when they are needed. Used as a context, or closed after use."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._opened: httpx2.AsyncClient | None = None

    async def ask(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return a 2xx answer. params: added to the query; data: a form; content: a body as it is.

        Raises RateLimited for 429 and for 503 with Retry-After, Refused for 401 and 403, BadAnswer for other
        statuses, SourceFault for anything else.
        """
        try:
            request = self._client().build_request(
                method, url, params=params or None, data=data, content=content, headers=headers
            )
        except (httpx2.InvalidURL, UnicodeError):
            raise SourceFault("the configured URL cannot be asked for: look at its host") from None
        place = shown_url(str(request.url))
        try:
            async with asyncio.timeout(self._reach.timeout_seconds):
                return await self._exchange(request, place)
        except TimeoutError:
            raise SourceFault(f"{place} gave no whole answer within {self._reach.timeout_seconds:g} s") from None
        except (httpx2.HTTPError, httpx2.StreamError, OSError) as fault:
            raise SourceFault(f"{place} cannot be reached: {_why(fault)}") from None

    async def json(self, method: str, url: str, **options: Any) -> Any:
        """Return what a 2xx answer says in JSON; options and faults as for `ask`, and TranslateError.

        Raises SourceFault for one that a cache has kept: who asks by this takes an answer for what is true now.
        """
        answer = await self.ask(method, url, **options)
        if answer.kept_seconds > KEPT_SECONDS:
            raise SourceFault(f"{answer.url} was answered by a cache that has kept it for {answer.kept_seconds:,.0f} s")
        return answer.json()

    async def close(self) -> None:
        """Close all connections; the next question opens them anew."""
        if self._opened is not None:
            await self._opened.aclose()
        self._opened = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _client(self) -> httpx2.AsyncClient:
        self._opened = self._opened or httpx2.AsyncClient(
            auth=self._reach.auth,
            headers={**_ALWAYS, **self._reach.headers},
            verify=_trusted(self._reach.ca_file),
            proxy=self._reach.proxy,
            trust_env=False,
            follow_redirects=False,
            timeout=self._reach.timeout_seconds,
        )
        return self._opened

    async def _exchange(self, request: httpx2.Request, place: str) -> Answer:
        asked = time.monotonic()
        response = await self._client().send(request, stream=True)
        clocks.hear(response.headers, asked)
        try:
            _judge(response, place)
            return Answer(place, response.headers, await self._body(response, place))
        finally:
            await response.aclose()

    async def _body(self, response: httpx2.Response, place: str) -> bytes:
        """Return the body, unpacked here: the library would unpack a thousand times as much before anybody counted."""
        most, body = self._reach.largest_bytes, bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > most:
                raise SourceFault(f"{place} answered more than {most:,} bytes")
        packing = response.headers.get("content-encoding", "").strip().lower()
        if packing in {"", "identity"} or not body:
            return bytes(body)
        if packing not in {"gzip", "x-gzip"}:
            raise SourceFault(f"{place} answered in a packing that it was not asked for")
        return _unpacked(body, most, place)


def reach_of(table: Table) -> Reach:
    """Return what a table says of reaching a system over HTTP. Raises Invalid.

    Keys: timeout_seconds, ca_file, proxy, headers; bearer_token, or username and password.
    """
    ca_file = table.optional_text("ca_file")
    if ca_file is not None:
        try:
            _trusted(Path(ca_file))
        except OSError as fault:
            raise table.fault("ca_file", f"{ca_file} cannot be used ({fault})", "name a file of certificates") from None
    return Reach(
        timeout_seconds=table.seconds("timeout_seconds", TIMEOUT_SECONDS, 0.1, 120),
        auth=_auth_of(table),
        headers=_headers_of(table),
        ca_file=None if ca_file is None else Path(ca_file),
        proxy=table.url("proxy") if "proxy" in table.keys else None,
    )


def json_of(body: bytes | str, what: str) -> Any:
    """Return what JSON says, strictly: no NaN, nothing behind it, no member twice. Raises TranslateError naming `what`.

    RFC 8259 leaves open which of two members of one name counts; a number that may be another one is none.
    """
    try:
        found = msgspec.json.decode(body)
        _MEMBERS.decode(body if isinstance(body, str) else body.decode())
    except (msgspec.MsgspecError, UnicodeError, RecursionError, json.JSONDecodeError) as fault:
        said = _placed(str(fault), body) if isinstance(fault, msgspec.MsgspecError) else type(fault).__name__
        raise TranslateError(f"{what} is not JSON ({said})") from None
    except _Repeated as fault:
        raise TranslateError(
            f"{what} says {fault} twice in one object: either may be meant, so neither counts"
        ) from None
    return found


def _placed(said: str, body: bytes | str) -> str:
    """Return what is wrong with JSON, with the line that its byte stands in, where there are several."""
    found = _BYTE.search(said)
    before = (body.encode() if isinstance(body, str) else body)[: int(found[1])] if found else b""
    lines = before.count(b"\n") + 1
    return f"{said}, line {lines}" if lines > 1 else said


class _Repeated(ValueError):
    """An object has two members of one name; str() is that name as it may be shown."""


def _each_once(members: list[tuple[str, object]]) -> None:
    if (name := repeated(members)) is not None:
        raise _Repeated(name)


# Looks at names only: numbers stay texts, however long they are.
_MEMBERS = json.JSONDecoder(object_pairs_hook=_each_once, parse_int=str, parse_float=str)


def shown_url(url: str) -> str:
    """Return a URL as it may be shown: without user, query and fragment."""
    parts = httpx2.URL(url)
    return str(parts.copy_with(username=None, password=None, query=None, fragment=None))


def _headers_of(table: Table) -> Mapping[str, str]:
    headers = {name: each.get_secret_value() for name, each in table.secrets("headers").items()}
    for name, value in headers.items():
        if not (name.isascii() and value.isascii()):
            raise table.fault("headers", "holds a name or a value that is not ASCII", "HTTP carries no other")
    return headers


def _auth_of(table: Table) -> httpx2.Auth | None:
    token, username = table.optional_secret("bearer_token"), table.optional_text("username")
    password = table.optional_secret("password")
    if token is not None and username is not None:
        raise table.fault("bearer_token", "and username are both there", "keep one way to sign in")
    if (username is None) != (password is None):
        raise table.fault("username", "and password go together", "give both, or none")
    if token is not None:
        if not token.get_secret_value().isascii():
            raise table.fault("bearer_token", "is not ASCII", "HTTP carries nothing else")
        return Bearer(token.get_secret_value())
    return None if username is None or password is None else httpx2.BasicAuth(username, password.get_secret_value())


def _trusted(ca_file: Path | None) -> ssl.SSLContext:
    if ca_file is None:
        return _usually_trusted()
    context = httpx2.create_ssl_context()
    context.load_verify_locations(ca_file)
    return context


@cache
def _usually_trusted() -> ssl.SSLContext:
    """Return what trusts whom httpx2 trusts; reading all those certificates takes a third of a second."""
    return httpx2.create_ssl_context()


def _judge(response: httpx2.Response, place: str) -> None:
    status = response.status_code
    said = f"{place} answered HTTP {status}"
    if status == _PARTIAL:
        raise SourceFault(f"{said}: a part of an answer, which nobody has asked for")
    if response.is_success:
        return
    wait = retry_after(response.headers)
    if status == _TOO_MANY or (status == _UNAVAILABLE and wait):
        raise RateLimited(f"{said}: it wants to be asked less often", wait)
    if status in {_UNAUTHORIZED, _FORBIDDEN}:
        raise Refused(f"{said}: it does not accept our credentials, or they may not read this")
    if response.is_redirect:
        raise SourceFault(f"{said}: redirects are not followed; configure the final URL")
    raise BadAnswer(said, status)


def _unpacked(body: bytearray, most: int, place: str) -> bytes:
    unpacking = zlib.decompressobj(_GZIP)
    try:
        plain = unpacking.decompress(body, most + 1)
    except zlib.error:
        raise SourceFault(f"{place} answered in gzip that cannot be unpacked") from None
    if len(plain) > most:
        raise SourceFault(f"{place} answered more than {most:,} bytes")
    if not unpacking.eof:
        raise SourceFault(f"{place} answered in gzip that ends too early")
    return plain


def _why(fault: Exception) -> str:
    """Return what is wrong with a connection, without what a server said."""
    cause: BaseException | None = fault
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return f"TLS: {cause.reason or 'failed'}"
        if isinstance(cause, OSError) and cause.errno is not None:
            return str(cause.strerror) if isinstance(cause, socket.gaierror) else os.strerror(cause.errno)
        cause = cause.__cause__ or cause.__context__
    return type(fault).__name__
