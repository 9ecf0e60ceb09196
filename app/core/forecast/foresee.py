"""What a gate has to know of the future: whether a limit is likely to break anyway, and how much each sender may send.

Computed for all senders of a gate in one go, every half minute, away from who asks. What is asked for less often, when
more may go and what more agents would change, is looked into sender by sender.
"""

from dataclasses import dataclass, replace
from itertools import takewhile

import numpy as np

from app.core.forecast.breach import Breach, Verdict, judge
from app.core.forecast.case import Case, Rate
from app.core.forecast.decisive import is_safe
from app.core.forecast.safe import Bound, SafeSend, safe_for_each, safe_now
from app.core.forecast.series import BoolArray
from app.core.forecast.soundness import check_case
from app.core.forecast.uncertainty import NINE, Nodes
from app.core.forecast.waves import Wave, greedy_waves
from app.core.forecast.windows_ahead import next_safe_window

PORTION_EVERY_MINUTES = 15
PORTIONS = 9
EXTRA_AGENTS = (1, 2, 4, 8, 16, 32)
Shares = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Sender:
    """Who may send through a gate: a campaign by its id, "" for mail of no known campaign.

    rate: the contacts to expect. shares: which part of them comes to which queue. most: what may be sent at all, as
    far as the campaign's audience or its gate's caps know; at least 1.
    """

    campaign: str
    rate: Rate
    shares: Shares
    most: int


@dataclass(frozen=True, slots=True, eq=False)
class GateCase:
    """A gate's case with all who may send. Rate and shares of the case are those of each sender in turn.

    may_start: whether the gate's send windows are open at each of the case's starts, shape (starts,).
    """

    case: Case
    senders: tuple[Sender, ...]
    may_start: BoolArray

    def of(self, sender: Sender) -> Case:
        """Return the case of one sender."""
        return _shared(replace(self.case, contacts_per_1000=sender.rate), sender.shares)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """without: the verdict if nothing more is sent. sends: the largest safe send of each sender, by campaign."""

    without: Verdict
    sends: tuple[tuple[str, SafeSend], ...]


@dataclass(frozen=True, slots=True)
class Ahead:
    """What may follow for one sender. portions: waves after now; where nothing may go now, the next that may.

    agents: (agents more from now on, audience that would be safe then), fewest first, up to the fewest that make `most`
    safe, or the most that were looked at.
    """

    campaign: str
    portions: tuple[Wave, ...]
    agents: tuple[tuple[int, int], ...]


def foresee(gate: GateCase, nodes: Nodes = NINE) -> Foreseen:
    """Return what the gate needs now. Raises CaseRefused."""
    check_case(gate.case)
    without = judge(gate.case, gate.case.sends()[None, :], nodes)[0]
    if without.probability > gate.case.limits.max_breach_probability:
        nothing = SafeSend(0, Bound.ALREADY, without.probability, _first(without), without.probability)
        return Foreseen(without, tuple((sender.campaign, nothing) for sender in gate.senders))
    found: dict[str, SafeSend] = {}
    for shares in dict.fromkeys(sender.shares for sender in gate.senders):
        found |= _found(gate, shares, nodes)
    return Foreseen(without, tuple((sender.campaign, found[sender.campaign]) for sender in gate.senders))


def look_ahead(gate: GateCase, sender: Sender, now: int, nodes: Nodes = NINE) -> Ahead:
    """Return what may follow if a sender sends `now` messages at once. Raises CaseRefused."""
    case = gate.of(sender)
    return Ahead(
        sender.campaign, _portions(gate, case, sender.most, now, nodes), _agents(case, sender.most, now, nodes)
    )


def _found(gate: GateCase, shares: Shares, nodes: Nodes) -> dict[str, SafeSend]:
    senders = [sender for sender in gate.senders if sender.shares == shares]
    rates = {sender.campaign: sender.rate for sender in senders}
    safe = safe_for_each(_shared(gate.case, shares), rates, max(sender.most for sender in senders), nodes)
    return {sender.campaign: _at_most(safe[sender.campaign], sender.most) for sender in senders}


def _at_most(safe: SafeSend, most: int) -> SafeSend:
    """Return a safe send cut to what there is to send: then nothing forbids more."""
    if safe.audience < most or safe.bound in {Bound.EVERYTHING, Bound.NO_CONTACTS}:
        return replace(safe, audience=min(safe.audience, most))
    return SafeSend(most, Bound.EVERYTHING, safe.breach_probability)


def _portions(gate: GateCase, case: Case, most: int, now: int, nodes: Nodes) -> tuple[Wave, ...]:
    """Return the waves after now that the send windows allow; none where everything may go now."""
    if now >= most:
        return ()
    if now <= 0:
        found = next_safe_window(case.only_starts(gate.may_start), most, nodes)
        return (Wave(found.minute, found.audience),) if found else ()
    waves = greedy_waves(case, most, PORTION_EVERY_MINUTES, PORTIONS, nodes, first=now)
    later = [wave for wave in waves if wave.minute > 0]
    return tuple(takewhile(lambda wave: bool(gate.may_start[case.start_row(wave.minute)]), later))


def _agents(case: Case, most: int, now: int, nodes: Nodes) -> tuple[tuple[int, int], ...]:
    """Return what some agents more would make safe, each time in the queue whose limit forbids more."""
    found: list[tuple[int, int]] = []
    queue, few = _forbidding(safe_now(case, most, nodes)) if now < most else None, 0
    for extra in EXTRA_AGENTS:
        if queue is None:
            break
        send = safe_now(case.with_agents(queue, extra, 0), most, nodes)
        if send.audience >= most:
            found.append((_fewest(case, queue, most, (few, extra), nodes), most))
            break
        if send.audience > now:
            found.append((extra, send.audience))
        few = extra
    return tuple(found)


def _fewest(case: Case, queue: str, most: int, between: tuple[int, int], nodes: Nodes) -> int:
    """Return the fewest agents more that make `most` safe: more than the first of two numbers, the second is enough."""
    schedule, (few, enough) = case.sends((0, most))[np.newaxis], between
    while enough - few > 1:
        middle = (few + enough) // 2
        if is_safe(case.with_agents(queue, middle, 0), schedule, nodes)[0]:
            enough = middle
        else:
            few = middle
    return enough


def _forbidding(send: SafeSend) -> str | None:
    return send.breach.queue if send.breach else None


def _first(verdict: Verdict) -> Breach | None:
    return verdict.breaches[0] if verdict.breaches else None


def _shared(case: Case, shares: Shares) -> Case:
    """Return the case with these shares; a queue that is not named gets none."""
    parts = dict(shares)
    return replace(case, queues=tuple(replace(queue, share=parts.get(queue.queue, 0.0)) for queue in case.queues))
