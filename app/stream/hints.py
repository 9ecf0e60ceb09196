"""Word of what other processes have written, as PostgreSQL passes it on: a hint that saves waiting, never the truth.

A tail that hears nothing reads the database all the same, after each second of quiet.
"""

import asyncio
from collections.abc import Callable

import psycopg
from sqlalchemy import Connection

CHANNEL = "holdfire_stream"
AGAIN_SECONDS = 1.0


def tell(connection: Connection, writer: str) -> None:
    """Let other processes know, once this transaction is committed, that a writer has written; a file has none."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_notify(%s, %s)", (CHANNEL, writer))


async def listen(address: str, own: str, on_hint: Callable[[], None]) -> None:
    """Call `on_hint` whenever another writer than `own` has written, and at each new connection, until cancelled."""
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(address, autocommit=True, connect_timeout=5) as connection:
                await connection.execute(f"LISTEN {CHANNEL}".encode())
                on_hint()  # what was written before
                async for note in connection.notifies():
                    if note.payload != own:
                        on_hint()
        except psycopg.Error:
            await asyncio.sleep(AGAIN_SECONDS)
