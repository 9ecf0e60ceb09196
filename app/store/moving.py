"""Moving an installation from one database into another, whichever they are, and proving that all of it arrived.

Everything happens in one transaction of the target: whatever goes wrong, it is as empty as it was before.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256

import psycopg
from msgspec import msgpack
from sqlalchemy import URL, Connection, Engine, FromClause, Table, func, literal, select
from sqlalchemy.exc import DBAPIError

from app.errors import HoldfireError, Invalid
from app.ports.events import Verified
from app.store.audit import verified
from app.store.connect import Lane, is_file, known_url, reading_engine, shown, usable_url, writing_engine
from app.store.event_tables import EVENTS
from app.store.migrate import make_anew, migrate, schema_fault
from app.store.sole import sole_evaluator
from app.store.sqlite import path_of
from app.store.whole_tables import Row, all_tables, fill, is_server, read
from app.stream.tables import STREAM_HEAD

Progress = Callable[[int, int], None]
"""Is told how many steps are done, and how many there are."""

# What a database holds after `holdfire migrate` or a first start, and nothing else: it may be overwritten.
FRESH = {"stream_head": 1, "installation": 1, "gates": 1, "policies": 1, "events": 2}
_MODULUS = 1 << 256
_encode = msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class Contents:
    """What a table holds: its number of rows, and a digest of all of them, whatever their order.

    The digest is the sum of the SHA-256 digests of the rows, modulo 2**256.
    """

    rows: int = 0
    digest: int = 0

    def plus(self, rows: Sequence[Row]) -> "Contents":
        """Return the contents with more rows."""
        more = sum(int.from_bytes(sha256(_encode(row)).digest(), "big") for row in rows)
        return Contents(self.rows + len(rows), (self.digest + more) % _MODULUS)

    @property
    def sha256(self) -> str:
        """Return the digest as 64 hexadecimal digits."""
        return f"{self.digest:064x}"


@dataclass(frozen=True, slots=True)
class Moved:
    """What arrived: the version of the schema, each table by name, and the chain of events."""

    schema: str
    tables: dict[str, Contents]
    events: Verified


def move(source: str, target: str, progress: Progress = lambda _done, _of: None) -> Moved:
    """Copy the installation at the URL `source` into the empty database at `target`, and return what arrived.

    source is read in one unchanging picture and not changed. No holdfire may serve either of them meanwhile.
    Raises Invalid for a URL, a source or a target that cannot be used, HoldfireError when what arrived is not what was
    there, or a database failed; the target has no rows then.
    """
    origin, goal = known_url(source), known_url(target)
    _refuse_unusable(origin, goal)
    with sole_evaluator(source):
        with _reading(origin) as connection:
            _refuse_old(connection, origin)
        with sole_evaluator(target):
            schema = migrate(target)
            with _reading(origin) as there, _writing(usable_url(target)) as here:
                return Moved(schema, *_Move(origin, goal, there, here, progress).run())


def _refuse_unusable(origin: URL, goal: URL) -> None:
    if is_file(origin) and not path_of(origin).is_file():
        raise Invalid(f"{shown(origin)}: there is no such file; name the database to move")
    if origin == goal or (is_file(origin) and is_file(goal) and path_of(origin).resolve() == path_of(goal).resolve()):
        raise Invalid(f"{shown(origin)} is both where to move from and where to move to; name two databases")


def _refuse_old(connection: Connection, origin: URL) -> None:
    if fault := schema_fault(connection):
        raise Invalid(f"{shown(origin)}: its {fault}; bring it there with `holdfire migrate` before it is moved")


class _Move:
    """A move under way, from the connection `there` to the connection `here`, each in its one transaction."""

    def __init__(self, origin: URL, goal: URL, there: Connection, here: Connection, progress: Progress) -> None:
        self.origin, self.goal, self.there, self.here = origin, goal, there, here
        self._progress, self._done, self._steps = progress, 0, 0

    def run(self) -> tuple[dict[str, Contents], Verified]:
        """Copy everything and check what arrived."""
        _refuse_used(self.here, self.goal)
        with _blaming(self.origin):
            chain = _whole(self.there, self.origin)
            self._steps = 2 * sum(_count(self.there, table) for table in all_tables())
        if _count(self.here, EVENTS):  # of a first start; nobody can delete them, only the whole table
            make_anew(self.here, self.goal)
        self.here.execute(STREAM_HEAD.delete())  # whose row comes with the table
        contents = {table.name: self._copied(table) for table in all_tables()}
        for table in all_tables():
            self._compare(table, contents[table.name])
        if _whole(self.here, self.goal) != chain:
            raise HoldfireError(f"the events in {shown(self.goal)} are not those that were read; nothing was kept")
        if is_server(self.here):
            self.here.exec_driver_sql("ANALYZE")  # or its first plans would be made for empty tables
        return contents, chain

    def _copied(self, table: Table) -> Contents:
        contents = Contents()
        for rows in self._counted(self._read(table)):
            contents = contents.plus(rows)
            fill(self.here, table, rows)
        return contents

    def _read(self, table: Table) -> Iterator[Sequence[Row]]:
        with _blaming(self.origin):
            yield from read(self.there, table)

    def _compare(self, table: Table, expected: Contents) -> None:
        arrived = Contents()
        for rows in self._counted(read(self.here, table)):
            arrived = arrived.plus(rows)
        if arrived != expected:
            raise HoldfireError(
                f"table {table.name}: {expected.rows:,} rows of digest {expected.sha256} were read, but "
                f"{arrived.rows:,} of {arrived.sha256} arrived in {shown(self.goal)}; nothing was kept"
            )

    def _counted(self, batches: Iterable[Sequence[Row]]) -> Iterator[Sequence[Row]]:
        for rows in batches:
            yield rows
            self._done += len(rows)
            self._progress(self._done, self._steps)


def _refuse_used(connection: Connection, goal: URL) -> None:
    for table in all_tables():
        known = FRESH.get(table.name, 0)
        found = select(literal(1)).select_from(table).limit(known + 1).subquery()
        head = connection.execute(select(table.c.position)).scalar() if table is STREAM_HEAD else 0
        if head or _count(connection, found) > known:
            raise Invalid(f"{shown(goal)} is in use already: its table {table.name} has rows; name an empty database")


def _count(connection: Connection, rows: FromClause) -> int:
    return connection.execute(select(func.count()).select_from(rows)).scalar_one()


def _whole(connection: Connection, url: URL) -> Verified:
    mark = "%s" if is_server(connection) else "?"

    def rows(statement: str, values: Sequence[object]) -> Sequence[Row]:
        return [tuple(row) for row in connection.exec_driver_sql(statement.replace("?", mark), tuple(values))]

    found = verified(rows)
    if not found.is_whole:
        why = found.broken or found.differs
        raise Invalid(f"the events in {shown(url)} are not whole ({why and why.detail}); see `holdfire audit verify`")
    return found


@contextmanager
def _reading(url: URL) -> Iterator[Connection]:
    """Yield a connection in one transaction, which only looks."""
    with _transaction(reading_engine(url, pool_size=1), url) as connection:
        yield connection


@contextmanager
def _writing(url: URL) -> Iterator[Connection]:
    """Yield a connection in one transaction, which is committed at the end unless something is raised."""
    with _transaction(writing_engine(url, Lane.TABLES, may_idle=True), url) as connection:
        yield connection


@contextmanager
def _transaction(engine: Engine, url: URL) -> Iterator[Connection]:
    try:
        with _blaming(url), engine.begin() as connection:
            try:
                yield connection
            except KeyboardInterrupt:
                connection.invalidate()  # amid a copy it can only be cut off; its database takes everything back
                raise
    finally:
        engine.dispose()


@contextmanager
def _blaming(url: URL) -> Iterator[None]:
    """Say of what a driver raises in which database it happened."""
    try:
        yield
    except (DBAPIError, psycopg.Error, sqlite3.Error) as fault:
        cause = " ".join(str(getattr(fault, "orig", fault)).split())
        raise HoldfireError(f"{shown(url)} failed, so nothing was moved: {cause}") from fault
