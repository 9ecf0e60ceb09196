"""What an asker is told now: the gate's standing and the ask, put together. Looks at nothing but memory."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from app.core.gate.answer import Answered, Request, answer
from app.core.permit.permit import NOTHING_SPENT, Spent
from app.errors import NotFound
from app.ports.clock import Clock
from app.services.published import GateState, Published
from app.services.standing import standing


class Looked(NamedTuple):
    """An answer with all it was made from, so that it can be shown, logged and made again.

    at: when it was made. spent: what the gate had given away by then.
    """

    state: GateState
    request: Request
    answered: Answered
    at: datetime
    spent: Spent = NOTHING_SPENT


class Answering:
    """Answers asks from the evaluator's last publication. May be called from any thread."""

    def __init__(
        self, published: Callable[[], Published], clock: Clock, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._published, self._clock, self._monotonic = published, clock, monotonic

    def request(self, audience: int | None, campaign: str | None, *, accept_partial: bool = False) -> Request:
        """Return an ask with what is known of its campaign."""
        facts = self._published().campaigns.get(campaign) if campaign else None
        return Request(audience, accept_partial, campaign, facts)

    def look(self, gate: str, request: Request, spent: Spent | None = None) -> Looked:
        """Return the answer to an ask. spent: what the gate has given away, where that is known better than published.

        Raises NotFound for a gate that is not there.
        """
        published, now = self._published(), self._clock.now()
        state = standing(published, gate, now, self._monotonic())
        if state is None:
            known = ", ".join(sorted(published.gates)) or "none yet"
            raise NotFound(f"there is no gate {gate!r}; known: {known}")
        spent = state.spent if spent is None else spent
        answered = answer(
            state.basis,
            state.policy,
            request,
            gate=gate,
            overrides=state.overrides,
            spent=spent,
            now=now,
            foresight=state.foresight,
        )
        return Looked(state, request, answered, now, spent)
