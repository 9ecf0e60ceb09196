"""Runs the migrations on the connection it is given, inside that connection's transaction."""

from alembic import context

from app.store.account_tables import SESSIONS
from app.stream.tables import STREAM_HEAD

TABLES = [STREAM_HEAD.metadata, SESSIONS.metadata]  # the stream's and, with the last module that adds one, the store's

context.configure(connection=context.config.attributes["connection"], target_metadata=TABLES, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
