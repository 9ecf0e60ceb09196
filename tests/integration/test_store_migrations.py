"""The migrations that ship with the package: complete, safe to run twice or at once, and never downhill by accident."""

import re
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from app.errors import Invalid
from app.store import sqlite
from app.store.account_tables import SESSIONS
from app.store.connect import usable_url
from app.store.migrate import migrate, migration_config
from app.stream.tables import STREAM_HEAD
from tests.support.databases import a_database_url, a_store

TABLES = [STREAM_HEAD.metadata, SESSIONS.metadata]
NEWEST = ScriptDirectory.from_config(migration_config()).get_current_head()


@pytest.fixture
def url(tmp_path):
    return a_database_url("sqlite", tmp_path)


def schema(path):
    """Return every statement that makes up a database, its parts sorted, names without quotes.

    A part ends at a comma or a line: a column that was added later stands on the line of another one.
    """
    with closing(sqlite3.connect(path)) as connection:
        statements = [sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")]
    parts = (sorted(re.findall(r"[^\s,][^,\n]*", re.sub('"', "", sql))) for sql in statements)
    return sorted(tuple(part) for part in parts if "alembic_version" not in "".join(part))


def test_migrating_an_empty_database_gives_exactly_the_declared_tables(url, tmp_path):
    assert migrate(url) == NEWEST
    declared = create_engine(f"sqlite:///{tmp_path}/declared.db")
    for metadata in TABLES:
        metadata.create_all(declared)
    declared.dispose()
    assert schema(tmp_path / "holdfire.db") == schema(tmp_path / "declared.db")


def test_alembic_itself_finds_no_drift(url):
    migrate(url)
    engine = sqlite.engine(usable_url(url), "BEGIN")
    with engine.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), TABLES) == []  # type: ignore[arg-type]  # it takes several
    engine.dispose()


def test_migrating_again_changes_nothing(url, tmp_path):
    migrate(url)
    before = schema(tmp_path / "holdfire.db")
    assert migrate(url) == NEWEST
    assert schema(tmp_path / "holdfire.db") == before


def test_every_migration_can_be_taken_back(url, tmp_path):
    migrate(url)
    engine = sqlite.engine(usable_url(url), "BEGIN IMMEDIATE")
    with engine.begin() as connection:
        command.downgrade(migration_config(connection), "base")
    engine.dispose()
    assert schema(tmp_path / "holdfire.db") == []
    assert migrate(url) == NEWEST


def test_processes_that_start_at_once_all_get_a_good_database(url, tmp_path):
    program = f"from app.store.migrate import migrate; print(migrate({url!r}))"
    processes = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    outcomes = [process.communicate(timeout=90) for process in processes]
    assert outcomes == [(f"{NEWEST}\n", "")] * 4
    with closing(sqlite3.connect(tmp_path / "holdfire.db")) as connection:
        assert connection.execute("SELECT position FROM stream_head").fetchall() == [(0,)]


def test_a_database_of_a_newer_version_is_refused_untouched(url, tmp_path):
    migrate(url)
    with closing(sqlite3.connect(tmp_path / "holdfire.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0999'")
        connection.commit()
    before = schema(tmp_path / "holdfire.db")
    with pytest.raises(
        Invalid, match=f"newer holdfire: its schema is 0999, this one knows up to {NEWEST}. Start the newer"
    ):
        migrate(url)
    assert schema(tmp_path / "holdfire.db") == before


async def test_a_failed_migration_leaves_the_old_database(tmp_path):
    with closing(sqlite3.connect(tmp_path / "holdfire.db")) as connection:
        connection.execute("CREATE TABLE rollup_hours (somebody_elses INTEGER)")
        connection.commit()
    before = schema(tmp_path / "holdfire.db")
    with pytest.raises(Invalid, match="table rollup_hours already exists"):
        async with a_store(tmp_path):
            pass
    assert schema(tmp_path / "holdfire.db") == before
