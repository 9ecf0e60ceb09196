"""install_pages: all pages, their static files and their view of the live socket, put into an app."""

from collections.abc import Callable

from fastapi import FastAPI, Request
from starlette.responses import RedirectResponse, Response

from app.core.simulation.twins import Twins
from app.web import (
    backtest_pages,
    board_pages,
    briefing_pages,
    chart_pages,
    debrief_pages,
    outlook_pages,
    plan_pages,
    session_pages,
    staffing_pages,
    twin_pages,
)
from app.web.assets import Assets
from app.web.boards import Boards
from app.web.rendering import environment
from app.web.tools import Tools
from app.web.visitors import CrossSite, SignInNeeded

SEE_OTHER, UNAUTHENTICATED, FORBIDDEN = 303, 401, 403


def install_pages(app: FastAPI, twins: Callable[[], Twins] | None = None) -> None:
    """Add the pages. The live socket finds the board's own view under app.state.live_views.

    twins: what a demonstration compares; without it there is no such page.
    """
    templates = environment()
    tools = app.state.page_tools = Tools(templates, Boards(templates), twins)
    app.state.live_views = {"page": tools.boards.live_view}
    app.mount("/static", Assets(), name="static")
    for module in (
        board_pages,
        chart_pages,
        outlook_pages,
        plan_pages,
        backtest_pages,
        briefing_pages,
        debrief_pages,
        staffing_pages,
        session_pages,
    ):
        app.include_router(module.router, include_in_schema=False)
    if twins is not None:
        app.include_router(twin_pages.router_of(twins), include_in_schema=False)
    _install_refusals(app, tools)


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
