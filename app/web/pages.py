"""install_pages: all pages, their static files and their view of the live socket, put into an app."""

from collections.abc import Callable
from functools import partial

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from starlette.responses import RedirectResponse, Response

from app.core.simulation.twins import Twins
from app.services.displays import WALL
from app.web.account.pages import ROUTERS as ACCOUNT
from app.web.assets import Assets
from app.web.backtest.pages import router as backtest
from app.web.briefing.routers import ROUTERS as BRIEFING
from app.web.calendar.routers import ROUTERS as CALENDAR
from app.web.campaigns.routers import ROUTERS as CAMPAIGNS
from app.web.debrief.pages import router as debrief
from app.web.decisions.events import router as audit_events
from app.web.decisions.pages import router as decisions
from app.web.history.pages import router as history
from app.web.now.boards import Boards
from app.web.now.routers import ROUTERS as NOW
from app.web.outlook.pages import router as outlook
from app.web.overrides.pages import router as overrides
from app.web.plan.routers import ROUTERS as PLAN
from app.web.pulse.pages import router as pulse
from app.web.rendering import environment
from app.web.scoreboard.routers import ROUTERS as SCOREBOARD
from app.web.settings.hours import router as settings_hours
from app.web.settings.keys import router as settings_keys
from app.web.settings.queues import router as settings_queues
from app.web.settings.screens import router as settings_screens
from app.web.settings.webhook import router as settings_webhook
from app.web.settings.webhooks import router as settings_webhooks
from app.web.sources.pages import router as sources
from app.web.sources.trying import router as trying
from app.web.staffing.pages import router as staffing
from app.web.thresholds.gates import router as threshold_gates
from app.web.thresholds.pages import router as thresholds
from app.web.thresholds.pieces import router as threshold_pieces
from app.web.tools import Tools
from app.web.twins.pages import router_of as twins_router
from app.web.visitors import CrossSite, NotAllowed, SignInNeeded, StaleForm, visitor
from app.web.wall.pages import router as wall
from app.web.wall.walls import wall_view

SEE_OTHER, UNAUTHENTICATED, FORBIDDEN = 303, 401, 403
ROUTERS = (
    *NOW,
    pulse,
    history,
    outlook,
    *PLAN,
    backtest,
    *BRIEFING,
    *CALENDAR,
    debrief,
    audit_events,
    decisions,
    trying,  # before the sources, of which one may have any name
    sources,
    settings_hours,
    settings_keys,
    settings_queues,
    settings_screens,
    settings_webhook,
    settings_webhooks,
    *SCOREBOARD,
    staffing,
    *CAMPAIGNS,
    *ACCOUNT,
    thresholds,
    threshold_pieces,
    threshold_gates,
    overrides,
    wall,
)
OPEN = frozenset(
    {"/sign-in", "/sign-out", "/setup/{token}", "/join/{token}", "/reset/{token}", "/favicon.ico"}  # to sign in, or out
    | {WALL, f"{WALL}/frame"}  # a screen's token is all it takes
)


def install_pages(app: FastAPI, twins: Callable[[], Twins] | None = None) -> None:
    """Add the pages. The live socket finds the views that are theirs in the app's state: live_views, wall_view.

    twins: what a demonstration compares; without it there is no such page.
    """
    templates = environment()
    tools = app.state.page_tools = Tools(templates, Boards(templates), twins)
    app.state.live_views, app.state.wall_view = tools.views, partial(wall_view, templates)
    app.mount("/static", Assets(), name="static")
    for router in (*ROUTERS, *([twins_router(twins)] if twins else [])):
        for route in router.routes:
            page_scope(route)
        app.include_router(router, include_in_schema=False)
    _install_refusals(app, tools)


def page_scope(route: object) -> str | None:
    """Return the one scope a page's route needs, None for one that is OPEN. Raises LookupError where it names none."""
    if not isinstance(route, APIRoute):
        raise LookupError(f"{route} is no page's route, so nothing checks its visitors")  # noqa: TRY004
    if route.path in OPEN:
        return None
    asked = [each for each in route.dependant.dependencies if each.call is visitor]
    needed = [scope for each in asked for scope in each.own_oauth_scopes or ()]
    if len(needed) != 1:
        raise LookupError(f"{route.path} must name exactly one scope, not {needed}")
    return needed[0]


def _install_refusals(app: FastAPI, tools: Tools) -> None:
    @app.exception_handler(SignInNeeded)
    async def sign_in_needed(request: Request, needed: SignInNeeded) -> Response:
        """Lead a page's visitor to the form; tell a script that its page is signed out."""
        if request.url.path.startswith("/partials/"):
            return Response(status_code=UNAUTHENTICATED)
        return RedirectResponse(needed.location, SEE_OTHER)

    @app.exception_handler(CrossSite)
    async def cross_site(request: Request, _: CrossSite) -> Response:
        detail = "This form was sent from another site, so nothing was done. Open holdfire itself and try again."
        return tools.page(request, "pages/problem.html", status=FORBIDDEN, title="Refused", detail=detail)

    @app.exception_handler(StaleForm)
    async def stale_form(request: Request, _: StaleForm) -> Response:
        detail = "This page was opened before you signed in, or before holdfire restarted, so nothing was done. "
        again = "Open it again, then repeat what you did."
        return tools.page(request, "pages/problem.html", status=FORBIDDEN, title="Open it again", detail=detail + again)

    @app.exception_handler(NotAllowed)
    async def not_allowed(request: Request, refused: NotAllowed) -> Response:
        """Say what is missing, and who can give it; nothing was done."""
        detail = f"You may not do this: it needs “{refused.scope}”. Whoever manages holdfire here can give you that."
        return tools.page(request, "pages/problem.html", status=FORBIDDEN, title="Not allowed", detail=detail)
