"""Making a campaign and changing its plan: one form with all fields, each fault at its field, nothing typed lost.

A change is made on top of what its author saw. Where somebody was faster, what they changed is shown beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from app.core.campaign.campaign import Campaign
from app.core.campaign.machine import CampaignStep
from app.core.campaign.request import plan_document
from app.core.gate.windows import is_zone, zone
from app.errors import Conflict, Invalid, NotFound
from app.services.campaigns import Impossible
from app.services.container import Services
from app.web.campaigns.desk import Desk, DeskDep, to_campaign, zone_of_gate
from app.web.campaigns.form import (
    CLASSES,
    LABELS,
    MODES,
    WHICH,
    Choices,
    campaign_typed,
    changed_fields,
    changes_of,
    faults_of,
    read_plan,
    typed_of,
)
from app.web.campaigns.words import ended
from app.web.instants import moment
from app.web.visitors import CampaignVisitor, OwnForm, Visit

CONFLICT, CHANGED, INVALID = 409, 412, 422
LONGEST, MOST_FIELDS, LONGEST_NUMBER = 5_000, 60, 10
FIELDS = (*LABELS, *WHICH.values(), "zone", "reason", "then", "revision", "base")
ENDED = "It has ended, so its plan cannot be changed any more. Make another campaign."

router = APIRouter(prefix="/campaigns")


@dataclass(frozen=True, slots=True)
class Theirs:
    """What somebody else changed meanwhile: who and when, and by field what it was and is."""

    who: str
    at: str
    fields: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A form to show: what stands in it, what is wrong, and for a change of a campaign which one, as of which."""

    typed: Mapping[str, str]
    zone: str
    faults: Mapping[str, str] = field(default_factory=dict)
    twice: Mapping[str, Choices] = field(default_factory=dict)
    campaign: Campaign | None = None
    base: str = ""
    reason: str = ""
    theirs: Theirs | None = None
    status: int = 200


@router.get("/-/new")
async def show_new(desk: DeskDep, who: CampaignVisitor) -> Response:
    """Return an empty form, or one that has what the URL says."""
    given = {name: value[:LONGEST] for name, value in desk.request.query_params.items() if name in FIELDS}
    gates = sorted(desk.services.evaluator.published.gates)
    gate = given.get("gate") or ("default" if "default" in gates or not gates else gates[0])
    usual = {"gate": gate, "owner": who.name or "", "mode": "manual", "traffic_class": "promotional"}
    return _form(desk, Shown(usual | given, _zone(given, desk.services, gate).key))


@router.post("/-/new")
async def make(desk: DeskDep, _: OwnForm, who: CampaignVisitor) -> Response:
    """Draft a campaign, announce it where that was asked for, and lead to its page."""
    given = await sent_fields(desk.request)
    made = await make_campaign(desk.services, who, given)
    return _form(desk, made) if isinstance(made, Shown) else await announced(desk, who, made, given)


async def make_campaign(services: Services, who: Visit, given: Mapping[str, str]) -> Campaign | Shown:
    """Return the draft that a form makes, or the form with its faults."""
    local = _zone(given, services, given.get("gate", ""))
    read = read_plan(given, local, owner=who.actor.name, now=services.clock.now())
    shown = Shown(given, local.key, read.faults, read.twice, reason=given.get("reason", ""), status=INVALID)
    if read.faults:
        return shown
    try:
        return await services.campaigns.create(read.document, who.actor, given.get("reason", ""))
    except Invalid as refused:
        return replace(shown, faults=faults_of(list(refused.problems)))
    except Conflict:
        return replace(
            shown, faults={"id": "There is a campaign of this id already. Choose another one."}, status=CONFLICT
        )


async def announced(desk: Desk, who: Visit, made: Campaign, given: Mapping[str, str]) -> Response:
    """Announce a draft where its form asks for that, and lead to its page."""
    if given.get("then") == CampaignStep.SCHEDULE:
        why = given.get("reason", "")
        try:
            await desk.services.campaigns.take(made.id, CampaignStep.SCHEDULE, who.actor, why, expected=made.revision)
        except Conflict as fault:
            notice = f"It is drafted, but not announced: {fault}."
            return await desk.campaign(who, made, status=CONFLICT, notice=notice)
    return to_campaign(made.id)


# --- changing one -----------------------------------------------------------------------------------------------------


@router.get("/{campaign}/edit")
async def show_edit(desk: DeskDep, campaign: str, who: CampaignVisitor) -> Response:
    """Return the form with a campaign's plan; what the URL says stands in place of it, ready to be saved."""
    try:
        present = await desk.services.campaigns.find(campaign)
    except NotFound:
        return desk.no_campaign(campaign)
    if ended(present):
        return await desk.campaign(who, present, status=CONFLICT, notice=ENDED)
    changeable = (LABELS.keys() | set(WHICH.values())) - {"id"}
    given = {name: value[:LONGEST] for name, value in desk.request.query_params.items() if name in changeable}
    return _form(desk, _present(desk.services, present, over=given))


