"""What came of a question to the planning page: a plan with all that it rests on, or why there is none."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import NamedTuple

from app.core.campaign.campaign import Campaign
from app.core.forecast.plan import Plan
from app.core.gate.decision import Verdict
from app.core.gate.headroom import headroom
from app.errors import HoldfireError
from app.services.container import Services
from app.services.outlook_inputs import Gathered
from app.services.outlook_questions import TooFar
from app.services.outlook_shapes import rate_shape
from app.services.outlooks import GateOutlook
from app.services.published import GateState
from app.services.shapes import summary
from app.web.format import clock_time, duration, iso, number, retitled
from app.web.instants import moment
from app.web.outlook.sendings import reader_of, sending_of
from app.web.outlook.shared import SharedOutlooks
from app.web.outlook.words import Reader, limits_in_words
from app.web.plan.form import PlanForm
from app.web.plan.view import Planned, PlanShown, plan_shown


class Source(NamedTuple):
    """Where the numbers of one queue are from, in words."""

    queue: str
    arrivals: str
    agents: str
    handle_time: str
    patience: str


@dataclass(frozen=True, slots=True)
class Result:
    """A plan as its page shows it; shown None: unknown says why, or nothing was asked where that is empty, too.

    made_at and made_text: of the outlook it was made from. fresh_seconds: how long, on the wall's clock, the gate
    itself would still use that; 0: not any more. waves: equal ones, to release it in: how many, each of how many.
    """

    title: str = ""
    shown: PlanShown | None = None
    unknown: str = ""
    made_at: str = ""
    made_text: str = ""
    good_for: str = ""
    fresh_seconds: float = 0.0
    notes: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    contacts: str = ""
    sources: Sequence[Source] = ()
    waves: int = 0
    wave_audience: int = 0
    audience: int = 0


async def result_of(
    services: Services, shared: SharedOutlooks, state: GateState, campaign: Campaign | None, form: PlanForm
) -> Result:
    """Return the plan for a campaign, all that is left of it unless the form names an audience, or for any mail."""
    audience = audience_of(services, campaign, form)
    if audience is None:
        return Result()
    title = title_of(campaign, form.kind)
    if audience == 0:
        return Result(title, unknown="Everybody was sent to, or is about to be: nobody is left to plan for.")
    name, kind = (campaign.id, "") if campaign else ("", form.kind)
    questions = services.outlook_questions
    try:
        minute = questions.start_minute(state.gate, form.start_at, whole_horizon=True)
        made, plan = await shared.plan(questions, state.gate, name, audience, form.ways, start_minute=minute, kind=kind)
    except TooFar as fault:
        seen_until = moment(fault.until, reader_of(services, state).zone)
        return Result(
            title, unknown=f"So far ahead nothing is foreseen: a plan can begin by {seen_until}. Ask again later."
        )
    except HoldfireError as fault:
        return Result(title, unknown=f"It could not be worked out: {str(fault).rstrip('.')}.")
    reader = reader_of(services, state)
    if plan is None or made.gathered is None:
        return Result(title, unknown=f"{retitled(made.unknown, reader.titles)}.")
    starts_at = made.at + timedelta(minutes=minute)
    verdict = Verdict.SEND if minute else state.decision.verdict
    limits = made.gathered.known.limits
    planned = Planned(starts_at, plan, limits, form.ways.every_minutes, reader, verdict, is_later=minute > 0)
    told = _told(made, made.gathered, planned, services.clock.wall_seconds)
    notes = *_notes(state, plan, reader, is_later=minute > 0), *_campaign_notes(campaign, made.gathered, kind)
    return replace(
        told,
        title=title,
        notes=notes,
        contacts=_contacts(services, campaign, made.gathered, kind),
        waves=len(plan.equal),
        wave_audience=plan.equal[0].audience if plan.equal else 0,
        audience=audience,
    )


def audience_of(services: Services, campaign: Campaign | None, form: PlanForm) -> int | None:
    """Return how many are planned for: as many as were typed, else all that a campaign has left; None: nobody said."""
    if form.audience is not None or campaign is None:
        return form.audience
    return sending_of(services, campaign).left


def title_of(campaign: Campaign | None, kind: str = "") -> str:
    """Return what is planned for."""
    if campaign is not None:
        return campaign.title
    return f"Mail of kind {kind}" if kind else "Any mail"


def _told(made: GateOutlook, gathered: Gathered, planned: Planned, wall_seconds: Callable[[float], float]) -> Result:
    reader, age = planned.reader, (planned.reader.now - made.at).total_seconds()
    return Result(
        shown=plan_shown(planned),
        made_at=iso(made.at),
        made_text=clock_time(made.at, reader.zone, today=reader.now),
        good_for=duration(made.good_for_seconds),
        fresh_seconds=max(0.0, wall_seconds(made.good_for_seconds - age)),
        limits=limits_in_words(planned.limits),
        sources=[
            Source(
                reader.title(each.queue),
                *(_sentence(text, each.queue, reader) for text in (each.arrivals, each.agents)),
                *(_sentence(text, each.queue, reader) for text in (each.handle_time, each.patience)),
            )
            for each in gathered.notes
        ],
    )


def _sentence(text: str, queue: str, reader: Reader) -> str:
    """Return what was noted as a sentence, the queue by its title."""
    begun = f"{reader.title(queue)}{text[len(queue) :]}" if text.startswith(queue) else text[:1].upper() + text[1:]
    return f"{begun.rstrip('.')}."


def _notes(state: GateState, plan: Plan, reader: Reader, *, is_later: bool) -> Iterator[str]:
    """Yield what the gate itself says beside the plan: it has the last word."""
    decision, policy = state.decision, state.policy
    if is_later:
        yield "It reckons with nothing more being sent until then. The gate decides then."
    elif decision.verdict in {Verdict.HOLD, Verdict.UNKNOWN}:
        word = "holds" if decision.verdict is Verdict.HOLD else "cannot tell"
        yield f"The gate {word} now, so nothing may go yet: {retitled(summary(decision), reader.titles)}."
    cap = headroom(policy, state.spent)
    if cap.left is not None and cap.left < plan.now.audience and not is_later:
        yield f"The policy's {cap.capped_by} leaves {number(cap.left)} for now."
    if policy is not None and policy.send_windows:
        yield "Only what begins within the policy's send windows is planned."
    if policy is not None and policy.outlook is None:
        yield "The policy has no outlook, so the gate goes by its rules alone and does not hold anybody to this plan."


def _campaign_notes(campaign: Campaign | None, gathered: Gathered, kind: str) -> Iterator[str]:
    if kind:
        yield "The gate knows no kind without a campaign, and takes it for any mail until this is one."
    if campaign is not None and campaign.id not in {sender.campaign for sender in gathered.known.senders}:
        yield "It is not announced yet, so it is reckoned with like mail of no known campaign."


def _contacts(services: Services, campaign: Campaign | None, gathered: Gathered, kind: str) -> str:
    """Return the contacts that are reckoned with, and what that rests on."""
    sender = gathered.sender(campaign.id if campaign else None)
    rate = rate_shape(sender)
    if campaign and campaign.id == sender.campaign:
        because = services.learning.said_of(campaign)
    else:
        because = services.learning.said_of_kind(kind) if kind else "mail of any kind"
    between = f"8 times in 10 between {number(rate['low'])} and {number(rate['high'])}"
    return f"{number(rate['mean'])} contacts per 1,000 recipients are expected, {between}: {because}."
