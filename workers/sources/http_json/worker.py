"""Polls any HTTP address that answers in JSON."""

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
from workers.systems.table import Table
from workers.systems.web import Reach, reach_of

INTERVAL_SECONDS = 10.0

_KIND = "http-json"


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


def kept_seconds(headers: Mapping[str, str]) -> float:
    """Return for how long a cache on the way has kept an answer (Age, RFC 9111 section 5.1), 0 where none did."""
    value = headers.get("age", "").split(",")[0].strip()
    return float(value[:9]) if value.isascii() and value.isdigit() else 0.0


class HttpJson:
    """One question and what its answer means."""

    def __init__(self, client: Client, row_map: RowMap) -> None:
        self._client, self._row_map = client, row_map
        self._aside = Aside(_KIND)

    async def read(self, asked_at: datetime) -> Lot:
        """Return what the system answers now. Raises SourceFault."""
        answer = await self._client.answer()
        at = asked_at - timedelta(seconds=kept_seconds(answer.headers))
        return await self._aside.run(translate, answer.body, self._row_map, at)

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()
