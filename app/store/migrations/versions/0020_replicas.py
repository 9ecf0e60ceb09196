"""On PostgreSQL, what several replicas need to know of each other: what changed, who is there, and who leads."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None
oldest_reader = "0020"  # the oldest version of the schema whose program works on this one as well

# What replicas keep in memory, by the name under which they read it anew, and the tables that it is made of.
KEPT = {
    "callbacks": ("waiting_asks",),
    "campaigns": ("briefing_acknowledgements", "briefings", "campaigns", "waves"),
    "displays": ("displays",),
    "gates": ("gates", "policies"),
    "keys": ("api_keys",),
    "learning": ("debriefs",),
    "overrides": ("overrides",),
    "queues": ("queue_targets",),
}
# Nobody waits until all others have read these: permits are given by the database, whatever memory says.
UNHURRIED = {"checkpoint": ("checkpoint",), "deliveries": ("deliveries",), "permits": ("permits",)}
# Whoever writes the tables has the lock already; it keeps revisions in the order of commits for everybody else as well.
NOTE_CHANGE = """
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    number bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(1752132708, 1);
    number := nextval('revisions');
    INSERT INTO changes (name, revision) VALUES (TG_ARGV[0], number)
        ON CONFLICT (name) DO UPDATE SET revision = excluded.revision;
    IF TG_ARGV[1] = 'agreed' THEN
        PERFORM set_config('holdfire.changed', number::text, true);
        PERFORM pg_notify('holdfire_changes', TG_ARGV[0]);
    END IF;
    RETURN NULL;
END $$"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE revisions")
        op.execute("CREATE TABLE changes (name varchar PRIMARY KEY, revision bigint NOT NULL)")
        op.execute(
            "CREATE TABLE replicas (name varchar PRIMARY KEY, seen bigint NOT NULL, seen_at timestamptz NOT NULL, "
            "version varchar NOT NULL)"
        )
        op.execute(
            "CREATE TABLE leases (name varchar PRIMARY KEY, holder varchar NOT NULL, epoch bigint NOT NULL, "
            "until timestamptz NOT NULL)"
        )
        op.execute("CREATE TABLE oldest_reader (revision varchar PRIMARY KEY)")
        op.execute(NOTE_CHANGE)
        for manner, kept in (("agreed", KEPT), ("unhurried", UNHURRIED)):
            for name, tables in kept.items():
                for table in tables:
                    op.execute(
                        f"CREATE TRIGGER note_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table} "
                        f"FOR EACH STATEMENT EXECUTE FUNCTION note_change('{name}', '{manner}')"
                    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION note_change() CASCADE")
        op.execute("DROP TABLE leases, replicas, changes, oldest_reader")
        op.execute("DROP SEQUENCE revisions")
