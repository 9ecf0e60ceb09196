"""A screen on the wall as it hangs there: it fills every picture, nothing is cut, and it goes on by itself for ever."""

import gzip
import json
import re
import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from app.core.floor.metric import Metric
from app.core.gate.decision import Check, CheckStatus, Decision, Reason, ReasonCode, Verdict
from app.core.gate.policy import parse_policy
from app.services.published import GateState
from app.web.rendering import environment
from app.web.wall.view import wall
from app.web.wall.walls import Face
from tests.browser.axe import violations
from tests.browser.floor import BUSY, GOOD, POLICY, push, use_policy
from tests.browser.looking import found
from tests.support.floors import StaticFloor, a_reading
from tests.support.server import Server, a_port, a_server

PICTURES = {
    "720p": (1280, 720),
    "1080p": (1920, 1080),
    "4k": (3840, 2160),
    "upright": (1080, 1920),
    "telephone": (390, 844),
    "old": (1024, 768),
}
LOOKS = {"1080p": ("light", "dark"), "upright": ("light", "dark"), "telephone": ("dark",)}  # the others look like these
# What leaves the picture, is cut by its own box, or makes anything scroll. Names may end in an ellipsis: h1, queues.
CUT = """() => {
    const named = (node) => `${node.nodeName.toLowerCase()}.${node.className}: ${node.textContent.trim().slice(0, 40)}`;
    const found = [];
    for (const node of document.querySelectorAll("main :not(.sr, .sr *, svg *, h1, .wall-label span)")) {
        const box = node.getBoundingClientRect(), style = getComputedStyle(node);
        if (!box.width || style.visibility === "hidden") continue;
        const isIn = box.left > -1 && box.top > -1 && box.right < innerWidth + 1 && box.bottom < innerHeight + 1;
        if (!isIn) found.push(`out: ${named(node)}`);
        const isMore = node.scrollWidth > node.clientWidth + 2 || node.scrollHeight > node.clientHeight + 2;
        if (style.overflow === "hidden" && isMore) found.push(`cut: ${named(node)}`);
    }
    const { scrollWidth, scrollHeight } = document.documentElement;
    if (scrollWidth > innerWidth || scrollHeight > innerHeight) found.push("it scrolls");
    return found;
}"""
WEAR = "(theme) => { document.documentElement.dataset.theme = theme; }"
COVERED = """() => {
    const box = document.querySelector("#wall-frame").getBoundingClientRect();
    const { bottom } = document.querySelector(".wall-age").getBoundingClientRect();
    return [box.width / innerWidth, bottom / innerHeight];
}"""
# It lets go at once, and believes data for as long as these tests take.
LENIENT: dict[str, Any] = {
    "rules": [rule | {"resume_for_seconds": 0} for rule in POLICY["rules"]],
    "stale_after_seconds": 600,
}
LONG = "Wwwww " * 9 + "Wwwww"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with a_server(tmp_path_factory.mktemp("wall")) as started, started.client() as client:
        use_policy(client, **LENIENT)
        for queue, title in (("orders-voice", "Orders by phone"), ("care-chat", "Care by chat")):
            answer = client.put(f"/api/v1/queues/{queue}", json={"title": title}, headers={"If-Match": "*"})
            assert answer.is_success, answer.text
        yield started


def hung(server: Server, name: str = "Floor 2, north", **members: Any) -> dict[str, Any]:
    """Return a new screen as the API answers it."""
    with server.client() as client:
        made: dict[str, Any] = client.post("/api/v1/displays", json={"name": name} | members).raise_for_status().json()
        return made


def report(server: Server, backlogs: dict[str, int], at: datetime | None = None) -> None:
    with server.client() as client:
        push(client, backlogs, at)


def says(page: Page, word: str) -> None:
    expect(page.locator("#wall-link")).to_have_text("live")
    expect(page.locator("#wall-word")).to_have_text(word)
    expect(page.locator("#wall-word")).to_be_visible()
    expect(page.locator(".wall-dead")).to_be_hidden()


