"""The briefing as people see it, on a screen, on a phone and on paper; screenshots go to artifacts/."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.floor import use_policy
from tests.browser.looking import looks
from tests.support.campaigning import BRIEFING
from tests.support.pictures import an_image
from tests.support.server import Server, a_server

SPRING = {
    "title": "Spring sale <b>now</b>",
    "audience": 500_000,
    "contacts_per_1000": 12.5,
    "earliest_start": "2031-03-09T15:00:00Z",
    "release": {"mode": "waves", "audience_per_wave": 25_000, "wave_gap_seconds": 900},
}
ALT = "The letter: a green button"
_NUMBERS = itertools.count(1)


def brief(client: httpx2.Client, campaign: str) -> None:
    """Announce a campaign, brief on it, let one of two read it."""
    api = f"/api/v1/campaigns/{campaign}"
    client.post("/api/v1/campaigns", json=SPRING | {"id": campaign}).raise_for_status()
    client.post(f"{api}/schedule").raise_for_status()
    words = BRIEFING | {"offer": "20 % off <script>alert(1)</script>\nuntil Sunday"}
    client.put(f"{api}/briefing", json=words).raise_for_status()
    client.post(
        f"{api}/briefing/images",
        params={"name": "letter.png", "alt": ALT},
        content=an_image(size=(900, 1200)),
        headers={"Content-Type": "image/png"},
    ).raise_for_status()
    read = {"by": "orders-voice", "name": "Dana Reyes"}
    client.post(f"{api}/briefing/acknowledgements", json=read).raise_for_status()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server in the zone of Chicago, on which each test has a campaign of its own."""
    with a_server(tmp_path_factory.mktemp("briefing")) as started:
        with started.client() as client:
            use_policy(client, time_zone="America/Chicago")
        yield started


@pytest.fixture
def campaign(server: Server) -> str:
    """The id of a campaign with a briefing."""
    name = f"spring-{next(_NUMBERS)}"
    with server.client() as client:
        brief(client, name)
    return name


@pytest.fixture
def briefed(server: Server, campaign: str) -> str:
    """The address of a briefing."""
    return f"{server.url}/campaigns/{campaign}/briefing"


