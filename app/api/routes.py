"""All routes of the JSON API, collected; a route that does not say which scope it needs is refused here."""

from fastapi import APIRouter
from fastapi.routing import APIRoute

from app.api import (
    backtests,
    briefing_images,
    briefings,
    calendar,
    campaigns,
    debriefs,
    decisions,
    displays,
    events,
    floor,
    gates,
    health,
    history,
    hours,
    ingest,
    keys,
    notes,
    outlooks,
    overrides,
    permit_requests,
    permits,
    policies,
    pushes,
    queues,
    reference,
    scoreboards,
    senders,
    sources,
    staffing,
    users,
    values,
    webhooks,
)
from app.api.auth import require

API_PREFIX = "/api/v1"
# In the order they are tried for each request: what is asked most often comes first.
RESOURCES = (
    ingest, permits, permit_requests, floor,
    staffing, hours, queues, history, gates, policies, backtests, overrides, campaigns, briefings, debriefs,
    values, scoreboards, outlooks, briefing_images, calendar, decisions, events, notes, webhooks, keys, users,
    displays, sources, senders, pushes,
)  # fmt: skip
OWN_GUARDS = {calendar.require_feed_token: "a calendar token"}  # for callers that can send no header


def api_router() -> APIRouter:
    """Return the router of everything under /api/v1, of health and of the reference. Raises when a scope is missing."""
    api = APIRouter(prefix=API_PREFIX)
    for resource in RESOURCES:
        for route in resource.router.routes:
            scope_of(route)
        api.include_router(resource.router)
    whole = APIRouter()
    whole.include_router(api)
    whole.include_router(health.router)
    whole.include_router(reference.router)
    return whole


def scope_of(route: object) -> str:
    """Return the one scope, or own guard, a route needs. Raises LookupError when it names none, or several."""
    if not isinstance(route, APIRoute):
        raise LookupError(f"{route} is no API route, so nothing checks its callers")  # noqa: TRY004
    needed = [
        scope
        for dependency in route.dependant.dependencies
        if dependency.call is require
        for scope in dependency.own_oauth_scopes or ()
    ]
    needed += [OWN_GUARDS[each.call] for each in route.dependant.dependencies if each.call in OWN_GUARDS]
    if len(needed) != 1:
        raise LookupError(f"{route.path} must name exactly one scope, not {needed}")
    return needed[0]
