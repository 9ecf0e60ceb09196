"""Whether who holds a permit may still send under it: as its gate and campaign stand now, whatever the caps say.

The caps were counted when the permit was given; what is given away afterwards takes nothing from it.
"""

from dataclasses import replace

from app.core.permit.permit import COUNTED, NOTHING_SPENT, Permit, Spent
from app.errors import NotFound
from app.services.answering import Answering, Looked
from app.services.reply import is_go


def look_past_caps(answering: Answering, gate: str, campaign: str | None) -> Looked:
    """Return what one message of a campaign would be answered if nothing were given away yet.

    Raises NotFound for a gate that is not there.
    """
    request = answering.request(1, campaign, accept_partial=True)
    if request.facts is not None:
        facts = replace(request.facts, spent=NOTHING_SPENT, sent=0, wave_limit=None)
        request = replace(request, facts=facts)
    return answering.look(gate, request, COUNTED)


def look_to_go_on(answering: Answering, permit: Permit) -> Looked:
    """Return what the holder of a paused permit is answered who wants to go on, as `look_past_caps` but for one cap.

    While its campaign probes after a hold, what it still allows must not be more than a probe. Raises NotFound.
    """
    looked = look_past_caps(answering, permit.gate, permit.campaign)
    known = answering.request(max(1, permit.outstanding), permit.campaign)
    if not is_go(looked) or known.facts is None or known.facts.wave_limit is None:
        return looked
    others = max(0, known.facts.spent.outstanding - permit.outstanding)
    facts = replace(known.facts, spent=Spent(others), sent=0)
    return answering.look(permit.gate, replace(known, facts=facts), COUNTED)


def why_stop(answering: Answering, gate: str, campaign: str | None) -> str | None:
    """Return in a sentence why nothing may go through this gate for this campaign now, None while it may."""
    try:
        looked = look_past_caps(answering, gate, campaign)
    except NotFound as fault:
        return str(fault)
    return None if is_go(looked) else looked.answered.reasons[0].message
