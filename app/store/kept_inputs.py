"""What decisions were made from, kept once under its SHA-256 however many decisions share it."""

import zlib
from collections.abc import Collection, Iterable

from sqlalchemy import Connection, bindparam, select

from app.ports.decisions import KeptInputs
from app.store.event_tables import DECISION_INPUTS
from app.store.upsert import insert

# Between two evaluations a queue's texts differ in a few digits: little effort finds nearly all there is to find.
EFFORT = 3
_WANTED = select(DECISION_INPUTS).where(DECISION_INPUTS.c.sha256.in_(bindparam("digests", expanding=True)))
_KNOWN = _WANTED.with_only_columns(DECISION_INPUTS.c.sha256)


def keep_inputs(connection: Connection, inputs: Iterable[KeptInputs | None]) -> None:
    """Write down what is not there yet, with the policies that belong to it, in the caller's transaction."""
    wanted = {each.sha256: each for kept in inputs if kept for each in (kept, kept.policy) if each}
    if not wanted:
        return
    known = set(connection.execute(_KNOWN, _digests(wanted)).scalars())
    if rows := [_row(kept) for digest, kept in wanted.items() if digest not in known]:
        connection.execute(insert(DECISION_INPUTS), rows)


def read_inputs(connection: Connection, digests: Collection[bytes]) -> dict[bytes, KeptInputs]:
    """Return what is kept under these digests, with the policies that belong to it; what is not there is left out."""
    rows = connection.execute(_WANTED, _digests(digests)).all() if digests else []
    needed = {row.policy_sha256 for row in rows if row.policy_sha256}
    policies = read_inputs(connection, needed) if needed else {}
    return {
        row.sha256: KeptInputs(row.sha256, zlib.decompress(row.body), policies.get(row.policy_sha256)) for row in rows
    }


def _digests(digests: Iterable[bytes]) -> dict[str, list[bytes]]:
    return {"digests": list(digests)}


def _row(kept: KeptInputs) -> dict[str, bytes | None]:
    policy = kept.policy.sha256 if kept.policy else None
    return {"sha256": kept.sha256, "body": zlib.compress(kept.body, EFFORT), "policy_sha256": policy}
