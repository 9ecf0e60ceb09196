"""Outlooks and plans that pages ask about: whoever looks at the same thing shares one computation."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any

from app.core.forecast.outlook import Outlook
from app.core.forecast.plan import Plan
from app.services.outlook_questions import OutlookQuestions
from app.services.outlooks import GateOutlook
from app.web.plan.form import Ways

Seen = tuple[GateOutlook, Outlook | None]
Planned = tuple[GateOutlook, Plan | None]
KEPT = 32


class SharedOutlooks:
    """Remembers the last answers until a newer outlook of their gate is there. For use on the event loop only."""

    def __init__(self) -> None:
        self._answers: dict[Hashable, asyncio.Task[Any]] = {}

    async def outlook(
        self,
        questions: OutlookQuestions,
        gate: str,
        audience: int | None,
        campaign: str | None,
        *,
        start_minute: int = 0,
        kind: str = "",
    ) -> Seen:
        """Return what `questions.outlook` does. Raises as it does; what was raised is asked again."""
        campaign = None if audience is None else campaign  # without a send it is all the same whose it would be
        key = _newest(questions, gate), audience, campaign, start_minute, kind
        seen: Seen = await self._once(
            key, lambda: questions.outlook(gate, audience, start_minute, campaign=campaign, kind=kind)
        )
        return seen

    async def plan(
        self,
        questions: OutlookQuestions,
        gate: str,
        campaign: str,
        audience: int,
        ways: Ways,
        *,
        start_minute: int = 0,
        kind: str = "",
    ) -> Planned:
        """Return what `questions.plan` does. Raises as it does; what was raised is asked again."""
        cut = {"every_minutes": ways.every_minutes, "waves": ways.waves, "lead_minutes": ways.lead_minutes}
        key = _newest(questions, gate), campaign, audience, ways, start_minute, kind
        planned: Planned = await self._once(
            key, lambda: questions.plan(gate, campaign, audience, **cut, start_minute=start_minute, kind=kind)
        )
        return planned

    async def _once(self, key: Hashable, make: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        answer = self._answers.get(key)
        if answer is None or has_failed(answer):
            answer = asyncio.ensure_future(make())
            answer.add_done_callback(has_failed)  # looked at, also where whoever asked has gone meanwhile
            self._answers.pop(key, None)
            self._answers[key] = answer
            for oldest in list(self._answers)[:-KEPT]:
                del self._answers[oldest]
        return await asyncio.shield(answer)


def has_failed(answer: asyncio.Task[Any]) -> bool:
    """Return whether a computation has ended without an answer."""
    return answer.done() and (answer.cancelled() or answer.exception() is not None)


def _newest(questions: OutlookQuestions, gate: str) -> Hashable:
    newest = questions.newest(gate)
    return gate, newest and (newest.policy_version, newest.at)
