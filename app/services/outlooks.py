"""Outlooks: every gate's future, looked into again and again beside the evaluator, and kept with what it was made from.

One round gathers what is known of each gate and has it computed elsewhere; the gate gets the outcome at once. What is
wanted less often, the sizes and times of what may follow, is looked into one sender at a time after each round, the
oldest first. Nothing here can make a gate say go that would not: what fails leaves the last outlook to grow old.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from app.core.forecast.foresee import Ahead, Foreseen, Sender, foresee, look_ahead
from app.core.forecast.known import Known, gate_case
from app.core.gate.foresight import STALE_AFTER_SECONDS, Foresight
from app.core.gate.policy import Policy
from app.core.problem import InputRefused
from app.errors import HoldfireError
from app.ports.clock import Clock
from app.ports.computing import Computing
from app.ports.outlooks import KeptOutlook, OutlookStore
from app.services.foresights import Foresights
from app.services.fresh_readings import NotKnown
from app.services.outlook_foresight import Looked, foresight_of
from app.services.outlook_inputs import Gathered, OutlookInputs
from app.services.outlook_texts import pack_foreseen, pack_known
from app.services.published import GateState, Published

log = logging.getLogger(__name__)

_NEVER = datetime.min.replace(tzinfo=UTC)
_SenderKey = tuple[str, int, str]  # gate, version of its policy, campaign

EVERY_SECONDS = 20.0
LEAST_WALL_SECONDS = 0.25
LOOKED_FOR_SECONDS = 180.0
# On a clock that runs fast, as a demonstration's does, things take their time on the wall.
LOOKED_FOR_WALL_SECONDS = 15.0
GOOD_FOR_WALL_SECONDS = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class GateOutlook:
    """A gate's outlook: what was known, and what was foreseen from it; None where something was not known.

    unknown: what that was, and why. good_for_seconds: how long the gate may use it. policy: by which it was made.
    """

    gate: str
    policy_version: int
    at: datetime
    good_for_seconds: float
    gathered: Gathered | None = None
    foreseen: Foreseen | None = None
    unknown: str = ""
    policy: Policy | None = None


class Outlooks:
    """Looks ahead for every gate that has a policy.

    planning: does what gates and people wait for, each a second or two at most. scouting: does what takes longer, and
    nobody waits for.
    """

    def __init__(
        self,
        inputs: OutlookInputs,
        foresights: Foresights,
        store: OutlookStore,
        clock: Clock,
        *,
        published: Callable[[], Published],
        planning: Computing,
        scouting: Computing,
    ) -> None:
        self._inputs, self._foresights, self._store, self._clock = inputs, foresights, store, clock
        self._published, self._planning, self._scouting = published, planning, scouting
        self._newest: dict[str, GateOutlook] = {}
        self._looked: dict[_SenderKey, Looked] = {}
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look soon: something was given away, or a policy was saved. To be called on the event loop."""
        self._woken.set()

    def newest(self, gate: str) -> GateOutlook | None:
        """Return a gate's newest outlook, None before the first."""
        return self._newest.get(gate)

    async def run(self, stop: asyncio.Event) -> None:
        """Look at every gate again and again until `stop` is set. What goes wrong is logged and tried again."""
        working = [asyncio.ensure_future(work()) for work in (self._look_for_ever, self._scout_for_ever)]
        await stop.wait()
        for each in working:
            each.cancel()
        await asyncio.wait(working)

    async def _look_for_ever(self) -> NoReturn:
        """Look at every gate, again after 20 seconds, or sooner when somebody wakes this: but half of the time rest."""
        while True:
            self._woken.clear()
            began, gates = time.monotonic(), self._published().gates
            self._newest = {gate: made for gate, made in self._newest.items() if gate in gates}
            for state in gates.values():
                with _logged(state.gate):
                    await self.look(state)
            await asyncio.sleep(max(LEAST_WALL_SECONDS, time.monotonic() - began))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), self._clock.wall_seconds(EVERY_SECONDS))

    async def _scout_for_ever(self) -> NoReturn:
        """Look into what may follow for one sender after the other; nine tenths of the time rest."""
        while True:
            began = time.monotonic()
            with _logged("all"):
                await self._look_into_oldest()
            await asyncio.sleep(max(LEAST_WALL_SECONDS, 9 * (time.monotonic() - began)))

    async def look(
        self, state: GateState, now: datetime | None = None, good_for_seconds: float | None = None
    ) -> GateOutlook | None:
        """Make a gate's outlook, and let the gate know. None for a gate without a policy, which needs none.

        now, good_for_seconds: for a replay, whose clock runs ahead of what it evaluates. Raises NotComputed, and
        NotDurable where it could not be kept; the gate knows then what it knew before.
        """
        if state.policy is None:
            return None
        now, good_for = now or self._clock.now(), good_for_seconds or self._good_for_seconds()
        made = GateOutlook(state.gate, state.policy_version, now, good_for, policy=state.policy)
        try:
            gathered = await self._inputs.gather(state, self._published(), now)
            foreseen = await self._planning.run(foresee_known, gathered.known)
        except (NotKnown, InputRefused) as fault:
            made = replace(made, unknown=str(fault))
        else:
            good_for = gathered.good_for_seconds(good_for)
            made = replace(made, gathered=gathered, foreseen=foreseen, good_for_seconds=good_for)
            kept = pack_known(gathered.known), pack_foreseen(foreseen)
            await self._store.add_outlook(KeptOutlook(state.gate, now, state.policy_version, *kept))
        self._take(made)
        return made

    def _take(self, made: GateOutlook) -> None:
        """Remember a gate's newest outlook, and let the gate know, if it still lives by the same policy."""
        state = self._published().gates.get(made.gate)
        if state is not None and state.policy is made.policy:
            self._newest[made.gate] = made
            self._foresights.put(made.gate, made.policy_version, self._foresight(made))

    def _foresight(self, made: GateOutlook) -> Foresight:
        if made.gathered is None or made.foreseen is None:
            return Foresight(made.at, unknown=made.unknown, good_for_seconds=made.good_for_seconds)
        policy = made.gate, made.policy_version
        looked = {key[2]: each for key, each in self._looked.items() if key[:2] == policy}
        return foresight_of(
            made.gathered.known,
            made.foreseen,
            looked,
            given=made.gathered.given,
            good_for_seconds=made.good_for_seconds,
            elsewhere=made.gathered.elsewhere,
        )

    def _good_for_seconds(self) -> float:
        """Return two minutes; on a clock that runs fast as long as making a few outlooks takes."""
        return max(STALE_AFTER_SECONDS, GOOD_FOR_WALL_SECONDS / self._clock.wall_seconds(1.0))

    def _looked_for(self) -> timedelta:
        """Return how long what may follow need not be looked into anew."""
        return timedelta(seconds=max(LOOKED_FOR_SECONDS, LOOKED_FOR_WALL_SECONDS / self._clock.wall_seconds(1.0)))

    # --- what may follow ---

    async def _look_into_oldest(self) -> None:
        """Look into what may follow for the sender that was looked into the longest ago, if that is long ago."""
        senders = {
            (made.gate, made.policy_version, sender.campaign): (made, sender)
            for made in self._newest.values()
            if made.gathered is not None
            for sender in made.gathered.known.senders
        }
        self._looked = {  # but what was looked into later than now, before the clock was set back
            key: looked for key, looked in self._looked.items() if key in senders and looked.at <= senders[key][0].at
        }
        key = min(senders, key=self._looked_at, default=None)
        if key is None:
            return
        made, sender = senders[key]
        if made.gathered is None or made.foreseen is None or made.at - self._looked_at(key) < self._looked_for():
            return
        safe = dict(made.foreseen.sends)[sender.campaign].audience
        try:
            ahead = await self._scouting.run(_look_ahead, made.gathered.known, sender, safe)
        except Exception:
            self._looked[key] = Looked(made.at, Ahead(sender.campaign, (), ()))  # others have their turn now
            raise
        self._looked[key] = Looked(made.at, ahead)
        if (newest := self._newest.get(made.gate)) is not None:
            self._take(newest)

    def _looked_at(self, key: _SenderKey) -> datetime:
        looked = self._looked.get(key)
        return _NEVER if looked is None else looked.at


@contextmanager
def _logged(gate: str) -> Iterator[None]:
    """Log what goes wrong with a gate's outlook; the next round tries again."""
    try:
        yield
    except (HoldfireError, OSError) as fault:
        log.warning("outlook_not_made", extra={"gate": gate, "error": str(fault)})
    except Exception:
        log.exception("outlook_failed", extra={"gate": gate})


# --- run elsewhere ----------------------------------------------------------------------------------------------------


def foresee_known(known: Known) -> Foreseen:
    """Return what is foreseen of a gate from what is known of it. Raises InputRefused."""
    return foresee(gate_case(known))


def _look_ahead(known: Known, sender: Sender, now: int) -> Ahead:
    return look_ahead(gate_case(known), sender, now)
