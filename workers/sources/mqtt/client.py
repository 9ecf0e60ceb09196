"""Subscribes to topics of a broker. Needs the extra: pip install 'holdfire[mqtt]'."""

import asyncio
import importlib
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib.util import find_spec
from typing import Any

from pydantic import SecretStr

from workers.sources.mqtt.translate import Message
from workers.systems.faults import Refused, SourceFault

CONNECT_SECONDS = 10.0
KEEPALIVE_SECONDS = 20
MOST_WAITING = 10_000
_NOT_LET_IN = {4, 5, 134, 135}  # of MQTT 3.1.1 and 5: user or password wrong, not authorised

# The library logs topics, which may say more than they should; what counts is in the source's health.
_quiet = logging.getLogger("holdfire.mqtt")
_quiet.setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is, and as whom to go there. tls: None for a plain connection."""

    host: str
    port: int
    topics: Sequence[str]
    qos: int
    username: str | None
    password: SecretStr | None
    tls: ssl.SSLContext | None

    @property
    def place(self) -> str:
        """The broker as it may be shown."""
        return f"{self.host}:{self.port}"


def is_installed() -> bool:
    """Return whether the library is there."""
    return find_spec("aiomqtt") is not None


@asynccontextmanager
async def subscribed(broker: Broker, now: Callable[[], datetime]) -> AsyncIterator[AsyncIterator[Message]]:
    """Yield the messages of all topics, for ever. Raises SourceFault and Refused, also from within.

    now: the clock that says when each came, which may be long before it is taken from here.

    The session is a clean one: what was sent while nobody listened is old, and nobody here wants it.
    """
    library: Any = importlib.import_module("aiomqtt")
    client = library.Client(
        broker.host,
        broker.port,
        username=broker.username,
        password=None if broker.password is None else broker.password.get_secret_value(),
        tls_context=broker.tls,
        timeout=CONNECT_SECONDS,
        keepalive=KEEPALIVE_SECONDS,
        clean_session=True,
        max_queued_incoming_messages=MOST_WAITING,
        queue_type=partial(_Stamped, now),
        logger=_quiet,
    )
    try:
        async with client:
            for topic in broker.topics:
                await client.subscribe(topic, qos=broker.qos)
            yield _messages(client)
    except library.MqttError as fault:
        raise _fault(broker, fault) from None


class _Stamped(asyncio.Queue[Any]):
    """Keeps beside each message when it came."""

    def __init__(self, now: Callable[[], datetime], maxsize: int = 0) -> None:
        super().__init__(maxsize)
        self._now = now

    def _put(self, item: Any) -> None:
        super()._put((self._now(), item))


async def _messages(client: Any) -> AsyncIterator[Message]:
    async for at, message in client.messages:
        payload = message.payload if isinstance(message.payload, bytes) else b""
        yield Message(str(message.topic), payload, at, bool(message.retain))


def _fault(broker: Broker, fault: Exception) -> SourceFault:
    code = getattr(fault, "rc", None)
    if getattr(code, "value", code) in _NOT_LET_IN:
        return Refused(f"{broker.place} does not accept our credentials, or they may not read these topics")
    return SourceFault(f"{broker.place} cannot be reached, or the connection broke")
