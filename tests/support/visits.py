"""The pages of a whole holdfire, looked at as a browser does where nobody signs in."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from app.web.pages import install_pages
from tests.support.whole import Whole

HOME = "http://127.0.0.1"
_TOKEN = re.compile(r'<meta name="csrf-token" content="([\w-]+)">')


@asynccontextmanager
async def a_visitor(whole: Whole) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client onto the pages that sends forms as they would."""
    pages = FastAPI()
    install_pages(pages)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = {"services": whole.services}
        await pages(scope, receive, send)

    headers = {"Origin": HOME, "Sec-Fetch-Site": "same-origin"}
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url=HOME, headers=headers) as client:
        found = _TOKEN.search((await client.get("/")).text)
        assert found, "the page has no token"
        client.headers["X-CSRF-Token"] = found[1]
        yield client
