"""Bringing a database's tables up to date, with the migrations shipped inside the package."""

import time
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from app.errors import Invalid
from app.store import postgresql
from app.store.connect import is_file, migrating_engine, shown, usable_url

MIGRATIONS = Path(__file__).parent / "migrations"
PATIENCE_SECONDS = 60


def migrate(url: str) -> str:
    """Create or upgrade the database at `url` and return its schema's version, e.g. "0001".

    Safe to run by several processes at once: the first does the work, the others wait for it. Raises Invalid for an
    unusable URL or database, and for one that a newer holdfire has upgraded.
    """
    target = usable_url(url)
    engine = migrating_engine(target, PATIENCE_SECONDS)
    try:
        if is_file(target):
            _when_unlocked(lambda: _use_write_ahead_log(engine, target))
        with engine.begin() as connection:
            return _upgrade(connection, target)
    except DBAPIError as fault:
        advice = "the path, its rights and its disk" if is_file(target) else "that the server runs, the name and rights"
        cause = " ".join(str(fault.orig).split())
        raise Invalid(f"{shown(target)} cannot be used as database ({cause}); check {advice}") from fault
    finally:
        engine.dispose()


def schema_fault(connection: Connection) -> str | None:
    """Return what is wrong with the schema that is there, None when this version's program works on it."""
    scripts = ScriptDirectory.from_config(migration_config())
    newest = scripts.get_current_head()
    present = MigrationContext.configure(connection).get_current_heads()
    if present == (newest,) or _may_read_newer(connection, scripts):
        return None
    return f"schema is {', '.join(present) or 'empty'}, needed is {newest}"


def make_anew(connection: Connection, target: URL) -> None:
    """Drop all tables and create them again, empty, in the transaction of a connection to `target`."""
    command.downgrade(migration_config(connection), "base")
    _upgrade(connection, target)


def migration_config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration for the packaged migrations, to be run on `connection`."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _upgrade(connection: Connection, target: URL) -> str:
    config = migration_config(connection)
    scripts = ScriptDirectory.from_config(config)
    newest = str(scripts.get_current_head())
    known = {script.revision for script in scripts.walk_revisions()}
    if unknown := set(MigrationContext.configure(connection).get_current_heads()) - known:
        if _may_read_newer(connection, scripts):
            return newest
        raise Invalid(
            f"{shown(target)} was upgraded by a newer holdfire: its schema is {', '.join(unknown)}, this one knows up "
            f"to {newest}. Start the newer version, or restore a backup from before the upgrade"
        )
    if not is_file(target) and (fault := postgresql.unfit(connection)):
        raise Invalid(f"{shown(target)}: {fault}")
    command.upgrade(config, "head")
    if not is_file(target):
        postgresql.sort_text_by_bytes(connection)
        oldest = getattr(scripts.get_revision(newest).module, "oldest_reader", newest)
        connection.exec_driver_sql("DELETE FROM oldest_reader")
        connection.exec_driver_sql("INSERT INTO oldest_reader VALUES (%s)", (oldest,))
    return newest


def _may_read_newer(connection: Connection, scripts: ScriptDirectory) -> bool:
    """Tell whether a newer holdfire has upgraded the database, and left word that this version works on it as well.

    So it is for as long as replicas of both run beside each other.
    """
    present = MigrationContext.configure(connection).get_current_heads()
    known = {script.revision for script in scripts.walk_revisions()}
    if connection.dialect.name != "postgresql" or not present or known.issuperset(present):
        return False
    oldest = connection.exec_driver_sql("SELECT revision FROM oldest_reader").scalar()
    return oldest in known


def _use_write_ahead_log(engine: Engine, target: URL) -> None:
    with engine.connect() as connection:
        cursor = connection.connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        mode = cursor.fetchone()
    if mode != ("wal",):
        raise Invalid(f"{shown(target)}: its disk allows no write-ahead log; choose a local disk")


def _when_unlocked(action: Callable[[], None]) -> None:
    """Run an action that SQLite refuses at once, without its own patience, while another process does the same."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return action()
        except OperationalError as fault:
            if "locked" not in str(fault.orig) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
