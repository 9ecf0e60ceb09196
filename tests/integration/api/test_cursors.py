"""Pages: any cursor is a page or a refusal, and the link to the next page asks the same question."""

from itertools import product
from typing import Any

from app.api.cursors import cursor_of
from tests.support.whole import a_whole

PAGED = ("permits", "campaigns", "decisions", "gates/default/overrides")
FOREIGN: tuple[Any, ...] = (
    ["0001-01-01T00:00:00+23:59", "x"],
    ["9999-12-31T23:59:59-23:59", "x"],
    ["2026-11-21T15:00:00Z"],
    [1, "x"],
    "x",
    [[[[]]]],
)


async def test_a_cursor_that_is_not_ours_is_refused_whatever_it_holds(tmp_path):
    async with a_whole(tmp_path) as whole, whole.client("read") as client:
        for path, place in product(PAGED, FOREIGN):
            answer = await client.get(f"/api/v1/{path}", params={"cursor": cursor_of(place)})
            assert answer.status_code == 422
            assert [each["pointer"] for each in answer.json()["errors"]] == ["/query/cursor"]


async def test_the_next_page_keeps_every_value_that_was_asked_for(tmp_path):
    async with a_whole(tmp_path) as whole, whole.client("admin") as client:
        for _ in range(3):
            await client.post("/api/v1/permits", json={"audience": 5})
        seen: list[str] = []
        page: str | None = "/api/v1/permits?state=active&state=paused&limit=1"
        while page:
            answer = await client.get(page)
            seen += [each["id"] for each in answer.json()["items"]]
            page = answer.links.get("next", {}).get("url")
            assert page is None or (page.count("state="), page.count("cursor=")) == (2, 1)
    assert len(set(seen)) == 3
