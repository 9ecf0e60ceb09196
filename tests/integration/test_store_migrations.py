"""The migrations that ship with the package: complete, safe to run twice or at once, and never downhill by accident."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, create_engine, inspect, select, text

from app.errors import Invalid
from app.store.account_tables import SESSIONS
from app.store.bundle import open_store
from app.store.connect import migrating_engine, usable_url
from app.store.migrate import migrate, migration_config, schema_fault
from app.stream.tables import OBSERVATIONS, STREAM_HEAD
from tests.support import filling, postgresql
from tests.support.builders import NOW
from tests.support.databases import STORES, a_database_url
from tests.support.memory import SteppedClock
from tests.support.server import run_cli

TABLES = [STREAM_HEAD.metadata, SESSIONS.metadata]
REVISIONS = [script.revision for script in ScriptDirectory.from_config(migration_config()).walk_revisions()][::-1]
NEWEST = REVISIONS[-1]
STOPS = REVISIONS[::4]  # versions at which the tables that are new by then are filled
MONTH = 31 * 86_400 * 1_000_000
IN_POSTGRESQL = """
SELECT table_name, column_name, data_type, is_nullable, column_default, collation_name FROM information_schema.columns
    WHERE table_schema = 'public'
UNION ALL SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', '', '' FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT tablename, indexname, indexdef, '', '', '' FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid), '', '', '' FROM pg_trigger
    WHERE NOT tgisinternal
UNION ALL SELECT '', proname, prosrc, '', '', '' FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""
SORTING = """
SELECT table_name, column_name, collation_name FROM information_schema.columns
WHERE table_schema = 'public' AND data_type IN ('character varying', 'text')"""


@pytest.fixture
def url(tmp_path):
    return a_database_url("sqlite", tmp_path)


@pytest.fixture(params=STORES)
def either(tmp_path, request):
    """Return the URL of a database without tables."""
    return a_database_url("sqlite", tmp_path) if request.param == "sqlite" else postgresql.bare(tmp_path)


