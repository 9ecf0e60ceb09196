"""Whoever changes what was written down is found out, in the file itself and on the command line."""

import asyncio
import json
import os
import pwd
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager

import pytest

from app.core.chain import START, Entry, digest
from app.core.event import Actor
from app.core.floor.instants import instant
from app.errors import HoldfireError, Invalid
from app.store import audit
from app.store.audit import verify
from tests.support.builders import after, an_event
from tests.support.databases import a_store
from tests.support.server import REPOSITORY, run_cli
from tests.support.whole import a_whole

COUNT = 25
SWAPPED = """
UPDATE events SET seq = 99 WHERE seq = 3;
UPDATE events SET seq = 3 WHERE seq = 4;
UPDATE events SET seq = 4 WHERE seq = 99;
"""
INSERTED = """
INSERT INTO events
SELECT {}, type, at, actor_id, actor_name, subject, reason, gate, campaign, before, after, sha256
FROM events WHERE seq = 25;
"""
NO_TRIGGERS = "DROP TRIGGER events_not_changed; DROP TRIGGER events_not_deleted; DROP TRIGGER events_in_line;"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A database with 25 events."""
    folder = tmp_path_factory.mktemp("written")

    async def write():
        async with a_store(folder) as store:
            await store.events.append([an_event(at=after(n), reason=f"number {n}") for n in range(COUNT - 2)])

    asyncio.run(write())
    return folder / "holdfire.db"


@pytest.fixture
def url(written, tmp_path, monkeypatch):
    """The URL of a copy of that database, read in batches of ten."""
    monkeypatch.setattr(audit, "BATCH", 10)
    shutil.copy(written, tmp_path)
    return f"sqlite:///{tmp_path}/holdfire.db"


@contextmanager
def tampering(url):
    """Yield a connection that may do what somebody with the file in their hands can do."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        connection.executescript(NO_TRIGGERS)
        yield connection
        connection.commit()


def tamper(url, script):
    with tampering(url) as connection:
        connection.executescript(script)


def forge(connection, first, last):
    """Give an event another reason, and all from there to the last one named digests that fit."""
    ((digest_before,),) = connection.execute("SELECT sha256 FROM events WHERE seq = ?", (first - 1,))
    for row in connection.execute("SELECT * FROM events WHERE seq BETWEEN ? AND ?", (first, last)).fetchall():
        seq, kind, at, *rest, _ = row
        entry = Entry(seq, kind, instant(at), *rest)
        entry = entry._replace(reason="nothing happened") if entry.seq == first else entry
        digest_before = digest(digest_before, entry)
        change = (entry.reason, digest_before, entry.seq)
        connection.execute("UPDATE events SET reason = ?, sha256 = ? WHERE seq = ?", change)


def broken_at(url, noted=None):
    broken = verify(url, noted).broken
    return None if broken is None else broken.seq


def test_an_untouched_log_is_whole(url):
    found = verify(url)
    assert (found.count, len(found.head), found.broken) == (COUNT, 64, None)


@pytest.mark.parametrize(
    ("script", "place"),
    [
        ("UPDATE events SET reason = 'number 8!' WHERE seq = 11", 11),
        ("UPDATE events SET at = at + 1 WHERE seq = 20", 20),
        ("UPDATE events SET actor_name = 'bob' WHERE seq = 1", 1),
        ("UPDATE events SET gate = 'other' WHERE seq = 25", 25),
        ("UPDATE events SET after = '{\"version\": 1}' WHERE seq = 2", 2),
        ("UPDATE events SET before = '' WHERE seq = 12", 12),
        ("UPDATE events SET before = '{}' WHERE seq = 12", 12),
        ("UPDATE events SET reason = CAST(x'6eff' AS TEXT) WHERE seq = 11", 11),
        ("UPDATE events SET reason = x'6eff' WHERE seq = 11", 11),
        ("UPDATE events SET at = 'yesterday' WHERE seq = 11", 11),
        ("UPDATE events SET at = 9000000000000000000 WHERE seq = 11", 11),
        ("UPDATE events SET sha256 = zeroblob(32) WHERE seq = 10", 10),
        ("DELETE FROM events WHERE seq = 1", 1),
        ("DELETE FROM events WHERE seq = 10", 10),
        ("DELETE FROM events WHERE seq BETWEEN 5 AND 15", 5),
        ("DELETE FROM events WHERE seq = 7; UPDATE events SET seq = seq - 1 WHERE seq > 7", 7),
        (SWAPPED, 3),
        (INSERTED.format(26), 26),
        (f"PRAGMA ignore_check_constraints = 1; {INSERTED.format(0)}", 1),
    ],
)
def test_what_was_changed_in_the_file_is_named_by_its_place(url, script, place):
    tamper(url, script)
    assert broken_at(url) == place


