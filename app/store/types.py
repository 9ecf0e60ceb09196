"""Column types that the database does not have by itself."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Dialect
from sqlalchemy.types import TypeDecorator

from app.core.floor.instants import instant, micros


class UtcDateTime(TypeDecorator[datetime]):
    """An instant, kept as integer microseconds UTC: exact, sortable, and the same on every database.

    Takes any aware datetime and returns it in UTC. Raises ValueError for a naive one, whose zone nobody knows.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no time zone; pass an aware datetime such as {value}+00:00")
        return micros(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else instant(value)
