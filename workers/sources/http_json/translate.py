"""What an HTTP answer says, by a [sources.mapping] table. Pure."""

from datetime import datetime

from workers.sources.lot import Lot
from workers.sources.mapping.rowmap import RowMap
from workers.systems.web import json_of


def translate(body: bytes, row_map: RowMap, asked_at: datetime) -> Lot:
    """Return what a body says. asked_at: the instant of rows that name none. Raises TranslateError."""
    return row_map.read(json_of(body, "the answer"), asked_at)
