"""The statements of the ledger, built once: building one costs more than SQLite takes to run it."""

from typing import Any

from sqlalchemy import Row, Table, bindparam, func, select, update

from app.core.permit.permit import Permit, PermitState
from app.store.permit_tables import LIVE_ONLY, PERMIT_LEDGER, PERMIT_REPEATS, PERMIT_SENT, PERMITS
from app.store.upsert import Insert, insert

GATE, CAMPAIGN = "gate", "campaign"
COLUMNS = tuple(PERMITS.columns.keys())
CHANGING = ("state", "expires_at", "sent", "changed_at", "reason")


def permit_of(row: Row[Any]) -> Permit:
    """Return the permit that a row of PERMITS holds."""
    values = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it
    return Permit(**values | {"state": PermitState(values["state"])})


def values_of(permit: Permit) -> dict[str, Any]:
    """Return what ADD_PERMIT writes of a permit."""
    return {name: getattr(permit, name) for name in COLUMNS} | {"state": permit.state.value}


def changes_of(permit: Permit) -> dict[str, Any]:
    """Return what CHANGE_PERMIT writes of a permit."""
    changing = {name: getattr(permit, name) for name in CHANGING}
    return changing | {"permit_id": permit.id, "state": permit.state.value}


def _putting(table: Table) -> Insert:
    """Return the statement that adds rows; one with the same key gets the new values."""
    new, key = insert(table), [column.name for column in table.primary_key]
    values = {column.name: new.excluded[column.name] for column in table.columns if column.name not in key}
    return new.on_conflict_do_update(index_elements=key, set_=values)


PERMIT = select(PERMITS).where(PERMITS.c.id == bindparam("id"))
DUE = select(PERMITS).where(LIVE_ONLY, PERMITS.c.expires_at <= bindparam("now"))
DUE_OF_GATE = DUE.where(PERMITS.c.gate == bindparam("gate"))
SUMS = select(PERMIT_LEDGER.c.outstanding, PERMIT_LEDGER.c.sent, PERMIT_LEDGER.c.given).where(
    PERMIT_LEDGER.c.kind == bindparam("kind"), PERMIT_LEDGER.c.name == bindparam("name")
)
GIVEN_BY_ALL = select(func.coalesce(func.sum(PERMIT_LEDGER.c.given), 0)).where(PERMIT_LEDGER.c.kind == GATE)
FIRST_END = {
    kind: select(func.min(PERMITS.c.expires_at)).where(LIVE_ONLY, PERMITS.c[kind] == bindparam("name"))
    for kind in (GATE, CAMPAIGN)
}
MINUTES = select(PERMIT_SENT.c.minute_at, PERMIT_SENT.c.sent).where(
    PERMIT_SENT.c.gate == bindparam("gate"), PERMIT_SENT.c.minute_at > bindparam("since")
)
REPEAT = select(*(PERMIT_REPEATS.c[name] for name in ("request_sha256", "permit_id", "body", "created_at"))).where(
    PERMIT_REPEATS.c.key_id == bindparam("key_id"),
    PERMIT_REPEATS.c.idempotency_key == bindparam("idempotency_key"),
    PERMIT_REPEATS.c.created_at > bindparam("since"),
)

ADD_PERMIT = insert(PERMITS)
CHANGE_PERMIT = (
    update(PERMITS).where(PERMITS.c.id == bindparam("permit_id")).values({name: bindparam(name) for name in CHANGING})
)
PUT_SUMS = _putting(PERMIT_LEDGER)
PUT_REPEATS = _putting(PERMIT_REPEATS)
_SENT = insert(PERMIT_SENT)
ADD_SENT = _SENT.on_conflict_do_update(
    index_elements=["gate", "minute_at"], set_={"sent": PERMIT_SENT.c.sent + _SENT.excluded.sent}
)