def test_a_forged_event_with_a_digest_of_its_own_breaks_at_the_next(url):
    with tampering(url) as connection:
        forge(connection, first=11, last=11)
    assert broken_at(url) == 12


def test_a_cut_tail_is_found_by_the_head_that_was_noted(url):
    noted = verify(url).head
    tamper(url, "DELETE FROM events WHERE seq > 20")
    assert broken_at(url) is None
    found = verify(url, noted)
    assert found.count == 20
    assert found.broken is not None
    assert found.broken.seq == 21
    assert "was cut off" in found.broken.detail


async def test_a_head_that_was_noted_is_found_although_more_came_after_it(url, tmp_path):
    noted = verify(url).head
    async with a_store(tmp_path) as store:
        await store.events.append([an_event()])
    assert verify(url, noted).broken is None
    assert verify(url, START.hex()).broken is None


def test_a_log_written_anew_from_the_start_does_not_have_the_head_that_was_noted(url):
    noted = verify(url).head
    with tampering(url) as connection:
        forge(connection, first=5, last=COUNT)
    assert broken_at(url) is None
    assert broken_at(url, noted) == COUNT + 1


async def test_a_log_goes_on_after_a_tampered_place_and_stays_broken_there(url, tmp_path):
    tamper(url, "UPDATE events SET reason = 'forged' WHERE seq = 25")
    async with a_store(tmp_path) as store:
        await store.events.append([an_event()])
    assert broken_at(url) == 25


async def test_a_log_is_verified_while_it_is_written(url, tmp_path):
    async with a_store(tmp_path) as store:
        await store.events.append([an_event()])
        assert verify(url).count == COUNT + 1
        await store.events.append([an_event()])
        assert verify(url).count == COUNT + 2


def test_verifying_writes_nothing_and_works_on_a_copy_alone(url, tmp_path):
    copy = tmp_path / "elsewhere" / "copy of #1 100%.db"
    copy.parent.mkdir()
    shutil.copy(tmp_path / "holdfire.db", copy)
    before = copy.read_bytes()
    assert verify(f"sqlite:///{copy}") == verify(url)
    assert copy.read_bytes() == before


def test_a_database_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(Invalid, match="no such file"):
        verify(f"sqlite:///{tmp_path}/missing/holdfire.db")
    assert list(tmp_path.iterdir()) == []


def test_a_database_without_events_is_refused(tmp_path):
    with closing(sqlite3.connect(tmp_path / "old.db")) as connection:
        connection.execute("CREATE TABLE gates (name TEXT)")
    with pytest.raises(Invalid, match="has no events"):
        verify(f"sqlite:///{tmp_path}/old.db")


def test_a_file_that_is_no_database_is_an_error(tmp_path):
    (tmp_path / "holdfire.db").write_bytes(b"not a database, but long enough to be read as one" * 40)
    with pytest.raises(HoldfireError, match="could not be read"):
        verify(f"sqlite:///{tmp_path}/holdfire.db")


def test_the_command_prints_count_and_head_and_names_the_first_broken_place(url, tmp_path):
    head = verify(url).head
    whole = run_cli("audit", "verify", "--data-dir", str(tmp_path), "--head", head)
    assert (whole.returncode, whole.stdout) == (0, f"25 events, whole\nhead {head}\n")
    tamper(url, "UPDATE events SET reason = 'forged' WHERE seq = 11")
    broken = run_cli("audit", "verify", "--data-dir", str(tmp_path), "--json")
    assert broken.returncode == 1
    assert json.loads(broken.stdout)["broken_at"] == 11
    assert "broken at event 11" in broken.stderr
    assert run_cli("audit", "verify", "--data-dir", str(tmp_path), "--head", "12ab").returncode == 2
    assert run_cli("audit", "verify", "--data-dir", str(tmp_path / "nowhere")).returncode == 2


