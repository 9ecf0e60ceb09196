"""The release of a send in waves: a permit for each, watched while it is used, and nothing sent without one.

Whatever is not known counts against the send: a permit that cannot be checked is taken as one that must stop, a wave
that did not say what it sent ends the release, and what was not reported stays charged to the gate.
"""

import asyncio
import os
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import BinaryIO
from uuid import uuid4

from app.client import Answer, AsyncHoldfire, NotCleared, PermitAnswer, Unanswered
from app.client.talks import pause_seconds
from app.commands.permit_watch import why_stop
from app.commands.release_plan import Listener, Plan, WaveResult
from app.commands.wave import Wave, running
from app.core.campaign.pace import Outcome, Pace, gap_seconds, judge, next_wave
from app.core.gate.decision import Verdict
from app.core.permit.permit import LIVE

GIVE_BACK_SECONDS = 5.0


class ReleaseFailed(Exception):
    """The release cannot go on; nothing more is sent. str() is a sentence for people."""


class Release:
    """One release, from the first permit to the last report. sent and waves tell how far it got, whenever it ends."""

    def __init__(self, holdfire: AsyncHoldfire, plan: Plan, listener: Listener, output: BinaryIO) -> None:
        self._holdfire, self._plan, self._listener, self._output = holdfire, plan, listener, output
        self._pace = Pace()
        self.sent = plan.offset
        self.waves: list[WaveResult] = []

    @property
    def left(self) -> int:
        """How many are not sent yet."""
        return max(0, self._plan.audience - self.sent)

    async def run(self) -> None:
        """Return when all are sent.

        Raises NotCleared when a wave waited too long, Unanswered where asking will not help, ReleaseFailed.
        """
        while self.left:
            permit = await self._permit()
            opened = time.monotonic()
            wave = await self._wave(permit)
            _check(wave)
            if wave.stopped_because is not None:
                self._pace = judge(self._pace, Outcome.HELD)
            elif self.left:
                gap = gap_seconds(self._pace, self._plan.wave_gap_seconds)
                rest = max(0.0, opened + gap - time.monotonic())
                self._listener.rests(rest)
                await asyncio.sleep(rest)

    # --- a permit for the next wave ---

    async def _permit(self) -> PermitAnswer:
        deadline = time.monotonic() + self._plan.timeout_seconds
        while True:
            better = judge(self._pace, Outcome.GOOD)
            last = await self._ask(next_wave(better, self._plan.full_wave, self.left), deadline)
            if last.proceed:
                self._pace = better
                return last
            self._pace = judge(self._pace, Outcome.BAD if last.state is Verdict.UNKNOWN else Outcome.HELD)
            await self._wait(last, deadline)

    async def _ask(self, size: int, deadline: float) -> PermitAnswer:
        """Return the answer to one ask, repeated as it is for as long as none comes: it may have been granted.

        Where what was granted has ended by the time that an answer comes, another is asked for.
        """
        key = str(uuid4())
        while True:
            try:
                return await self._ask_once(size, key)
            except Unanswered as fault:
                if fault.status == HTTPStatus.CONFLICT:
                    key = str(uuid4())
                elif fault.lasting:
                    raise
                await self._wait(fault, deadline)

    async def _ask_once(self, size: int, key: str) -> PermitAnswer:
        plan = self._plan
        asking = asyncio.ensure_future(
            self._holdfire.permit(plan.gate, size, plan.campaign, accept_partial=True, idempotency_key=key)
        )
        try:
            return await asyncio.shield(asking)
        except asyncio.CancelledError:
            await self._give_back(asking)
            raise

    async def _give_back(self, asking: "asyncio.Future[PermitAnswer]") -> None:
        """Release what an ask in flight may still bring."""
        try:
            async with asyncio.timeout(GIVE_BACK_SECONDS):
                answer = await asking
                if answer.permit_id is not None:
                    await self._holdfire.release(answer.permit_id)
        except (Unanswered, TimeoutError) as fault:
            self._listener.note(f"a permit may have been granted and stays charged until it expires: {fault}")

    async def _wait(self, last: Answer | Unanswered, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise NotCleared(last)
        pause = min(left, pause_seconds(last))
        self._listener.waits(last, pause)
        await asyncio.sleep(pause)

    # --- a wave under its permit ---

    async def _wave(self, permit: PermitAnswer) -> WaveResult:
        """Return what came of a wave. It is over and reported then, also where the release is ended meanwhile."""
        plan, number = self._plan, len(self.waves) + 1
        self._listener.opens(number, permit)
        began = time.monotonic()
        try:
            async with running(
                plan.command, self._environment(permit, number), self._output, plan.stop_grace_seconds
            ) as command:
                why: str | None = "the release was ended"
                try:
                    why = await self._until_over(command, permit)
                finally:
                    await command.stop(plan.stop_grace_seconds)
                    wave = self._result(number, permit, command, time.monotonic() - began, why)
                    await self._report(wave)
        except OSError as fault:
            raise ReleaseFailed(f"wave {number}: its command cannot be started or stopped: {fault}") from fault
        return wave

    def _environment(self, permit: PermitAnswer, number: int) -> Mapping[str, str]:
        told = {
            "HOLDFIRE_WAVE_AUDIENCE": str(permit.allow),
            "HOLDFIRE_WAVE_OFFSET": str(self.sent),
            "HOLDFIRE_WAVE_NUMBER": str(number),
            "HOLDFIRE_PERMIT_ID": str(permit.permit_id),
            "HOLDFIRE_CAMPAIGN": self._plan.campaign or "",
        }
        return os.environ | told

    async def _until_over(self, command: Wave, permit: PermitAnswer) -> str | None:
        """Return why the wave has to stop; None once it has ended by itself."""
        permit_id, plan = str(permit.permit_id), self._plan
        ended = asyncio.ensure_future(command.ended())
        watching = asyncio.ensure_future(
            why_stop(self._holdfire, permit_id, plan.check_seconds, plan.unchecked_seconds)
        )
        try:
            await asyncio.wait({ended, watching}, return_when=asyncio.FIRST_COMPLETED)
            return None if ended.done() else watching.result()
        finally:
            ended.cancel()
            watching.cancel()
            await asyncio.gather(ended, watching, return_exceptions=True)

    def _result(self, number: int, permit: PermitAnswer, command: Wave, seconds: float, why: str | None) -> WaveResult:
        allowed, exit_code = int(permit.allow or 0), command.exit_code
        sent = command.sent
        if sent is None and why is None and exit_code == 0:
            sent = allowed
        wave = WaveResult(number, str(permit.permit_id), self.sent, allowed, sent, exit_code, seconds, why)
        self.waves.append(wave)
        self.sent += sent or 0
        return wave

    async def _report(self, wave: WaveResult) -> None:
        """Say what was sent and give the rest back. What nobody knows stays charged until the permit expires."""
        self._listener.closed(wave)
        if wave.sent is None:
            return
        try:
            permit = await self._holdfire.report(wave.permit_id, wave.sent)
            if permit.state in LIVE:
                await self._holdfire.release(wave.permit_id)
        except Unanswered as fault:
            self._listener.note(
                f"permit {wave.permit_id} could not be settled and is charged until it expires: {fault}"
            )


def _check(wave: WaveResult) -> None:
    """Raise ReleaseFailed where the next wave would not know where to begin, or would fail as this one did."""
    if wave.stopped_because is not None:
        problem = "was stopped" if wave.sent is None else None
    elif wave.exit_code != 0:
        problem = f"failed with exit code {wave.exit_code}"
    else:
        problem = "ended without having sent anything" if wave.sent == 0 else None
    if problem is not None:
        known = "it did not say how many" if wave.sent is None else f"{wave.sent:,}"
        raise ReleaseFailed(f"wave {wave.number} {problem}; sent of {wave.allow:,} from {wave.offset:,} on: {known}")
