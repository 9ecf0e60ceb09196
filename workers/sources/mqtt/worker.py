"""Listens to topics of an MQTT broker."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from functools import partial
from pathlib import Path

import httpx2

from app.services.trials import Rejected
from workers.sources.aside import Aside
from workers.sources.lot import Lot, joined
from workers.sources.mapping.config import row_map
from workers.sources.mqtt.client import Broker, is_installed, subscribed
from workers.sources.mqtt.speakers import Speakers
from workers.sources.mqtt.translate import Layout, Message, translate
from workers.sources.sessions import keep_up
from workers.sources.worker import Factory, Surroundings, deliver_surely, unless_stopped
from workers.systems.faults import SourceFault, TranslateError
from workers.systems.table import Table

SAMPLE_SECONDS = 30.0
GATHER_SECONDS = 1.0
LARGE_BYTES = 16 << 10  # from here on a message is read beside the event loop; below, going there takes longer
PLAIN_PORT, TLS_PORT = 1883, 8883

_KIND = "mqtt"


def configured(table: Table, name: str) -> Factory:
    """Return what builds the worker of {type="mqtt", host, topics, mapping, port?, tls?, username?, password?, ...}.

    Raises Invalid naming the key.
    """
    if not is_installed():
        raise table.fault("type", "'mqtt' needs a library that is not there", "pip install 'holdfire[mqtt]'")
    tls = _tls(table)
    username, password = table.optional_text("username"), table.optional_secret("password")
    if password is not None and username is None:
        raise table.fault("password", "is there without username", "give both, or none")
    broker = Broker(
        host=table.text("host"),
        port=table.whole("port", TLS_PORT if tls else PLAIN_PORT, 1, 65535),
        topics=table.texts("topics", ()),
        qos=table.whole("qos", 0, 0, 2),
        username=username,
        password=password,
        tls=tls,
    )
    return partial(MqttWorker, name=name, broker=broker, layout=_layout(table, name))


def trial(table: Table, name: str) -> Callable[[bytes, datetime], Lot]:
    """Return what reads a sample of a message, as this table says; its topic is made of "sample". Raises Invalid."""
    layout = _layout(table, name)
    topic = "/".join(["sample"] * (layout.queue_level or 1))
    return lambda sample, at: translate(Message(topic, sample, at), layout)


class MqttWorker:
    """Sends on what messages say, as they come; connects again after faults, with pauses that grow to a minute."""

    def __init__(self, around: Surroundings, *, name: str, broker: Broker, layout: Layout) -> None:
        self.name = name
        self._around, self._broker, self._layout = around, broker, layout
        self._messages = 0
        self._speakers, self._aside = Speakers(), Aside(_KIND)

    async def run(self, stop: asyncio.Event) -> None:
        """Listen until `stop` is set."""
        self._say("connecting")
        await keep_up(lambda: unless_stopped(self._listen(stop), stop), self._around, self.name, stop)

    async def sample(self) -> Lot:
        """Return what the first messages say, those of one second. Raises SourceFault when none comes in time."""
        lots: list[Lot] = []
        try:
            async with (
                asyncio.timeout(SAMPLE_SECONDS) as deadline,
                subscribed(self._broker, self._around.clock.now) as messages,
            ):
                async for message in messages:
                    lot = await self._translated(message)
                    if (lot.payloads or lot.rejected) and not lots:
                        deadline.reschedule(asyncio.get_running_loop().time() + GATHER_SECONDS)
                    lots.append(lot)
        except TimeoutError:
            pass  # what came until then is the sample
        if not lots:
            raise SourceFault(f"{self._broker.place} sent no message of these topics within {SAMPLE_SECONDS:g} s")
        return joined(lots).sound()

    async def _listen(self, stop: asyncio.Event) -> None:
        async with subscribed(self._broker, self._around.clock.now) as messages:
            self._say("listening")
            await self._take(messages, stop)

    async def _take(self, messages: AsyncIterator[Message], stop: asyncio.Event) -> None:
        async for message in messages:
            self._messages += 1
            lot = await self._translated(message)
            result = await deliver_surely(self._around.ingest, lot.payloads, stop)
            beside = {self.name} if result.accepted + result.duplicates else ()
            self._around.ingest.refused(lot.faulty(self.name), beside)
            self._say("listening")

    async def _translated(self, message: Message) -> Lot:
        """Return what a message says; one that makes no sense is one rejected row."""
        large = len(message.payload) >= LARGE_BYTES
        try:
            lot = await self._aside.run(translate, message, self._layout) if large else translate(message, self._layout)
            return self._speakers.heard(message, lot)
        except TranslateError as fault:
            return Lot((), [Rejected(1, "", str(fault))])

    def _say(self, status: str) -> None:
        self._around.sources.working(
            self.name,
            _KIND,
            status,
            self._around.clock.now(),
            broker=self._broker.place,
            topics=list(self._broker.topics),
            messages=self._messages,
        )


def _tls(table: Table) -> ssl.SSLContext | None:
    """Return how TLS is spoken, None where it is not."""
    wanted, ca_file = table.flag("tls", default=False), table.optional_text("ca_file")
    if not wanted:
        if ca_file is not None:
            raise table.fault("ca_file", "is there without tls = true", "add it, or drop the file")
        return None
    context = httpx2.create_ssl_context()
    try:
        if ca_file is not None:
            context.load_verify_locations(Path(ca_file))
    except OSError as fault:
        raise table.fault("ca_file", f"{ca_file} cannot be used ({fault})", "name a file of certificates") from None
    return context


def _layout(table: Table, name: str) -> Layout:
    level = table.whole("queue_level", None, 1, 20) if "queue_level" in table.keys else None
    return Layout(row_map(table, name, named=level is not None), level)
