"""Polls the current queue activity of a Zendesk Talk account."""

import re
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from app.services.trials import Rejected
from workers.sources.figures import named_queues
from workers.sources.lot import Lot
from workers.sources.polling import Poller
from workers.sources.worker import Factory, Surroundings
from workers.sources.zendesk_talk.client import Client
from workers.sources.zendesk_talk.translate import Lines, translate
from workers.systems.faults import TranslateError
from workers.systems.table import Table
from workers.systems.web import Reach, reach_of

INTERVAL_SECONDS = 10.0
DEADLINE_SECONDS = 60.0
MOST_QUEUES = 20
MOST_NUMBERS = 100
ALL = "all"

_KIND = "zendesk-talk"
_NUMBERS = re.compile(r"\d{1,20}(\s*,\s*\d{1,20})*", re.ASCII)


def configured(table: Table, name: str) -> Factory:
    """Return what builds the worker of {type="zendesk-talk", url, username, password, queues, ...}. Raises Invalid."""
    return partial(
        _worker,
        name=name,
        url=table.url("url"),
        reach=reach_of(table),
        queues=_queues(table),
        callbacks=table.flag("callbacks", default=False),
        interval_seconds=table.seconds("interval_seconds", INTERVAL_SECONDS, 0.05, 3600),
    )


class ZendeskTalk:
    """One account and the queues that its phone numbers make."""

    def __init__(self, name: str, client: Client, queues: Sequence[Lines], *, callbacks: bool) -> None:
        self._name, self._client, self._queues, self._callbacks = name, client, queues, callbacks

    async def read(self, asked_at: datetime) -> Lot:
        """Return how the queues stand. An answer that makes no sense costs its own queue only. Raises SourceFault."""
        seen, rejected = [], []
        for row, lines in enumerate(self._queues, start=1):
            answer = await self._client.activity(lines.numbers)
            try:
                seen.append(translate(answer, lines, self._name, asked_at, callbacks=self._callbacks))
            except TranslateError as fault:
                rejected.append(Rejected(row, "", str(fault)))
        return Lot(seen, rejected)

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()


def _worker(
    around: Surroundings,
    *,
    name: str,
    url: str,
    reach: Reach,
    queues: Sequence[Lines],
    callbacks: bool,
    interval_seconds: float,
) -> Poller:
    return Poller(
        around,
        name=name,
        kind=_KIND,
        asking=ZendeskTalk(name, Client(url, reach), queues, callbacks=callbacks),
        interval_seconds=interval_seconds,
        deadline_seconds=DEADLINE_SECONDS,
    )


def _queues(table: Table) -> Sequence[Lines]:
    queues = named_queues(table, ALL)
    if len(queues) > MOST_QUEUES:
        raise table.fault("queues", f"has {len(queues):,} queues", f"give at most {MOST_QUEUES}: each is one question")
    return [Lines(name, _numbers(table, name, given)) for name, given in queues.items()]


def _numbers(table: Table, name: str, given: str) -> tuple[str, ...]:
    if given == ALL:
        return ()
    numbers = tuple(dict.fromkeys(each.strip() for each in given.split(",")))
    if not _NUMBERS.fullmatch(given) or len(numbers) > MOST_NUMBERS:
        remedy = f'write "{ALL}", or at most {MOST_NUMBERS} ids with commas between them'
        raise table.fault(f"queues.{name}", "is no list of ids of phone numbers", remedy)
    return numbers