@contextmanager
def connected(url):
    """Yield a connection in a transaction that is committed."""
    engine = migrating_engine(usable_url(url), 5)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def schema(url):
    """Return all that makes up a database but Alembic's own table.

    Of SQLite's statements each part is sorted, names without quotes. A part ends at a comma or a line: a column that
    was added later stands on the line of another one.
    """
    with connected(url) as connection:
        if connection.dialect.name == "postgresql":
            parts = [tuple(row) for row in connection.execute(text(IN_POSTGRESQL))]
            return sorted((part for part in parts if part[0] != "alembic_version"), key=repr)
        statements = connection.execute(text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")).scalars()
        split = (sorted(re.findall(r"[^\s,][^,\n]*", re.sub('"', "", statement))) for statement in statements)
        return sorted(tuple(part) for part in split if "alembic_version" not in "".join(part))


def months_old(connection, row):
    """Insert an observation of each of two earlier months."""
    for past in (1, 2):
        values = row | {"position": row["position"] + past, "observed_at": row["observed_at"] - past * MONTH}
        connection.execute(OBSERVATIONS.insert().values({name: values[name] for name in row}))


def test_migrating_an_empty_database_gives_exactly_the_declared_tables(url, tmp_path):
    assert migrate(url) == NEWEST
    declared = f"sqlite:///{tmp_path}/declared.db"
    engine = create_engine(declared)
    for metadata in TABLES:
        metadata.create_all(engine)
    engine.dispose()
    assert schema(url) == schema(declared)


def test_alembic_itself_finds_no_drift(either):
    migrate(either)
    with connected(either) as connection:
        options = {"include_name": lambda name, kind, _: kind != "table" or name not in filling.OF_REPLICAS}
        found = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(found, TABLES) == []  # type: ignore[arg-type]  # it takes several


def test_on_postgresql_too_rules_and_partial_indexes_are_the_declared_ones(tmp_path):
    url = postgresql.bare(tmp_path)
    migrate(url)
    declared = [table for metadata in TABLES for table in metadata.sorted_tables]
    with connected(url) as connection:
        found = inspect(connection)
        for table in declared:
            rules = {rule.name for rule in table.constraints if isinstance(rule, CheckConstraint)}
            assert {rule["name"] for rule in found.get_check_constraints(table.name)} == rules
            partial = {
                index["name"]
                for index in found.get_indexes(table.name)
                if index.get("dialect_options", {}).get("postgresql_where")
            }
            assert partial == {
                index.name for index in table.indexes if index.dialect_options["postgresql"]["where"] is not None
            }


def test_on_postgresql_text_sorts_by_bytes_everywhere(tmp_path):
    url = postgresql.bare(tmp_path)
    migrate(url)
    with connected(url) as connection:
        connection.execute(text("SELECT add_month_of_observations(0)"))
        sorting = {row[:2]: row[2] for row in connection.execute(text(SORTING))}
    assert set(sorting.values()) == {"C"}
    assert {("gates", "name"), ("observations", "queue"), ("observations_1970_01", "queue")} <= sorting.keys()


def test_migrating_again_changes_nothing(either):
    migrate(either)
    before = schema(either)
    assert migrate(either) == NEWEST
    assert schema(either) == before


def test_every_migration_can_be_taken_back(either):
    migrate(either)
    before = schema(either)
    with connected(either) as connection:
        command.downgrade(migration_config(connection), "base")
    assert schema(either) == []
    assert migrate(either) == NEWEST
    assert schema(either) == before


def test_rows_written_at_any_version_outlive_all_upgrades_after_it(either):
    kept: dict[str, dict[str, Any]] = {}
    for revision in STOPS:
        with connected(either) as connection:
            command.upgrade(migration_config(connection), revision)
            if revision == "0013":  # ends all sessions, which were keys' until then
                del kept["sessions"]
            fresh = filling.base_tables(connection, without=kept.keys() | filling.SEEDED)
            kept |= filling.fill(connection, fresh)
            if revision == STOPS[0]:
                months_old(connection, kept["observations"])
    migrate(either)
    with connected(either) as connection:
        command.downgrade(migration_config(connection), "0018")  # before PostgreSQL had a table per month
    migrate(either)
    with connected(either) as connection:
        tables = filling.base_tables(connection)
        read = {table.name: select(table).order_by(*table.primary_key) for table in tables}
        found = {name: connection.execute(statement).mappings().all() for name, statement in read.items()}
    assert {name: len(rows) for name, rows in found.items() if len(rows) != 1} == {"observations": 3}
    for name, row in kept.items():
        assert {column: found[name][0][column] for column in row} == row
    assert [row["observed_at"] for row in found["observations"]] == [filling.MONTH - past * MONTH for past in range(3)]
    assert found["permit_ledger"][0]["given"] == found["permits"][0]["allowed"]


def test_processes_that_start_at_once_all_get_a_good_database(either):
    with ThreadPoolExecutor(4) as beside:
        started = [beside.submit(run_cli, "migrate", HOLDFIRE_DATABASE_URL=either) for _ in range(4)]
        ended = [one.result() for one in started]
    assert [(one.returncode, one.stdout, one.stderr) for one in ended] == [(0, f"database is at {NEWEST}\n", "")] * 4
    with connected(either) as connection:
        assert connection.execute(select(STREAM_HEAD.c.position)).scalars().all() == [0]


def test_a_database_of_a_newer_version_is_refused_untouched(either):
    migrate(either)
    with connected(either) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
        if connection.dialect.name == "postgresql":
            connection.execute(text("UPDATE oldest_reader SET revision = '0999'"))
    before = schema(either)
    with pytest.raises(
        Invalid, match=f"newer holdfire: its schema is 0999, this one knows up to {NEWEST}. Start the newer"
    ):
        migrate(either)
    assert schema(either) == before


def test_replicas_of_two_versions_share_a_database_whose_upgrade_says_that_the_older_one_may(tmp_path):
    url = postgresql.bare(tmp_path)
    migrate(url)
    with connected(url) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
        assert schema_fault(connection) is None
    before = schema(url)
    assert migrate(url) == NEWEST
    with connected(url) as connection:
        connection.execute(text("UPDATE oldest_reader SET revision = '0998'"))
        assert schema_fault(connection) == f"schema is 0999, needed is {NEWEST}"
    with pytest.raises(Invalid, match="Start the newer"):
        migrate(url)
    assert schema(url) == before


async def test_a_failed_migration_leaves_the_old_database(either):
    with connected(either) as connection:
        connection.execute(text("CREATE TABLE rollup_hours (somebody_elses INTEGER)"))
    before = schema(either)
    with pytest.raises(Invalid, match=r'"?rollup_hours"? already exists'):
        async with open_store(either, SteppedClock(NOW)):
            pass
    assert schema(either) == before
