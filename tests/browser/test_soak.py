"""A board that stays open all day holds no more in the evening than in the morning.

Two ways, because a day of frames through a real socket takes longer than a test may. One hands SOAK_FRAMES of a real
server's frames to the page's own socket handler, one after another, five seconds of the server's clock apart; a day has
17,280. The other keeps a real socket open for SOAK_MINUTES, with a source that reports as often as makes a day's frames
in two hours. `make soak-browser` takes the whole day and the two hours; without it both are a small part of that, and
the source reports as fast as frames are made.
"""

import gzip
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect
from websockets.sync.client import connect

from tests.browser.conftest import SHELL, launched
from tests.browser.floor import BUSY, GOOD, push, use_policy
from tests.browser.meter import Meter
from tests.support.server import Server, a_server

FRAMES_A_DAY = 17_280  # one every five seconds
FRAMES = int(os.environ.get("SOAK_FRAMES", "1600"))
MINUTES = float(os.environ.get("SOAK_MINUTES", "0.1"))
REPORT_EVERY_SECONDS = 2 * 3_600 / FRAMES_A_DAY if "SOAK_MINUTES" in os.environ else 0.15
ROUNDS, FIRST_FRAMES = 8, 400  # read so often; until then lists fill up and functions run for the first time
FIRST_CYCLES = 8
MOODS = tuple({queue: backlog + more for queue, backlog in GOOD.items()} for more in (0, 4, 2, 6))
MORE_HEAP_BYTES, MORE_HEAP_BYTES_A_FRAME, MORE_NODES = 60_000, 10, 60
CHART_BYTES_A_MINUTE, CHART_NODES_A_MINUTE = 4_000, 4  # a point more on each of four charts, and its mark
LETS_GO_WITHIN_SECONDS = 30
# Two things grow on the heap that nobody here keeps, and no limit could tell a leak from them. V8 compiles what runs
# often, more of it for hours: between 3,000 and 17,000 frames 1.3 of 1.5 MB were machine code and what belongs to it,
# say snapshots of the heap. Without its compilers, and with bytecode kept, it grows only where the page keeps data.
INTERPRETED = "--js-flags=--no-opt --no-maglev --no-sparkplug --no-flush-bytecode"
# And Plotly keeps the size of each label at each place where it stood, until it has measured 10,000 (3.5 MB), and then
# forgets all: on a time axis that moves on, some 20 a drawing. Here they are forgotten before each reading.
KEEP_PLOTLY = """
Object.defineProperty(Object.prototype, "savedBBoxes", { configurable: true, set(value) {
    Object.defineProperty(this, "savedBBoxes", { value, writable: true, enumerable: true, configurable: true });
    window.measured = this;
} });
"""
FORGET_LABELS = """
() => { const { length } = Object.keys(measured.savedBBoxes); measured.savedBBoxes = {}; return length; }
"""
KEEP_SOCKET = """
window.WebSocket = class extends WebSocket { constructor(...given) { super(...given); window.lastSocket = this; } };
"""
# Hands frames to the page's own handler, five seconds of the server's clock apart, as fast as the page takes them; now
# and then what a page does every few seconds: the lists below the board are asked for anew, and all charts are drawn.
FEED = """
async ([frames, count]) => {
    window.fed ??= 0;
    const begin = Date.parse(JSON.parse(frames[0]).at);
    const later = (text, milliseconds) => text.replace(/\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z/g,
        (at) => new Date(Date.parse(at) + milliseconds).toISOString().replace(/\\.\\d+Z/, "Z"));
    for (let done = 0; done < count; done++, window.fed++) {
        const text = frames[window.fed % frames.length];
        const frame = JSON.parse(later(text, begin + 5000 * window.fed - Date.parse(JSON.parse(text).at)));
        frame.seq = 1e9 + window.fed;
        lastSocket.onmessage({ data: JSON.stringify(frame) });
        if (done % 10 === 0) await new Promise((resolve) => setTimeout(resolve));
        if (done % 50 === 0) {
            document.body.dispatchEvent(new CustomEvent("board:log"));
            dispatchEvent(new CustomEvent("theme"));
        }
    }
    return window.fed;
}
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser that compiles nothing: what its heap holds more of is data."""
    with launched(SHELL, INTERPRETED) as browser:
        yield browser


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Server]:
    """A server whose gate goes by the backlog alone."""
    with a_server(tmp_path) as started, started.client() as client:
        rules = [{"metric": "backlog", "hold_above": 10, "resume_below": 5, "resume_for_seconds": 0}]
        use_policy(client, rules=rules, stale_after_seconds=600)
        push(client, GOOD)
        yield started


def recorded(server: Server, count: int) -> list[str]:
    """Return frames of a floor that changes each time."""
    frames, address = [], f"{server.url.replace('http', 'ws')}/api/v1/live?view=page"
    with connect(address) as socket, server.client() as client:
        for number in range(count):
            mood = BUSY if number % 5 == 4 else GOOD
            push(client, {queue: backlog + number for queue, backlog in mood.items()})
            frame = socket.recv(timeout=60)
            frames.append(frame if isinstance(frame, str) else gzip.decompress(frame).decode())
    return frames


def live(page: Page) -> Page:
    """Return the page once it is live and drawn."""
    expect(page.locator("#connection-text")).to_have_text("live")
    expect(page.locator(".plot .main-svg").first).to_be_visible()
    return page


def reading(page: Page, meter: Meter, frames: int) -> dict[str, int]:
    """Return what the page holds after so many frames."""
    labels = page.evaluate(FORGET_LABELS)
    return {"frames": frames, "labels": labels, **meter.read()._asdict()}


