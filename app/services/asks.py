"""Who asked, and what they were told: gathered in memory, written behind the answer, never in its way.

The same answer to the same asker keeps one id and is counted; the first different answer starts a new row.
"""

import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from app.errors import HoldfireError
from app.ports import DecisionLog, DecisionRow

MAX_ASKERS = 20_000
MAX_WAITING = 50_000


class Question(NamedTuple):
    """What one caller asks: the gate, and the send it has in mind. Hashable: equal questions share an answer."""

    gate: str
    audience: int | None
    campaign: str | None
    accept_partial: bool


class Told(NamedTuple):
    """What makes two answers the same: outcome, allowance, policy and the causes; not the numbers, which move."""

    verdict: str
    status: int
    allow: int | None
    policy_version: int
    causes: tuple[tuple[str, str | None], ...]


@dataclass(slots=True)
class Ask:
    """One open row of the log: an asker who keeps hearing the same."""

    row: DecisionRow
    told: Told
    count: int
    last_at: datetime


class Asks:
    """Gives every answer its decision id and keeps the rows until `write` has put them in the log."""

    def __init__(self, log: DecisionLog, lost: Callable[[int], None] = lambda _: None) -> None:
        self._log, self._lost = log, lost
        self._open: OrderedDict[tuple[str, Question], Ask] = OrderedDict()
        self._waiting: dict[str, Ask] = {}

    def tell(
        self,
        asker: str,
        question: Question,
        told: Told,
        at: datetime,
        details: Callable[[], tuple[str, Sequence[Mapping[str, object]], Sequence[Mapping[str, object]]]],
    ) -> Ask:
        """Return the ask this answer belongs to. details gives summary, reasons and inputs when a row begins."""
        key = (asker, question)
        ask = self._open.get(key)
        if ask is not None and ask.told == told:
            return ask
        text, reasons, inputs = details()
        row = DecisionRow(
            id=f"dec_{int(at.timestamp() * 1000):012x}{secrets.token_hex(6)}",
            kind="asked",
            gate=question.gate,
            at=at,
            verdict=told.verdict,
            policy_version=told.policy_version,
            summary=text,
            reasons=reasons,
            inputs=inputs,
            asked_by=asker,
            campaign=question.campaign,
            requested=question.audience,
            accept_partial=question.accept_partial,
            allow=told.allow,
            status=told.status,
        )
        ask = self._open[key] = Ask(row, told, 0, at)
        self._open.move_to_end(key)
        while len(self._open) > MAX_ASKERS:
            self._open.popitem(last=False)
        return ask

    def count(self, ask: Ask, at: datetime) -> None:
        """Note that this answer was given once more."""
        ask.count += 1
        ask.last_at = at
        if ask.row.id not in self._waiting:
            if len(self._waiting) >= MAX_WAITING:
                self._lost(1)
                return
            self._waiting[ask.row.id] = ask

    async def write(self) -> None:
        """Put all that waits into the log; what cannot be written now stays for the next time."""
        batch, self._waiting = self._waiting, {}
        rows = [replace(ask.row, count=ask.count, last_at=ask.last_at) for ask in batch.values()]
        if not rows:
            return
        try:
            await self._log.record(rows)
        except (HoldfireError, OSError):
            self._waiting = batch | self._waiting
            raise
