"""Opening a store: what is refused and how, and what every connection is told."""

import re
import time

import psycopg
import pytest
from sqlalchemy import text

from app.errors import HoldfireError, Invalid, NotDurable
from app.store.bundle import open_store
from app.store.engine import open_database
from tests.support import postgresql
from tests.support.builders import NOW, an_event
from tests.support.databases import STORES, a_store
from tests.support.memory import SteppedClock


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("holdfire.db", "HOLDFIRE_DATABASE_URL=holdfire.db is no database URL"),
        ("postgres:/ann:secret@db", r"HOLDFIRE_DATABASE_URL=\*\*\*@db is no database URL"),
        ("", "HOLDFIRE_DATABASE_URL= is no database URL"),
        ("postgresql://ann:secret@db", r"postgresql://ann:\*\*\*@db names no database"),
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


@pytest.mark.parametrize("kind", STORES)
async def test_a_read_sees_one_picture_although_another_process_writes(tmp_path, kind):
    async with a_store(tmp_path, kind) as store, a_store(tmp_path, kind) as other:

        def look_twice(connection):
            first = connection.execute(text("SELECT count(*) FROM gates")).scalar()
            other.database.writer.transact(lambda writes: writes.execute(text("INSERT INTO gates VALUES ('new', 0)")))
            return first, connection.execute(text("SELECT count(*) FROM gates")).scalar()

        assert await store.database.read(look_twice) == (1, 1)
        assert await store.gates.gates() == ["default", "new"]


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


@pytest.fixture(scope="module")
def guarded():
    """Return the URL of a database of ann's, who has a password, and for whom commits need not be durable."""
    server = postgresql.cluster()
    server.run(
        "CREATE ROLE ann LOGIN PASSWORD 's3cret'",
        "ALTER ROLE ann SET synchronous_commit = off",
        "CREATE DATABASE anns OWNER ann TEMPLATE template0",
        "CREATE DATABASE others TEMPLATE template0",
        "REVOKE CONNECT ON DATABASE others FROM PUBLIC",
    )
    rules = server.data / "pg_hba.conf"
    rules.write_text(f"host all ann 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")
    server.run("SELECT pg_reload_conf()")
    url = f"postgresql://ann:s3cret@127.0.0.1:{server.port}/anns"
    for _ in range(600):  # until the server has read it
        if not lets_in(url.replace("s3cret", "")):
            return url
        time.sleep(0.1)
    raise AssertionError("the server still wants no password")


def lets_in(url):
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        pytest.param("s3cret", "guessed", 'password authentication failed for user "ann"', id="password"),
        pytest.param("/anns", "/none", 'database "none" does not exist', id="database"),
        pytest.param("/anns", "/others", 'permission denied for database "others"', id="rights"),
        pytest.param("ann:", "stranger:", 'role "stranger" does not exist', id="role"),
        pytest.param(r":\d+/", ":1/", "Connection refused", id="port"),
    ],
)
def test_a_server_that_cannot_be_used_is_named_with_the_cause_and_without_the_password(
    guarded, right, wrong, complaint
):
    url = re.sub(right, wrong, guarded)
    with pytest.raises(Invalid) as refused:
        open_database(url)
    told = str(refused.value)
    assert told.startswith(f"HOLDFIRE_DATABASE_URL={re.sub('s3cret|guessed', '***', url)} cannot be used as database (")
    assert complaint in told
    assert told.endswith("; check that the server runs, the name and rights")
    assert not re.search("s3cret|guessed", told)


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_hold_every_character_is_refused(encoding):
    server, name = postgresql.cluster(), encoding.lower()
    server.run(f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(Invalid, match=f"/{name}: its encoding is {encoding}; create it with: CREATE DATABASE"):
        open_database(server.url(name))


def test_a_server_that_is_too_old_is_refused(monkeypatch, guarded):
    monkeypatch.setattr("app.store.postgresql.OLDEST", 990_000)
    version = postgresql.cluster().version
    with pytest.raises(Invalid, match=f"its server is PostgreSQL {version}; 99 or newer is needed"):
        open_database(guarded)


async def test_every_commit_is_durable_whatever_the_role_is_set_to(guarded):
    with psycopg.connect(guarded) as connection:
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("off",)
    async with open_store(guarded, SteppedClock(NOW)) as store:
        database = store.database
        assert await database.write(how_durable) == "on"
        assert await database.read(how_durable) == "on"
        assert database.stream_writer.submit(lambda: database.stream_writer.transact(how_durable)).result() == "on"


def how_durable(connection):
    return connection.execute(text("SHOW synchronous_commit")).scalar()


async def test_on_postgresql_a_read_changes_nothing(tmp_path):
    async with a_store(tmp_path, "postgresql") as store:
        with pytest.raises(HoldfireError, match="read-only transaction"):
            await store.database.read(lambda connection: connection.execute(text("DELETE FROM gates")))
