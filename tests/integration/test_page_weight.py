"""What a page weighs on its way to a browser, all that it loads included: under 600 kB, under 60 kB without Plotly."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import httpx2
import pytest

from app.web.frame import ROOMS
from tests.browser.floor import GOOD, push, use_policy
from tests.support.server import Server, a_server

WHOLE, WITHOUT_PLOTLY = 600_000, 60_000
LOADED = re.compile(r'<(?:script|link)\b[^>]*?(?:src|href)="(/static/[^"]+)"')
IMPORTED = re.compile(r"""(?:^|;)\s*import\s(?:[^"';]*?\sfrom\s)?["'](\.{1,2}/[^"']+)["']""", re.MULTILINE)


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a floor of four queues."""
    with a_server(tmp_path_factory.mktemp("weight")) as started, started.client() as client:
        use_policy(client, stale_after_seconds=600)
        push(client, GOOD)
        yield started


def weights(client: httpx2.Client, path: str) -> dict[str, int]:
    """Return the bytes that came over the wire for a page and each file that it loads, modules' imports included."""
    found: dict[str, int] = {}
    waiting = [path]
    while waiting:
        address = waiting.pop()
        if address in found:
            continue
        answer = client.get(address, headers={"Accept-Encoding": "gzip"})
        answer.raise_for_status()
        found[address] = answer.num_bytes_downloaded
        links = LOADED if address == path else IMPORTED if address.endswith(".js") else None
        waiting += [urljoin(str(address), link) for link in links.findall(answer.text)] if links else []
    return found


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.word)
def test_a_page_weighs_little_with_all_that_it_loads(busy: Server, room):
    with busy.client() as client:
        client.follow_redirects = True
        found = weights(client, room.path)
    plotly = sum(size for address, size in found.items() if "plotly" in address)
    assert any(address.endswith("/pulse.js") for address in found)  # imports are counted
    assert sum(found.values()) < WHOLE, found
    assert sum(found.values()) - plotly < WITHOUT_PLOTLY, found


def test_the_weight_of_the_board_counts_plotly_compressed(busy: Server):
    with busy.client() as client:
        found = weights(client, "/")
    (plotly,) = (size for address, size in found.items() if "plotly" in Path(address).name)
    assert 300_000 < plotly < WHOLE - WITHOUT_PLOTLY
