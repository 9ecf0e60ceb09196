"""What Dittofeed says of a broadcast. Pure."""

from collections.abc import Mapping
from typing import Any

from app.core.sending.standing import SendingState, Standing
from workers.senders.speaking import NotUnderstood, count, member

STATES: Mapping[str, SendingState] = {
    "Draft": SendingState.READY,
    "Scheduled": SendingState.SCHEDULED,
    "Running": SendingState.RUNNING,
    "Paused": SendingState.PAUSED,
    "Completed": SendingState.FINISHED,
    "Cancelled": SendingState.ENDED,
    "Failed": SendingState.ENDED,
}


def standing_of(broadcasts: Any, deliveries: Any, broadcast: str) -> Standing:
    """Return how a broadcast stands, by the answers of GET /broadcasts and of GET /deliveries/count.

    Raises NotUnderstood, also for a broadcast that is not there or of the first version, which cannot be paused.
    """
    if not isinstance(broadcasts, list):
        raise NotUnderstood("the answer is no list of broadcasts")
    found = next((each for each in broadcasts if isinstance(each, dict) and each.get("id") == broadcast), None)
    if found is None:
        raise NotUnderstood("the workspace has no broadcast of this id")
    status = member(found, "status")
    if member(found, "version") != "V2" or not isinstance(status, str) or status not in STATES:
        raise NotUnderstood("the broadcast is none of version V2 in a state that Dittofeed has")
    sent = count(member(deliveries, "count"), "count of deliveries")
    return Standing(STATES[status], sent, per_second=_rate(member(found, "config")))


def _rate(config: Any) -> float | None:
    rate = config.get("rateLimit") if isinstance(config, dict) else None
    if rate is None:
        return None
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < 1e9:  # noqa: PLR2004  a sane rate
        raise NotUnderstood("config.rateLimit of the broadcast is no rate")
    return float(rate)
