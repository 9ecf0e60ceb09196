"""Opening a store: what is refused and how, and what every connection is told."""

import re
import sqlite3

import pytest
from sqlalchemy import text

from app.errors import HoldfireError, Invalid, NotDurable
from app.store.engine import open_database
from tests.support.builders import an_event
from tests.support.databases import a_store


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("holdfire.db", "HOLDFIRE_DATABASE_URL=holdfire.db is no database URL"),
        ("postgres:/ann:secret@db", r"HOLDFIRE_DATABASE_URL=\*\*\*@db is no database URL"),
        ("", "HOLDFIRE_DATABASE_URL= is no database URL"),
        ("oracle://scott:tiger@db/x", r"oracle://scott:\*\*\*@db/x: oracle is not supported"),
        ("sqlite+aiosqlite:///x.db", r"sqlite\+aiosqlite is not supported"),
        ("sqlite://", "names no plain file"),
        ("sqlite:///:memory:", "names no plain file"),
        ("sqlite:///file:x.db?uri=true", "names no plain file"),
    ],
)
def test_an_unusable_url_is_refused_with_setting_value_and_what_is_allowed(url, complaint):
    with pytest.raises(Invalid, match=f"{complaint}.*allowed is sqlite:///path/to/holdfire.db"):
        open_database(url)


def test_missing_folders_are_created(tmp_path):
    open_database(f"sqlite:///{tmp_path}/a/b/holdfire.db")
    assert (tmp_path / "a/b/holdfire.db").exists()


def test_a_folder_that_cannot_be_created_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Invalid, match=f"{re.escape(str(tmp_path))}.*folder cannot be created"):
        open_database(f"sqlite:///{tmp_path}/file/holdfire.db")


def test_a_folder_in_place_of_the_file_is_refused(tmp_path):
    with pytest.raises(Invalid, match=r"cannot be used as database \(unable to open database file\)"):
        open_database(f"sqlite:///{tmp_path}")


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path):
    (tmp_path / "holdfire.db").write_text("a letter to my aunt " * 100)
    with pytest.raises(Invalid, match="file is not a database"):
        open_database(f"sqlite:///{tmp_path}/holdfire.db")
    assert (tmp_path / "holdfire.db").read_text().startswith("a letter")


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 5000)]
)
async def test_every_connection_is_durable_patient_and_strict(tmp_path, pragma, value):
    async with a_store(tmp_path) as store:
        for run in (store.database.write, store.database.read):
            assert await run(lambda connection: connection.execute(text(f"PRAGMA {pragma}")).scalar()) == value


async def test_a_read_sees_one_picture_although_another_process_writes(tmp_path):
    async with a_store(tmp_path) as store:
        other = sqlite3.connect(tmp_path / "holdfire.db", check_same_thread=False, isolation_level=None)

        def look_twice(connection):
            first = connection.execute(text("SELECT count(*) FROM gates")).scalar()
            other.execute("INSERT INTO gates VALUES ('meanwhile', 0)")
            return first, connection.execute(text("SELECT count(*) FROM gates")).scalar()

        assert await store.database.read(look_twice) == (1, 1)
        other.close()
        assert await store.gates.gates() == ["default", "meanwhile"]


async def test_a_closed_store_says_so(tmp_path):
    async with a_store(tmp_path) as store:
        await store.close()
        with pytest.raises(HoldfireError, match="closed"):
            await store.gates.gates()
        with pytest.raises(NotDurable, match="closed"):
            await store.gates.delete_gate("default", an_event())


async def test_closing_leaves_one_file_with_everything_in_it(tmp_path):
    async with a_store(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["holdfire.db"]
