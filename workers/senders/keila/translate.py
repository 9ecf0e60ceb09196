"""What Keila says of a campaign. Pure."""

from typing import Any

from app.core.sending.standing import SendingState, Standing
from workers.senders.speaking import NotUnderstood, member


def standing_of(document: Any) -> Standing:
    """Return how a campaign stands by the answer of GET /api/v1/campaigns/{id}. Raises NotUnderstood.

    sent_at is set when Keila has put all messages out, and they go from then on; it says nowhere how many these are.
    """
    campaign = member(document, "data")
    sent_at, scheduled_for = (_time(campaign, name) for name in ("sent_at", "scheduled_for"))
    if sent_at is not None:
        return Standing(SendingState.FINISHED, None)
    return Standing(SendingState.READY if scheduled_for is None else SendingState.SCHEDULED, 0)


def _time(campaign: Any, name: str) -> str | None:
    value = member(campaign, name)
    if value is not None and (not isinstance(value, str) or not value):
        raise NotUnderstood(f"data.{name} of the answer is no time")
    return value
