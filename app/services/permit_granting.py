"""How one ask for a permit is settled: looked at with the sums as of then, and granted as far as it may go."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from app.core.event import Actor
from app.core.gate.answer import Answered
from app.core.permit import steps
from app.core.permit.permit import Permit, PermitState, Spent
from app.core.permit.request import PermitRequest
from app.errors import HoldfireError
from app.ports.permits import Grant
from app.services.answering import Answering, Looked
from app.services.asks import decision_row
from app.services.permit_answers import grant_body
from app.services.reply import OK, allowed, is_go


@dataclass(slots=True)
class Settlement:
    """Settles one ask, called inside the grant transaction, on its thread. looked: what the last look saw."""

    answering: Answering
    wall_seconds: Callable[[float], float]
    asked: PermitRequest
    actor: Actor
    wave: int | None = None
    looked: Looked | None = None

    def __call__(self, of_gate: Spent, of_campaign: Spent) -> Grant | Answered:
        looked = self.look(of_gate, of_campaign)
        return self._grant(looked) if is_go(looked) else looked.answered

    @property
    def seen(self) -> Looked:
        """What the last look saw. Raises HoldfireError before the first one."""
        if self.looked is None:
            raise HoldfireError("the ask was answered without a look at its gate")
        return self.looked

    def look(self, of_gate: Spent, of_campaign: Spent | None) -> Looked:
        """Return the answer with so much given away; of_campaign None: what was published of it will do.

        Raises NotFound for a gate that is not there.
        """
        asked = self.asked
        request = self.answering.request(asked.audience, asked.campaign, accept_partial=asked.accept_partial)
        if request.facts is not None and of_campaign is not None:
            facts = replace(request.facts, spent=of_campaign, sent=of_campaign.sent_last_hour)
            request = replace(request, facts=facts)
        self.looked = self.answering.look(asked.gate, request, of_gate)
        return self.looked

    def _grant(self, looked: Looked) -> Grant:
        row = decision_row(self.actor.id, looked, OK)
        permit = Permit(
            id=f"prm_{int(looked.at.timestamp() * 1000):012x}{secrets.token_hex(6)}",
            gate=self.asked.gate,
            campaign=self.asked.campaign,
            key_id=self.actor.id,
            decision_id=row.id,
            requested=self.asked.audience,
            allowed=self.asked.audience if (most := allowed(looked)) is None else most,
            state=PermitState.ACTIVE,
            granted_at=looked.at,
            expires_at=looked.at + timedelta(seconds=self.asked.ttl_seconds),
            wave=self.wave,
        )
        body = grant_body(looked, permit, self.wall_seconds)
        return Grant(permit, row, (steps.granted(permit, self.actor),), body)
