"""Fills a database with what a busy day leaves behind: permits that have ended, the decisions and the events of each.

Written past the program, in a few statements, because a million grants would take an hour. The digests of these
events are random: nothing here walks the chain, and the next event only needs the last one's.
"""

import sqlite3
import time
from pathlib import Path

from app.store.event_tables import EVENTS
from app.store.permit_tables import PERMIT_REPEATS, PERMITS
from app.store.tables import DECISIONS

MICROSECONDS = 1_000_000
APART = 80_000  # between two grants: a million in 22 hours, so that the answers kept for repeats are kept still
AGO = 90 * 60 * MICROSECONDS  # the last of them: none counts in the hour any more

_NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM numbers WHERE n < :last) "
_AT = "(:end - (:last - n) * :apart)"
_ID = f"printf('%012x%012x', {_AT} / 1000, n)"
_PERMIT, _DECISION = f"'prm_' || {_ID}", f"'dec_' || {_ID}"
_AFTER = (
    """json_object('state', 'used', 'allow', 100, 'sent', 100, 'expires_at', '2026-11-21T15:00:00+00:00',"""
    f" 'decision_id', {_DECISION}, 'wave', NULL)"
)
_VALUES = {
    PERMITS: {
        "id": _PERMIT,
        "gate": "'default'",
        "campaign": "'campaign-' || (n % 10)",
        "key_id": "'bench'",
        "decision_id": _DECISION,
        "requested": "100",
        "allowed": "100",
        "state": "'used'",
        "granted_at": _AT,
        "expires_at": f"{_AT} + 3600000000",
        "sent": "100",
        "changed_at": f"{_AT} + 60000000",
        "reason": "''",
    },
    DECISIONS: {
        "id": _DECISION,
        "kind": "'asked'",
        "gate": "'default'",
        "at": _AT,
        "verdict": "'send'",
        "policy_version": "2",
        "summary": "'100 of 100 may go now'",
        "reasons": "'[]'",
        "inputs": "'[]'",
        "asked_by": "'bench'",
        "campaign": "'campaign-' || (n % 10)",
        "requested": "100",
        "accept_partial": "0",
        "allow": "100",
        "status": "200",
        "count": "1",
        "last_at": _AT,
    },
    EVENTS: {
        "seq": "n",
        "type": "'permit.granted'",
        "at": _AT,
        "actor_id": "'bench'",
        "actor_name": "'bench'",
        "subject": f"'permit/' || {_PERMIT}",
        "reason": "''",
        "gate": "'default'",
        "campaign": "'campaign-' || (n % 10)",
        "after": _AFTER,
        "sha256": "randomblob(32)",
    },
    PERMIT_REPEATS: {
        "key_id": "'bench'",
        "idempotency_key": "lower(hex(randomblob(16)))",
        "request_sha256": "randomblob(32)",
        "permit_id": _PERMIT,
        "body": "zeroblob(600)",
        "created_at": _AT,
    },
}


def fill(database: Path, count: int) -> None:
    """Add that many permits, decisions and events to a database that no server has open."""
    end = int(time.time() * MICROSECONDS) - AGO
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA cache_size=-1000000")
        (events,) = connection.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()
        span = {"first": events + 1, "last": events + count, "end": end, "apart": APART}
        for table, values in _VALUES.items():
            columns, terms = ", ".join(values), ", ".join(values.values())
            insert = f"INSERT INTO {table.name} ({columns}) {_NUMBERS} SELECT {terms} FROM numbers"  # noqa: S608  # our own names
            connection.execute(insert, span)
    connection.close()
