"""Every page there is, found by following links as a reader would: its route, and an address that shows it.

A page that no link leads to, or only one that takes long, has its address in ELSEWHERE; what is no page of its own is
in NOT_PAGES. A new page that is linked from another needs nothing here.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import httpx2
from fastapi.routing import APIRoute
from starlette.routing import Match

from app.web.pages import ROUTERS
from tests.browser.floor import BUSY, GOOD, push, push_past, use_policy
from tests.support.server import Server, run_cli
from tests.support.shell import wait_until

ELSEWHERE = {
    "/sign-in": "/sign-in",
    "/gates/{gate}/backtest": "/gates/default/backtest?days=7",
    "/history": "/history?queue=orders-voice&metric=backlog",
    "/calendar/move/{campaign_id}": "/calendar/move/garden",
    "/campaigns/{campaign}/debrief": "/campaigns/garden/debrief",
    "/campaigns/{campaign}/delete": "/campaigns/idea/delete",
    "/campaigns/{campaign}/value": "/campaigns/garden/value",
    "/setup/{token}": "/setup/no-such-link",
    "/join/{token}": "/join/no-such-link",
    "/reset/{token}": "/reset/no-such-link",
    "/wall/{token}": "/wall/no-such-screen",
}
REFUSES = re.compile(r"/\{token\}$|/debrief$")  # a link that ended, a campaign that has not begun: 404, 409
NOT_PAGES = re.compile(r"/(partials|demo)/|/favicon\.ico$|/images/|/frame$|\.ics$|/staffing/file$|^/settings$")
LINK = re.compile(r'<a [^>]*?href="(/[^"#]*)', re.DOTALL)
MOST_ADDRESSES, OK = 400, 200

# Words as long as they come, of a queue and of a campaign, for every page to find room for.
LONG_QUEUE = "kraftfahrzeughaftpflichtversicherungsschadenmeldungen-voice"
USUAL = GOOD | {LONG_QUEUE: 2}
LONG_TITLE = "Frühjahrsschlussverkaufsverlängerungsankündigung für Bestandskunden"

HOOK = {"name": "mail tool", "url": "http://8.8.8.8/hook", "types": ["permit.paused"]}  # nothing here pauses one
BRIEFING = {
    "offer": "Twenty per cent off everything for the garden until Sunday.",
    "recipients": "Everybody who bought for the garden in the last two years.",
    "questions": [{"question": "Does it hold for gift cards?", "answer": "No, for goods only."}],
    "links": [{"title": "The offer's page", "url": "https://shop.example/garden"}],
}


def pages() -> list[str]:
    """Return the path templates of all pages, sorted."""
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    return sorted(
        {route.path for route in routes if "GET" in (route.methods or ()) and not NOT_PAGES.search(route.path)}
    )


def addresses(looking: httpx2.Client) -> dict[str, str]:
    """Return an address for each page that links lead to from the board, and for those in ELSEWHERE."""
    found = dict(ELSEWHERE)
    waiting, seen = ["/"], {"/"}
    while waiting and len(seen) < MOST_ADDRESSES:
        address = waiting.pop(0)
        template = _template(address)
        if template is None or template in found:
            continue
        answer = looking.get(address, follow_redirects=True)
        if answer.status_code != OK or "text/html" not in answer.headers["content-type"]:
            continue
        found[template] = address
        links = sorted({unescape(link) for link in LINK.findall(answer.text)}, key=len)
        waiting += [link for link in links if link not in seen]
        seen.update(links)
    return found


def _template(address: str) -> str | None:
    scope = {"type": "http", "method": "GET", "path": address.partition("?")[0], "root_path": "", "headers": []}
    for router in ROUTERS:
        for route in router.routes:
            if isinstance(route, APIRoute) and route.matches(scope)[0] is Match.FULL:
                return None if NOT_PAGES.search(route.path) else route.path
    return None


def furnish(server: Server) -> None:
    """Bring about one of everything that a page can be about: a busy floor, campaigns, a permit, an override, keys."""
    key = json.loads(run_cli("keys", "create", "gallery", "--scope", "admin", "--json", **server.environment).stdout)
    with server.client(key["key"]) as client:
        wait_until(lambda: client.get("/api/v1/floor").is_success, "the key to be known")
        use_policy(client, max_audience_per_wave=25_000, stale_after_seconds=600)
        _made(client.post("/api/v1/gates", json={"name": "emea"}))
        push_past(client, datetime.now(UTC), USUAL)
        push(client, USUAL)
        _campaign(client, "garden", "Garden weekend", days=1)
        _campaign(client, "spring", LONG_TITLE, days=3)
        _made(client.post("/api/v1/campaigns", json={"id": "idea", "title": "An idea", "audience": 1_000}))
        _made(client.put("/api/v1/campaigns/garden/briefing", json=BRIEFING, headers={"If-None-Match": "*"}))
        _made(client.post("/api/v1/webhooks", json=HOOK))
        _made(client.post("/api/v1/displays", json={"name": "Floor 2, north"}))
        wave = {"gate": "default", "audience": 25_000, "accept_partial": True}
        _made(client.post("/api/v1/permits", json=wave, headers={"Idempotency-Key": "one"}))
        push(client, USUAL | BUSY)
        _made(client.post("/api/v1/gates/default/overrides", json=_storm()))
        for audience in (1_000, 500_000):
            client.get("/api/v1/readiness", params={"audience": audience, "campaign": "spring"})


def _storm() -> dict[str, Any]:
    ends = datetime.now(UTC) + timedelta(hours=2)
    return {"effect": "hold", "ends_at": ends.isoformat(), "comment": "Storm in Texas, the phones are full"}


def _campaign(client: httpx2.Client, name: str, title: str, *, days: int) -> None:
    at = (datetime.now(UTC) + timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
    plan = {"id": name, "title": title, "audience": 500_000, "contacts_per_1000": 6.0, "earliest_start": at.isoformat()}
    tag = _made(client.post("/api/v1/campaigns", json=plan)).headers["etag"]
    _made(client.post(f"/api/v1/campaigns/{name}/schedule", headers={"If-Match": tag}))


def _made(answer: httpx2.Response) -> httpx2.Response:
    assert answer.is_success, f"{answer.request.url}: {answer.text}"
    return answer
