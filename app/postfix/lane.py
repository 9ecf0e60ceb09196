"""One rule's mail on its way through a gate: it passes under permits, taken one wave at a time.

Whether a message passes is decided from memory, by `allowance`. Beside it the permit in use is watched, and one that is
used no more is settled.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from enum import StrEnum
from typing import Any
from uuid import uuid4

from app.client import AsyncHoldfire, PermitAnswer, Unanswered
from app.client.talks import pause_seconds
from app.core.campaign.pace import Outcome
from app.core.gate.decision import Verdict
from app.postfix import allowance as allowances
from app.postfix.allowance import Allowance, Grant, Taken
from app.postfix.nobody import is_nobody
from app.postfix.rules import Terms
from app.postfix.watching import LOOK_SECONDS, TTL_SECONDS, Watch, settle

log = logging.getLogger(__name__)

UNANSWERED_PAUSE_SECONDS = 5.0
STOPPED_PAUSE_SECONDS = 2.0
FRESH_SECONDS = 10.0  # how long it is believed that nobody answers, without asking anew
UNREACHABLE_SECONDS = 60.0
SAME_OUTAGE_SECONDS = 3600.0  # mail that is tried less often than that tells nothing of the time between
GIVE_BACK_SECONDS = 2.0  # how long the next permit waits for the last one to be given back


class Ruling(StrEnum):
    """What becomes of a message: it passes, or is tried again later."""

    PASS = "pass"
    DEFER = "defer"


class Lane:
    """One rule's way through its gate. name: the rule's.

    answer_seconds: the longest that a message waits for a permit. ask_seconds: the longest between two asks of a gate
    that holds; look_seconds: between two looks at a permit in use. passes_unasked: whether mail passes where nobody has
    been there for unreachable_seconds who could have held; a holdfire that is started anew is back by then. That, where
    an operator chose it, and the arithmetic of permits make a message pass; every fault, doubt and delay defers it.
    """

    def __init__(
        self,
        name: str,
        terms: Terms,
        holdfire: AsyncHoldfire,
        *,
        answer_seconds: float = 5.0,
        ask_seconds: float = 30.0,
        look_seconds: float = LOOK_SECONDS,
        passes_unasked: bool = False,
        unreachable_seconds: float = UNREACHABLE_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._holdfire, self._monotonic = name, holdfire, monotonic
        self._answer_seconds, self._ask_seconds, self._look_seconds = answer_seconds, ask_seconds, look_seconds
        self._passes_unasked, self._unreachable_seconds = passes_unasked, unreachable_seconds
        self._allowance = Allowance(terms)
        self._lost: _Lost | None = None
        self._asking: asyncio.Task[None] | None = None
        self._asked_at, self._unanswered_at = 0.0, float("-inf")
        self._tasks: set[asyncio.Task[None]] = set()
        self._settling: set[asyncio.Task[None]] = set()
        self._is_answered, self._nobody_answers, self._passed_unasked = True, False, 0
        self._nobody_since: float | None = None
        self._told = ""

    async def rule_on(self, recipients: int) -> Ruling:
        """Return what becomes of a message to so many, within answer_seconds. 0: one that was counted before."""
        taken = self._take(recipients)
        if taken is Taken.UNCOVERED:
            await self._ask_in_time(recipients)
            taken = self._take(recipients)
        if taken is Taken.UNCOVERED and self._is_abandoned():
            self._passed_unasked += recipients
            return Ruling.PASS
        return Ruling.PASS if taken is Taken.PASSED else Ruling.DEFER

    def _is_abandoned(self) -> bool:
        """Whether nobody has been there for so long that mail passes unasked."""
        if not (self._passes_unasked and self._nobody_answers) or self._nobody_since is None:
            return False
        return self._monotonic() - self._nobody_since >= self._unreachable_seconds

    async def close(self) -> None:
        """Report what passed and give back the rest, as far as the time allows. Nothing passes any more."""
        self._passes_unasked = False
        if self._asking is not None:
            await asyncio.wait({self._asking}, timeout=self._answer_seconds)
            self._asking.cancel()
        self._end(allowances.closed(self._allowance), "shutting down")
        if self._settling:
            await asyncio.wait(self._settling, timeout=self._answer_seconds)
        left = [task for task in self._tasks | self._settling if not task.done()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _take(self, recipients: int) -> Taken:
        self._allowance, taken = allowances.take(self._allowance, recipients, self._monotonic())
        return taken

    # --- asking for a permit ---

    async def _ask_in_time(self, recipients: int) -> None:
        """Ask for a permit if it is time to, and wait for what comes of it; whoever else asks now waits for the same.

        Nobody waits for an ask that takes longer than answer_seconds, nor where the last one was not answered.
        """
        now = self._monotonic()
        if self._asking is None or self._asking.done():
            size = allowances.wanted(self._allowance, recipients, now)
            if size is None:
                return
            self._asked_at = now
            if now - self._unanswered_at > FRESH_SECONDS:
                self._is_answered, self._nobody_answers = True, False
            self._asking = self._start(self._ask(size), self._tasks)
        left = self._asked_at + self._answer_seconds - now
        if left > 0 and self._is_answered:
            await asyncio.wait({self._asking}, timeout=left)

    async def _ask(self, size: int) -> None:
        """Take a permit, in place of one that does not cover the next message."""
        settling = self._end(allowances.asking(self._allowance, self._monotonic() + UNANSWERED_PAUSE_SECONDS), "used")
        if settling is not None:
            await asyncio.wait({settling}, timeout=GIVE_BACK_SECONDS)
        now, terms = self._monotonic(), self._allowance.terms
        ask = self._lost if self._lost is not None and now < self._lost.until else _Lost(size, now + TTL_SECONDS)
        try:
            answer = await self._holdfire.permit(
                *(terms.gate, ask.size, terms.campaign),
                accept_partial=True,
                ttl_seconds=TTL_SECONDS,
                idempotency_key=ask.key,
            )
        except Unanswered as fault:
            self._lost = None if fault.lasting else ask
            self._unanswered(fault)
            return
        self._lost = None
        self._hear()
        if answer.proceed and answer.permit_id is not None and answer.allow is not None:
            self._use(Grant(answer.permit_id, answer.allow, now, ask.until, self._monotonic()))
        else:
            self._refused(answer)

    def _refused(self, answer: PermitAnswer) -> None:
        outcome = Outcome.BAD if answer.state is Verdict.UNKNOWN else Outcome.HELD
        pause = min(self._ask_seconds, pause_seconds(answer))
        self._allowance = allowances.refused(self._allowance, outcome, pause, self._monotonic())
        self._tell(answer.state, decision=answer.decision_id, summary=answer.summary)

    def _unanswered(self, fault: Unanswered) -> None:
        now = self._monotonic()
        self._is_answered, self._nobody_answers = False, is_nobody(fault)
        if not self._nobody_answers:
            self._nobody_since = None
        elif self._nobody_since is None or now - self._unanswered_at > SAME_OUTAGE_SECONDS:
            self._nobody_since = now
        self._unanswered_at = now
        pause = self._ask_seconds if fault.lasting else UNANSWERED_PAUSE_SECONDS
        self._allowance = allowances.refused(self._allowance, Outcome.BAD, pause, self._unanswered_at)
        told = {"error": str(fault), "bulk_mail": "PASSES UNASKED" if self._is_abandoned() else "is deferred"}
        log.warning("postfix_policy_unanswered", extra={"rule": self._name, **told, **self._unasked()})
        self._told = ""

    def _hear(self) -> None:
        """Take note that holdfire answers."""
        self._is_answered, self._nobody_answers, self._nobody_since = True, False, None
        if self._passed_unasked:
            log.warning("postfix_policy_answered_again", extra={"rule": self._name, **self._unasked()})
        self._passed_unasked = 0

    def _unasked(self) -> dict[str, int]:
        return {"passed_unasked": self._passed_unasked} if self._passed_unasked else {}

    # --- a permit in use ---

    def _use(self, grant: Grant) -> None:
        self._allowance = allowances.granted(self._allowance, grant, self._monotonic())
        self._tell("open", permit=grant.permit_id, allow=grant.allow)
        self._start(self._watch(grant.permit_id), self._tasks)

    async def _watch(self, permit_id: str) -> None:
        """Watch a permit for as long as it is the one in use."""

        def current() -> Grant | None:
            grant = self._allowance.grant
            return grant if grant is not None and grant.permit_id == permit_id else None

        def seen(at: float, usable_until: float | None = None) -> None:
            self._allowance = allowances.seen(self._allowance, permit_id, at, usable_until)

        watch = Watch(self._holdfire, permit_id, current, seen, self._look_seconds, monotonic=self._monotonic)
        over = await watch.until_over()
        if current() is None:
            return
        if over.is_stop:
            after = allowances.refused(self._allowance, Outcome.HELD, STOPPED_PAUSE_SECONDS, self._monotonic())
        else:
            after = allowances.ended(self._allowance)
        self._end(after, over.why)

    def _end(self, after: Allowance, why: str) -> "asyncio.Task[None] | None":
        """Let nothing more pass under the permit in use, and settle it; None where there is none."""
        grant, self._allowance = self._allowance.grant, after
        if grant is None:
            return None
        self._tell("closed", permit=grant.permit_id, passed=grant.passed, allow=grant.allow, why=why)
        return self._start(settle(self._holdfire, self._name, grant, self._monotonic), self._settling)

    # --- pieces ---

    def _start(self, work: Coroutine[Any, Any, None], among: set[asyncio.Task[None]]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        among.add(task)
        task.add_done_callback(among.discard)
        task.add_done_callback(self._tell_fault)
        return task

    def _tell(self, standing: str, **values: object) -> None:
        """Log how the lane stands, where that is new."""
        if standing != self._told:
            log.info("postfix_policy_lane", extra={"rule": self._name, "standing": standing, **values})
        self._told = standing

    def _tell_fault(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (fault := task.exception()) is not None:
            log.error("postfix_policy_fault", exc_info=fault, extra={"rule": self._name})


class _Lost:
    """An ask for a permit; one that was not answered is repeated as it was: it may have been granted.

    until: when a permit that it brought is over at the earliest.
    """

    def __init__(self, size: int, until: float) -> None:
        self.key, self.size, self.until = str(uuid4()), size, until
