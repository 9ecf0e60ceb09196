"""Moving an installation into another database: everything arrives, checked, or nothing does."""

import asyncio
import json
import shutil
import sqlite3
from contextlib import closing, contextmanager

import pytest
from alembic import command
from sqlalchemy import create_engine, func, select, text
from typer.testing import CliRunner

from app.cli import cli
from app.errors import HoldfireError, Invalid
from app.store.audit import verify
from app.store.bundle import open_store
from app.store.connect import Lane, usable_url, writing_engine
from app.store.migrate import migration_config
from app.store.moving import FRESH, move
from app.store.sole import sole_evaluator
from tests.support import filling, postgresql
from tests.support.builders import NOW, a_contact, after, an_observation
from tests.support.databases import STORES, a_database_url, a_store, prepare
from tests.support.memory import SteppedClock

DAY = 86_400


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """Return a file of SQLite's that has something in every table."""
    folder = tmp_path_factory.mktemp("full")
    asyncio.run(fill(folder))
    return folder / "holdfire.db"


@pytest.fixture
def origin(tmp_path, full):
    """Return the URL of a copy of it."""
    shutil.copy(full, tmp_path)
    return a_database_url("sqlite", tmp_path)


@pytest.fixture
def empty(tmp_path):
    """Return the URL of a database of PostgreSQL's that has its tables and nothing in them."""
    prepare("postgresql", tmp_path)
    return a_database_url("postgresql", tmp_path)


async def fill(folder):
    async with a_store(folder) as store:
        months = [an_observation(observed_at=after(-40 * DAY * month), backlog=month) for month in range(3)]
        odd = an_observation("nights", source="sums", wait_seconds_sum=0.1 + 0.2, service_level_ratio=5e-324)
        await store.stream.append([*months, odd, a_contact(agent="Zoë", reason="'; --\t\\N")])
    with writing(a_database_url("sqlite", folder)) as connection:
        filled = {"stream_head", *FRESH, "observations", "contact_events"}
        connection.execute(text("INSERT INTO gates VALUES (:name, 1)"), {"name": filling.VALUES[str]})
        tables = filling.base_tables(connection)
        filling.fill(connection, [table for table in tables if table.name not in filled])
        connection.execute(text("UPDATE campaign_scores SET score = '5'"))  # a document that SQLite keeps as a number


@contextmanager
def writing(url):
    engine = writing_engine(usable_url(url), Lane.TABLES)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def everything(path):
    """Return all rows of a file of SQLite's, by table."""
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr) for name in names}  # noqa: S608  # our own names


def rows_in(url):
    """Return how many rows each table has that has any."""
    with writing(url) as connection:
        counted = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in filling.base_tables(connection)
        }
    return {name: count for name, count in counted.items() if count}


def test_all_of_it_arrives_and_comes_back_value_by_value(tmp_path, origin, empty):
    before, steps = everything(tmp_path / "holdfire.db"), []
    there = move(origin, empty, lambda done, of: steps.append((done, of)))
    back = move(empty, f"sqlite:///{tmp_path}/back.db")
    assert everything(tmp_path / "back.db") == before
    assert everything(tmp_path / "holdfire.db") == before
    assert [name for name, rows in before.items() if not rows] == []
    assert {name: contents.rows for name, contents in there.tables.items()} == {
        name: len(rows) for name, rows in before.items() if name != "alembic_version"
    }
    assert there == back
    assert verify(empty) == there.events == verify(origin)
    assert steps[-1] == (2 * sum(contents.rows for contents in there.tables.values()),) * 2


async def test_what_was_moved_goes_on_where_it_stopped(origin, empty):
    move(origin, empty)
    async with open_store(empty, SteppedClock(NOW), alone=True) as store:
        again = an_observation("nights", source="sums", backlog=7)
        assert (await store.stream.append([again, an_observation("days")])).duplicates == 1
        assert [record.position for record in await store.stream.read(5)] == [6]
        assert "default" in await store.gates.gates()


@pytest.mark.parametrize("kind", STORES)
async def test_what_a_first_start_wrote_may_be_overwritten(tmp_path, origin, kind):
    target = tmp_path / "target"
    target.mkdir()
    async with a_store(target, kind):
        pass
    assert move(origin, a_database_url(kind, target)).tables["gates"].rows == 2


@pytest.mark.parametrize("kind", STORES)
async def test_a_target_that_holds_anything_is_refused_untouched(tmp_path, origin, kind):
    target = tmp_path / "target"
    target.mkdir()
    async with a_store(target, kind) as store:
        await store.stream.append([an_observation()])
    url = a_database_url(kind, target)
    before = rows_in(url)
    with pytest.raises(Invalid, match="in use already: its table observations has rows; name an empty database"):
        move(origin, url)
    assert rows_in(url) == before


