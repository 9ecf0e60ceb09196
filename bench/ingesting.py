"""Observations taken in per second, durable: on SQLite and on PostgreSQL, against parsing the same bodies alone."""

from contextlib import ExitStack

from bench import load
from bench.load import Rate
from bench.measuring import data_dir, interleaved, table
from bench.postgresql import postgresql
from bench.servers import Holding, baseline, busy_seconds, holding

BATCHES = (1, 100, 1_000)
MANY_CONNECTIONS = 64  # that send one observation each: who sends singly is many
ANSWER_BYTES = 44
HEADS = (
    "on",
    "batch",
    "observations/s durable",
    "per s of its processor",
    "parsed only",
    "share",
    "p99 ms of a request",
)


class Durable:
    """One holdfire under a load of batches: what it took in, and how long its process was busy with that."""

    def __init__(self, server: Holding, batch: int, seconds: float) -> None:
        self._server, self._batch, self._seconds = server, batch, seconds
        self._taken = self._busy = 0.0

    @property
    def per_busy_second(self) -> float:
        """Observations for each second of processor time, whatever else ran on the core."""
        return self._taken / self._busy

    def __call__(self) -> Rate:
        """Load it for a round."""
        before = busy_seconds(self._server.process_id)
        url, key = f"{self._server.url}/api/v1/observations", self._server.keys[0]
        rate = load.ingest(url, self._seconds, self._batch, key, connections=_connections(self._batch))
        self._busy += busy_seconds(self._server.process_id) - before
        self._taken += rate.per_second * self._seconds
        return rate


def measure(rounds: int, seconds: float) -> str:
    """Return the table of durable ingest, per database and batch size."""
    rows = []
    with ExitStack() as stack:
        parser = stack.enter_context(baseline("parse", ANSWER_BYTES))
        for name, environment in (("SQLite", {}), ("PostgreSQL", _environment(stack))):
            server = stack.enter_context(holding(data_dir(stack), environment))
            rows += [(name, *_figures(server, parser, batch, rounds, seconds)) for batch in BATCHES]
    return table("Ingest", HEADS, rows)


def _environment(stack: ExitStack) -> dict[str, str]:
    return {"HOLDFIRE_DATABASE_URL": stack.enter_context(postgresql(data_dir(stack)))}


def _figures(server: Holding, parser: str, batch: int, rounds: int, seconds: float) -> tuple[str, ...]:
    """Return one row's figures, of rounds in which both take turns."""
    durable = Durable(server, batch, seconds)
    found = interleaved(
        rounds,
        {
            "parsed": lambda: load.ingest(parser, seconds, batch, connections=_connections(batch)),
            "durable": durable,
        },
    )
    parsed, kept = found["parsed"].per_second, found["durable"]
    share = f"{kept.per_second / parsed:.2f}"
    rates = (f"{kept.per_second:,.0f}", f"{durable.per_busy_second:,.0f}", f"{parsed:,.0f}")
    return (f"{batch:,}", *rates, share, f"{kept.p99_ms:.1f}")


def _connections(batch: int) -> int:
    return MANY_CONNECTIONS if batch == 1 else load.CONNECTIONS
