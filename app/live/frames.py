"""The snapshot frame: everything a watcher of one gate needs, whole each time, so that no frame may be missed."""

from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime

from app.build import build_id
from app.core.floor.metric import Metric
from app.core.floor.targets import QueueTargets
from app.services.published import GateState, Published
from app.services.shapes import Shape, check_shape, decision_shape, instant, queue_shape


def head(state: GateState, seq: int, now: datetime) -> Shape:
    """Return the members every frame begins with. `at` is the server's clock, by which a page computes ages."""
    return {"type": "snapshot", "seq": seq, "at": instant(now), "build": build_id(), "gate": state.gate}


def snapshot(
    state: GateState,
    published: Published,
    targets: Mapping[str, QueueTargets],
    now: datetime,
    permits: Sequence[Shape] = (),
) -> Shape:
    """Return the rest of the plain frame: decision, every rule's standing, every queue, live permits, other gates."""
    view = published.view
    return {
        "decision": decision_shape(state, now),
        "checks": [check_shape(check) for check in state.decision.checks],
        "queues": [queue_shape(view, queue, targets) for queue in view.queues()],
        "permits": list(permits),
        "gates": [{"gate": name, "state": other.decision.verdict} for name, other in published.gates.items()],
    }


def fingerprint(state: GateState, published: Published) -> Hashable:
    """Return what two frames must have in common to be the same news: all but the passing of time."""
    decision, view = state.decision, published.view
    return (
        state.policy_version,
        decision.verdict,
        decision.since,
        decision.mode,
        decision.reasons,
        decision.checks,
        decision.data_as_of,
        state.spent,
        tuple((name, other.decision.verdict) for name, other in published.gates.items()),
        tuple((queue, view.reading(queue, metric)) for queue in view.queues() for metric in Metric),
    )
