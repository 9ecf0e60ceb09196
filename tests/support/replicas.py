"""Several replicas of holdfire, each in a process of its own, on one database of PostgreSQL's."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from tests.support.databases import a_database_url, prepare
from tests.support.postgresql import Cluster
from tests.support.server import Server, a_server
from tests.support.shell import wait_until

# What was acknowledged by one replica is read by another within a second, or when told, and evaluated within another
# one; on a busy machine, and while one of them is killed, that takes longer.
LAG_SECONDS = 5.0


@contextmanager
def replicas(
    folder: Path, count: int, ports: Sequence[str] = (), own: Cluster | None = None, **environment: str
) -> Iterator[Sequence[Server]]:
    """Yield so many replicas on the folder's database, once each of them may be asked and one leads.

    ports: where each is to listen; (): anywhere. own: a cluster of its own, in place of the one all tests share.
    """
    if own is not None:
        url = own.database("holdfire")
    else:
        prepare("postgresql", folder)
        url = a_database_url("postgresql", folder)
    started: list[Server] = []
    with ExitStack() as stack:
        for number, port in zip(range(count), [*ports, *["0"] * count], strict=False):
            server = a_server(folder / f"replica{number}", "--port", port, HOLDFIRE_DATABASE_URL=url, **environment)
            started.append(stack.enter_context(server))
        wait_until(lambda: len(present(url)) == count and leader(url) is not None, "all of them at work")
        yield started


def present(url: str) -> Sequence[str]:
    """Return the names of the replicas that are there, by what they said within the last 10 seconds."""
    query = "SELECT name FROM replicas WHERE seen_at > clock_timestamp() - interval '10 s' ORDER BY name"
    return [str(name) for (name,) in rows(url, query)]


def leader(url: str) -> str | None:
    """Return the name of the replica that leads, None when none does."""
    found = rows(url, "SELECT holder FROM leases WHERE until > clock_timestamp()")
    return str(found[0][0]) if found else None


def rows(url: str, query: str) -> Sequence[Sequence[object]]:
    """Return what a query finds in a database."""
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def led_by(url: str, servers: Sequence[Server]) -> Server:
    """Return the one of these replicas that leads, once one does."""
    found: list[Server] = []

    def is_led() -> bool:
        name = leader(url)
        found[:] = [server for server in servers if name is not None and f"-{server.process.pid}-" in name]
        return bool(found)

    wait_until(is_led, "one of them to lead")
    return found[0]


def leads_elsewhere(url: str, than: Server) -> bool:
    """Tell whether another replica than this one leads."""
    name = leader(url)
    return name is not None and f"-{than.process.pid}-" not in name
