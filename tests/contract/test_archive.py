"""What writes a stream from elsewhere into the database: each record once, with its position."""

import pytest

from app.errors import Invalid
from app.ports.stream import StreamRecord
from app.stream.archive import SqlArchive
from tests.support.builders import NOW, a_contact, after, an_observation


@pytest.fixture
def archive(store):
    return SqlArchive(store.database)


def records(first, number, source="acd-1"):
    return [
        StreamRecord(position, NOW, an_observation(observed_at=after(position), source=source))
        for position in range(first, first + number)
    ]


async def test_records_are_read_back_as_those_of_a_stream(archive, store):
    contact = StreamRecord(3, after(1), a_contact())
    await archive.write([*records(1, 2), contact])
    assert await store.stream.read(0) == [*records(1, 2), contact]
    assert await archive.position() == 3


async def test_what_is_written_again_is_there_once(archive, store):
    await archive.write(records(1, 3))
    await archive.write(records(1, 5))
    await archive.write(records(2, 2))
    assert await store.stream.read(0) == records(1, 5)
    assert await archive.position() == 5


async def test_of_two_records_with_the_same_key_the_first_stays_and_the_position_moves(archive, store):
    await archive.write(records(1, 1))
    await archive.write([StreamRecord(2, after(9), records(1, 1)[0].payload), *records(3, 1)])
    assert await store.stream.read(0) == [*records(1, 1), *records(3, 1)]
    assert await archive.position() == 3


async def test_a_record_that_the_database_refuses_leaves_nothing_behind(archive, store):
    refused = StreamRecord(2, NOW, an_observation(observed_at=after(2), backlog=-1))
    with pytest.raises(Invalid):
        await archive.write([*records(1, 1), refused])
    assert await store.stream.read(0) == []
    assert await archive.position() == 0
