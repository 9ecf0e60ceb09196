"""How far in the stream anything in the database speaks of."""

from sqlalchemy import Connection, func, select

from app.store.engine import Database
from app.store.learning_tables import TALLY_CHECKPOINT
from app.store.tables import CHECKPOINT
from app.stream.tables import STREAM_HEAD


async def known_position(database: Database) -> int:
    """Return the highest position that was written down, evaluated or counted; 0 in a new database."""
    return await database.read(_known)


def _known(connection: Connection) -> int:
    tables = (STREAM_HEAD, CHECKPOINT, TALLY_CHECKPOINT)
    return max(connection.execute(select(func.max(table.c.position))).scalar() or 0 for table in tables)