def test_the_check_without_holdfire_that_the_docs_show_agrees(url, tmp_path):
    page = (REPOSITORY / "docs" / "howto" / "verify-the-audit-log.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    check = [sys.executable, "-c", script]
    whole = subprocess.run(check, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert whole.stdout.strip() == verify(url).head
    tamper(url, "UPDATE events SET reason = 'forged' WHERE seq = 11")
    broken = subprocess.run(check, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "broken at event 11" in broken.stderr


@pytest.fixture
async def decided(tmp_path):
    """The URL of a database with decisions of both kinds."""
    async with a_whole(tmp_path) as whole:
        async with whole.client("readiness") as client:
            for question in ("", "&audience=500&campaign=spring"):
                await client.get(f"/api/v1/readiness?gate=default{question}")
        await whole.services.asks.write()
        whole.clock.move(1)
        await whole.slam()
    return f"sqlite:///{tmp_path}/holdfire.db"


CHANGES = [
    "verdict = 'throttle'",
    "allow = 900",
    "allow = 'much'",
    "at = at + 1",
    "summary = 'fine'",
    "reasons = '[{}]'",
    "reasons = 'x'",
    "facts = '{}'",
    "inputs_sha256 = zeroblob(32)",
    "accept_partial = 1 - accept_partial",
]


async def test_decisions_as_they_were_written_have_the_digests_of_their_events(decided):
    found = verify(decided)
    assert found.is_whole
    with closing(sqlite3.connect(decided.removeprefix("sqlite:///"))) as connection:
        told = connection.execute("SELECT type FROM events WHERE after ->> 'sha256' IS NOT NULL").fetchall()
    assert {kind for (kind,) in told} >= {"decision.asked", "decision.send", "decision.hold"}


@pytest.mark.parametrize("kind", ["asked", "transition"])
@pytest.mark.parametrize("change", CHANGES)
async def test_a_decision_that_was_changed_in_the_file_is_named_by_its_id(decided, change, kind):
    with tampering(decided) as connection:
        newest = "SELECT id FROM decisions WHERE kind = ? ORDER BY at DESC, id DESC LIMIT 1"
        ((changed,),) = connection.execute(newest, (kind,)).fetchall()
        connection.execute(f"UPDATE decisions SET {change} WHERE id = ?", (changed,))  # noqa: S608  # our own changes
    found = verify(decided)
    assert not found.is_whole
    assert found.broken is None
    assert found.differs is not None
    assert (found.differs.decision_id, "is not the one that event" in found.differs.detail) == (changed, True)


async def test_how_often_an_answer_was_given_may_grow(decided):
    with tampering(decided) as connection:
        connection.execute("UPDATE decisions SET count = count + 1, last_at = at + 1")
    assert verify(decided).is_whole


async def test_of_several_decisions_that_were_changed_the_first_by_event_is_named(decided, monkeypatch):
    monkeypatch.setattr(audit, "BATCH", 2)
    with tampering(decided) as connection:
        connection.execute("UPDATE decisions SET summary = 'fine'")
        ((first,),) = connection.execute(
            "SELECT after ->> 'decision_id' FROM events WHERE after ->> 'sha256' IS NOT NULL ORDER BY seq LIMIT 1"
        ).fetchall()
    found = verify(decided)
    assert found.differs is not None
    assert found.differs.decision_id == first


async def test_the_command_names_a_decision_that_is_gone(decided, tmp_path):
    with tampering(decided) as connection:
        ((gone,),) = connection.execute("SELECT id FROM decisions WHERE kind = 'asked' LIMIT 1").fetchall()
        connection.execute("DELETE FROM decisions WHERE id = ?", (gone,))
    checked = run_cli("audit", "verify", "--data-dir", str(tmp_path), "--json")
    assert checked.returncode == 1
    said = json.loads(checked.stdout)
    assert (said["whole"], said["broken_at"], said["changed_decision"]) == (False, None, gone)
    assert f"the row of decision {gone} in the log is gone" in checked.stderr


async def test_the_command_decides_a_decision_again(tmp_path):
    async with a_whole(tmp_path) as whole:
        whole.clock.move(1)
        await whole.slam()
        (held, *_) = await whole.services.decisions.page(kind="transition")
    again = run_cli("decisions", "--data-dir", str(tmp_path), "--replay", held.id)
    assert again.stdout == f"{held.id} comes out the same: hold, {held.summary}\n"
    assert again.returncode == 0
    tamper(f"sqlite:///{tmp_path}/holdfire.db", "UPDATE decisions SET verdict = 'send' WHERE verdict = 'hold'")
    changed = run_cli("decisions", "--data-dir", str(tmp_path), "--replay", held.id, "--json")
    assert changed.returncode == 1
    assert json.loads(changed.stdout)["replay"]["differs"] == ["state"]
    assert "was send and comes out as hold; not the same: state" in changed.stderr
    assert run_cli("decisions", "--data-dir", str(tmp_path), "--replay", "dec_nobody").returncode == 1


async def test_a_key_made_on_the_command_line_is_told_with_the_user_who_made_it(tmp_path):
    made = run_cli("keys", "create", "mailer", "--scope", "read", "--json", HOLDFIRE_DATA_DIR=str(tmp_path))
    key_id = json.loads(made.stdout)["id"]
    run_cli("keys", "revoke", key_id, HOLDFIRE_DATA_DIR=str(tmp_path))
    async with a_store(tmp_path) as store:
        revoked, created = [written.event for written in await store.events.events(subject=f"key/{key_id}")]
    user = pwd.getpwuid(os.getuid()).pw_name
    assert created.actor == revoked.actor == Actor("cli", user)
    assert (created.type, revoked.type) == ("key.created", "key.revoked")
