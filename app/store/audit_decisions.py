"""Comparing rows of the decision log with the digests that their events carry, on a database that is only read."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from app.core.chain import Entry
from app.core.floor.instants import instant
from app.ports.decisions import DecisionRow, KeptInputs
from app.ports.events import Difference
from app.store.audit_reader import Rows
from app.store.decision_events import lasting_sha256

_COLUMNS = (
    *("id", "kind", "gate", "at", "verdict", "policy_version", "summary", "reasons", "inputs", "before", "asked_by"),
    *("campaign", "requested", "accept_partial", "allow", "status", "override_id", "facts", "inputs_sha256"),
)
_JSON = frozenset({"reasons", "inputs", "facts"})  # wanted as they were written, not as a driver reads them
_WANTED = ", ".join(f"CAST({name} AS TEXT)" if name in _JSON else name for name in _COLUMNS)


def first_difference(rows: Rows, entries: Iterable[Entry]) -> Difference | None:
    """Return the first of these events, in order of place, whose decision's row is gone or another; None: all fit.

    Events that carry no digest of a row are passed over, those written before there were digests too.
    """
    told = [(entry.seq, *named) for entry in entries if (named := _named(entry)) is not None]
    marks = ", ".join("?" * len(told)) or "NULL"
    wanted = f"SELECT {_WANTED} FROM decisions WHERE id IN ({marks})"  # noqa: S608  # our own names
    found = rows(wanted, [decision_id for _, decision_id, _ in told])
    digests = {row[0]: _digest(dict(zip(_COLUMNS, row, strict=True))) for row in found}
    for seq, decision_id, digest in told:
        if digests.get(decision_id) != digest:
            how = "is not the one" if decision_id in digests else "is gone, of"
            detail = f"the row of decision {decision_id} in the log {how} that event {seq} tells of"
            return Difference(decision_id, seq, detail)
    return None


def _named(entry: Entry) -> tuple[str, str] | None:
    """Return the decision an event is about and the digest of its row; None where it carries none."""
    if entry.after is None or not entry.type.startswith("decision."):
        return None
    match _read(entry.after):
        case {"decision_id": str(decision_id), "sha256": str(digest)}:
            return decision_id, digest
        case _:
            return None


def _read(text: str) -> object:
    """Return what a JSON text holds; None for one that is none, which only a chain written anew can have."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def _digest(values: Mapping[str, Any]) -> str | None:
    """Return a row's digest; None where something in it is not even of its kind any more."""
    try:
        return lasting_sha256(_row(dict(values)))
    except (TypeError, ValueError, OverflowError):
        return None


def _row(values: dict[str, Any]) -> DecisionRow:
    inputs_sha256, facts = values.pop("inputs_sha256"), values["facts"]
    return DecisionRow(
        **values
        | {
            "at": instant(values["at"]),
            "reasons": tuple(json.loads(values["reasons"])),
            "inputs": tuple(json.loads(values["inputs"])),
            "accept_partial": bool(values["accept_partial"]),
            "kept": KeptInputs(bytes(inputs_sha256), b"") if inputs_sha256 else None,
            "facts": None if facts is None else json.loads(facts),
        }
    )