def says_nothing_is_live(page: Page) -> None:
    """Nothing of what was there looks good any more: the word, the numbers, the title."""
    expect(page.locator(".wall-dead .wall-word")).to_be_visible()
    expect(page.locator(".wall-dead .wall-word")).to_have_text("UNKNOWN")
    expect(page.locator("#wall-word")).to_be_hidden()
    expect(page.locator("#wall-lost")).to_contain_text("No live data for")
    expect(page.locator(".wall-value").first).to_have_css("text-decoration-line", "line-through")
    expect(page.locator(".wall-number").first).to_have_css("background-image", re.compile("gradient"))
    expect(page).to_have_title(re.compile("^UNKNOWN"))


def cut(page: Page) -> list[str]:
    """Return what is cut, in any size."""
    return [f"{picture}: {fault}" for picture in PICTURES for fault in _cut_in(page, picture)]


def looked_at(page: Page, artifacts: Path, name: str) -> list[str]:
    """Take pictures; return what is cut in any size, and what axe finds in either theme."""
    faults = []
    for picture in PICTURES:
        faults += [f"{picture}: {fault}" for fault in _cut_in(page, picture)]
        for theme in LOOKS.get(picture, ()):
            page.evaluate(WEAR, theme)
            page.screenshot(path=artifacts / f"wall-{name}-{theme}-{picture}.png")
    for theme in ("light", "dark"):
        page.evaluate(WEAR, theme)
        faults += [f"{theme}: {fault}" for fault in violations(page)]
    return faults


def _cut_in(page: Page, picture: str) -> list[str]:
    width, height = PICTURES[picture]
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    faults: list[str] = found(page, CUT, [])
    return faults


def throttled() -> str:
    """Return what a screen shows of a gate that throttles."""
    now = datetime.now(UTC).replace(microsecond=0)
    near = Check(Metric.BACKLOG, "orders", CheckStatus.PENDING, 9.0, "<=", 8.0, 5.0, -1.0, "contacts", as_of=now)
    fine = replace(
        near, metric=Metric.OLDEST_WAIT_SECONDS, status=CheckStatus.PASS, value=200, limit=300, unit="seconds"
    )
    reason = Reason(
        ReasonCode.HEADROOM_SPENT, "25,000 of 500,000 now: 35,000 were given away in the last hour", binding=True
    )
    checks = (
        near,
        fine,
        replace(fine, metric=Metric.SERVICE_LEVEL_RATIO, value=0.825, limit=0.75, op=">=", unit="ratio"),
    )
    decision = Decision(
        *(Verdict.THROTTLE, now, now - timedelta(minutes=125), (reason,), checks),
        *("shadow", now, now + timedelta(minutes=1), None, None),
    )
    floor = StaticFloor(now).put("orders", a_reading(Metric.AGENTS_AVAILABLE, 3, observed_at=now))
    state = GateState("default", parse_policy(POLICY), 1, decision, decision)
    shown = wall(
        state, floor, now, {}, coming="Spring sale: 25,000 of 500,000 may go now; 40,000 more from about 15:20."
    )
    return Face(environment(), (), None).html(shown)


def test_it_fills_every_picture_in_every_state_with_nothing_cut(server: Server, open_page, artifacts: Path):
    report(server, GOOD)
    page = open_page(hung(server)["url"])
    says(page, "SEND")
    assert looked_at(page, artifacts, "send") == []
    for width, height in PICTURES.values():
        page.set_viewport_size({"width": width, "height": height})
        across, down = page.evaluate(COVERED)
        assert across == 1
        assert 0.9 < down <= 1
    report(server, BUSY)
    says(page, "HOLD")
    expect(page.locator(".wall-number").first).to_contain_text("Backlog Orders by phone 14 holding")
    assert looked_at(page, artifacts, "hold") == []
    with server.client() as client:
        use_policy(client, **LENIENT | {"stale_after_seconds": 1})
    says(page, "UNKNOWN")
    assert looked_at(page, artifacts, "unknown") == []
    with server.client() as client:
        use_policy(client, **LENIENT)


