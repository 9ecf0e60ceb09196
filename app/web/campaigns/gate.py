"""What a campaign's gate says of it now: from memory, and without reserving anything."""

from dataclasses import dataclass

from app.core.campaign.campaign import ENDED, Campaign
from app.core.gate.answer import Request
from app.core.gate.decision import Verdict
from app.errors import NotFound
from app.services.answering import Looked
from app.services.container import Services
from app.services.reply import allowed, is_go
from app.web.format import iso, number, retitled
from app.web.instants import moment
from app.web.outlook.sendings import reader_of

NOT_JUDGED = "none"


@dataclass(frozen=True, slots=True)
class GateSays:
    """An answer in words. state: whose shape it wears; retry_at, retry_text: when asking again is worth while."""

    state: str
    lead: str
    reasons: tuple[str, ...]
    retry_at: str = ""
    retry_text: str = ""


def may_go(services: Services, campaign: Campaign) -> GateSays | None:
    """Return whether what is left of a campaign might go now, and why not; None for one that has ended."""
    if campaign.state in ENDED:
        return None
    spent = services.campaigns.progress(campaign).spent
    left = campaign.recipients - spent.sent_last_hour - spent.outstanding  # of a campaign: all that it ever sent
    if left <= 0:
        return GateSays("none", "Nobody is left to send to", ())
    facts = services.campaigns.book.fact(campaign.id, spent)
    try:
        looked = services.answering.look(
            campaign.gate, Request(left, accept_partial=True, campaign=campaign.id, facts=facts)
        )
    except NotFound:
        return GateSays("unknown", f"There is no gate “{campaign.gate}”", ())
    return said_of(services, looked, left)


def said_of(services: Services, looked: Looked, audience: int) -> GateSays:
    """Return an answer to an ask for so many in words, the queues by their titles, times in the gate's zone."""
    reader = reader_of(services, looked.state)
    reasons = tuple(f"{retitled(reason.message, reader.titles).rstrip('.')}." for reason in looked.answered.reasons)
    retry = None if is_go(looked) else looked.answered.retry_at
    again = moment(retry, reader.zone) if retry else ""
    state = NOT_JUDGED if is_watching(looked) else looked.answered.verdict
    return GateSays(state, _lead(looked, audience), reasons, iso(retry), again)


def is_watching(looked: Looked) -> bool:
    """Return whether a gate lets go what it would hold, because it only watches."""
    return is_go(looked) and looked.answered.verdict in {Verdict.HOLD, Verdict.UNKNOWN}


def _lead(looked: Looked, audience: int) -> str:
    verdict = looked.answered.verdict
    if is_watching(looked):
        return "The gate only watches, so it holds nobody"
    if verdict is Verdict.UNKNOWN:
        return "Not known: nothing may go"
    if not is_go(looked):
        return "Nothing may go now"
    allow = allowed(looked)
    if allow is None or allow >= audience:
        return f"All {number(audience)} may go now"
    return f"{number(allow)} of {number(audience)} may go now"
