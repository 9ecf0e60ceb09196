"""The first tables: stream, gates and policies, queues, keys, checkpoint, decision log, rollups."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Parts = sa.Column[Any] | sa.Constraint

EVENTS = ("queued", "answered", "abandoned", "completed", "transferred", "callback_requested")
POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLES = (
    *("stream_head", "observations", "contact_events", "installation", "policies", "gates", "queue_targets"),
    *("api_keys", "checkpoint", "decisions", "rollup_minutes", "rollup_hours"),
)


def upgrade() -> None:
    _create_stream()
    _create_gates()
    _create_keys()
    _create_evaluation()
    _create_rollups("rollup_minutes")
    _create_rollups("rollup_hours")


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)


def _create_stream() -> None:
    head = op.create_table(
        "stream_head",
        _integer("id"),
        _big("position"),
        *_named("stream_head", ["id"], one_row="id = 1"),
    )
    op.bulk_insert(head, [{"id": 1, "position": 0}])
    counts = ("contacts_in_progress", "agents_staffed", "agents_available", "agents_busy")
    averages = ("speed_to_answer_seconds", "handle_time_seconds")
    ratios = ("service_level_ratio", "abandonment_ratio", "occupancy_ratio")
    window_counts = ("offered", "answered", "abandoned", "answered_within_target")
    sums = ("wait_seconds_sum", "handle_seconds_sum")
    not_negative = ("backlog", *counts, *window_counts, "oldest_wait_seconds", *averages, "window_seconds", *sums)
    op.create_table(
        "observations",
        sa.Column("position", POSITION, nullable=False),
        *(_big("received_at"), _text("queue"), _big("observed_at"), _text("source"), _text("channel", nullable=True)),
        *(_big("backlog", nullable=True), _real("oldest_wait_seconds", nullable=True)),
        *(_big(name, nullable=True) for name in counts),
        *(_real(name, nullable=True) for name in (*averages, *ratios, "window_seconds")),
        *(_big(name, nullable=True) for name in window_counts),
        *(_real(name, nullable=True) for name in sums),
        *_named(
            "observations",
            ["position"],
            **{name: f"{name} >= 0" for name in not_negative},
            **{name: f"{name} BETWEEN 0 AND 1" for name in ratios},
        ),
        sa.UniqueConstraint("observed_at", "queue", "source", name="uq_observations_observed_at_queue_source"),
    )
    op.create_index("ix_observations_received_at", "observations", ["received_at"])
    op.create_table(
        "contact_events",
        sa.Column("position", POSITION, nullable=False),
        *(_big("received_at"), _text("contact_id"), _text("queue"), _text("event"), _big("at"), _text("source")),
        *(_text(name, nullable=True) for name in ("channel", "agent", "campaign", "reason")),
        *_named("contact_events", ["position"], event=f"event IN {EVENTS}"),
        sa.UniqueConstraint("contact_id", "event", name="uq_contact_events_contact_id_event"),
    )
    op.create_index("ix_contact_events_received_at", "contact_events", ["received_at"])
    queued = sa.text("event = 'queued'")
    op.create_index("ix_contact_events_queued", "contact_events", ["at"], sqlite_where=queued, postgresql_where=queued)


def _create_gates() -> None:
    op.create_table(
        "installation", _integer("id"), _big("seeded_at"), *_named("installation", ["id"], one_row="id = 1")
    )
    op.create_table("gates", _text("name"), _big("created_at"), *_named("gates", ["name"], name="name <> ''"))
    op.create_table(
        "policies",
        *(_text("gate"), _integer("version"), _json("document"), _text("author"), _text("reason"), _big("saved_at")),
        *_named("policies", ["gate", "version"], version="version >= 1"),
        sa.ForeignKeyConstraint(["gate"], ["gates.name"], name="fk_policies_gate", ondelete="CASCADE"),
    )
    op.create_table(
        "queue_targets",
        *(_text("queue"), _real("service_level_seconds"), _text("service_level_variant")),
        *(_real("short_abandon_seconds"), _text("title", nullable=True), _big("retired_at", nullable=True)),
        *_named(
            "queue_targets",
            ["queue"],
            service_level_seconds="service_level_seconds > 0",
            short_abandon_seconds="short_abandon_seconds >= 0",
        ),
    )


def _create_keys() -> None:
    op.create_table(
        "api_keys",
        *(_text("id"), _text("name"), _json("scopes"), sa.Column("secret_sha256", sa.LargeBinary(), nullable=False)),
        *(_big("created_at"), _big("expires_at", nullable=True), _big("revoked_at", nullable=True)),
        *_named("api_keys", ["id"], digest="length(secret_sha256) = 32"),
    )


def _create_evaluation() -> None:
    op.create_table(
        "checkpoint",
        *(_integer("id"), _big("position"), _big("evaluated_at"), _text("memories"), _text("known")),
        *_named("checkpoint", ["id"], one_row="id = 1", position="position >= 0"),
    )
    op.create_table(
        "decisions",
        *(_text("id"), _text("kind"), _text("gate"), _big("at"), _text("verdict"), _integer("policy_version")),
        *(_text("summary"), _json("reasons"), _json("inputs")),
        *(_text(name, nullable=True) for name in ("before", "asked_by", "campaign")),
        *(_integer("requested", nullable=True), sa.Column("accept_partial", sa.Boolean(), nullable=False)),
        *(_integer("allow", nullable=True), _integer("status", nullable=True), _integer("count")),
        _big("last_at", nullable=True),
        *_named("decisions", ["id"], kind="kind IN ('transition', 'asked')", count="count >= 1"),
    )
    op.create_index("ix_decisions_at_id", "decisions", ["at", "id"])
    op.create_index("ix_decisions_gate_at_id", "decisions", ["gate", "at", "id"])
    transition = sa.text("kind = 'transition'")
    unique = ["gate", "at", "verdict"]
    op.create_index(
        "uq_decisions_transition",
        "decisions",
        unique,
        unique=True,
        sqlite_where=transition,
        postgresql_where=transition,
    )


def _create_rollups(table: str) -> None:
    op.create_table(
        table,
        *(_text("queue"), _text("metric"), _big("bucket_at"), _real("weight"), _real("total")),
        *(_real(name, nullable=True) for name in ("minimum", "maximum", "last")),
        _big("last_at", nullable=True),
        *_named(table, ["queue", "metric", "bucket_at"]),
        sqlite_with_rowid=False,
    )


def _named(table: str, key: Sequence[str], **checks: str) -> list[Parts]:
    """Return the primary key and the checks of a table, each with a name of its own."""
    named = [sa.CheckConstraint(rule, name=f"ck_{table}_{name}") for name, rule in checks.items()]
    return [sa.PrimaryKeyConstraint(*key, name=f"pk_{table}"), *named]


def _text(name: str, *, nullable: bool = False) -> Parts:
    return sa.Column(name, sa.String(), nullable=nullable)


def _integer(name: str, *, nullable: bool = False) -> Parts:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _big(name: str, *, nullable: bool = False) -> Parts:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _real(name: str, *, nullable: bool = False) -> Parts:
    return sa.Column(name, sa.Float(), nullable=nullable)


def _json(name: str) -> Parts:
    return sa.Column(name, sa.JSON(), nullable=False)