def grown(readings: list[dict[str, int]], *, minutes: float = 0) -> list[str]:
    """Return what the last three readings hold more of than the first three, beyond what is allowed, a sentence each.

    minutes: how long the charts gained points, a minute each, which they do until their three hours are full.
    The least of each three counts: what a request under way holds is gone in the next, what leaks is in all of them.
    """
    few = max(1, min(3, len(readings) // 2))
    first, last = readings[:few], readings[-few:]
    frames = last[0]["frames"] - first[0]["frames"]
    more_bytes = MORE_HEAP_BYTES + MORE_HEAP_BYTES_A_FRAME * frames + CHART_BYTES_A_MINUTE * minutes
    allowed = {"heap_bytes": more_bytes, "nodes": MORE_NODES + CHART_NODES_A_MINUTE * minutes, "listeners": 0}
    least = {name: [min(each[name] for each in three) for three in (first, last)] for name in allowed}
    return [
        f"{name} grew from {begin:,} to {end:,}" for name, (begin, end) in least.items() if end - begin > allowed[name]
    ]


def held_at_last(page: Page, meter: Meter, readings: list[dict[str, int]], *, minutes: float = 0) -> list[str]:
    """Return what is held at the end and was not at the beginning, once garbage had the time to go."""
    latest = time.monotonic() + LETS_GO_WITHIN_SECONDS
    while grown(readings, minutes=minutes) and time.monotonic() < latest:
        time.sleep(1)
        readings[-1] = reading(page, meter, readings[-1]["frames"])
    return grown(readings, minutes=minutes)


def written(artifacts: Path, name: str, readings: list[dict[str, int]]) -> None:
    """Keep what was read."""
    (artifacts / f"soak-{name}.json").write_text(json.dumps(readings, indent=1), encoding="utf-8")


LEAKS = {
    "heap_bytes": "kept.push(JSON.parse(JSON.stringify(`${kept.length} of a hundred`.padEnd(88))))",
    "nodes": "kept.push(document.createElement('p'))",
    "listeners": "addEventListener('theme', () => kept)",
}


@pytest.mark.parametrize("leak", LEAKS)
def test_what_each_frame_would_leave_behind_is_found(open_page, leak: str):
    """A hundred bytes, a node or a listener for each frame that the other tests feed: this browser, meter and limit."""
    page, readings = open_page("about:blank"), []
    meter = Meter(page)
    for number in range(1, ROUNDS + 1):
        page.evaluate(f"count => {{ window.kept ??= []; for (; count; count--) {LEAKS[leak]}; }}", FRAMES // ROUNDS)
        readings.append({"frames": number * (FRAMES // ROUNDS), **meter.read()._asdict()})
    assert [sentence for sentence in grown(readings) if sentence.startswith(leak)]


def test_what_comes_and_goes_is_no_leak():
    usual = [{"frames": 250 * number, "heap_bytes": 5_000_000, "nodes": 3_600, "listeners": 129} for number in range(8)]
    swapping = {"heap_bytes": 5_200_000, "nodes": 3_700, "listeners": 153}
    assert grown([*usual[:6], *(each | swapping for each in usual[6:])]) == []


@pytest.mark.timeout(300 + FRAMES // 10)
def test_thousands_of_frames_leave_nothing_behind(board: Server, open_page, artifacts: Path):
    page = open_page("about:blank")
    page.add_init_script(KEEP_SOCKET + KEEP_PLOTLY)
    frames = recorded(board, 20)
    page.goto(board.url)
    meter, readings = Meter(live(page)), []
    page.evaluate(FEED, [frames, FIRST_FRAMES])
    for _ in range(ROUNDS):
        fed = page.evaluate(FEED, [frames, FRAMES // ROUNDS])
        readings.append(reading(page, meter, fed))
    held = held_at_last(page, meter, readings)
    written(artifacts, "frames", readings)
    assert readings[-1]["frames"] == FIRST_FRAMES + FRAMES // ROUNDS * ROUNDS
    assert held == []


@pytest.mark.timeout(int(MINUTES * 60) + 300)
def test_a_real_socket_leaves_nothing_behind(board: Server, open_page, artifacts: Path):
    page = open_page(board.url)
    heard: list[int] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: heard.append(len(frame))))
    page.add_init_script(KEEP_PLOTLY)
    page.reload()
    meter, readings = Meter(live(page)), []
    with board.client() as client:
        push(client, BUSY)  # a hold, and its end: both stay in the lists and on the charts
        for _ in range(FIRST_CYCLES):
            report_all(client, page)
        ends = time.monotonic() + MINUTES * 60
        while time.monotonic() < ends:
            reads_at = time.monotonic() + MINUTES * 60 / ROUNDS
            while time.monotonic() < reads_at:
                report_all(client, page)
            readings.append(reading(page, meter, len(heard)))
    held = held_at_last(page, meter, readings, minutes=MINUTES)
    written(artifacts, "socket", readings)
    assert readings[-1]["frames"] > MINUTES * 60 / REPORT_EVERY_SECONDS / 2
    assert held == []


def report_all(client: httpx2.Client, page: Page) -> None:
    """Report every mood of the floor once, as often as is reported here, while the page goes on.

    None of them changes the verdict: each hold is one more mark on the charts, and a day has a dozen, not thousands.
    """
    for mood in MOODS:
        push(client, mood)
        page.wait_for_timeout(REPORT_EVERY_SECONDS * 1000)
