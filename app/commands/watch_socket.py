"""The live socket as a command hears it: frame after frame, and a word when none come. Latest wins, as everywhere."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

SILENT_AFTER_SECONDS = 15.0  # holdfire says something every five
LONGEST_PAUSE_SECONDS = 5.0
LARGEST_BYTES = 1 << 24
PROTOCOL = "holdfire.v1"
FINAL = {
    4401: "the key is not known, was revoked or has expired; --key or HOLDFIRE_API_KEY is where it is taken from",
    4403: "the key may not watch: that needs the scope 'read'",
    4404: "there is no such gate",
}

Frame = Mapping[str, Any]


class Unwatchable(Exception):
    """Asking again would change nothing."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known of a gate. frame: the newest, None before the first; at: when it came, by time.monotonic().

    trouble: why no newer one comes, empty while they do.
    """

    frame: Frame | None = None
    at: float = 0.0
    trouble: str = ""


async def listen(url: str, key: str | None, gate: str) -> AsyncIterator[Heard]:
    """Yield what is heard of a gate, for ever: each frame as it comes, and each break once. Connects again by itself.

    Raises Unwatchable for a key or a gate that the server refuses, and for a URL that is none.
    """
    heard, failures = Heard(), 0
    while True:
        try:
            async with _opened(url, key, gate) as socket:
                while True:
                    frame = await _frame(socket)
                    failures, heard = 0, Heard(frame, time.monotonic())
                    yield heard
        except InvalidURI as fault:
            raise Unwatchable(str(fault)) from None
        except (OSError, TimeoutError, ValueError, InvalidHandshake, ConnectionClosed) as fault:
            trouble = _trouble(fault, gate)
        if trouble != heard.trouble:
            heard = Heard(heard.frame, heard.at, trouble)
            yield heard
        await asyncio.sleep(random.uniform(0.1, min(LONGEST_PAUSE_SECONDS, 0.5 * 2**failures)))  # noqa: S311  no secret
        failures = min(failures + 1, 10)


def _opened(url: str, key: str | None, gate: str) -> connect:
    address = f"{url.rstrip('/').replace('http', 'ws', 1)}/api/v1/live?{urlencode({'gate': gate})}"
    return connect(
        address,
        additional_headers={"Authorization": f"Bearer {key}"} if key else {},
        subprotocols=[PROTOCOL],  # type: ignore[list-item]  # a NewType of theirs over str
        max_size=LARGEST_BYTES,
        open_timeout=SILENT_AFTER_SECONDS,
        close_timeout=1.0,
    )


async def _frame(socket: ClientConnection) -> Frame:
    """Return the next whole snapshot. Raises TimeoutError when it does not come, ValueError for what is none."""
    frame = json.loads(await asyncio.wait_for(socket.recv(), SILENT_AFTER_SECONDS))
    if not isinstance(frame, dict) or frame.get("type") != "snapshot":
        raise ValueError("what answers there is no holdfire")
    return frame


def _trouble(fault: Exception, gate: str) -> str:
    """Return in words why nothing comes. Raises Unwatchable where nothing will."""
    if isinstance(fault, ConnectionClosed):
        code = fault.rcvd.code if fault.rcvd else None
        if code in FINAL:
            raise Unwatchable(f"{FINAL[code]}{f': {gate!r}' if code == 4404 else ''}") from None  # noqa: PLR2004
        return "the server restarts" if code == 1012 else "the connection was lost"  # noqa: PLR2004
    if isinstance(fault, InvalidStatus):
        return f"the server answered {fault.response.status_code}"
    if isinstance(fault, TimeoutError):
        return "the server says nothing"
    if isinstance(fault, ValueError):
        return str(fault) if str(fault).startswith("what answers") else "what it says cannot be read"
    return "the server cannot be reached"
