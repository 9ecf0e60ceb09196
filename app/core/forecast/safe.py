"""How much may go now: the largest send that a gate's limits allow, and what forbids more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from app.core.forecast.breach import Breach
from app.core.forecast.case import Case, Rate
from app.core.forecast.search import Largest, largest_safe
from app.core.forecast.soundness import CaseRefused, check_audience, check_case, rate_problems
from app.core.forecast.uncertainty import NINE, Nodes


class Bound(StrEnum):
    """What keeps a send from being larger."""

    EVERYTHING = "everything"  # nothing: all that was asked for is safe
    LIMIT = "limit"  # with more, a limit would break too probably
    ALREADY = "already"  # a limit is too likely to break though nothing is sent
    SEND_WINDOW = "send_window"  # the policy's send windows are closed
    NO_CONTACTS = "no_contacts"  # nothing: the campaign is expected to bring these queues no contacts at all


@dataclass(frozen=True, slots=True)
class SafeSend:
    """The largest audience that may be sent at once, and the probability that a limit breaks when it is.

    breach: the limit that forbids more, as it would break with beyond_probability at a size just larger; None where
    nothing does.
    """

    audience: int
    bound: Bound
    breach_probability: float
    breach: Breach | None = None
    beyond_probability: float | None = None


def safe_now(case: Case, most: float, nodes: Nodes = NINE) -> SafeSend:
    """Return the largest send of 0 to `most` messages, delivered from minute 0 on, that keeps the limits.

    That is: the probability that any limit breaks is at most the limits' max_breach_probability. What is returned is
    safe; the largest safe send is larger by at most 0.5 % or 50 messages. Raises CaseRefused.
    """
    check_case(case)
    check_audience(most)
    return _safe(case, largest_safe(case, case.sends((0, 1.0)), most, nodes))


def safe_for_each(case: Case, rates: Mapping[str, Rate], most: float, nodes: Nodes = NINE) -> dict[str, SafeSend]:
    """Return safe_now for several rates of contacts in place of the case's own, by their names.

    Only the expected contacts count: those with the same coefficient of variation share one search, for the one with
    the lowest mean, and the others' sends are as much smaller as their means are higher. Raises CaseRefused.
    """
    check_case(case)
    check_audience(most)
    problems = [problem for rate in rates.values() for problem in rate_problems(rate)]
    if problems:
        raise CaseRefused(problems)
    answers: dict[str, SafeSend] = {}
    for names in _by_cv(rates):
        lowest = rates[names[0]]
        found = safe_now(replace(case, contacts_per_1000=lowest), most, nodes)
        for name in names:
            answers[name] = _scaled(case, rates[name], lowest, found, most=most, nodes=nodes)
    return {name: answers[name] for name in rates}


def _by_cv(rates: Mapping[str, Rate]) -> list[list[str]]:
    """Return the names in groups of equal coefficients of variation, each in order of the mean; means of 0 alone."""
    groups: dict[tuple[float, bool], list[str]] = {}
    for name in sorted(rates, key=lambda name: rates[name].mean):
        groups.setdefault((rates[name].cv, rates[name].mean > 0), []).append(name)
    return list(groups.values())


def _scaled(case: Case, rate: Rate, lowest: Rate, found: SafeSend, *, most: float, nodes: Nodes) -> SafeSend:
    if rate.mean == lowest.mean or found.bound in {Bound.ALREADY, Bound.NO_CONTACTS}:
        return found
    if found.bound is Bound.EVERYTHING:  # with more contacts, perhaps not everything any more
        return safe_now(replace(case, contacts_per_1000=rate), most, nodes)
    return replace(found, audience=int(found.audience * (lowest.mean / rate.mean)))


def _safe(case: Case, largest: Largest) -> SafeSend:
    probability, beyond = largest.verdict.probability, largest.beyond
    audience = int(largest.size)
    if beyond is None:
        brings = case.contacts_per_1000.mean > 0 and any(queue.share > 0 for queue in case.queues)
        return SafeSend(audience, Bound.EVERYTHING if brings else Bound.NO_CONTACTS, probability)
    is_already = probability > case.limits.max_breach_probability
    bound = Bound.ALREADY if is_already else Bound.LIMIT
    return SafeSend(audience, bound, probability, binding(beyond.breaches), beyond.probability)


def binding(breaches: Sequence[Breach]) -> Breach | None:
    """Return the limit most likely to break; None where none can."""
    return breaches[0] if breaches else None
