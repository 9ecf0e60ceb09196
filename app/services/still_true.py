"""Whether a message that says go may still be told: seen from memory at the moment of sending.

A stop withdraws what waits to say the opposite as soon as it is written down. After a restart, or while the disk takes
nothing, that is not yet: then what the message says is looked at itself.
"""

from app.core.event import EventType
from app.core.gate.ask import Request
from app.core.permit.permit import Permit
from app.errors import NotFound
from app.ports.webhooks import Delivery
from app.services.answering import Answering
from app.services.campaign_book import CampaignBook
from app.services.permits import Permits
from app.services.standing import GO

E = EventType


class StillTrue:
    """Looks at what messages say. May be asked about any delivery."""

    def __init__(self, answering: Answering, book: CampaignBook, permits: Permits) -> None:
        self._answering, self._book, self._permits = answering, book, permits

    async def why_not(self, delivery: Delivery) -> str | None:
        """Return in a sentence why what a delivery says is not so now; None where it is, or says no go."""
        match delivery.event_type:
            case E.DECISION_SEND | E.DECISION_THROTTLE:
                return self._gate_shut(delivery.subject.removeprefix("gate/"))
            case E.PERMIT_RESUMED:
                return self._stopped(await self._permits.find(delivery.subject.removeprefix("permit/")))
            case E.WAVE_OPENED:
                return await self._wave_over(delivery.campaign or "")
        return None

    def _gate_shut(self, gate: str) -> str | None:
        try:
            verdict = self._answering.look(gate, Request()).state.decision.verdict
        except NotFound as fault:
            return str(fault)
        return None if verdict in GO else f"gate {gate!r} says {verdict} now"

    async def _wave_over(self, campaign: str) -> str | None:
        wave = self._book.wave(campaign)
        if wave is None or wave.ended_at is not None:
            return f"no wave of campaign {campaign!r} is open now"
        return self._stopped(await self._permits.find(wave.permit_id))

    def _stopped(self, permit: Permit) -> str | None:
        return f"permit {permit.id!r} must not be used now" if self._permits.must_stop(permit) else None
