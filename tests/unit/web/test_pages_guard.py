"""Every page names the scope it needs; one that forgot to cannot be installed."""

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from app.core.access import SCOPES_OF, Role, may
from app.web.frame import ROOMS, frame
from app.web.pages import OPEN, ROUTERS, page_scope
from app.web.visitors import ANYBODY, PolicyVisitor, Visit

PAGES = [route for router in ROUTERS for route in router.routes]


@pytest.mark.parametrize("route", PAGES, ids=lambda route: f"{'/'.join(route.methods)} {route.path}")
def test_every_page_names_its_scope_or_is_open_to_all(route):
    scope = page_scope(route)
    assert (scope is None) == (route.path in OPEN)


def test_a_page_that_names_none_is_refused():
    router = APIRouter()

    @router.get("/secret")
    async def secret() -> None: ...

    with pytest.raises(LookupError, match="/secret must name exactly one scope"):
        page_scope(router.routes[0])


def test_a_page_s_scope_is_that_of_its_visitor():
    router = APIRouter()

    @router.post("/limits")
    async def limits(_: PolicyVisitor) -> None: ...

    assert page_scope(router.routes[0]) == "policies"


def test_only_an_administrator_may_do_everything():
    everything = {"ingest", "readiness", "permits", "campaigns", "policies", "read", "admin"}
    able = {role: {scope for scope in everything if may(SCOPES_OF[role], scope)} for role in Role}
    assert able[Role.ADMIN] == everything
    assert able[Role.VIEWER] == {"read", "readiness"}
    assert "policies" not in able[Role.MARKETER]
    assert "permits" not in able[Role.WORKFORCE]


def test_the_frame_leads_only_where_the_visitor_may_go():
    nobody, anybody = frame(None, "/", None, demo=False), frame(ANYBODY, "/plan", "billing", demo=True)
    assert nobody.links == []
    assert [link.word for link in anybody.links] == [room.word for room in ROOMS]
    assert [link.current for link in anybody.links if link.href == "/plan?gate=billing"] == [True]
    blind = Visit(ANYBODY.actor, frozenset({"ingest"}))
    assert frame(blind, "/", None, demo=False).links == []


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/", ["Now"]),
        ("/history", ["Now"]),
        ("/sends/campaigns/spring/pause", ["Now"]),
        ("/thresholds", ["Thresholds"]),
        ("/thresholds/delete", ["Thresholds"]),
        ("/overrides", ["Thresholds"]),
        ("/overrides/ovr_1/end", ["Thresholds"]),
        ("/gates/emea/backtest", ["Thresholds"]),
        ("/campaigns/spring/debrief", ["Campaigns"]),
        ("/queues/orders-voice/staffing", ["Now"]),
        ("/settings/keys", ["Settings", "Keys"]),
        ("/planned", []),
        ("/sign-in", []),
    ],
)
def test_a_page_is_in_one_room_also_where_its_path_does_not_begin_with_the_rooms(path, words):
    around = frame(ANYBODY, path, None, demo=False)
    assert [link.word for link in (*around.links, *around.settings) if link.current] == words


@pytest.mark.parametrize("path", sorted({route.path for route in PAGES if isinstance(route, APIRoute)} - OPEN))
def test_every_page_is_in_one_room(path):
    if not path.startswith("/partials/"):
        assert len([room.word for room in ROOMS if room.has(path)]) == 1
