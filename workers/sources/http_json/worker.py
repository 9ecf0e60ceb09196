"""Polls any HTTP address that answers in JSON."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from workers.sources.aside import Aside
from workers.sources.http_json.client import Client, Question
from workers.sources.http_json.translate import translate
from workers.sources.lot import Lot
from workers.sources.mapping.config import row_map
from workers.sources.mapping.rowmap import RowMap
from workers.sources.polling import Poller
from workers.sources.worker import Factory, Surroundings
from workers.systems.faults import TranslateError
from workers.systems.table import Table
from workers.systems.web import Reach, reach_of

INTERVAL_SECONDS = 10.0

_KIND = "http-json"
_NEXT = re.compile(r';\s*rel\s*=\s*("[^"]*\bnext\b[^"]*"|next\b)', re.IGNORECASE)


def configured(table: Table, name: str) -> Factory:
    """Return what builds the worker of {type="http-json", url, mapping, interval_seconds?, method?, body?, ...}.

    Raises Invalid naming the key.
    """
    method, body = table.choice("method", ("GET", "POST"), "GET"), table.optional_text("body")
    if body is not None and method == "GET":
        raise table.fault("body", "goes with method = 'POST' only", "drop one of them")
    question = Question(method, table.url("url"), None if body is None else body.encode())
    return partial(
        _worker,
        name=name,
        question=question,
        reach=reach_of(table),
        row_map=row_map(table, name),
        interval_seconds=table.seconds("interval_seconds", INTERVAL_SECONDS, 0.05, 3600),
    )


def trial(table: Table, name: str) -> Callable[[bytes, datetime], Lot]:
    """Return what reads a sample of an answer that came at an instant, as this table says. Raises Invalid."""
    mapped = row_map(table, name)
    return lambda sample, at: translate(sample, mapped, at)


def _worker(
    around: Surroundings, *, name: str, question: Question, reach: Reach, row_map: RowMap, interval_seconds: float
) -> Poller:
    return Poller(
        around,
        name=name,
        kind=_KIND,
        asking=HttpJson(Client(reach, question), row_map),
        interval_seconds=interval_seconds,
        deadline_seconds=reach.timeout_seconds + 1,
    )


def is_one_page(headers: Mapping[str, str]) -> bool:
    """Return whether an answer says that there is more of it (Link with rel=next, RFC 8288)."""
    return bool(_NEXT.search(headers.get("link", "")))


class HttpJson:
    """One question and what its answer means."""

    def __init__(self, client: Client, row_map: RowMap) -> None:
        self._client, self._row_map = client, row_map
        self._aside = Aside(_KIND)

    async def read(self, asked_at: datetime) -> Lot:
        """Return what the system answers now. Raises SourceFault."""
        answer = await self._client.answer()
        if is_one_page(answer.headers):
            raise TranslateError("the answer is one page of several: ask for all in one, or for less")
        at = asked_at - timedelta(seconds=answer.kept_seconds)
        return await self._aside.run(translate, answer.body, self._row_map, at)

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()
