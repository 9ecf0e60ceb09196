"""One connection to NATS, and the one stream on it, for as long as the connection lasts.

This is all that knows the client library. Nothing here tries again: who holds a session makes a new one.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import NoServersError
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError, ServiceUnavailableError

from app.errors import HoldfireError, Invalid
from app.stream.nats.pull import Message, Pull
from app.stream_address import StreamAddress

T = TypeVar("T")

CONNECT_SECONDS = 3
ANSWER_SECONDS = 4.0
CLOSE_SECONDS = 1.0
PING_SECONDS = 2  # a server that stands still is given up after two of them
PRESENT_SECONDS = 10.0
DUPLICATE_SECONDS = 120.0  # how long the server knows the ids of messages; within it a message is sent again
_WRONG_LAST_SEQUENCE = 10071
_NO_MESSAGE = 10037


class Unreachable(HoldfireError):
    """NATS does not answer, or cannot serve just now. What was asked may have happened."""


class Moved(Exception):
    """Somebody else has written since: `last` is the sequence the stream ends with now."""

    def __init__(self, last: int) -> None:
        super().__init__(f"the stream ends with {last}")
        self.last = last


class Keeping(NamedTuple):
    """How long the stream keeps messages, and on how many servers of NATS."""

    hours: float = 72.0
    replicas: int = 1


class Noted(NamedTuple):
    """The number of a change, and the sequence under which it was noted; both 0 before the first."""

    revision: int
    sequence: int


class State(NamedTuple):
    """Which stream it is, and the sequences it begins and ends with; it is empty when first > last."""

    created: datetime | None
    first: int
    last: int


class Session:
    """An open connection. Every call raises Unreachable, at once when the connection is lost meanwhile."""

    def __init__(self, client: Client, address: StreamAddress, keeping: Keeping) -> None:
        self._client, self._name, self._keeping = client, address.name, keeping
        self._jetstream: JetStreamContext = client.jetstream(timeout=ANSWER_SECONDS)
        self._subject = f"{address.name}.records"
        self._replicas, self._replicas_name = f"{address.name}.replicas", f"{address.name}_replicas"
        self._changes, self._changes_name = f"{address.name}.changes", f"{address.name}_changes"
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def largest(self) -> int:
        """The bytes that a message may have at most."""
        return self._client.max_payload - 1024  # a server counts what stands in its headers as well

    @property
    def is_lost(self) -> bool:
        """Tell whether the connection is gone."""
        return self._lost.done()

    def lose(self) -> None:
        """Give the session up: something is not as it was, and has to be looked at anew."""
        if not self._lost.done():
            self._lost.set_result(None)

    async def publish(self, message: bytes, after: int, name: str) -> int:
        """Write a message if the stream ends with the sequence `after`; return its own once it is durable.

        name: the same for the same message tried again; it is written once. Raises Moved.
        """
        headers = {"Nats-Msg-Id": name, "Nats-Expected-Last-Sequence": str(after)}
        writing = self._jetstream.publish(self._subject, message, stream=self._name, headers=headers)
        try:
            return (await self._asked(writing)).seq
        except APIError as fault:
            if fault.err_code == _WRONG_LAST_SEQUENCE:
                raise Moved(int(str(fault.description).rpartition(" ")[2])) from fault
            raise _unreachable(fault) from fault

    async def state(self) -> State:
        """Return how the stream stands; it is made when it is not there."""
        try:
            info = await self._asked(self._jetstream.stream_info(self._name))
        except NotFoundError:
            info = await self._served(self._jetstream.add_stream(self._config()))
        except APIError as fault:
            raise _unreachable(fault) from fault
        return State(info.created, max(info.state.first_seq, 1), info.state.last_seq)

    async def prepare(self) -> None:
        """See that the stream is there and keeps what it should.

        Raises Invalid when it is somebody else's, APIError when NATS does not want to have it.
        """
        try:
            info = await self._asked(self._jetstream.stream_info(self._name))
        except NotFoundError:
            info = await self._asked(self._jetstream.add_stream(self._config()))
        config, wanted = info.config, self._config()
        if config.subjects != wanted.subjects or config.retention not in {None, RetentionPolicy.LIMITS}:
            raise Invalid(
                f"the stream {self._name} on NATS is not holdfire's: it has the subjects {config.subjects}; "
                f"name another one at the end of HOLDFIRE_STREAM_URL"
            )
        if (config.max_age, config.num_replicas) != (wanted.max_age, wanted.num_replicas):
            changed = config.evolve(max_age=wanted.max_age, num_replicas=wanted.num_replicas)
            await self._asked(self._jetstream.update_stream(changed))
        for config in (self._config_of_changes(), self._config_of_replicas()):
            try:
                await self._asked(self._jetstream.stream_info(config.name or ""))
            except NotFoundError:
                await self._asked(self._jetstream.add_stream(config))

    async def note(self, revision: int) -> None:
        """Return once `noted` gives this number, or a higher one, to everybody."""
        while (before := await self.noted()).revision < revision:
            headers = {"Nats-Expected-Last-Subject-Sequence": str(before.sequence)}
            writing = self._jetstream.publish(
                self._changes, b"%d" % revision, stream=self._changes_name, headers=headers
            )
            try:
                await self._asked(writing)
            except APIError as fault:
                if fault.err_code != _WRONG_LAST_SEQUENCE:
                    raise _unreachable(fault) from fault

    async def be_there(self, name: str) -> None:
        """Be among those of `there` for a while."""
        publishing = self._jetstream.publish(f"{self._replicas}.{name}", b"", stream=self._replicas_name)
        await self._served(publishing)

    async def there(self) -> set[str]:
        """Return who was there within the last 10 seconds."""
        asking = self._jetstream.stream_info(self._replicas_name, subjects_filter=f"{self._replicas}.>")
        found = (await self._served(asking)).state.subjects or {}
        return {subject.removeprefix(f"{self._replicas}.") for subject in found}

    async def noted(self) -> "Noted":
        """Return the highest number that was noted, 0 before the first."""
        getting = self._jetstream.get_last_msg(self._changes_name, self._changes)
        try:
            raw = await self._asked(getting)
        except APIError as fault:
            if fault.err_code == _NO_MESSAGE:
                return Noted(0, 0)
            raise _unreachable(fault) from fault
        return Noted(int(raw.data or b"0"), raw.seq or 0)

    async def get(self, sequence: int) -> Message | None:
        """Return the first message at or after a sequence, None when there is none."""
        getting = self._jetstream.get_msg(self._name, seq=sequence, subject=self._subject, next=True)
        try:
            raw = await self._asked(getting)
        except APIError as fault:
            if fault.err_code == _NO_MESSAGE:
                return None
            raise _unreachable(fault) from fault
        return Message(raw.seq or 0, raw.data or b"", 0)

    async def purge(self, below: int) -> None:
        """Delete all messages with a sequence below that one."""
        await self._served(self._jetstream.purge_stream(self._name, seq=below))

    async def pull(self, start: int) -> Pull:
        """Return what gives all messages from a sequence on, in order."""
        pull = Pull(self._client, self._jetstream, self._name)
        await self._served(pull.begin(start))
        return pull

    async def next_of(self, pull: Pull) -> list[Message]:
        """Return the next messages of a pull, none when none came for a while. Raises Broken."""
        return await self._served(pull.next())

    async def close(self) -> None:
        """End the connection. Closing twice is fine."""
        self.lose()
        await _closed(self._client)

    def _config(self) -> StreamConfig:
        return StreamConfig(
            name=self._name,
            description="observations and contact events of holdfire",
            subjects=[self._subject],
            retention=RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            discard=DiscardPolicy.OLD,
            max_age=self._keeping.hours * 3600,
            num_replicas=self._keeping.replicas,
            duplicate_window=DUPLICATE_SECONDS,
        )

    def _config_of_changes(self) -> StreamConfig:
        return StreamConfig(
            name=self._changes_name,
            description="the number of the last change of what replicas of holdfire remember",
            subjects=[self._changes],
            retention=RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            max_msgs=1,
            num_replicas=self._keeping.replicas,
        )

    def _config_of_replicas(self) -> StreamConfig:
        return StreamConfig(
            name=self._replicas_name,
            description="which replicas of holdfire are there",
            subjects=[f"{self._replicas}.*"],
            retention=RetentionPolicy.LIMITS,
            storage=StorageType.MEMORY,
            max_age=PRESENT_SECONDS,
            max_msgs_per_subject=1,
            duplicate_window=PRESENT_SECONDS,
            num_replicas=self._keeping.replicas,
        )

    async def _served(self, question: Coroutine[Any, Any, T]) -> T:
        """Return the answer to a question. Raises Unreachable also when NATS refuses it."""
        try:
            return await self._asked(question)
        except APIError as fault:
            raise _unreachable(fault) from fault

    async def _asked(self, question: Coroutine[Any, Any, T]) -> T:
        """Return the answer to a question; give up when the connection is lost. Raises APIError for a refusal."""
        asking = asyncio.ensure_future(question)
        try:
            either: list[asyncio.Future[Any]] = [asking, self._lost]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if asking.done():
                return asking.result()
        except (ServiceUnavailableError, NoStreamResponseError) as fault:  # the stream is gone, or JetStream is
            self.lose()
            raise _unreachable(fault) from fault
        except APIError:
            raise
        except (NatsError, OSError, TimeoutError) as fault:
            raise _unreachable(fault) from fault
        finally:
            asking.cancel()
        raise Unreachable("the connection to NATS was lost")


async def open_session(address: StreamAddress, keeping: Keeping) -> Session:
    """Return a session with the stream in place. Raises Unreachable; Invalid for what only an operator can change."""
    client = _Encrypted() if address.is_encrypted else Client()
    lost: list[Callable[[], None]] = []
    faults: list[Exception] = []

    async def on_loss() -> None:
        for tell in lost:
            tell()

    async def on_fault(fault: Exception) -> None:
        """Remember the last: while connecting it says why; later each is told to who asked."""
        faults[:] = [fault]

    connecting = client.connect(
        servers=address.urls,
        name=f"holdfire {address.name}",
        allow_reconnect=False,
        connect_timeout=CONNECT_SECONDS,
        max_reconnect_attempts=1,  # every server is tried twice, then who asked is told
        reconnect_time_wait=0,
        ping_interval=PING_SECONDS,
        max_outstanding_pings=2,
        error_cb=on_fault,
        disconnected_cb=on_loss,
        closed_cb=on_loss,
        **_credentials(address),
    )
    try:
        await _connected(connecting, address, faults)
    except HoldfireError:
        await _closed(client)
        raise
    session = Session(client, address, keeping)
    lost.append(session.lose)
    try:
        await session.prepare()
    except APIError as fault:
        await session.close()
        raise _refused(fault, address) from fault
    except BaseException:
        await session.close()
        raise
    return session


async def _closed(client: Client) -> None:
    """Close a client, which may be gone already, or never have been there."""
    with suppress(NatsError, OSError, TimeoutError):
        await asyncio.wait_for(client.close(), CLOSE_SECONDS)


class _Encrypted(Client):
    """A client that tells a server nothing, no password above all, unless the connection gets encrypted."""

    async def _process_info(self, info: dict[str, Any], *given: Any, **named: Any) -> None:
        is_first = any(given) or named.get("initial_connection", False)
        if is_first and not info.get("tls_required"):
            raise NatsError("it does not encrypt, as tls:// in HOLDFIRE_STREAM_URL demands")
        await super()._process_info(info, *given, **named)


async def _connected(connecting: Awaitable[None], address: StreamAddress, faults: Sequence[Exception]) -> None:
    try:
        await asyncio.wait_for(connecting, 2 * CONNECT_SECONDS * len(address.servers))
    except (NatsError, OSError, TimeoutError) as fault:
        cause = faults[-1] if faults and isinstance(fault, NoServersError) else fault
        if "authorization" in str(cause).lower():
            raise Invalid(f"NATS at {address.shown} refuses who signs in; look at HOLDFIRE_STREAM_URL") from fault
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise Invalid(f"the certificate of NATS at {address.shown} is not good: {cause.verify_message}") from fault
        raise Unreachable(f"NATS at {address.shown} cannot be reached ({_cause(cause)})") from fault


def _credentials(address: StreamAddress) -> dict[str, Any]:
    tls = {"tls": ssl.create_default_context()} if address.is_encrypted else {}
    if address.password is None:
        return {"token": address.user} | tls
    return {"user": address.user, "password": address.password} | tls


def _refused(fault: APIError, address: StreamAddress) -> HoldfireError:
    return Invalid(f"NATS at {address.shown} has no stream for holdfire ({fault.description}); see HOLDFIRE_STREAM_URL")


def _unreachable(fault: Exception) -> Unreachable:
    return Unreachable(f"NATS did not serve ({_cause(fault)})")


def _cause(fault: Exception) -> str:
    if isinstance(fault, ServiceUnavailableError | NoStreamResponseError):
        return "JetStream does not answer there; a nats-server has it when it is started with -js"
    if isinstance(fault, APIError) and fault.description:
        return fault.description
    return str(fault).removeprefix("nats: ") or type(fault).__name__
