"""Outlooks that pages ask about: whoever looks at the same thing shares one computation."""

import asyncio

from app.core.forecast.outlook import Outlook
from app.services.outlooks import GateOutlook, Outlooks

Seen = tuple[GateOutlook, Outlook | None]
KEPT = 32


class SharedOutlooks:
    """Remembers the last answers until a newer outlook of their gate is there. For use on the event loop only."""

    def __init__(self) -> None:
        self._answers: dict[tuple[object, ...], asyncio.Task[Seen]] = {}

    async def of(self, outlooks: Outlooks, gate: str, audience: int | None, campaign: str | None) -> Seen:
        """Return what `outlooks.outlook` does. Raises as it does; what was raised is asked again."""
        newest = outlooks.newest(gate)
        campaign = None if audience is None else campaign  # without a send it is all the same whose it would be
        key = gate, newest and (newest.policy_version, newest.at), audience, campaign
        answer = self._answers.get(key)
        if answer is None or has_failed(answer):
            answer = asyncio.ensure_future(outlooks.outlook(gate, audience, campaign=campaign))
            answer.add_done_callback(has_failed)  # looked at, also where whoever asked has gone meanwhile
            self._answers.pop(key, None)
            self._answers[key] = answer
            for oldest in list(self._answers)[:-KEPT]:
                del self._answers[oldest]
        return await asyncio.shield(answer)


def has_failed(answer: asyncio.Task[Seen]) -> bool:
    """Return whether a computation has ended without an answer."""
    return answer.done() and (answer.cancelled() or answer.exception() is not None)
