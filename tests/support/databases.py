"""Stores for tests, one name per implementation: a new one joins every contract suite by its line in STORES."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from app.clocks import DataClock
from app.ports.clock import Clock
from app.store.bundle import Store, open_store
from app.store.migrate import migrate
from app.stream.nats.stream import Place
from app.stream_address import parse_stream_address
from tests.support import nats, postgresql
from tests.support.builders import NOW

STORES = ("sqlite", "postgresql")
STREAMS = (*STORES, "nats")  # the last one over a database of SQLite's


def a_database_url(kind: str, folder: Path) -> str:
    """Return the URL of a database of that kind; the same folder gives the same one."""
    if kind == "sqlite":
        return f"sqlite:///{folder}/holdfire.db"
    if kind == "postgresql":
        return postgresql.database_of(folder)
    raise ValueError(f"{kind!r} is none of {', '.join(STORES)}")


def prepare(kind: str, folder: Path) -> None:
    """Put an empty database with all tables into `folder` unless one is there: quicker than migrating each anew."""
    path = folder / "holdfire.db"
    if kind == "postgresql":
        postgresql.prepared(folder)
    elif not path.exists():
        path.write_bytes(_migrated())


@cache
def _migrated() -> bytes:
    with TemporaryDirectory() as folder:
        migrate(a_database_url("sqlite", Path(folder)))
        return (Path(folder) / "holdfire.db").read_bytes()


@asynccontextmanager
async def a_store(folder: Path, kind: str = "sqlite", clock: Clock | None = None) -> AsyncIterator[Store]:
    """Yield an open store; its clock stands at NOW unless another one is given."""
    database = "sqlite" if kind == "nats" else kind
    prepare(database, folder)
    place = Place(parse_stream_address(nats.stream_of(folder))) if kind == "nats" else None
    async with open_store(a_database_url(database, folder), clock or DataClock(NOW), place=place) as store:
        yield store