def test_text_that_postgresql_cannot_keep_is_named_and_nothing_stays(origin, empty):
    with writing(origin) as connection:
        connection.execute(text("UPDATE webhooks SET name = 'a' || char(0) || 'b'"))
    with pytest.raises(Invalid, match=r"table webhooks, row id 'ünï.*': name holds a NUL character"):
        move(origin, empty)
    assert rows_in(empty) == {"alembic_version": 1, "stream_head": 1}
    with writing(origin) as connection:
        connection.execute(text("UPDATE webhooks SET name = 'mended'"))
    assert move(origin, empty).tables["webhooks"].rows == 1


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        pytest.param("UPDATE decisions SET count = 4294967301", "table decisions: 1 rows of digest", id="too-large"),
        pytest.param("UPDATE gates SET created_at = 'soon'", "table gates, row name 'default': 'str'", id="no-number"),
        pytest.param("UPDATE permits SET gate = CAST(x'ff' AS TEXT)", "failed.*decode to UTF-8", id="no-text"),
    ],
)
def test_what_cannot_arrive_as_it_was_stops_everything(tmp_path, origin, empty, statement, complaint):
    with closing(sqlite3.connect(tmp_path / "holdfire.db")) as connection:
        connection.execute(statement)
        connection.commit()
    with pytest.raises(HoldfireError, match=complaint):
        move(origin, empty)
    assert rows_in(empty) == {"alembic_version": 1, "stream_head": 1}


@pytest.mark.parametrize("kind", STORES)
def test_who_breaks_it_off_leaves_an_empty_target(tmp_path, origin, kind):
    def break_off(done, of):
        if done > of / 2:  # everything is copied, nothing checked
            raise KeyboardInterrupt

    target = tmp_path / "target"
    target.mkdir()
    prepare(kind, target)
    url = a_database_url(kind, target)
    with pytest.raises(KeyboardInterrupt):
        move(origin, url, break_off)
    assert rows_in(url) == {"alembic_version": 1, "stream_head": 1}
    assert move(origin, url).events == verify(origin)


def test_events_that_are_not_whole_are_not_moved(tmp_path, origin, empty):
    with closing(sqlite3.connect(tmp_path / "holdfire.db")) as connection:
        connection.executescript("DROP TRIGGER events_not_changed; UPDATE events SET reason = 'none' WHERE seq = 2")
    with pytest.raises(Invalid, match=r"events in .*holdfire\.db are not whole"):
        move(origin, empty)


def test_a_source_of_an_older_version_is_left_as_it_is(tmp_path, empty):
    engine = create_engine(a_database_url("sqlite", tmp_path))
    with engine.begin() as connection:
        command.upgrade(migration_config(connection), "0018")
    engine.dispose()
    with pytest.raises(Invalid, match=r"its schema is 0018, needed is .*bring it there with `holdfire migrate`"):
        move(a_database_url("sqlite", tmp_path), empty)


def test_neither_end_may_be_in_use(origin, empty):
    for end in (origin, empty):
        with sole_evaluator(end), pytest.raises(Invalid, match="in use by another holdfire that serves or replays"):
            move(origin, end if end != origin else empty)
    assert rows_in(empty) == {"alembic_version": 1, "stream_head": 1}


def test_a_source_that_is_not_there_is_not_made(tmp_path, empty):
    with pytest.raises(Invalid, match=r"none\.db: there is no such file"):
        move(f"sqlite:///{tmp_path}/none.db", empty)
    with pytest.raises(Invalid, match=r"cannot be used .*does not exist"):
        move(postgresql.cluster().url("none"), empty)
    assert list(tmp_path.iterdir()) == []


def test_one_database_under_two_names_is_refused(tmp_path):
    prepare("sqlite", tmp_path)
    with pytest.raises(Invalid, match="is both where to move from and where to move to"):
        move(f"sqlite:///{tmp_path}/holdfire.db", f"sqlite:///{tmp_path}/../{tmp_path.name}/holdfire.db")


def test_the_command_moves_and_says_what_arrived(monkeypatch, origin, empty):
    monkeypatch.setenv("HOLDFIRE_DATABASE_URL", empty)
    done = CliRunner().invoke(cli, ["migrate", "--from", origin, "--json"])
    assert (done.exit_code, done.stderr) == (0, "")
    summary = json.loads(done.stdout)
    assert (summary["from"], summary["to"], summary["head"]) == (origin, empty, verify(empty).head)
    assert [one["rows"] for one in summary["tables"] if one["table"] == "observations"] == [4]
    again = CliRunner().invoke(cli, ["migrate", "--from", origin])
    assert (again.exit_code, again.stdout) == (1, "")
    assert again.stderr.startswith(f"holdfire: {empty} is in use already: its table ")


def test_the_command_tells_people_the_same_table_by_table(monkeypatch, tmp_path, origin):
    monkeypatch.setenv("HOLDFIRE_DATABASE_URL", origin)
    target = f"sqlite:///{tmp_path}/new/holdfire.db"
    done = CliRunner().invoke(cli, ["migrate", "--to", target])
    assert (done.exit_code, done.stderr) == (0, "")
    printed = " ".join(done.stdout.split())
    assert f"2 events, whole head {verify(target).head} database is at " in printed
    assert printed.endswith(f"serve it with HOLDFIRE_DATABASE_URL={target}")


def test_a_url_that_is_none_is_wrong_usage(origin):
    done = CliRunner().invoke(cli, ["migrate", "--from", origin, "--to", ""])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "is no database URL; allowed is sqlite:///" in done.stderr
