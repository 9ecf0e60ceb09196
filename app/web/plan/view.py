"""A plan as its page shows it: what may go now, each way to send the rest, and what more agents would change. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from app.core.forecast.breach import Breach, Verdict
from app.core.forecast.limits import OutlookLimits
from app.core.forecast.plan import Plan
from app.core.forecast.safe import Bound
from app.core.forecast.waves import Wave
from app.core.gate.decision import Verdict as GateVerdict
from app.services.outlook_foresight import predicted
from app.web.format import count, duration, number
from app.web.outlook.view import NOTHING, PARTLY, SAFE, lead_of
from app.web.outlook.words import Reader, broken, chance
from app.web.plan.timeline import Part, Timeline, timeline

WAVE_FILL = 0.82  # of the time to the next one: blocks stand apart


@dataclass(frozen=True, slots=True)
class Planned:
    """What was planned: from which instant on, within which limits, in waves how far apart, for whom.

    verdict: the gate's own, which goes before the plan. is_later: the plan does not begin now, where the gate's verdict
    of now means nothing yet.
    """

    at: datetime
    plan: Plan
    limits: OutlookLimits
    every_minutes: int
    reader: Reader
    verdict: GateVerdict = GateVerdict.SEND
    is_later: bool = False

    @property
    def then(self) -> str:
        """When it begins, in a word."""
        return "then" if self.is_later else "now"

    @property
    def is_closed(self) -> bool:
        """Whether nothing may begin now because the policy's send windows are closed."""
        return self.plan.now.bound is Bound.SEND_WINDOW

    def instant(self, minute: int) -> datetime:
        """Return the instant of a minute of the plan."""
        return self.at + timedelta(minutes=minute)

    def broken(self, breach: Breach) -> str:
        """Return a limit that may break, in words."""
        return broken(predicted(breach, self.at), self.reader)

    def chance(self, probability: float) -> str:
        """Return the probability that a limit breaks, in words."""
        return f"{chance(probability, self.limits.max_breach_probability)} chance that a limit breaks"

    def of_all(self, audience: int) -> str:
        """Return a part of the audience: `25,000 of 500,000`, `all 500,000`."""
        whole = self.plan.audience
        return f"all {number(whole)}" if audience >= whole else f"{number(audience)} of {number(whole)}"


