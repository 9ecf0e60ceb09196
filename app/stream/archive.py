"""Records of a stream elsewhere, written into the stream's tables as if the database had been the stream."""

from collections.abc import Sequence

from sqlalchemy import Connection

from app.ports.stream import StreamRecord
from app.stream.group import insert_records, read_head
from app.stream.tables import STREAM_HEAD
from app.stream.writer import SqlDatabase


class SqlArchive:
    """The RecordArchive port: observations, contact events, and the position in one transaction."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def position(self) -> int:
        return await self._database.read(read_head)

    async def write(self, records: Sequence[StreamRecord]) -> None:
        await self._database.stream_writer.write(lambda connection: _write(connection, records))


def _write(connection: Connection, records: Sequence[StreamRecord]) -> None:
    """Write what is behind the head; whatever has a key that is there already was sent again, long after."""
    head = read_head(connection)
    behind = [record for record in records if record.position > head]
    if behind:
        insert_records(connection, behind)
        connection.execute(STREAM_HEAD.update().values(position=behind[-1].position))
