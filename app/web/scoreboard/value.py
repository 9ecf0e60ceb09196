"""What one campaign was worth, at `/campaigns/{campaign}/value`: reported by hand, with all earlier reports."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.responses import RedirectResponse, Response

from app.core.campaign.campaign import Campaign
from app.core.campaign.value import MEMBERS, CampaignValue, Source
from app.errors import Conflict, Invalid, NotFound
from app.services.values import figures_shape
from app.web.briefing.view import Instant
from app.web.campaigns.desk import SEE_OTHER, WRITING, Desk, DeskDep, zone_of_gate
from app.web.exports import Format, Sheet
from app.web.format import iso, zone_name
from app.web.instants import moment
from app.web.scoreboard.value_form import MOST_FIELDS, TITLES, ValueForm, faults_of, read_value, shown, typed_of
from app.web.scoreboard.view import net_cell
from app.web.visitors import CampaignVisitor, OwnForm, Visit, Visitor

CHANGED, INVALID = 412, 422
SHEET = Sheet("value figures", ("campaign", "revision", *MEMBERS, "net", "source", "by", "at"))

router = APIRouter()


class ValueQuery(BaseModel):
    """saved: after somebody has reported; format: all revisions as a file."""

    saved: bool = False
    format: Format | None = None


@router.get("/campaigns/{campaign}/value")
async def show_value(desk: DeskDep, campaign: str, who: Visitor, query: Annotated[ValueQuery, Query()]) -> Response:
    """Return what is reported of a campaign, with a form; or every revision as a file."""
    try:
        known = await desk.services.campaigns.find(campaign)
    except NotFound:
        return desk.no_campaign(campaign)
    if query.format:
        found = await desk.services.values.revisions(campaign)
        return SHEET.answer(query.format, [_cells(each) for each in found], desk.services.clock.now())
    return await _page(desk, who, known, notice="Saved." if query.saved else "")


@router.post("/campaigns/{campaign}/value")
async def report_value(desk: DeskDep, request: Request, campaign: str, _: OwnForm, who: CampaignVisitor) -> Response:
    """Report a campaign's figures, in place of all that was reported."""
    form = read_value(await request.form(max_fields=MOST_FIELDS))
    try:
        known = await desk.services.campaigns.find(campaign)
        if form.faults:
            return await _page(desk, who, known, form=form, faults=dict(form.faults), status=INVALID)
        await desk.services.values.save(campaign, form.document, who.actor, Source.FORM, expected=form.revision)
    except NotFound:
        return desk.no_campaign(campaign)
    except Invalid as fault:
        return await _page(desk, who, known, form=form, faults=faults_of(fault), status=INVALID)
    except Conflict:
        said = (
            "Somebody else reported figures meanwhile: they stand below. What you typed is still here; save it again "
        )
        return await _page(desk, who, known, form=form, notice=f"{said}if it is right.", status=CHANGED)
    return RedirectResponse(f"/campaigns/{campaign}/value?saved=yes", SEE_OTHER)


async def _page(
    desk: Desk,
    who: Visit,
    campaign: Campaign,
    *,
    form: ValueForm | None = None,
    faults: dict[str, str] | None = None,
    notice: str = "",
    status: int = 200,
) -> Response:
    services = desk.services
    revisions = await services.values.revisions(campaign.id)
    newest = revisions[0] if revisions else None
    zone, now = zone_of_gate(services, campaign.gate), services.clock.now()
    typed = form.typed if form else typed_of(newest.figures) if newest else {}
    return desk.page(
        "pages/value.html",
        status=status,
        campaign=campaign,
        typed=typed,
        faults=faults or {},
        revision=newest.revision if newest else 0,
        net=net_cell(newest.figures if newest else None),
        revisions=[_shown(each, Instant(iso(each.at), moment(each.at, zone))) for each in revisions],
        titles=TITLES,
        notice=notice,
        is_refused=status != 200,  # noqa: PLR2004  all went well
        zone=(zone_name(now, zone), iso(now)),
        may_value=who.may(WRITING),
    )


def _shown(value: CampaignValue, at: Instant) -> dict[str, Any]:
    figures = {name: shown(getattr(value.figures, name)) for name in MEMBERS}
    return figures | {
        "revision": value.revision,
        "net": net_cell(value.figures).text,
        "source": value.source.value,
        "by": value.by.name,
        "at": at,
    }


def _cells(value: CampaignValue) -> list[object]:
    plain = figures_shape(value.figures).values()
    net = None if value.figures.net is None else float(value.figures.net)
    return [value.campaign, value.revision, *plain, net, value.source.value, value.by.name, value.at]
