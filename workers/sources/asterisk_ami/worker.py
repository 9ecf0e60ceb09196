"""Follows the queues of an Asterisk over its manager interface for as long as it is told to."""

import asyncio
import itertools
import random
import ssl
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

from app.core.floor.contact import ContactEvent
from workers.sources.asterisk_ami.agents import Agents
from workers.sources.asterisk_ami.client import Account, Answer, Session
from workers.sources.asterisk_ami.follower import KIND, Follower, Following
from workers.sources.asterisk_ami.held import Held
from workers.sources.asterisk_ami.stays import STAY_LIMIT_SECONDS
from workers.sources.lot import Lot
from workers.sources.sessions import keep_up
from workers.sources.worker import Factory, Surroundings, unless_stopped
from workers.systems.faults import SourceFault
from workers.systems.table import Table

SAMPLE_SECONDS = 20.0

_PORT, _TLS_PORT = 5038, 5039


def configured(table: Table, name: str) -> Factory:
    """Return what builds the worker of a {type="asterisk-ami", host, username, secret, ...}. Raises Invalid."""
    tls = _tls(table) if table.flag("tls", default=False) else None
    poll_seconds = table.seconds("poll_seconds", 10.0, 0.02, 60.0)
    account = Account(
        host=table.text("host"),
        port=table.whole("port", _PORT if tls is None else _TLS_PORT, 1, 65_535),
        username=table.text("username"),
        secret=table.secret("secret"),
        plain=table.choice("auth", ("md5", "plain"), "md5") == "plain",
        tls=tls,
        silence_seconds=table.seconds("silence_seconds", max(30.0, 2 * poll_seconds), 0.2, 300.0),
    )
    following = Following(
        queues=table.texts("queues", ("*",)),
        channel=table.name("channel", "voice"),
        unknown_is_free=table.flag("unknown_devices_available", default=False),
        wrap_up_seconds=table.seconds("wrap_up_seconds", 0.0, 0.0, 3600.0),
        poll_seconds=poll_seconds,
        list_seconds=table.seconds("list_seconds", 60.0, 0.02, 3600.0),
    )
    if account.silence_seconds < poll_seconds:
        said = f"{account.silence_seconds:g} is less than poll_seconds, which is {poll_seconds:g}"
        raise table.fault("silence_seconds", said, "give twice that at least")
    return partial(AmiWorker, name=name, account=account, following=following)


class AmiWorker:
    """Sends contact events as they happen, and observations of all queues whenever Asterisk confirms what is held.

    Each session begins with a list of everything; a summary asked for every poll_seconds tells whether anything was
    missed since, and what is not confirmed is not observed: a connection that is lost lets the readings grow old.
    """

    def __init__(
        self,
        around: Surroundings,
        *,
        name: str,
        account: Account,
        following: Following,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self._around, self._account, self._following, self._jitter = around, account, following, jitter

    async def run(self, stop: asyncio.Event) -> None:
        """Follow until `stop` is set; while nothing can be had, say so in the source's health and try again."""
        clock = self._around.clock
        self._around.sources.working(self.name, KIND, "connecting", clock.now(), address=self._account.address)
        begun = clock.now() - timedelta(seconds=STAY_LIMIT_SECONDS)
        held = self._held(await self._around.ingest.left_open(self.name, begun))
        await keep_up(
            partial(self._session, held, itertools.count(1), stop), self._around, self.name, stop, self._jitter
        )

    async def sample(self) -> Lot:
        """Return one observation per queue, as they stand now. Raises SourceFault; nothing is stored."""
        held = self._held(())
        session = await Session.open(self._account)
        try:
            async with asyncio.timeout(SAMPLE_SECONDS):
                held.begin()
                session.ask("QueueStatus")
                while not held.listed_once:
                    for heard in await session.hear(SAMPLE_SECONDS):
                        if isinstance(heard, Answer):
                            held.listed(heard.listed(), self._around.clock.now().timestamp())
        except TimeoutError:
            raise SourceFault(f"{self._account.address} did not list its queues in {SAMPLE_SECONDS:g} s") from None
        finally:
            session.close()
        return Lot(held.observe(self._around.clock.now()))

    async def _session(self, held: Held, numbers: Iterator[int], stop: asyncio.Event) -> None:
        """Follow for one session, which ends by a fault or by `stop`. Raises SourceFault."""
        if session := await unless_stopped(Session.open(self._account), stop):
            follower = Follower(
                self._around,
                name=self.name,
                following=self._following,
                session=session,
                held=held,
                sessions=next(numbers),
            )
            await follower.run(stop)

    def _held(self, recalled: Sequence[ContactEvent]) -> Held:
        how = self._following
        agents = Agents(how.unknown_is_free, how.wrap_up_seconds)
        return Held(self.name, queues=how.queues, channel=how.channel, agents=agents, recalled=recalled)


def _tls(table: Table) -> ssl.SSLContext:
    """Return how to check Asterisk's certificate: by the system's authorities, or by the one in ca_file."""
    ca_file = table.optional_text("ca_file")
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(Path(ca_file)))
    except (OSError, ssl.SSLError) as fault:
        raise table.fault("ca_file", f"{ca_file} cannot be read ({fault.strerror or 'no certificate'})", "") from None