def test_a_throttle_and_the_longest_words_fit_as_well(server: Server, open_page, artifacts: Path):
    page = open_page(hung(server, LONG)["url"])
    expect(page.locator("#wall-link")).to_have_text("live")
    page.route_web_socket(re.compile("/api/v1/live"), lambda _: None)  # nothing comes from here on
    page.reload()
    show = "(html) => { document.getElementById('wall').outerHTML = html; dispatchEvent(new Event('resize')); }"
    page.evaluate(show, throttled())
    expect(page.locator("#wall-word")).to_have_text("THROTTLE")
    assert looked_at(page, artifacts, "throttle") == []
    page.evaluate(
        show, throttled().replace("were given away", "were given away " * 9).replace("orders", "orders-" * 17)
    )
    assert looked_at(page, artifacts, "long") == []


def test_a_server_that_restarts_is_waited_for_and_the_screen_goes_on_by_itself(tmp_path: Path, open_page, artifacts):
    port = a_port()
    with a_server(tmp_path, "--port", port) as first:
        with first.client() as client:
            use_policy(client, stale_after_seconds=600)
            push(client, GOOD)
        page = open_page(hung(first)["url"], server_may_go=True)
        says(page, "SEND")
        page.evaluate("window.stayed = true")
    says_nothing_is_live(page)
    assert looked_at(page, artifacts, "dead") == []
    with a_server(tmp_path, "--port", port) as second:
        report(second, BUSY)
        expect(page.locator("#wall-link")).to_have_text("live")
        says(page, "HOLD")
        assert page.evaluate("window.stayed")


def test_a_frozen_server_is_noticed_and_after_a_while_no_number_is_left(server: Server, open_page):
    report(server, GOOD)
    page = open_page("about:blank", server_may_go=True)
    page.clock.install()
    page.goto(hung(server)["url"])
    says(page, "SEND")
    server.process.send_signal(signal.SIGSTOP)
    try:
        page.clock.run_for(18_000)
        says_nothing_is_live(page)
        page.clock.run_for(125_000)
        expect(page.locator(".wall-figure").first).to_be_hidden()
    finally:
        server.process.send_signal(signal.SIGCONT)
    page.clock.run_for(8_000)
    says(page, "SEND")
    expect(page.locator(".wall-figure").first).to_be_visible()


def test_a_device_that_slept_shows_nothing_of_before_as_if_it_were_new(server: Server, open_page):
    report(server, GOOD)
    page = open_page("about:blank", server_may_go=True)
    page.clock.install()
    page.goto(hung(server)["url"])
    says(page, "SEND")
    server.process.send_signal(signal.SIGSTOP)
    try:
        page.clock.set_system_time(datetime.now(UTC) + timedelta(hours=8))
        page.clock.run_for(4_000)
        says_nothing_is_live(page)
        expect(page.locator("#wall-word")).to_be_hidden()
    finally:
        server.process.send_signal(signal.SIGCONT)
    page.clock.run_for(8_000)
    says(page, "SEND")


def test_where_its_script_does_not_come_a_screen_shows_nothing_as_if_it_were_live(server: Server, open_page):
    report(server, GOOD)
    page = open_page("about:blank", server_may_go=True)
    page.route(re.compile("/js/wall"), lambda route: route.abort())
    page.goto(hung(server)["url"])
    expect(page.locator(".wall-dead .wall-word")).to_be_visible()
    expect(page.locator("#wall-word")).to_be_hidden()


def test_a_screen_that_is_taken_down_says_so_at_once_and_when_it_is_opened_again(server: Server, open_page, artifacts):
    report(server, GOOD)
    made = hung(server)
    page = open_page(made["url"], server_may_go=True)
    says(page, "SEND")
    with server.client() as client:
        client.delete(f"/api/v1/displays/{made['id']}").raise_for_status()
    expect(page.get_by_role("heading", name="This screen was taken down")).to_be_visible()
    expect(page.locator("#wall-word")).to_be_hidden()
    expect(page).to_have_title(re.compile("^UNKNOWN"))
    page.reload()
    expect(page.get_by_role("heading", name="This screen was taken down")).to_be_visible()
    assert looked_at(page, artifacts, "gone") == []


