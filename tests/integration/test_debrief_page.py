"""The debrief as a page, over a whole holdfire."""

from contextlib import asynccontextmanager

import httpx2
import pytest
from fastapi import FastAPI

from app.web.pages import install_pages
from tests.support.campaigning import announce
from tests.support.debriefing import FIRST, a_past, a_sent_campaign, a_window, brought
from tests.support.whole import a_whole

PAGE = "/campaigns/spring/debrief"


@pytest.fixture
async def whole(tmp_path):
    async with a_whole(tmp_path, auth="off", now=FIRST) as opened:
        yield opened


@asynccontextmanager
async def a_browser(whole):
    pages = FastAPI()
    install_pages(pages)

    async def app(scope, receive, send):
        scope["state"] = {"services": whole.services}
        await pages(scope, receive, send)

    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://127.0.0.1") as client:
        yield client


async def test_before_anything_was_sent_it_says_so(whole):
    async with a_browser(whole) as browser:
        missing = await browser.get(PAGE)
        assert (missing.status_code, "There is no campaign “spring”" in missing.text) == (404, True)
        await announce(whole)
        early = await browser.get(PAGE)
        assert early.status_code == 409
        assert "Nothing of campaign &#39;spring&#39; was sent yet" in early.text


async def test_it_shows_every_part_and_escapes_what_people_wrote(whole):
    await a_past(whole, FIRST)
    await a_sent_campaign(whole, title="Spring <script>alert(1)</script>")
    await a_window(whole, FIRST, 48, 60 + brought(12.0, 48))
    await whole.evaluate(4 * 3600)
    async with a_browser(whole) as browser:
        shown = await browser.get(PAGE)
    assert shown.status_code == 200
    assert "<script>alert" not in shown.text
    assert "Spring &lt;script&gt;" in shown.text
    assert shown.text.count('<svg viewBox="0 0 760') == 2
    for part in ("All at once", "Nothing sent", "90 % interval", "orders-voice", "not tagged", "1 permit for 50,000"):
        assert part in shown.text
