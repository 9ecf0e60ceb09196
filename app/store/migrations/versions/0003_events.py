"""Events, chained by hash; decision inputs kept once."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CHANGED = "events are append-only: none may be changed"
DELETED = "events are append-only: none may be deleted"
ELSEWHERE = "events are append-only: the next one goes to the end"
AT_THE_END = "(SELECT coalesce(max(seq), 0) + 1 FROM events)"
TRIGGERS = {
    "sqlite": [
        f"CREATE TRIGGER events_not_changed BEFORE UPDATE ON events\nBEGIN SELECT RAISE(ABORT, '{CHANGED}'); END",
        f"CREATE TRIGGER events_not_deleted BEFORE DELETE ON events\nBEGIN SELECT RAISE(ABORT, '{DELETED}'); END",
        f"""\
CREATE TRIGGER events_in_line BEFORE INSERT ON events
WHEN NEW.seq <> {AT_THE_END}
BEGIN SELECT RAISE(ABORT, '{ELSEWHERE}'); END""",
    ],
    "postgresql": [
        """
CREATE FUNCTION events_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'check_violation'; END $$""",
        f"""
CREATE FUNCTION events_append() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
    IF NEW.seq <> {AT_THE_END} THEN RAISE EXCEPTION '{ELSEWHERE}' USING ERRCODE = 'check_violation'; END IF;
    RETURN NEW;
END $$""",
        f"""
CREATE TRIGGER events_not_changed BEFORE UPDATE ON events
FOR EACH ROW EXECUTE FUNCTION events_refuse('{CHANGED}')""",
        f"""
CREATE TRIGGER events_not_deleted BEFORE DELETE ON events
FOR EACH ROW EXECUTE FUNCTION events_refuse('{DELETED}')""",
        f"""
CREATE TRIGGER events_not_truncated BEFORE TRUNCATE ON events
FOR EACH STATEMENT EXECUTE FUNCTION events_refuse('{DELETED}')""",
        "CREATE TRIGGER events_in_line BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION events_append()",
    ],
}


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("seq", POSITION, nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("actor_id", "actor_name", "subject", "reason")),
        *(sa.Column(name, sa.String(), nullable=True) for name in ("gate", "campaign", "before", "after")),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_events"),
        sa.CheckConstraint("seq >= 1", name="ck_events_seq"),
        sa.CheckConstraint("length(sha256) = 32", name="ck_events_digest"),
    )
    for column in ("at", "type", "subject", "actor_id"):
        op.create_index(f"ix_events_{column}", "events", [column])
    for column in ("gate", "campaign"):
        op.create_index(
            f"ix_events_{column}",
            "events",
            [column],
            sqlite_where=sa.text(f"{column} IS NOT NULL"),
            postgresql_where=sa.text(f"{column} IS NOT NULL"),
        )
    for statement in TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)
    op.create_table(
        "decision_inputs",
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("policy_sha256", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("sha256", name="pk_decision_inputs"),
        sa.CheckConstraint("length(sha256) = 32", name="ck_decision_inputs_digest"),
    )
    with op.batch_alter_table("decisions") as decisions:
        decisions.add_column(sa.Column("facts", sa.JSON(), nullable=True))
        decisions.add_column(sa.Column("inputs_sha256", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("decisions") as decisions:
        decisions.drop_column("inputs_sha256")
        decisions.drop_column("facts")
    op.drop_table("decision_inputs")
    op.drop_table("events")
    if op.get_bind().dialect.name == "postgresql":
        for function in ("events_refuse", "events_append"):
            op.execute(f"DROP FUNCTION {function}()")
