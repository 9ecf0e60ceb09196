"""Limits dragged, moved by keys and typed, over a week with one bad afternoon; screenshots go to artifacts/."""

import itertools
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from playwright.sync_api import Locator, Page, expect

from app.core.access import Role
from tests.browser.axe import violations
from tests.browser.conftest import OpenPage
from tests.browser.looking import looks
from tests.support.people import session_cookies
from tests.support.server import Server, a_server
from tests.support.shell import wait_until

RULES = [
    {"metric": "backlog", "hold_above": 10, "resume_below": 5},
    {"metric": "service_level_ratio", "hold_below": 0.7, "resume_above": 0.8, "on_missing": "ignore"},
]
POLICY = {"queues": ["*"], "time_zone": "America/Chicago", "stale_after_seconds": 1200, "rules": RULES}
EVERY, WEEK = timedelta(minutes=10), timedelta(days=7, hours=3)
SLAM_BEGAN, SLAM_LASTED, SLAM = timedelta(days=2), timedelta(hours=2), 15
PATIENCE = 60  # the first backtest of a server starts the process that computes
REFUSED = True  # the browser reports a status that is no 200 as it does a server that is gone
_NAMES = itertools.count(1)


def a_week(now: datetime) -> list[dict[str, object]]:
    """Return what a source said every ten minutes, the afternoon two days ago among it."""
    steps = range(WEEK // EVERY, 0, -1)
    ago = [step * EVERY for step in steps]
    return [
        {
            "queue": "orders-voice",
            "source": "acd-1",
            "observed_at": (now - before).isoformat(),
            "backlog": SLAM if SLAM_BEGAN - SLAM_LASTED < before <= SLAM_BEGAN else 2 + before // EVERY % 3,
        }
        for before in ago
    ]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A holdfire whose backtests know the slam: history is written some seconds behind."""
    with a_server(tmp_path_factory.mktemp("thresholds")) as started:
        with started.client() as client:
            client.timeout = PATIENCE
            client.put("/api/v1/gates/default/policy", json=POLICY, headers={"If-Match": "*"}).raise_for_status()
            client.post("/api/v1/observations", json=a_week(datetime.now(UTC))).raise_for_status()
            wait_for_history(client)
        yield started


def wait_for_history(client: httpx2.Client) -> None:
    preview = "/partials/thresholds/preview"
    wait_until(lambda: "would have held once" in client.get(preview).text, "the week to be in the history")


@pytest.fixture
def gate(server: Server) -> str:
    name = f"g{next(_NAMES)}"
    with server.client() as client:
        client.post("/api/v1/gates", json={"name": name}).raise_for_status()
        client.put(f"/api/v1/gates/{name}/policy", json=POLICY).raise_for_status()
    return name


@pytest.fixture
def url(server: Server, gate: str) -> str:
    return f"{server.url}/thresholds?gate={gate}"


def hold(page: Page) -> Locator:
    return page.get_by_role("slider", name="Backlog: hold limit")


def number(page: Page, name: str) -> Locator:
    return page.locator(f"#rule-0-{name}")


def told(page: Page) -> Locator:
    return page.locator("#told .said")


def settled(page: Page) -> None:
    expect(page.locator("#told")).to_have_attribute("aria-busy", "false")
    expect(page.locator("#lines")).to_be_visible()


def drag(page: Page, line: Locator, up: float) -> None:
    """Move a line by the mouse, so many pixels up."""
    box = line.locator(".tag").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for part in range(1, 6):
        page.mouse.move(x, y - up * part / 5)
    page.mouse.up()


# --- three equal ways to move a limit ---------------------------------------------------------------------------------


@looks
def test_it_shows_the_week_its_limits_and_what_they_would_have_done(open_page: OpenPage, url, artifacts, look):
    theme, width = look
    page = open_page(url, theme=theme, width=width)
    settled(page)
    expect(told(page)).to_have_text(
        [re.compile(r"As saved, version 1 would have held once, 2\s?h.*missed none of \d bad")]
    )
    expect(page.locator("#curve-caption")).to_contain_text("Backlog of orders-voice, last 7 days by the half hour")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
    page.screenshot(path=artifacts / f"thresholds-{theme}-{width}.png", full_page=True)


def test_a_line_is_dragged_with_the_mouse_and_the_sentence_follows(open_page: OpenPage, url, artifacts):
    page = open_page(url)
    settled(page)
    drag(page, hold(page), 90)
    expect(number(page, "hold")).to_have_value(re.compile("^1[6-9]"))  # more than the slam
    expect(told(page).first).to_contain_text(re.compile("^These limits would not have held, missed . bad hour"))
    expect(told(page).last).to_contain_text("As saved, version 1 would have held once")
    expect(page.locator("#review")).to_contain_text("Backlog: hold above")
    expect(page).to_have_url(re.compile("hold-0=1[6-9]"))
    page.screenshot(path=artifacts / "thresholds-dragged.png", full_page=True)
    page.reload()
    settled(page)
    expect(told(page)).to_have_count(2)


def test_a_line_is_moved_by_keys_just_as_well(open_page: OpenPage, url):
    page = open_page(url)
    settled(page)
    hold(page).focus()
    page.keyboard.press("ArrowUp")
    expect(number(page, "hold")).to_have_value("11")
    expect(hold(page)).to_have_attribute("aria-valuenow", "11")
    expect(hold(page)).to_have_attribute("aria-valuetext", "hold above 11")
    page.keyboard.press("PageDown")
    expect(number(page, "hold")).to_have_value("1")
    expect(number(page, "resume")).to_have_value("1")  # taken along: it stays on the good side
    page.keyboard.press("End")
    expect(told(page).first).to_contain_text("These limits would not have held")


def test_a_typed_number_moves_the_line(open_page: OpenPage, url):
    page = open_page(url)
    settled(page)
    before = hold(page).bounding_box()
    number(page, "hold").fill("14")
    expect(hold(page)).to_have_attribute("aria-valuenow", "14")
    after = hold(page).bounding_box()
    assert before
    assert after
    assert after["y"] < before["y"]
    number(page, "hold").fill("60")
    number(page, "hold").blur()
    expect(hold(page)).to_have_attribute("aria-valuemax", re.compile("7[0-9]"))  # the axis has grown to show it


def test_the_curve_is_of_the_limit_that_is_worked_on(open_page: OpenPage, url):
    page = open_page(url)
    settled(page)
    page.locator("#rule-1-hold").focus()
    expect(page.locator("#curve-caption")).to_contain_text("Service level of orders-voice")
    expect(page.get_by_role("slider", name="Service level: resume limit")).to_have_attribute(
        "aria-valuetext", re.compile("resume from 80")
    )
    expect(page).to_have_url(re.compile("rule=1"))


# --- saving -----------------------------------------------------------------------------------------------------------


def test_what_changes_is_read_before_it_is_saved_and_can_be_undone(open_page: OpenPage, url, artifacts):
    page = open_page(url)
    settled(page)
    number(page, "hold").fill("12")
    expect(page.locator("#review tbody tr")).to_have_text([re.compile(r"Backlog: hold above\s*10\s*12")])
    page.get_by_label("Why", exact=True).first.fill("spring sale")
    page.get_by_role("button", name="Save as version 2").click()
    expect(page.locator(".notice")).to_contain_text("Saved as version 2")
    expect(page.locator("#version-2")).to_contain_text("“spring sale”")
    page.screenshot(path=artifacts / "thresholds-saved.png", full_page=True)
    page.get_by_role("link", name="Use this version again").click()
    expect(number(page, "hold")).to_have_value("10")
    expect(page.locator("#reason")).to_have_value("Use version 1 again")
    expect(page.locator("#review tbody tr")).to_have_text([re.compile(r"Backlog: hold above\s*12\s*10")])
    page.get_by_role("button", name="Save as version 3").click()
    expect(page.locator(".notice")).to_contain_text("Saved as version 3")


def test_a_change_of_somebody_else_is_shown_beside_what_was_typed(open_page: OpenPage, url, server, gate, artifacts):
    page = open_page(url, server_may_go=REFUSED)
    settled(page)
    number(page, "hold").fill("12")
    expect(page.locator("#review tbody tr")).to_have_count(1)
    with server.client() as client:
        shadow = POLICY | {"mode": "shadow"}
        answer = client.put(
            f"/api/v1/gates/{gate}/policy", json=shadow, headers={"If-Match": "*"}, params={"reason": "only watch"}
        )
        answer.raise_for_status()
    page.locator("#reason").fill("spring sale")
    page.get_by_role("button", name="Save as version 2").click()
    summary = page.locator(".error-summary")
    expect(summary).to_contain_text("anonymous saved version 2")
    expect(summary).to_contain_text("Mode: enforce → shadow")
    expect(number(page, "hold")).to_have_value("12")
    expect(page.locator("#reason")).to_have_value("spring sale")
    expect(page.locator("#review")).to_contain_text("Mode")
    assert violations(page) == []
    page.screenshot(path=artifacts / "thresholds-conflict.png", full_page=True)
    page.get_by_role("button", name="Save as version 3").click()
    expect(page.locator(".notice")).to_contain_text("Saved as version 3")


def test_a_limit_that_is_refused_says_so_at_its_field_while_it_is_typed(open_page: OpenPage, url, artifacts):
    page = open_page(url, server_may_go=REFUSED, theme="light")
    settled(page)
    number(page, "resume").fill("11")
    fault = page.locator("#rule-0-resume-fault")
    expect(fault).to_have_text("Must be at or below the hold limit: a hold ends on its good side.")
    expect(number(page, "resume")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#review")).to_contain_text("As it is typed, it is refused")
    assert violations(page) == []
    page.screenshot(path=artifacts / "thresholds-refused.png", full_page=True)
    number(page, "resume").fill("6")
    expect(fault).to_have_count(0)
    expect(page.locator("#review tbody tr")).to_have_count(1)


def test_limits_and_send_windows_come_and_go_without_leaving_the_page(open_page: OpenPage, url):
    page = open_page(url, server_may_go=REFUSED)
    settled(page)
    page.get_by_role("button", name="Add a limit").click()
    expect(page.locator(".rule")).to_have_count(3)
    page.locator("#rule-2-metric").select_option("occupancy_ratio")
    expect(page.locator(".rule[data-rule='2'] .unit").first).to_have_text("%")
    page.locator("#rule-2-hold").fill("90")
    expect(page.locator("#review")).to_contain_text("Occupancy")
    expect(page.locator("#rule")).to_have_value("2")
    page.get_by_role("button", name="Remove Backlog").click()
    expect(page.locator(".rule")).to_have_count(2)
    page.get_by_role("button", name="Add a send window").click()
    page.get_by_role("group", name="Days").get_by_text("Mon").click()
    expect(page.locator("#review")).to_contain_text("Mon 09:00\u201318:00")
    expect(page.locator("#review tbody tr")).to_have_count(3)


# --- who looks, and what is not there ---------------------------------------------------------------------------------


def test_who_may_not_change_limits_sees_them_and_can_move_nothing(open_page: OpenPage, tmp_path, artifacts):
    with a_server(tmp_path, auth="on") as guarded:
        page = open_page(f"{guarded.url}/sign-in", server_may_go=True)
        page.context.add_cookies(session_cookies(guarded, Role.MARKETER))  # type: ignore[arg-type]
        page.goto(f"{guarded.url}/thresholds")
        expect(number(page, "hold")).to_have_value("10")
        expect(number(page, "hold")).not_to_be_editable()
        expect(page.get_by_role("slider")).to_have_count(0)
        expect(page.locator("#policy button, #saving")).to_have_count(0)
        expect(page.get_by_role("heading", name="Versions")).to_be_visible()
        assert violations(page) == []
        page.screenshot(path=artifacts / "thresholds-reader.png", full_page=True)


def test_without_scripts_it_is_looked_at_then_saved(open_page: OpenPage, url):
    page = open_page(url, java_script_enabled=False)
    number(page, "hold").fill("12")
    page.get_by_role("button", name="Look at what changes").last.click()
    expect(page.locator("#review tbody tr")).to_have_count(1)
    page.locator("#reason").fill("spring sale")
    page.get_by_role("button", name="Save as version 2").click()
    expect(page.locator(".notice")).to_contain_text("Saved as version 2")


def test_a_new_gate_begins_with_limits_to_look_at(open_page: OpenPage, url, artifacts):
    page = open_page(url)
    name = f"fresh-{next(_NAMES)}"
    page.get_by_label("Name of a new gate").fill(name)
    page.get_by_label("Why", exact=True).last.fill("chats")
    page.get_by_role("button", name="Make a gate").click()
    expect(page.locator(".notice")).to_contain_text("holds every send")
    expect(page.locator("#review tbody tr").first).to_be_visible()
    assert violations(page) == []
    page.screenshot(path=artifacts / "thresholds-first.png", full_page=True)
    page.locator("#reason").fill("a first one")
    page.get_by_role("button", name="Save as version 1").click()
    expect(page.locator(".notice")).to_contain_text("Saved as version 1")
    page.get_by_role("link", name="Delete gate").click()
    page.get_by_label("Type its name once more").fill(name)
    page.get_by_label("Why").fill("a try")
    page.screenshot(path=artifacts / "thresholds-delete.png", full_page=True)
    page.get_by_role("button", name="Delete gate").click()
    expect(page.get_by_role("link", name=name, exact=True)).to_have_count(0)


def test_before_anything_was_reported_numbers_can_be_typed_all_the_same(open_page: OpenPage, tmp_path, artifacts):
    with a_server(tmp_path) as empty:
        page = open_page(f"{empty.url}/thresholds", theme="light", server_may_go=True)
        expect(page.locator(".week-panel")).to_contain_text("No queue that this gate watches has reported yet")
        number(page, "hold").fill("12")
        expect(page.locator("#review tbody tr").first).to_contain_text("Backlog: hold above")
        assert violations(page) == []
        page.screenshot(path=artifacts / "thresholds-empty.png", full_page=True)


def test_a_backtest_that_has_to_wait_says_so_and_comes_later(open_page: OpenPage, url):
    page = open_page("about:blank", server_may_go=REFUSED)
    page.clock.install()
    page.route(
        "**/partials/thresholds/preview?*", lambda route: route.fulfill(status=429, headers={"Retry-After": "5"})
    )
    page.goto(url)
    expect(page.locator("#lines")).to_be_visible()
    expect(page.locator("#told")).to_contain_text("Walking the limits over the last week")
    page.unroute("**/partials/thresholds/preview?*")
    page.clock.run_for(5_000)
    expect(told(page)).to_have_count(1)


def test_without_an_answer_it_says_so_and_the_numbers_stay(open_page: OpenPage, url):
    page = open_page("about:blank", server_may_go=REFUSED)
    page.route("**/partials/thresholds/curve?*", lambda route: route.abort())
    page.goto(url)
    expect(page.locator("#curve-caption")).to_contain_text("does not answer")
    expect(number(page, "hold")).to_have_value("10")
