from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, Table, create_engine, insert, literal_column, select
from sqlalchemy.exc import StatementError

from app.store.types import UtcDateTime
from tests.support.builders import NOW

INSTANTS = Table("instants", MetaData(), Column("at", UtcDateTime))


@pytest.fixture(scope="module")
def connection():
    engine = create_engine("sqlite://")
    with engine.connect() as opened:
        INSTANTS.metadata.create_all(opened)
        yield opened
    engine.dispose()


def kept(connection, at):
    connection.execute(INSTANTS.delete())
    connection.execute(insert(INSTANTS).values(at=at))
    return connection.execute(select(INSTANTS.c.at)).scalar_one()


@given(
    at=st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)),  # noqa: DTZ001  # the zone is added below
    offset=st.integers(-14 * 60, 14 * 60),
)
def test_any_aware_instant_comes_back_exactly_and_in_utc(connection, at, offset):
    at = at.replace(tzinfo=timezone(timedelta(minutes=offset)))
    found = kept(connection, at)
    assert found == at
    assert found.tzinfo is UTC


def test_nothing_stays_nothing(connection):
    assert kept(connection, None) is None


def test_a_naive_instant_is_refused_with_its_value(connection):
    with pytest.raises(StatementError, match="2026-11-21T15:00:00 has no time zone"):
        kept(connection, NOW.replace(tzinfo=None))


def test_it_is_kept_as_whole_microseconds_so_that_order_is_order_in_time(connection):
    kept(connection, datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC))
    assert connection.execute(select(literal_column("at")).select_from(INSTANTS)).scalar_one() == 1_000_005
