"""What listmonk says of a campaign. Pure."""

from collections.abc import Mapping
from typing import Any

from app.core.sending.standing import SendingState, Standing
from workers.senders.speaking import NotUnderstood, count, member

SECONDS_PER_MINUTE = 60.0
STATES: Mapping[str, SendingState] = {
    "draft": SendingState.READY,
    "scheduled": SendingState.SCHEDULED,
    "running": SendingState.RUNNING,
    "paused": SendingState.PAUSED,
    "finished": SendingState.FINISHED,
    "cancelled": SendingState.ENDED,
}


def standing_of(document: Any, campaign: str) -> Standing:
    """Return how a campaign stands by the answer of GET /api/campaigns/{id}. Raises NotUnderstood.

    listmonk takes 012 for 12: two names for one campaign, which would be driven twice. So its own is required.

    to_send is 0 until listmonk has counted its lists, which it does when the campaign begins.
    """
    found = member(document, "data")
    if str(member(found, "id")) != campaign:
        raise NotUnderstood("data.id of the answer is another campaign's than was asked about")
    status = member(found, "status")
    if not isinstance(status, str) or status not in STATES:
        raise NotUnderstood("data.status of the answer is none that listmonk has")
    to_send = count(member(found, "to_send"), "data.to_send")
    return Standing(STATES[status], count(member(found, "sent"), "data.sent"), to_send or None)


def rate_of(document: Any, campaign: str) -> float | None:
    """Return how many a running campaign sends per second by GET /api/campaigns/running/stats; None when unsaid.

    listmonk counts the messages of the last minute. Raises NotUnderstood.
    """
    rows = member(document, "data")
    if not isinstance(rows, list):
        raise NotUnderstood("data of the running campaigns is no list")
    for row in rows:
        if isinstance(row, dict) and str(row.get("id")) == campaign and row.get("rate") is not None:
            return count(row["rate"], "rate") / SECONDS_PER_MINUTE
    return None