def says_everything(page: Page) -> None:
    expect(page).to_have_title(re.compile("Briefing: Spring sale <b>now</b> \u2013 holdfire$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Spring sale <b>now</b>")
    plan = page.locator(".plan")
    expect(plan).to_contain_text("Sun 9 Mar 2031, 10:00\u00a0CDT to 15:00\u00a0CDT")
    expect(plan).to_contain_text("500,000")
    expect(plan).to_contain_text("about 6,250 in all")
    expect(page.get_by_text("Times are those of America/Chicago")).to_be_visible()
    expect(page.get_by_text("20 % off <script>alert(1)</script>")).to_be_visible()
    expect(page.get_by_text("Yes, on top of the lower price.")).to_be_visible()
    expect(page.get_by_role("link", name="https://shop.example/spring")).to_be_visible()
    expect(page.locator(".standing")).to_have_text("Still to be read by retention team.")
    expect(page.get_by_role("row", name="orders-voice")).to_contain_text("Dana Reyes")
    expect(page.get_by_role("row", name="retention team")).to_contain_text("not yet")


@looks
def test_a_briefing_says_what_it_must_at_any_width(briefed, open_page, artifacts: Path, look):
    theme, width = look
    page = open_page(briefed, theme=theme, width=width)
    says_everything(page)
    assert page.get_by_alt_text(ALT).evaluate("picture => picture.complete && picture.naturalWidth") == 900
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(page) == []
    page.screenshot(path=artifacts / f"briefing-{theme}-{width}.png", full_page=True)


def test_it_needs_no_script_and_prints_dark_on_white_on_either_paper(briefed, open_page, artifacts: Path):
    page = open_page(briefed, java_script_enabled=False)
    says_everything(page)
    for paper in ("A4", "Letter"):
        printed = page.pdf(format=paper, path=artifacts / f"briefing-{paper}.pdf")
        assert printed.startswith(b"%PDF")
    page.emulate_media(media="print")
    expect(page.locator(".tools")).to_be_hidden()
    expect(page.locator(".acknowledge")).to_be_hidden()
    expect(page.get_by_role("link", name="Change the briefing")).to_be_hidden()
    expect(page.locator("body")).to_have_css("color", "rgb(23, 32, 42)")
    page.screenshot(path=artifacts / "briefing-print.png", full_page=True)


def test_who_has_read_it_says_so_and_who_opened_it_before_a_change_must_read_again(
    briefed, campaign, server, open_page
):
    page = open_page(briefed, server_may_go=True)  # a refusal is an error to the browser's console
    with server.client() as client:
        changed = client.put(f"/api/v1/campaigns/{campaign}/briefing", json=BRIEFING, headers={"If-Match": '"1"'})
        changed.raise_for_status()
    page.get_by_label("Your name").fill("Ana Ruiz")
    page.get_by_role("button", name="I have read version 1").click()
    expect(page.get_by_text("The briefing has changed since you opened it. This is version 2")).to_be_visible()
    expect(page.get_by_label("Your name")).to_have_value("Ana Ruiz")
    page.get_by_label("Your queue or team").select_option("retention team")
    page.get_by_role("button", name="I have read version 2").click()
    expect(page.get_by_text("retention team has read version 2. Thank you.")).to_be_visible()
    expect(page.get_by_role("row", name="retention team")).to_contain_text("Ana Ruiz")
    expect(page.get_by_role("row", name="orders-voice")).to_contain_text(
        "Dana Reyes read version 1; it has changed since"
    )


@looks
def test_it_is_written_and_illustrated_by_forms(briefed, open_page, tmp_path, artifacts: Path, look):
    theme, width = look
    page = open_page(briefed, theme=theme, width=width, server_may_go=True)
    page.get_by_role("link", name="Change the briefing").click()
    expect(page.get_by_label("What is offered")).to_have_value("20 % off <script>alert(1)</script>\nuntil Sunday")
    page.get_by_label("Question 2").fill("I did not get a code.")
    page.get_by_role("button", name="Save it as version 2").click()
    expect(page.get_by_role("heading", name="Nothing was saved")).to_be_visible()
    expect(page.get_by_label("Answer 2")).to_have_attribute("aria-invalid", "true")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=artifacts / f"briefing-edit-{theme}-{width}.png", full_page=True)
    page.get_by_label("Answer 2").fill("Give SPRING20.")
    page.get_by_role("button", name="Save it as version 2").click()
    expect(page.get_by_text("Give SPRING20.")).to_be_visible()
    page.get_by_role("link", name="Change the briefing").click()
    picture = tmp_path / "terms.png"
    picture.write_bytes(an_image(size=(300, 200)))
    page.get_by_label("Picture").set_input_files(picture)
    page.get_by_label("What it shows").fill("The terms")
    page.get_by_role("button", name="Add the picture").click()
    expect(page.get_by_alt_text("The terms")).to_be_visible()
    page.get_by_role("link", name="Take it away: The terms").click()
    page.get_by_role("button", name="Take it away").click()
    expect(page.get_by_alt_text("The terms")).to_have_count(0)


def test_a_campaign_without_a_briefing_says_so_and_an_unknown_one_too(server, open_page):
    with server.client() as client:
        client.post("/api/v1/campaigns", json=SPRING | {"id": "untold"}).raise_for_status()
    page = open_page(f"{server.url}/campaigns/untold/briefing")
    expect(page.get_by_text("Nobody has written a briefing")).to_be_visible()
    expect(page.get_by_text("Draft: not announced yet")).to_be_visible()
    page = open_page(f"{server.url}/campaigns/autumn/briefing", server_may_go=True)
    expect(page.get_by_role("heading", name="No such campaign")).to_be_visible()
