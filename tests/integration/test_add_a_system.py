"""docs/howto/add-a-system.md does what it says: its files are put where they belong, and its tests run."""

import importlib
import inspect
import re
import sys
from pathlib import Path

import pytest

import tests.integration
import tests.support.vendors
import workers.sources
from tests.support.server import REPOSITORY
from workers.sources import registry

FILE = re.compile(r"^`([\w/]+\.py)`:\n\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGE = REPOSITORY / "docs" / "howto" / "add-a-system.md"


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Put the page's files beside ours, where Python finds them; forget them afterwards."""
    files = FILE.findall(PAGE.read_text(encoding="utf-8"))
    for name, text in files:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for package in (workers.sources, tests.support.vendors, tests.integration):
        folder = tmp_path / package.__name__.replace(".", "/")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    before = set(sys.modules)
    yield [Path(name) for name, _ in files]
    for name in set(sys.modules) - before:
        if "pocket_pbx" in name:
            del sys.modules[name]


async def test_the_system_of_the_page_can_be_added_as_the_page_says(files, monkeypatch):
    names = [".".join(path.with_suffix("").parts) for path in files]
    worker, tested = (next(name for name in names if name.endswith(end)) for end in (".worker", ".test_pocket_pbx"))
    (line,) = re.findall(r'^ +"([\w-]+)": (\w+)\.configured,$', PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    known = {**registry.SOURCES, line[0]: importlib.import_module(worker).configured}
    monkeypatch.setattr(registry, "SOURCES", known)
    ran = 0
    for name, test in inspect.getmembers(importlib.import_module(tested), inspect.isfunction):
        if name.startswith("test_"):
            outcome = test()
            if inspect.isawaitable(outcome):
                await outcome
            ran += 1
    assert ran == 3
