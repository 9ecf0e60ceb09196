"""Letting whole months of observations go, where each has a table of its own."""

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

LOCK_MILLISECONDS = 250  # longer, and whoever appends would wait behind a long reader; the next round tries again
_MONTHS = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'observations'::regclass
    AND c.relname < 'observations_' || to_char(to_timestamp(%s / 1000000) AT TIME ZONE 'UTC', 'YYYY_MM')
ORDER BY c.relname"""


def find_old_month(connection: Connection, before: int) -> tuple[str, int] | None:
    """Return the oldest month that ended before an instant and has nothing received since, and how much it has."""
    if connection.dialect.name != "postgresql":
        return None
    for month in connection.exec_driver_sql(_MONTHS, (before,)).scalars().all():
        if _is_old(connection, month, before):
            return month, connection.exec_driver_sql(f"SELECT count(*) FROM {month}").scalar_one()  # noqa: S608  # our own name
    return None


def drop_month(connection: Connection, month: str, before: int) -> bool:
    """Drop a month unless something was received since; return whether it is gone. Nobody may append meanwhile.

    False, too, when somebody reads it just now.
    """
    if not _is_old(connection, month, before):
        return False
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_MILLISECONDS}ms'")
            connection.exec_driver_sql(f"DROP TABLE {month}")
    except OperationalError:
        return False
    return True


def _is_old(connection: Connection, month: str, before: int) -> bool:
    since = f"SELECT 1 FROM {month} WHERE received_at >= %s LIMIT 1"  # noqa: S608  # our own name
    return connection.exec_driver_sql(since, (before,)).first() is None
