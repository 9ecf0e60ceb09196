"""On PostgreSQL, observations in a table per month, so that old months go at once."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

UNIQUE = "uq_observations_observed_at_queue_source"
# A month is made apart and then attached: whoever reads or writes other months meanwhile is not held up.
ADD_MONTH = """
CREATE FUNCTION add_month_of_observations(at bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    start timestamp := date_trunc('month', to_timestamp(at / 1000000) AT TIME ZONE 'UTC');
    until timestamp := start + interval '1 month';
    name text := 'observations_' || to_char(start, 'YYYY_MM');
BEGIN
    IF to_regclass(name) IS NULL THEN
        EXECUTE format('CREATE TABLE %I (LIKE observations INCLUDING CONSTRAINTS)', name);
        EXECUTE format(
            'ALTER TABLE observations ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
            name, extract(epoch FROM start)::bigint * 1000000, extract(epoch FROM until)::bigint * 1000000
        );
    END IF;
END $$"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _set_aside()
        op.execute("CREATE TABLE observations (LIKE former_observations) PARTITION BY RANGE (observed_at)")
        _take_over(key="position, observed_at")
        op.execute(ADD_MONTH)
        op.execute("SELECT add_month_of_observations(observed_at) FROM former_observations GROUP BY observed_at")
        _fill()


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _set_aside()
        op.execute("CREATE TABLE observations (LIKE former_observations)")
        _take_over(key="position")
        op.execute("DROP FUNCTION add_month_of_observations(bigint)")
        _fill()


def _set_aside() -> None:
    op.execute("ALTER TABLE observations RENAME TO former_observations")
    for name in ("pk_observations", UNIQUE, "ix_observations_received_at"):
        op.execute(f"ALTER INDEX {name} RENAME TO former_{name}")


def _take_over(key: str) -> None:
    """Give the new table what the former one has: its checks by their names, and its keys, the first one as told."""
    op.execute("""
        DO $$ DECLARE rule record; BEGIN
            FOR rule IN SELECT conname AS name, pg_get_constraintdef(oid) AS text FROM pg_constraint
                WHERE conrelid = 'former_observations'::regclass AND contype = 'c'
            LOOP EXECUTE format('ALTER TABLE observations ADD CONSTRAINT %I %s', rule.name, rule.text); END LOOP;
        END $$""")
    op.execute(f"ALTER TABLE observations ADD CONSTRAINT pk_observations PRIMARY KEY ({key})")
    op.execute(f"ALTER TABLE observations ADD CONSTRAINT {UNIQUE} UNIQUE (observed_at, queue, source)")
    op.execute("CREATE INDEX ix_observations_received_at ON observations (received_at)")


def _fill() -> None:
    op.execute("INSERT INTO observations SELECT * FROM former_observations")
    op.execute("DROP TABLE former_observations")
