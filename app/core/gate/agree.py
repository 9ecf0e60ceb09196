"""What a gate remembers where several replicas decide on the same floor, each at its own instants."""

from datetime import datetime, timedelta

from app.core.gate.decision import GateMemory, Verdict

PATIENCE = timedelta(seconds=10)
_STRICTNESS = {Verdict.SEND: 0, Verdict.THROTTLE: 1, Verdict.HOLD: 2, Verdict.UNKNOWN: 3, None: 3}


def agreed(own: GateMemory, leaders: GateMemory, now: datetime) -> GateMemory:
    """Return the memory to go on with: the leader's, unless one's own verdict is stricter and less than 10 s old.

    A replica that has just seen the floor turn may be ahead of what the leader wrote down; one that is stricter for
    longer has seen, between two of its instants, what the leader has not, and would hold on its own.
    """
    if _STRICTNESS[own.verdict] <= _STRICTNESS[leaders.verdict] or own.since is None:
        return leaders
    return own if now - own.since < PATIENCE else leaders