def test_a_new_build_loads_the_screen_anew_and_only_once(server: Server, open_page):
    report(server, GOOD)
    page = open_page("about:blank")
    page.clock.install()
    page.route_web_socket(re.compile("/api/v1/live"), _of_another_build)
    loads: list[str] = []
    page.on("domcontentloaded", lambda _: loads.append(page.url))
    page.goto(hung(server)["url"])
    says(page, "SEND")
    for _ in range(3):
        page.clock.run_for(25_000)
        says(page, "SEND")
    assert len(loads) == 2


def _of_another_build(route: WebSocketRoute) -> None:
    """Pass all on, but let every frame say that it comes from a build that no page is of."""
    server = route.connect_to_server()

    def told(message: str | bytes) -> None:
        assert isinstance(message, bytes)
        frame = json.loads(gzip.decompress(message)) | {"build": "0" * 12}
        route.send(gzip.compress(json.dumps(frame).encode()))

    server.on_message(told)


def test_where_sockets_are_blocked_a_screen_asks_instead(server: Server, open_page):
    report(server, GOOD)
    made = hung(server)
    page = open_page("about:blank", server_may_go=True)
    page.clock.install()
    page.route_web_socket(re.compile("/api/v1/live"), lambda socket: socket.close())  # a proxy that knows no sockets
    page.goto(made["url"])
    page.clock.run_for(10_000)
    expect(page.locator("#wall-link")).to_have_text("live, every 15 s")
    expect(page.locator(".wall-dead")).to_be_hidden()
    server.process.send_signal(signal.SIGSTOP)  # now the proxy passes questions on and no answers
    try:
        page.clock.run_for(28_000)
        says_nothing_is_live(page)
    finally:
        server.process.send_signal(signal.SIGCONT)
    with server.client() as client:
        client.delete(f"/api/v1/displays/{made['id']}").raise_for_status()
    page.clock.run_for(16_000)
    expect(page.get_by_role("heading", name="This screen was taken down")).to_be_visible()


def test_the_pointer_goes_and_the_picture_drifts_but_not_for_who_asks_for_calm(server: Server, open_page):
    report(server, GOOD)
    page = open_page("about:blank", server_may_go=True)  # minutes pass in which no frame does
    page.clock.install()
    page.goto(hung(server)["url"])
    says(page, "SEND")
    where = "() => getComputedStyle(document.getElementById('wall-frame')).translate"
    page.mouse.move(100, 100)
    expect(page.locator("html")).to_have_attribute("data-pointer", "shown")
    still = page.evaluate(where)
    page.clock.run_for(200_000)
    expect(page.locator("html")).to_have_attribute("data-pointer", "hidden")
    assert page.evaluate(where) != still
    page.emulate_media(reduced_motion="reduce")
    page.clock.run_for(200_000)
    assert found(page, where, still) == still


def test_it_keeps_its_device_awake_again_whenever_it_comes_back_into_sight(server: Server, open_page):
    page = open_page("about:blank")
    page.add_init_script("window.asked = 0; navigator.wakeLock.request = async () => { asked += 1; return {}; };")
    page.goto(hung(server)["url"])
    expect(page.locator("#wall-link")).to_have_text("live")
    assert found(page, "asked", 1) == 1
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert found(page, "asked", 2) == 2


def test_it_is_dark_unless_light_is_asked_for(server: Server, open_page):
    url = hung(server)["url"]
    page = open_page(url, theme="light")
    expect(page.locator("body")).to_have_css("background-color", "rgb(15, 20, 25)")
    page.goto(f"{url}?theme=light")
    expect(page.locator("body")).to_have_css("background-color", "rgb(238, 241, 244)")
