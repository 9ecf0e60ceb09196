"""A policy's limits dragged over stored history; screenshots go to artifacts/."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.axe import violations
from tests.browser.floor import use_policy
from tests.support.server import a_server
from tests.support.shell import wait_until

RULES = [
    {"metric": "backlog", "hold_above": 10, "resume_below": 5},
    {"metric": "service_level_ratio", "hold_below": 0.7, "resume_above": 0.8, "on_missing": "ignore"},
]
MINUTE = timedelta(minutes=1)
REFUSED = True  # the browser reports a status that is no 200 as it does a server that is gone


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One holdfire for all: nothing is changed by looking."""
    with a_server(tmp_path_factory.mktemp("backtest")) as started:
        yield started


@pytest.fixture(scope="module")
def url(server):
    """The address of a backtest over two hours, of which one was slammed."""
    now = datetime.now(UTC).replace(second=30, microsecond=0)
    reports = [
        {
            "queue": "orders",
            "source": "acd-1",
            "observed_at": (now - minute * MINUTE).isoformat(),
            "backlog": 15 if 30 <= minute < 90 else 2,
        }
        for minute in range(120, 0, -1)
    ]
    with server.client() as client:
        use_policy(client, rules=RULES)
        client.post("/api/v1/observations", json=reports).raise_for_status()
        asked = {"queue": "orders", "metric": "backlog", "from": reports[0]["observed_at"], "points": 200}
        wait_until(
            lambda: len(client.get("/api/v1/history", params=asked).json()["points"]) >= len(reports) - 1,
            "the history that is written some seconds behind",
        )
    return f"{server.url}/gates/default/backtest"


def settle(page, text):
    """Walk, and see what is found."""
    page.get_by_role("button", name="Walk").click()
    expect(page.locator("#found")).to_contain_text(text, timeout=60_000)
    expect(page.locator("#outcome")).to_have_attribute("aria-busy", "false", timeout=60_000)


@pytest.mark.parametrize(("theme", "width"), [("dark", 1440), ("light", 390)])
def test_dragging_a_limit_walks_the_policy_anew(open_page, url, artifacts, theme, width):
    page = open_page(url, theme=theme, width=width)
    settle(page, "with 1 hold")
    assert violations(page) == []
    page.screenshot(path=artifacts / f"backtest-{theme}-{width}.png", full_page=True)
    hold = page.locator("input[name=hold-0]")
    hold.fill("20")
    expect(page.locator("input[name=hold-0] + output")).to_have_text("20")
    expect(page.locator("#found")).to_contain_text("with 0 holds", timeout=60_000)
    expect(page).to_have_url(re.compile("hold-0=20&"))
    expect(page.locator("#use")).to_have_attribute("href", re.compile("^/thresholds.*hold-0=20.*gate=default"))
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_resume_limit_stays_on_the_good_side_of_its_hold_limit(open_page, url):
    page = open_page(url)
    page.locator("input[name=hold-0]").fill("3")
    expect(page.locator("input[name=resume-0]")).to_have_value("3")
    page.locator("input[name=hold-1]").fill("0.9")
    expect(page.locator("input[name=resume-1]")).to_have_value("0.9")
    expect(page.locator("input[name=resume-1] + output")).to_have_text("90\u202f%")
    expect(page.locator("#outcome")).to_have_attribute("aria-busy", "false", timeout=60_000)


def test_without_scripts_the_form_does_the_same(open_page, url):
    page = open_page(f"{url}?days=7&hold-0=20", java_script_enabled=False)
    expect(page.locator("#found")).to_contain_text("In 7 days")
    expect(page.locator("input[name=hold-0]")).to_have_value("20")


def test_a_refused_limit_is_said(open_page, url):
    page = open_page(f"{url}?days=7&hold-0=1", java_script_enabled=False, server_may_go=REFUSED)
    expect(page.locator("#outcome .fault")).to_contain_text("5 must be at or below hold_above (1)")


def test_a_gate_without_a_policy_has_nothing_to_try(open_page, server):
    page = open_page(f"{server.url}/gates/nowhere/backtest", java_script_enabled=False, server_may_go=REFUSED)
    expect(page.get_by_role("heading", level=1)).to_have_text("No policy")
