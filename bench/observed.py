"""Fills a database with observations that came in long ago: many, in one statement, past the program.

Fifty queues that report every five seconds: the more are stored, the further back they reach.
"""

import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path

from app.core.floor.metric import Metric
from app.core.floor.queue_state import KnownQueue
from app.store.memories import known_to_json

REPORTED = (
    Metric.BACKLOG,
    Metric.OLDEST_WAIT_SECONDS,
    Metric.AGENTS_STAFFED,
    Metric.AGENTS_AVAILABLE,
    Metric.AGENTS_BUSY,
    Metric.OCCUPANCY_RATIO,
)
EVERY = 5_000_000  # microseconds between two observations of one queue
_INSERT = """
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count)
INSERT INTO observations
    (position, received_at, queue, observed_at, source, backlog, oldest_wait_seconds, agents_staffed,
     agents_available, agents_busy)
SELECT n, :begin + (n / :queues) * :every + 1000, 'queue-' || (n % :queues), :begin + (n / :queues) * :every, 'feed',
    n % 7, 4.0, 40, 3, 36
FROM numbers
"""


def fill(database: Path, count: int, queues: int) -> None:
    """Add that many observations, the newest a moment ago, to an empty database that no server has open.

    It is left as by a server that was stopped then: all of them are evaluated, and their consequences written down.
    """
    end = int(time.time() * 1_000_000) - EVERY
    begin = end - (count // queues) * EVERY
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA journal_mode=OFF")
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA cache_size=-500000")
        connection.execute(_INSERT, {"count": count, "queues": queues, "begin": begin, "every": EVERY})
        connection.execute("UPDATE stream_head SET position = :count", {"count": count})
        stopped_at = datetime.fromtimestamp(end / 1_000_000, UTC)
        known = known_to_json({f"queue-{number}": KnownQueue(stopped_at, REPORTED) for number in range(queues)})
        row = {"position": count, "at": end, "known": known}
        connection.execute("INSERT OR REPLACE INTO tally_checkpoint (id, position) VALUES (1, :position)", row)
        connection.execute("INSERT INTO checkpoint VALUES (1, :position, :at, '{}', :known)", row)
    connection.close()
