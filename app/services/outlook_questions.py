"""What people ask about a gate's outlook: what a send would do, how it can be planned, and a past outlook made again.

Each answer starts from the newest outlook, and is computed elsewhere, where the gates' own outlooks are made too.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ParamSpec, TypeVar

from app.core.forecast.case import STARTS_EVERY_MINUTES
from app.core.forecast.foresee import Sender
from app.core.forecast.known import Known, gate_case
from app.core.forecast.outlook import Outlook, outlook
from app.core.forecast.plan import Plan, plan
from app.core.forecast.series import MINUTE_SECONDS
from app.core.forecast.windows_ahead import at_start
from app.core.problem import InputRefused, Problem
from app.errors import Invalid, NotFound
from app.ports.clock import Clock
from app.ports.computing import Computing
from app.ports.outlooks import KeptOutlook, OutlookStore
from app.services.outlook_inputs import OutlookInputs
from app.services.outlook_texts import foreseen_shape, unpack_foreseen, unpack_known
from app.services.outlooks import GateOutlook, foresee_known
from app.services.published import Published
from app.services.shapes import instant

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Again:
    """A kept outlook made again: what came out, JSON-ready, and whether the same came out before."""

    kept: KeptOutlook
    found: Mapping[str, Any]
    is_same: bool


class TooFar(Invalid):
    """A send begins so far ahead that nothing is foreseen of it; `until` is the last start that can be looked at."""

    def __init__(self, start_at: datetime, until: datetime) -> None:
        said = f"{instant(start_at)} is too far ahead: a send can be looked at that begins by {instant(until)}"
        super().__init__(said, [Problem("/query/start_at", said)])
        self.until = until


class OutlookQuestions:
    """Answers them, one at a time.

    newest: returns a gate's newest outlook, None before the first. planning: does what gates and people wait for.
    """

    def __init__(
        self,
        newest: Callable[[str], GateOutlook | None],
        inputs: OutlookInputs,
        store: OutlookStore,
        clock: Clock,
        *,
        published: Callable[[], Published],
        planning: Computing,
    ) -> None:
        self._newest, self._inputs, self._store, self._clock = newest, inputs, store, clock
        self._published, self._planning = published, planning
        self._asking = asyncio.Lock()  # one question at a time, so that no gate waits for more than one

    def newest(self, gate: str) -> GateOutlook | None:
        """Return the outlook that answers start from, None before a gate's first."""
        return self._newest(gate)

    def start_minute(self, gate: str, start_at: datetime | None, *, whole_horizon: bool = False) -> int:
        """Return in which minute of the newest outlook a send begins, to five; 0 for none, and for one in the past.

        It can begin a window before the horizon, and later as long as it has a whole horizon that is known; a plan
        (whole_horizon) needs that anyway. Raises TooFar.
        """
        made = self.newest(gate)
        if start_at is None or made is None or made.gathered is None:
            return 0
        minute = max(0, round((start_at - made.at) / timedelta(minutes=STARTS_EVERY_MINUTES)) * STARTS_EVERY_MINUTES)
        known = made.gathered.known
        within = known.limits.horizon_minutes - int(known.limits.window_seconds / MINUTE_SECONDS)
        last = max(0 if whole_horizon else within, known.minutes - known.limits.horizon_minutes)
        if minute > last:
            raise TooFar(start_at, made.at + timedelta(minutes=last))
        return minute

    async def outlook(
        self,
        gate: str,
        audience: int | None = None,
        start_minute: int = 0,
        campaign: str | None = None,
        *,
        kind: str = "",
    ) -> tuple[GateOutlook, Outlook | None]:
        """Return a gate's newest outlook with what becomes of its queues, with and without a send; None: not known.

        start_minute: when the send begins, in minutes from the outlook's instant. kind: of mail without a campaign.
        Raises NotFound for an unknown gate, Invalid for a send that cannot be looked at, NotComputed.
        """
        made = self._find(gate, campaign, kind)
        if made.gathered is None:
            return made, None
        sender = made.gathered.sender(campaign)
        return made, await self._answer(_outlook, made.gathered.known, sender, audience, start_minute)

    async def plan(
        self,
        gate: str,
        campaign: str,
        audience: int,
        *,
        every_minutes: int,
        waves: int,
        lead_minutes: int,
        start_minute: int = 0,
        kind: str = "",
    ) -> tuple[GateOutlook, Plan | None]:
        """Return the plan of sending an audience through a gate; None: not known. Raises as outlook does.

        start_minute: of the outlook; the plan's own minutes count from there. kind: of mail without a campaign ("").
        """
        made = self._find(gate, campaign, kind)
        if made.gathered is None:
            return made, None
        sender = replace(made.gathered.sender(campaign), most=max(1, audience))
        ways = every_minutes, waves, max(0, lead_minutes - start_minute)
        return made, await self._answer(_plan, made.gathered.known, sender, audience, start_minute, ways)

    async def again(self, gate: str, at: datetime) -> Again:
        """Return the newest outlook of `at` or before, made again. Raises NotFound, NotComputed."""
        kept = await self._store.outlook(gate, at)
        if kept is None:
            raise NotFound(f"no outlook of gate {gate!r} is kept from {at.isoformat()} or before")
        foreseen = await self._run(foresee_known, unpack_known(kept.asked))
        found = foreseen_shape(foreseen)
        return Again(kept, found, is_same=found == unpack_foreseen(kept.found))

    def _find(self, gate: str, campaign: str | None, kind: str = "") -> GateOutlook:
        """Return a gate's newest outlook, the campaign among those reckoned with, also where it is only a draft.

        kind: of mail without a campaign.
        """
        gates = self._published().gates
        if gate not in gates:
            known = ", ".join(sorted(gates)) or "none yet"
            raise NotFound(f"there is no gate {gate!r}; known: {known}")
        made, state = self.newest(gate), gates[gate]
        if made is not None and made.policy is state.policy:
            return (
                replace(made, gathered=self._inputs.including(made.gathered, campaign, kind)) if made.gathered else made
            )
        why = "there is no outlook for this policy yet" if state.policy else "the gate has no policy"
        return GateOutlook(gate, state.policy_version, self._clock.now(), 0.0, unknown=why)

    async def _answer(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what the function does of what somebody asked. Raises Invalid where that cannot be looked at."""
        try:
            return await self._run(function, *args, **kwargs)
        except InputRefused as fault:
            raise Invalid(str(fault), fault.problems) from fault

    async def _run(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        async with self._asking:
            return await self._planning.run(function, *args, **kwargs)


# --- run elsewhere ----------------------------------------------------------------------------------------------------


def _outlook(known: Known, sender: Sender, audience: int | None, start_minute: int) -> Outlook:
    return outlook(gate_case(known).of(sender), audience, start_minute)


def _plan(known: Known, sender: Sender, audience: int, start_minute: int, ways: tuple[int, int, int]) -> Plan:
    every_minutes, waves, lead_minutes = ways
    gate = gate_case(known)
    case, may_start = gate.of(sender), gate.may_start
    if start_minute:
        may_start = may_start[case.start_row(start_minute) :]
        case = at_start(case, start_minute)
    return plan(
        case, audience, every_minutes=every_minutes, waves=waves, lead_minutes=lead_minutes, may_start=may_start
    )
