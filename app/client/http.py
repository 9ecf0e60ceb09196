"""The two clients: one that blocks, one for asyncio. Both only carry out what the talks say."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from inspect import Parameter, Signature, signature
from typing import Any, Concatenate, ParamSpec, Self, TypeVar, get_args

import httpx2

from app.client import talks
from app.client.answers import Unanswered
from app.client.replies import Reply
from app.client.talks import Call, Pause, Talk

TIMEOUT_SECONDS = 10.0
LARGEST_BYTES = 1 << 20
# Connections are let go before a server closes them, so that no question is lost on one that just went away.
LIMITS = httpx2.Limits(keepalive_expiry=2.0)
HOPELESS = (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.LocalProtocolError)

Given = ParamSpec("Given")
Result = TypeVar("Result")
Method = TypeVar("Method", bound=Callable[..., Any])


def _blocking(talk: Callable[Given, Talk[Result]]) -> "Callable[Concatenate[Holdfire, Given], Result]":
    def method(client: "Holdfire", /, *arguments: Given.args, **options: Given.kwargs) -> Result:
        return client.carry_out(talk(*arguments, **options))

    return _present(method, talk)


def _awaited(
    talk: Callable[Given, Talk[Result]],
) -> "Callable[Concatenate[AsyncHoldfire, Given], Coroutine[Any, Any, Result]]":
    async def method(client: "AsyncHoldfire", /, *arguments: Given.args, **options: Given.kwargs) -> Result:
        return await client.carry_out(talk(*arguments, **options))

    return _present(method, talk)


def _present(method: Method, talk: Callable[..., Talk[Any]]) -> Method:
    """Give a method the name, the docstring and the parameters of the talk it carries out, for help() and editors."""
    spoken = signature(talk)
    client = Parameter("self", Parameter.POSITIONAL_ONLY)
    (result,) = get_args(spoken.return_annotation)[2:] or (Signature.empty,)
    method.__name__, method.__doc__ = talk.__name__, talk.__doc__
    vars(method)["__signature__"] = Signature([client, *spoken.parameters.values()], return_annotation=result)
    return method


class Holdfire:
    """A holdfire to talk to; its methods block. timeout: the longest that one request may take, in seconds.

    Close it after use, or use it in a with statement. Raises ValueError for a URL or key that cannot be one.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        timeout: float = TIMEOUT_SECONDS,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url, self._timeout, self._sleep = url, timeout, sleep
        self._client = httpx2.Client(**_options(url, key, timeout), transport=transport)

    ready = _blocking(talks.ready)
    campaign_gate = _blocking(talks.campaign_gate)
    wait_until_clear = _blocking(talks.wait_until_clear)
    permit = _blocking(talks.permit)
    permit_state = _blocking(talks.permit_state)
    report = _blocking(talks.report)
    renew = _blocking(talks.renew)
    release = _blocking(talks.release)

    def carry_out(self, talk: Talk[Result]) -> Result:
        """Return what a talk comes to."""
        came: Reply | Unanswered | None = None
        try:
            while True:
                effect = talk.send(came)
                came = self._sleep(effect.seconds) if isinstance(effect, Pause) else self._send(effect)
        except StopIteration as end:
            result: Result = end.value
            return result

    def _send(self, call: Call) -> Reply | Unanswered:
        content, started = bytearray(), time.monotonic()
        try:
            with self._client.stream(**_request(call)) as response:
                for chunk in response.iter_bytes():
                    content += chunk
                    if len(content) > LARGEST_BYTES or time.monotonic() - started > self._timeout:
                        break
        except (httpx2.HTTPError, httpx2.InvalidURL) as fault:
            return _lost(self._url, fault)
        if time.monotonic() - started > self._timeout:
            return _lost(self._url, TimeoutError(f"no whole answer within {self._timeout:g} s"))
        return _reply(self._url, response, content)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncHoldfire:
    """The same for asyncio: every method is awaited, and a pause lets others run."""

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        timeout: float = TIMEOUT_SECONDS,
        transport: httpx2.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._url, self._timeout, self._sleep = url, timeout, sleep
        self._client = httpx2.AsyncClient(**_options(url, key, timeout), transport=transport)

    ready = _awaited(talks.ready)
    campaign_gate = _awaited(talks.campaign_gate)
    wait_until_clear = _awaited(talks.wait_until_clear)
    permit = _awaited(talks.permit)
    permit_state = _awaited(talks.permit_state)
    report = _awaited(talks.report)
    renew = _awaited(talks.renew)
    release = _awaited(talks.release)

    async def carry_out(self, talk: Talk[Result]) -> Result:
        """Return what a talk comes to."""
        came: Reply | Unanswered | None = None
        try:
            while True:
                effect = talk.send(came)
                came = await (self._sleep(effect.seconds) if isinstance(effect, Pause) else self._send(effect))
        except StopIteration as end:
            result: Result = end.value
            return result

    async def _send(self, call: Call) -> Reply | Unanswered:
        content = bytearray()
        try:
            async with asyncio.timeout(self._timeout), self._client.stream(**_request(call)) as response:
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > LARGEST_BYTES:
                        break
        except TimeoutError:
            return _lost(self._url, TimeoutError(f"no whole answer within {self._timeout:g} s"))
        except (httpx2.HTTPError, httpx2.InvalidURL) as fault:
            return _lost(self._url, fault)
        return _reply(self._url, response, content)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


# --- what both need ---------------------------------------------------------------------------------------------------


def _options(url: str, key: str | None, timeout: float) -> dict[str, Any]:
    """Return the options of an HTTP client. Redirects are not followed: what answers elsewhere is not this holdfire."""
    try:
        base = httpx2.URL(url.rstrip("/"))
    except httpx2.InvalidURL as fault:
        raise ValueError(f"url={url!r} is no URL: {fault}") from fault
    if base.scheme not in ("http", "https") or not base.host:
        raise ValueError(f"url={url!r} must be http://host or https://host, with a port or path where needed")
    if key is not None and not (key.isascii() and key.isprintable() and key and " " not in key):
        raise ValueError("the key must be visible ASCII characters only, as 'holdfire keys create' printed it")
    headers = {"Accept": "application/json", "Cache-Control": "no-cache", "User-Agent": "holdfire-client"}
    return {
        "base_url": base,
        "headers": headers | ({"Authorization": f"Bearer {key}"} if key else {}),
        "timeout": timeout,
        "follow_redirects": False,
        "limits": LIMITS,
    }


def _request(call: Call) -> dict[str, Any]:
    content = {} if call.body is None else {"json": call.body}
    return {
        "method": call.method,
        "url": call.path,
        "params": dict(call.query) or None,
        "headers": dict(call.headers),
        **content,
    }


def _reply(url: str, response: httpx2.Response, content: bytearray) -> Reply | Unanswered:
    if len(content) > LARGEST_BYTES:
        return Unanswered(f"{url} answered more than {LARGEST_BYTES} bytes", lasting=True, status=response.status_code)
    return Reply(
        response.status_code, {name.lower(): value for name, value in response.headers.items()}, bytes(content)
    )


def _lost(url: str, fault: Exception) -> Unanswered:
    lost = Unanswered(
        f"{url} cannot be asked: {str(fault) or type(fault).__name__}", lasting=isinstance(fault, HOPELESS)
    )
    lost.__cause__ = fault
    return lost
