"""The JSON-ready shape of a line of the decision log."""

from app.ports.decisions import DecisionRow
from app.services.shapes import Shape, instant


def decision_shape(row: DecisionRow) -> Shape:
    """Return a line of the log as the contract shows it."""
    return {
        "id": row.id,
        "kind": row.kind,
        "gate": row.gate,
        "at": instant(row.at),
        "state": row.verdict,
        "before": row.before,
        "policy_version": row.policy_version,
        "summary": row.summary,
        "reasons": row.reasons,
        "inputs": row.inputs,
        "asked_by": row.asked_by,
        "campaign": row.campaign,
        "requested": row.requested,
        "accept_partial": row.accept_partial,
        "allow": row.allow,
        "status": row.status,
        "count": row.count,
        "last_at": instant(row.last_at),
        "override_id": row.override_id,
    }
