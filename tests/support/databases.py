"""Stores for tests, one name per implementation: a new one joins every contract suite by its line in STORES."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.clocks import DataClock
from app.ports import Clock
from app.store.bundle import Store, open_store
from tests.support.builders import NOW

STORES = ("sqlite",)


def a_database_url(kind: str, folder: Path) -> str:
    """Return the URL of a database of that kind; the same folder gives the same one."""
    if kind == "sqlite":
        return f"sqlite:///{folder}/holdfire.db"
    raise ValueError(f"{kind!r} is none of {', '.join(STORES)}")


@asynccontextmanager
async def a_store(folder: Path, kind: str = "sqlite", clock: Clock | None = None) -> AsyncIterator[Store]:
    """Yield an open store; its clock stands at NOW unless another one is given."""
    async with open_store(a_database_url(kind, folder), clock or DataClock(NOW)) as store:
        yield store
