"""What people wait for: the first page and its charts over a year of many queues, and a change that reaches a screen.

The screen is a real Chromium beside a thousand other watchers, which share its core.
"""

import asyncio
import os
import shutil
import sqlite3
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import numpy as np
from playwright.async_api import Browser, Page, async_playwright

from app.core.floor.instants import MINUTE
from app.core.floor.metric import Metric
from app.store.migrate import migrate
from app.store.tables import ROLLUP_HOURS, ROLLUP_MINUTES
from bench.measuring import data_dir, table
from bench.servers import LOAD_CORE, Holding, holding
from bench.sockets import change, opened

QUEUES, DAYS = 50, 365
MINUTES_OF_DAYS = 8  # charts of a day lie over those of yesterday and of the week before
RANGES = ("24h", "30d", "1y")
OTHERS = 1_000
CHANGES = 60
CHROMIUM = "chromium-headless-shell"
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
CHARTED = {
    Metric.BACKLOG: 4.0,
    Metric.SPEED_TO_ANSWER_SECONDS: 20.0,
    Metric.SERVICE_LEVEL_RATIO: 0.4,
    Metric.HANDLE_TIME_SECONDS: 240.0,
}
OPEN = {"HOLDFIRE_AUTH": "off"}
LATE = 0.95
PAINTED = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
# Notes when the first queue's numbers last changed on the screen: once the frame that shows them was painted.
WATCH = """
() => {
    const numbers = () => [...document.querySelectorAll("#tile-queue-0 .val")].map((part) => part.textContent).join();
    let shown = numbers();
    new MutationObserver(() => {
        if (numbers() === shown) return;
        shown = numbers();
        requestAnimationFrame(() => setTimeout(() => { window.paintedAt = Date.now(); }));
    }).observe(document.getElementById("live"), { subtree: true, childList: true, characterData: true });
}
"""


def measure(_rounds: int, _seconds: float) -> str:
    """Return the tables of first pages, of charts and of changes on a screen."""
    with ExitStack() as stack:
        folder = data_dir(stack)
        migrate(f"sqlite:///{folder}/holdfire.db")
        fill(folder / "holdfire.db")
        server = stack.enter_context(holding(folder, OPEN))
        return asyncio.run(_measure(server))


def fill(database: Path) -> None:
    """Write a year of hours and the last days' minutes of all queues, each busy by day and quiet by night."""
    draw = np.random.default_rng(1)
    now = int(datetime.now(UTC).timestamp()) // 3_600 * 3_600 * 1_000_000
    kept = ((ROLLUP_HOURS, 60 * MINUTE, DAYS * 24), (ROLLUP_MINUTES, MINUTE, MINUTES_OF_DAYS * 24 * 60))
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        for number in range(QUEUES):
            for rollup, bucket, count in kept:
                insert = f"INSERT INTO {rollup.name} VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)"  # noqa: S608  # our own name
                buckets = range(now - bucket * count, now, bucket)
                for metric, mean in CHARTED.items():
                    course = _course(draw, mean, buckets)
                    connection.executemany(insert, ((f"queue-{number}", metric.value, *row) for row in course))
    connection.close()


def _course(draw: np.random.Generator, mean: float, buckets: range) -> Iterator[tuple[float, ...]]:
    """Yield when each bucket begins, its weight, total, minimum, maximum and last value."""
    by_day = 1 - np.cos(2 * np.pi * np.arange(len(buckets)) * buckets.step / (24 * 60 * MINUTE))
    weights = draw.poisson(by_day * buckets.step / MINUTE) + 1.0
    values = mean * by_day * draw.uniform(0.5, 1.5, len(buckets))
    for at, weight, value in zip(buckets, weights.tolist(), values.tolist(), strict=True):
        yield at, weight, weight * value, value * 0.5, value * 1.5, value


async def _measure(server: Holding) -> str:
    """Return all tables, with the load on a core of its own."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {LOAD_CORE})
    try:
        async with httpx2.AsyncClient(base_url=server.url, timeout=60) as client:
            await change(client, 0)
            answered = await _answers(client)
            async with async_playwright() as playwright:
                chromium = await playwright.chromium.launch(executable_path=shutil.which(CHROMIUM), args=list(QUIET))
                painted = await _painted(chromium, server.url)
                shown = await _shown(server, client, chromium)
                await chromium.close()
    finally:
        os.sched_setaffinity(0, cores)
    return f"{answered}\n\n{painted}\n\n{shown}"


async def _answers(client: httpx2.AsyncClient) -> str:
    """Return the table of server times: the first page, first and later, and all charts of every queue in turn."""
    rows: list[Sequence[str]] = []
    first = await _asked(client, "/")
    rows.append(("Now, the first after the start", f"{first:.0f}", "", f"{first:.0f}", ""))
    rows.append(_row("Now", [await _asked(client, "/") for _ in range(QUEUES)], ""))
    for span in RANGES:
        points, took = 0, []
        for number in range(QUEUES):
            before = time.perf_counter()
            answer = await client.get("/partials/charts", params={"queue": f"queue-{number}", "range": span})
            took.append((time.perf_counter() - before) * 1000)
            drawn = answer.raise_for_status().json()["charts"]
            points = max(
                points, *(len(line["x"]) for chart in drawn for line in chart["figure"]["data"] if "x" in line)
            )
        rows.append(_row(f"the four charts of a queue, {span}, none drawn before", took, f"{points:,}"))
    heads = (f"{DAYS} days of {QUEUES} queues stored", "median ms", "p95 ms", "longest ms", "points of a line, at most")
    return table("First page and charts", heads, rows)


async def _asked(client: httpx2.AsyncClient, path: str) -> float:
    before = time.perf_counter()
    (await client.get(path)).raise_for_status()
    return (time.perf_counter() - before) * 1000


async def _painted(chromium: Browser, url: str) -> str:
    """Return the table of the first thing that is seen of Now in a browser that has nothing of it yet."""
    took = []
    for _ in range(10):
        context = await chromium.new_context()
        page = await context.new_page()
        await page.goto(url)
        await page.wait_for_function(PAINTED)
        took.append(float(await page.evaluate(PAINTED)))
        await context.close()
    return table(
        "First paint of Now in Chromium", ("", "median ms", "p95 ms", "longest ms"), [_row("empty cache", took)]
    )


async def _shown(server: Holding, client: httpx2.AsyncClient, chromium: Browser) -> str:
    """Return the table of the time from the start of a POST until the change it makes was painted."""
    seats = await opened(server, "page", OTHERS)
    try:
        page = await chromium.new_page()
        await page.goto(server.url)
        await page.locator("html[data-live=ok]").wait_for()
        await page.evaluate(WATCH)
        took = [await _change_shown(client, page, mark) for mark in range(1, CHANGES + 1)]
    finally:
        for seat in seats:
            seat.close()
    heads = (f"with {OTHERS:,} other viewers", "median ms", "p95 ms", "longest ms")
    return table("From POST to screen", heads, [_row("a queue's backlog changes", took)])


async def _change_shown(client: httpx2.AsyncClient, page: Page, mark: int) -> float:
    pace = asyncio.create_task(asyncio.sleep(1.0))
    posted = time.time() * 1000
    await change(client, mark)
    await pace
    await page.wait_for_function("since => window.paintedAt >= since", arg=posted)
    return float(await page.evaluate("window.paintedAt")) - posted


def _row(name: str, took: Sequence[float], *more: str) -> Sequence[str]:
    found = sorted(took)
    figures = statistics.median(found), found[int(len(found) * LATE)], found[-1]
    return (name, *(f"{figure:.0f}" for figure in figures), *more)