@router.post("/{campaign}/edit")
async def change(desk: DeskDep, campaign: str, _: OwnForm, who: CampaignVisitor) -> Response:
    """Change what was typed over, on top of the revision that the form shows; 412 with both where that is old."""
    try:
        present = await desk.services.campaigns.find(campaign)
    except NotFound:
        return desk.no_campaign(campaign)
    if ended(present):
        return await desk.campaign(who, present, status=CONFLICT, notice=ENDED)
    given = await sent_fields(desk.request) | {"id": present.id}
    try:
        refused = await _changed(desk.services, who, present, given)
    except Impossible as fault:
        return await desk.campaign(who, present, status=CONFLICT, notice=f"Nothing was changed: {fault}.")
    return _form(desk, refused) if refused else to_campaign(present.id)


async def _changed(services: Services, who: Visit, present: Campaign, given: Mapping[str, str]) -> Shown | None:
    """Change a campaign as a form says; return the form again where that was refused. Raises Impossible."""
    local = _zone(given, services, present.gate)
    read = read_plan(given, local, owner=present.owner, now=services.clock.now())
    base, why = given.get("base", ""), given.get("reason", "")
    shown = Shown(given, local.key, read.faults, read.twice, present, base, why, status=INVALID)
    if read.faults:
        return shown
    before = _base(base, local)
    changes = changes_of(read.document, changed_fields(given, before))
    try:
        await services.campaigns.change(present.id, changes, who.actor, why, expected=_revision(given))
    except Invalid as refused:
        return replace(shown, faults=faults_of(list(refused.problems)))
    except Impossible:
        raise
    except Conflict:
        return await _overtaken(services, present.id, given, before, local)
    return None


async def _overtaken(
    services: Services, campaign_id: str, given: Mapping[str, str], before: Mapping[str, str], local: ZoneInfo
) -> Shown:
    """Return the form as somebody else left the campaign, with what was typed over on top, and what they changed."""
    present = await services.campaigns.find(campaign_id)
    mine, theirs = changed_fields(given, before), campaign_typed(present, local)
    whole = mine | {WHICH[name] for name in mine & WHICH.keys()}
    changed = changed_fields(theirs, before)
    fields = tuple((label, before.get(name, ""), theirs[name]) for name, label in LABELS.items() if name in changed)
    newest = next(iter(await services.events.page(campaign=campaign_id, limit=1)), None)
    who = newest.event.actor.name if newest else "Somebody"
    at = moment(newest.event.at, local) if newest else ""
    shown = _present(services, present, over={name: given.get(name, "") for name in whole})
    return replace(
        shown, zone=local.key, reason=given.get("reason", ""), theirs=Theirs(who, at, fields), status=CHANGED
    )


def _present(services: Services, campaign: Campaign, *, over: Mapping[str, str]) -> Shown:
    local = zone_of_gate(services, campaign.gate)
    document = plan_document(campaign)
    base = msgspec.json.encode(document).decode()
    return Shown(typed_of(document, local) | dict(over), local.key, campaign=campaign, base=base)


def _base(text: str, local: ZoneInfo) -> dict[str, str]:
    """Return what a form showed first, as it carried it along; nothing where that cannot be read: all is typed over."""
    try:
        return typed_of(msgspec.json.decode(text, type=dict[str, Any]), local)
    except (msgspec.MsgspecError, ValueError, TypeError, AttributeError, KeyError):
        return {}


# --- both -------------------------------------------------------------------------------------------------------------


async def sent_fields(request: Request) -> dict[str, str]:
    """Return the fields of a form as text, those of other names left out."""
    form = await request.form(max_files=0, max_fields=MOST_FIELDS)
    return {name: value[:LONGEST] for name, value in form.items() if isinstance(value, str) and name in FIELDS}


def _zone(given: Mapping[str, str], services: Services, gate: str) -> ZoneInfo:
    """Return the zone that a form's times are of: the one that it names, else its gate's."""
    name = given.get("zone", "")
    return zone(name) if name and is_zone(name) else zone_of_gate(services, gate)


def _revision(given: Mapping[str, str]) -> int:
    """Return the revision that a form was made of, 0 where it says none: no campaign has that one."""
    text = given.get("revision", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < LONGEST_NUMBER else 0


def _form(desk: Desk, shown: Shown) -> Response:
    services = desk.services
    return desk.page(
        "pages/campaign_form.html",
        status=shown.status,
        form=shown,
        labels=LABELS,
        modes=MODES,
        classes=CLASSES,
        gates=sorted(services.evaluator.published.gates),
        kinds=services.learning.kinds(),
        queues=services.evaluator.published.view.queues(),
        senders=_senders(services, shown.typed.get("sender", "")),
    )


def _senders(services: Services, typed: str) -> Choices:
    """Return who may send it: nobody, which is whoever asks, each driven tool, and what was typed."""
    names = dict.fromkeys([health.name for health in services.senders.all()] + ([typed] if typed else []))
    return (("", "Whoever asks for permits"), *((name, name) for name in names))
