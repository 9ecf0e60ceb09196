"""Messages of the stream in order, from one sequence on, checked to be without a hole."""

import asyncio
import json
from typing import NamedTuple

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

BATCH = 256
BATCH_BYTES = 8_000_000  # of memory for what waits here
EXPIRES_SECONDS = 2.0  # a request without answers is ended by the server after that: so it is known to be there
SILENCE_SECONDS = 5.0
FORGOTTEN_SECONDS = 60.0
_NANO = 1_000_000_000
_ENDED = ("404", "408", "409")


class Broken(Exception):
    """Messages may be missing, or nothing answers: begin anew behind the last message that came."""


class Message(NamedTuple):
    """One message: its sequence in the stream, its bytes, and how many more there were when it was sent."""

    sequence: int
    data: bytes
    pending: int


class Pull:
    """A reader's place on the server, which forgets it by itself when nobody asks. Used by one task."""

    def __init__(self, client: Client, jetstream: JetStreamContext, stream: str) -> None:
        self._client, self._jetstream, self._stream = client, jetstream, stream
        self._subscription: Subscription | None = None
        self._inbox, self._consumer = client.new_inbox(), ""
        self._waiting: list[Message] = []
        self._arrived = asyncio.Event()
        self._asked_for = self._given = 0
        self._fault = ""

    async def begin(self, start: int) -> None:
        """Take the place before a sequence."""
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=start,
            ack_policy=AckPolicy.NONE,
            mem_storage=True,
            num_replicas=1,
            inactive_threshold=FORGOTTEN_SECONDS,
        )
        self._consumer = (await self._jetstream.add_consumer(self._stream, config)).name
        self._subscription = await self._client.subscribe(self._inbox, cb=self._take, pending_bytes_limit=0)

    async def next(self) -> list[Message]:
        """Return what has come, waiting for it some seconds; none when there was nothing. Raises Broken."""
        if not self._asked_for and not self._waiting:
            await self._ask()
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                await self._arrived.wait()
        except TimeoutError as fault:
            raise Broken("NATS is silent") from fault
        self._arrived.clear()
        if self._fault:
            raise Broken(self._fault)
        came, self._waiting = self._waiting, []
        return came

    async def close(self) -> None:
        """Stop listening; the server forgets the place soon."""
        if self._subscription is not None and not self._client.is_closed:
            await self._subscription.unsubscribe()

    async def _ask(self) -> None:
        self._asked_for = BATCH
        asked = {"batch": BATCH, "max_bytes": BATCH_BYTES, "expires": int(EXPIRES_SECONDS * _NANO)}
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self._consumer}"
        await self._client.publish(subject, json.dumps(asked).encode(), reply=self._inbox)

    async def _take(self, message: Msg) -> None:
        headers = message.headers or {}
        status, said = headers.get("Status"), headers.get("Description", "")
        if message.data or status is None:
            self._keep(message)
        elif status in _ENDED and "Consumer" not in said:
            self._asked_for = 0
        else:
            self._fault = f"NATS says {status} {said}"
        self._arrived.set()

    def _keep(self, message: Msg) -> None:
        # $JS.ACK.<stream>.<consumer>.<tries>.<sequence>.<given>.<time>.<pending>, with two more behind ACK in a domain
        tokens = message.reply.split(".")
        at = 5 if len(tokens) == 9 else 7  # noqa: PLR2004  # said above
        self._given += 1
        if int(tokens[at + 1]) != self._given:
            self._fault = f"message {self._given} of this reader is missing"
            return
        self._asked_for = max(self._asked_for - 1, 0)
        self._waiting.append(Message(int(tokens[at]), message.data, int(tokens[at + 3])))
