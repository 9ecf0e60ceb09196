"""Campaigns: the list at /campaigns with its files, and a page for each."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from app.errors import NotFound
from app.services.container import Services
from app.web.campaigns.desk import SEE_OTHER, WRITING, DeskDep, zone_of_gate
from app.web.campaigns.listing import (
    PAGE,
    SHEET,
    SHOWN,
    Listed,
    ListQuery,
    campaign_row,
    cursor_of,
    found,
    options,
    place_of,
    sheet_row,
)
from app.web.exports import Row
from app.web.visitors import Visitor

NEW = "/campaigns/-/new"  # no id begins with a hyphen

router = APIRouter(prefix="/campaigns")


@router.get("")
async def show_campaigns(desk: DeskDep, who: Visitor, query: Annotated[ListQuery, Query()]) -> Response:
    """Return the list, newest first, or all of it as a file."""
    services = desk.services
    if query.format:
        return await SHEET.stream(query.format, _sheet_pages(services, query), services.clock.now())
    listed = [each async for each in _first(services, query, SHOWN + 1)]
    gates = sorted(services.evaluator.published.gates)
    states, gate_options = options(gates)
    zones = {zone_of_gate(services, gate).key for gate in gates}
    older = cursor_of(listed[SHOWN - 1].campaign) if len(listed) > SHOWN else None
    return desk.page(
        "pages/campaigns.html",
        rows=[campaign_row(each, zone_of_gate(services, each.campaign.gate)) for each in listed[:SHOWN]],
        query=query,
        states=states,
        gates=gate_options,
        is_filtered=bool(query.gate or query.state or query.q or query.before),
        older=older and _url_of(desk.request, before=older),
        newest=_url_of(desk.request, before=None) if query.before else None,
        zone=zones.pop() if len(zones) == 1 else "the zone of each gate",
        may_write=who.may(WRITING),
    )


@router.get("/{campaign}")
async def show_campaign(desk: DeskDep, campaign: str, who: Visitor) -> Response:
    """Return a campaign's page: where it stands, what keeps it, its waves, and what can be done.

    `new` names the form of a new one, as long as no campaign has that id.
    """
    try:
        return await desk.campaign(who, await desk.services.campaigns.find(campaign))
    except NotFound:
        return RedirectResponse(NEW, SEE_OTHER) if campaign == "new" else desk.no_campaign(campaign)


async def _first(services: Services, query: ListQuery, most: int) -> AsyncIterator[Listed]:
    async for each in found(services.campaigns, query, place_of(query.before)):
        yield each
        most -= 1
        if not most:
            return


async def _sheet_pages(services: Services, query: ListQuery) -> AsyncIterator[list[Row]]:
    rows: list[Row] = []
    async for each in found(services.campaigns, query, None):
        rows.append(sheet_row(each))
        if len(rows) == PAGE:
            yield rows
            rows = []
    if rows:
        yield rows


def _url_of(request: Request, *, before: str | None) -> str:
    bare = request.url.remove_query_params("before")
    whole = bare.include_query_params(before=before) if before else bare
    return f"{whole.path}?{whole.query}" if whole.query else whole.path
