"""Who asked, and what they were told: gathered in memory, written behind the answer, never in its way.

The same answer to the same asker keeps one id and is counted; the first different answer starts a new row.
"""

import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from app.errors import HoldfireError
from app.ports.decisions import DecisionLog, DecisionRow
from app.services.answering import Looked
from app.services.inputs import facts_of, kept_of
from app.services.reply import allowed, summary_for
from app.services.shapes import reason_shape

MAX_ASKERS = 20_000
MAX_WAITING = 50_000


class Question(NamedTuple):
    """What one caller asks: the gate, and the send it has in mind. Hashable: equal questions share an answer."""

    gate: str
    audience: int | None
    campaign: str | None
    accept_partial: bool


Uses = Mapping[str, tuple[int, datetime]]


class Told(NamedTuple):
    """What makes two answers the same: outcome, allowance, policy and the causes; not the numbers, which move."""

    verdict: str
    status: int
    allow: int | None
    policy_version: int
    causes: tuple[tuple[str, str | None], ...]
    override: str | None


@dataclass(slots=True)
class Ask:
    """One open row of the log: an asker who keeps hearing the same."""

    row: DecisionRow
    told: Told
    count: int
    last_at: datetime


def told_of(looked: Looked, status: int) -> Told:
    """Return what makes two answers the same."""
    answered = looked.answered
    causes = tuple((reason.code.value, reason.queue) for reason in answered.reasons)
    override = answered.override.id if answered.override else None
    return Told(answered.verdict, status, allowed(looked), looked.state.policy_version, causes, override)


def decision_row(asker: str, looked: Looked, status: int) -> DecisionRow:
    """Return the line of the decision log for an answer: with a new id, all that was said, and what it was made from.

    asker: the id of the key that asked. status: the HTTP status it was answered with.
    """
    answered, request, state = looked.answered, looked.request, looked.state
    return DecisionRow(
        id=f"dec_{int(looked.at.timestamp() * 1000):012x}{secrets.token_hex(6)}",
        kind="asked",
        gate=state.gate,
        at=looked.at,
        verdict=answered.verdict,
        policy_version=state.policy_version,
        summary=summary_for(looked),
        reasons=[reason_shape(reason) for reason in answered.reasons],
        asked_by=asker,
        campaign=request.campaign,
        requested=request.audience,
        accept_partial=request.accept_partial,
        allow=allowed(looked),
        status=status,
        override_id=answered.override.id if answered.override else None,
        kept=kept_of(state),
        facts=facts_of(state, looked.at, request, looked.spent),
    )


class Asks:
    """Gives every answer its decision id and keeps the rows until `write` has put them in the log."""

    def __init__(
        self,
        log: DecisionLog,
        lost: Callable[[int], None] = lambda _: None,
        count_uses: Callable[[Uses], Awaitable[None]] | None = None,
    ) -> None:
        self._log, self._lost, self._count_uses = log, lost, count_uses
        self._uses: dict[str, tuple[int, datetime]] = {}
        self._open: OrderedDict[tuple[str, Question], Ask] = OrderedDict()
        self._waiting: dict[str, Ask] = {}

    def tell(self, asker: str, question: Question, looked: Looked, status: int) -> Ask:
        """Return the ask this answer belongs to: the open one while the asker hears the same, else a new one."""
        key, told = (asker, question), told_of(looked, status)
        ask = self._open.get(key)
        if ask is not None and ask.told == told:
            return ask
        ask = self._open[key] = Ask(decision_row(asker, looked, status), told, 0, looked.at)
        self._open.move_to_end(key)
        while len(self._open) > MAX_ASKERS:
            self._open.popitem(last=False)
        return ask

    def count(self, ask: Ask, at: datetime) -> None:
        """Note that this answer was given once more."""
        ask.count += 1
        ask.last_at = at
        if ask.row.override_id is not None:
            self.note_use(ask.row.override_id, at)
        if ask.row.id not in self._waiting:
            if len(self._waiting) >= MAX_WAITING:
                self._lost(1)
                return
            self._waiting[ask.row.id] = ask

    def note_use(self, override_id: str, at: datetime) -> None:
        """Count one more answer that an override took part in. `write` adds it up where overrides are kept."""
        count, _ = self._uses.get(override_id, (0, at))
        self._uses[override_id] = count + 1, at

    async def write(self) -> None:
        """Put all that waits into the log; what cannot be written now stays for the next time."""
        await self._write_rows()
        await self._write_uses()

    async def _write_rows(self) -> None:
        batch, self._waiting = self._waiting, {}
        rows = [replace(ask.row, count=ask.count, last_at=ask.last_at) for ask in batch.values()]
        if not rows:
            return
        try:
            await self._log.record(rows)
        except (HoldfireError, OSError):
            self._waiting = batch | self._waiting
            raise

    async def _write_uses(self) -> None:
        uses, self._uses = self._uses, {}
        if not uses or self._count_uses is None:
            return
        try:
            await self._count_uses(uses)
        except (HoldfireError, OSError):
            for override_id, (count, at) in uses.items():
                more, later = self._uses.get(override_id, (0, at))
                self._uses[override_id] = count + more, later
            raise