@dataclass(frozen=True, slots=True)
class Answer:
    """How much may go now. state: whose colour and shape it wears; lead: what the amount is."""

    state: str
    lead: str
    amount: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to send. parts: what goes when, as text; drawing None: there is nothing to draw."""

    name: str
    state: str
    sentence: str
    parts: str = ""
    drawing: Timeline | None = None


@dataclass(frozen=True, slots=True)
class PlanShown:
    """The answer, the ways to send what may not go now, and what would make all of it safe."""

    answer: Answer
    ways: tuple[Way, ...]


def plan_shown(planned: Planned) -> PlanShown:
    """Return a plan as its page shows it."""
    is_all = planned.plan.now.audience >= planned.plan.audience
    in_parts, later = (_greedy(planned), _equal(planned)), _later(planned)
    if planned.is_closed:  # what would begin now is no way
        return PlanShown(_answer(planned), (*in_parts, later))
    ways = () if is_all else (*in_parts, _spread(planned), later, _agents(planned))
    return PlanShown(_answer(planned), ways)


def _answer(planned: Planned) -> Answer:
    now, plan = planned.plan.now, planned.plan
    lead, state = lead_of(planned.verdict, now.audience, is_all=now.audience >= plan.audience)
    if planned.is_later:
        lead = f"Safe to send from {planned.reader.minute(planned.at)} on"
    amount = planned.of_all(now.audience) if now.audience else "nothing"
    return Answer(state, lead, amount, tuple(_sentences(planned)))


def _sentences(planned: Planned) -> Iterator[str]:
    now, plan = planned.plan.now, planned.plan
    if now.bound is Bound.NO_CONTACTS:
        yield "No contacts are expected of it in these queues."
        return
    if planned.is_closed:
        when = " then" if planned.is_later else ""
        yield f"The policy's send windows are closed{when}. What follows begins when they are open."
        return
    if now.bound is Bound.ALREADY:
        yield _verdict(planned, "Even if nothing is sent", plan.without)
        return
    said, accepted = planned.chance(now.breach_probability), chance(planned.limits.max_breach_probability)
    yield f"{said[:1].upper()}{said[1:]} with that; {accepted} is accepted."
    if now.breach is not None:
        yield f"Not more, because of the {planned.broken(now.breach)}."
    if now.audience < plan.audience:
        yield _verdict(planned, f"All {number(plan.audience)} at once", plan.at_once)


def _verdict(planned: Planned, case: str, verdict: Verdict) -> str:
    """Return how likely a limit is to break in a case, and which first."""
    first = f", likeliest the {planned.broken(verdict.breaches[0])}" if verdict.breaches else ""
    return f"{case}: {planned.chance(verdict.probability)}{first}."


# --- ways -------------------------------------------------------------------------------------------------------------


def _greedy(planned: Planned) -> Way:
    return _waves(planned, "Largest waves, one after another", planned.plan.greedy, "")


def _equal(planned: Planned) -> Way:
    waves = planned.plan.equal
    each = f" of {number(waves[0].audience)}" if waves else ""
    return _waves(planned, "Equal waves", waves, each)


def _waves(planned: Planned, name: str, waves: Sequence[Wave], each: str) -> Way:
    if not waves:
        while_open = " while the send windows are open" if planned.is_closed else ""
        return Way(name, NOTHING, f"None is safe{while_open}, however small.")
    total = sum(wave.audience for wave in waves)
    total = planned.plan.audience if total > planned.plan.audience - len(waves) else total  # equal ones are rounded
    begins, ends = (planned.reader.minute(planned.instant(wave.minute)) for wave in (waves[0], waves[-1]))
    apart = min((later.minute - one.minute for one, later in pairwise(waves)), default=0)
    when = f", {duration(apart * 60)} apart, {begins} to {ends}" if apart else f" at {begins}"
    at_most = planned.chance(planned.limits.max_breach_probability)
    sentence = f"{count(len(waves), 'wave')}{each}{when}: {planned.of_all(total)}, at most {at_most}."
    parts = " · ".join(
        f"{planned.reader.minute(planned.instant(wave.minute))} {number(wave.audience)}" for wave in waves
    )
    shape = SAFE if total >= planned.plan.audience else PARTLY
    filled = planned.every_minutes * WAVE_FILL
    drawn = [Part(wave.minute, filled, wave.audience, number(wave.audience)) for wave in waves]
    return Way(name, shape, sentence, parts, _drawn(planned, drawn, _largest(planned)))


def _spread(planned: Planned) -> Way:
    spread, name = planned.plan.spread, "Evenly, without a break"
    if not spread.audience:
        return Way(name, NOTHING, "Not even that is safe.")
    span = planned.reader.span(planned.at, planned.instant(spread.minutes))
    sentence = (
        f"Over {duration(spread.minutes * 60)}, {span}: {planned.of_all(spread.audience)}, "
        f"{planned.chance(spread.breach_probability)}."
    )
    per_wave = spread.audience * planned.every_minutes / spread.minutes
    part = Part(0, spread.minutes, per_wave, number(spread.audience))
    shape = SAFE if spread.audience >= planned.plan.audience else PARTLY
    return Way(name, shape, sentence, "", _drawn(planned, [part], _largest(planned)))


def _largest(planned: Planned) -> float:
    """Return the size of the largest part that is drawn, so that the ways can be compared by eye."""
    spread = planned.plan.spread
    waves = [wave.audience for wave in (*planned.plan.greedy, *planned.plan.equal)]
    return max([*waves, spread.audience * planned.every_minutes / spread.minutes, 1.0])


def _later(planned: Planned) -> Way:
    window, left = planned.plan.next_window, planned.plan.audience - planned.plan.now.audience
    rest = f"the {number(left)} that may not go {planned.then}" if planned.plan.now.audience else f"all {number(left)}"
    if window is None:
        return Way("Later, at once", NOTHING, f"No start in sight is safe for {rest}.")
    at = planned.reader.minute(planned.instant(window.minute))
    may_go = rest if window.audience >= left else f"{number(window.audience)} of {rest}"
    sentence = f"From {at} on, {may_go}: {planned.chance(window.breach_probability)}."
    shape = SAFE if window.audience >= left else PARTLY
    part = Part(window.minute, planned.every_minutes * WAVE_FILL, window.audience, number(window.audience))
    return Way("Later, at once", shape, sentence, "", _drawn(planned, [part], _largest(planned), beyond=f"{at} →"))


def _agents(planned: Planned) -> Way:
    needed, name = planned.plan.agents, f"All {planned.then}, with more agents"
    since = planned.reader.minute(planned.instant(needed.from_minute))
    if needed.by_queue is None:
        why = "a limit breaks before they come, or it would take more than three times the staff"
        return Way(name, NOTHING, f"No number of them from {since} on makes all of it safe {planned.then}: {why}.")
    if not needed.by_queue:
        return Way(name, SAFE, "No more agents are needed.")
    until = planned.reader.minute(planned.instant(planned.limits.horizon_minutes))
    who, then = _more(needed.by_queue, planned.reader), planned.chance(needed.breach_probability)
    return Way(name, SAFE, f"{who} from {since} to {until}: {then}.")


def _more(by_queue: Mapping[str, int], reader: Reader) -> str:
    listed = [f"{number(agents)} more in {reader.title(queue)}" for queue, agents in by_queue.items()]
    return " and ".join([", ".join(listed[:-1]), listed[-1]]) if len(listed) > 1 else listed[0]


def _drawn(planned: Planned, parts: Sequence[Part], largest: float, *, beyond: str = "") -> Timeline:
    end = planned.instant(planned.limits.horizon_minutes)
    return timeline(parts, (planned.at, end), largest, planned.reader.zone, beyond=beyond)
