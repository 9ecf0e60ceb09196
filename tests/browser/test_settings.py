"""Queues, hours, keys and webhooks are set up in a real browser, each fault beside its field, each end in two steps."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.floor import GOOD, push, use_policy
from tests.browser.looking import looked_at, looks
from tests.support.receiver import a_receiver
from tests.support.server import Server, a_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("settings")
    allowed = {"HOLDFIRE_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8"}
    with a_server(folder, **allowed) as started, started.client() as client:
        use_policy(client)
        push(client, GOOD)
        yield started


def rows(page: Page):
    return page.locator("table.log tbody tr")


@looks
def test_a_queue_gets_its_title_and_target_and_is_retired_in_two_steps(server, open_page, artifacts, look):
    theme, width = look
    page = open_page(f"{server.url}/settings/queues", theme=theme, width=width, server_may_go=True)
    expect(page.get_by_role("link", name=re.compile("care-chat|Help by chat"))).to_be_visible()
    looked_at(page, artifacts, "settings-queues", look)
    page.get_by_role("link", name=re.compile("care-chat|Help by chat")).click()
    page.get_by_label("What people call it").fill("Help by chat")
    page.get_by_label("Contacts that one agent handles at once").fill("0,5")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".error-summary")).to_contain_text("must be 1 to 100 contacts at once")
    expect(page.get_by_label("What people call it")).to_have_value("Help by chat")
    looked_at(page, artifacts, "settings-queue-refused", look)
    page.get_by_label("Contacts that one agent handles at once").fill("2,5")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Help by chat")
    expect(page.locator(".notice")).to_contain_text("Saved.")
    expect(page.get_by_label("Contacts that one agent handles at once")).to_have_value("2.5")
    page.get_by_role("link", name="Retire it").click()
    expect(page.get_by_role("heading", name="Retire Help by chat?")).to_be_visible()
    looked_at(page, artifacts, "settings-queue", look)
    page.get_by_role("button", name="Retire it").click()
    expect(page.locator(".panel .pill").first).to_have_text("retired")
    page.get_by_role("button", name="Bring it back").click()
    expect(page.locator(".panel .pill").first).to_have_text("in use")


@looks
def test_hours_are_written_as_people_write_them(server, open_page, artifacts, look):
    theme, width = look
    page = open_page(
        f"{server.url}/settings/queues/hours?queue=orders-voice", theme=theme, width=width, server_may_go=True
    )
    page.get_by_label("Monday").fill("8-12, 13:00 to 18.30")
    page.get_by_label("Tuesday").fill("mornings")
    page.get_by_label("Closed on").fill("2026-12-25\n2026-02-30")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".error-summary")).to_contain_text("“mornings” cannot be read")
    page.get_by_label("Tuesday").fill("22:00-06:00")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Tuesday")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Closed on")).to_have_attribute("aria-invalid", "true")
    looked_at(page, artifacts, "settings-hours-refused", look)
    page.get_by_label("Tuesday").fill("")
    page.get_by_label("Closed on").fill("2026-12-25")
    page.get_by_label("Other hours on").fill("2026-12-24 08:00-13:00")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".hours")).to_contain_text("Mon: 08:00–12:00, 13:00–18:30")  # noqa: RUF001  as times are written
    expect(page.locator(".hours")).to_contain_text("Thu 24 Dec 2026: 08:00–13:00")  # noqa: RUF001  the same
    expect(page.get_by_label("Monday")).to_have_value("08:00-12:00, 13:00-18:30")
    looked_at(page, artifacts, "settings-hours", look)
    page.get_by_role("link", name="Take them away").click()
    page.get_by_role("button", name="Take them away").click()
    expect(page.locator(".hours")).to_contain_text("open always")


def test_who_read_older_hours_loses_nothing_of_what_they_typed(server, open_page):
    url = f"{server.url}/settings/queues/hours?queue=billing-voice"
    page = open_page(url, server_may_go=True)
    page.get_by_label("Friday").fill("09:00-17:00")
    with server.client() as client:
        hours = {"time_zone": "UTC", "weekly": [{"days": ["sat"], "from": "10:00", "to": "12:00"}]}
        assert client.put("/api/v1/queues/billing-voice/hours", json=hours).status_code == 200
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".error-summary")).to_contain_text("Somebody else changed these hours meanwhile")
    expect(page.get_by_label("Friday")).to_have_value("09:00-17:00")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".notice")).to_contain_text("Saved.")


@looks
def test_a_key_is_shown_once_and_revoked_in_two_steps(server, open_page, artifacts, look):
    theme, width = look
    page = open_page(f"{server.url}/settings/keys?scope=ingest", theme=theme, width=width, server_may_go=True)
    expect(page.get_by_label("ingest")).to_be_checked()
    name = f"tool {theme} {width}"
    page.get_by_label("Who will use it").fill(name)
    page.get_by_label("Ends").fill("2020-01-01T09:00")
    page.get_by_role("button", name="Make the key").click()
    expect(page.locator(".error-summary")).to_contain_text("is past")
    expect(page.get_by_label("ingest")).to_be_checked()
    page.get_by_label("Ends").fill("2035-01-01T09:00")
    page.get_by_label("readiness").check()
    page.get_by_text("How its holder is answered").click()
    page.get_by_label("A hold is answered with").select_option("404")
    page.get_by_role("button", name="Make the key").click()
    token = page.get_by_label("Copy it now").input_value()
    assert token.startswith("hf_live_")
    looked_at(page, artifacts, "settings-keys", look)
    page.get_by_role("link", name=name).click()
    expect(page.get_by_role("link", name="Revoke it")).to_be_visible()
    assert token not in page.content()
    page.get_by_label("Requests at most").fill("9e9")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Requests at most")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Requests at most").fill("5")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".notice")).to_contain_text("Saved.")
    page.get_by_role("link", name="Revoke it").click()
    expect(page.get_by_role("button", name="Revoke it")).to_be_visible()
    looked_at(page, artifacts, "settings-key", look)
    page.get_by_role("button", name="Revoke it").click()
    expect(page.locator("h2.pill")).to_have_text("revoked")


@looks
def test_a_webhook_is_made_tested_switched_and_deleted(server, open_page, artifacts, look):
    theme, width = look
    with a_receiver() as receiver:
        page = open_page(f"{server.url}/settings/webhooks", theme=theme, width=width, server_may_go=True)
        page.get_by_label("What people call it").fill("campaign tool")
        page.get_by_label("Where to").fill("https://nowhere.invalid/hook")
        page.get_by_role("button", name="Make the webhook").click()
        expect(page.get_by_label("Where to")).to_have_attribute("aria-invalid", "true")
        page.get_by_label("Where to").fill(receiver.url())
        page.get_by_text("Of what: everything").click()
        page.get_by_label("permit.paused").check()
        page.get_by_role("button", name="Make the webhook").click()
        assert page.get_by_label("Copy it now").input_value().startswith("whsec_")
        looked_at(page, artifacts, "settings-webhooks", look)
        page.get_by_role("link", name="campaign tool").click()
        page.get_by_role("button", name="Send a test").click()
        expect(rows(page)).to_have_count(1)
        page.reload()
        expect(rows(page).first).to_contain_text("webhook.tested")
        page.get_by_role("link", name="New secret").click()
        page.get_by_role("button", name="Make a new secret").click()
        assert page.get_by_label("Copy it now").input_value().startswith("whsec_")
        looked_at(page, artifacts, "settings-webhook", look)
        page.get_by_role("link", name="Switch it off").click()
        page.get_by_role("button", name="Switch it off").click()
        expect(page.locator("h2.pill")).to_have_text("off")
        page.get_by_role("button", name="Switch it on").click()
        expect(page.locator("h2.pill")).to_have_text("on")
        page.get_by_role("link", name="Delete it").click()
        expect(page.get_by_role("button", name="Delete it")).to_be_visible()
        looked_at(page, artifacts, "settings-webhook-delete", look)
        page.get_by_role("button", name="Delete it").click()
        expect(page.locator(".notice")).to_contain_text("Deleted")
