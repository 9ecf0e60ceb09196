"""Polls an existing Prometheus with a query per metric."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from workers.sources.aside import Aside
from workers.sources.lot import Lot
from workers.sources.mapping.config import counts_have_a_window, window_of
from workers.sources.mapping.units import FIELDS, units_of
from workers.sources.polling import Poller
from workers.sources.prometheus.client import Client
from workers.sources.prometheus.translate import OBSERVED_AT, Asked, Queries, series, translate
from workers.sources.worker import Factory, Surroundings
from workers.systems.faults import TranslateError
from workers.systems.table import Table
from workers.systems.web import Answer, Reach, json_of, reach_of

INTERVAL_SECONDS = 15.0

_KIND = "prometheus"


def configured(table: Table, name: str) -> Factory:
    """Return what builds the worker of {type="prometheus", url, queue_label, observed_at_query, metrics, ...}.

    Raises Invalid naming the key.
    """
    return partial(
        _worker,
        name=name,
        url=table.url("url"),
        reach=reach_of(table),
        queries=_queries(table, name),
        interval_seconds=table.seconds("interval_seconds", INTERVAL_SECONDS, 0.05, 3600),
    )


def trial(table: Table, name: str) -> Callable[[bytes, datetime], Lot]:
    """Return what reads a sample: an object of answers by metric, that to observed_at among them. Raises Invalid."""
    queries = _queries(table, name)

    def read(sample: bytes, _at: datetime) -> Lot:
        answers = json_of(sample, "the sample")
        if not isinstance(answers, dict):
            raise TranslateError("the sample is no object of answers by metric, observed_at among them")
        return translate(answers, queries)

    return read


class Prometheus:
    """Queries and what their answers mean."""

    def __init__(self, client: Client, queries: Queries) -> None:
        self._client, self._queries = client, queries
        self._aside = Aside(_KIND)

    async def read(self, _asked_at: datetime) -> Lot:
        """Return what all queries give, evaluated at one instant of Prometheus' clock. Raises SourceFault."""
        first = await self._client.query(OBSERVED_AT, self._queries.observed_at, None)
        at = await self._aside.run(self._evaluated_at, first)
        answers = {OBSERVED_AT: first}
        for asked in self._queries.metrics:
            answers[asked.field] = await self._client.query(asked.field, asked.query, at)
        return await self._aside.run(self._translated, answers)

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()

    def _evaluated_at(self, answer: Answer) -> float | None:
        return series(answer.json(), self._queries, OBSERVED_AT).evaluated_at

    def _translated(self, answers: Mapping[str, Answer]) -> Lot:
        return translate({field: answer.json() for field, answer in answers.items()}, self._queries)


def _worker(
    around: Surroundings, *, name: str, url: str, reach: Reach, queries: Queries, interval_seconds: float
) -> Poller:
    return Poller(
        around,
        name=name,
        kind=_KIND,
        asking=Prometheus(Client(url, reach), queries),
        interval_seconds=interval_seconds,
        deadline_seconds=reach.timeout_seconds * 2,
    )


def _queries(table: Table, name: str) -> Queries:
    label, queue = table.optional_text("queue_label"), table.optional_name("queue")
    if (label is None) == (queue is None):
        raise table.fault(
            "queue_label", "and queue: one of them is needed, and not both", 'write queue_label = "queue"'
        )
    metrics = table.table("metrics")
    if not metrics.keys:
        raise table.fault("metrics", "is missing", 'give at least one, as backlog = "sum by (queue) (waiting)"')
    found = Queries(
        source=name,
        observed_at=table.text("observed_at_query"),
        metrics=tuple(_asked(metrics, field) for field in metrics.keys),
        queue_label=label,
        queue=queue,
        queues=table.texts("queues", ("*",)),
        channel=table.optional_name("channel"),
        window_seconds=window_of(table),
        warnings_accepted=table.flag("accept_warnings", default=False),
    )
    counts_have_a_window(table, {asked.field for asked in found.metrics}, found.window_seconds)
    return found


def _asked(metrics: Table, field: str) -> Asked:
    """Return one metric: `backlog = "QUERY"`, or `backlog = { query = "QUERY", unit = "count" }`."""
    if field not in FIELDS:
        raise metrics.fault(field, "is not a metric", f"known are {', '.join(FIELDS)}")
    units = tuple(unit for unit in units_of(field) if unit not in {"iso", "hh:mm:ss"})
    if not metrics.is_table(field):
        return Asked(field, metrics.text(field), units[0])
    within = metrics.table(field)
    return Asked(field, within.text("query"), within.choice("unit", units, units[0]))
