"""These drive real programs. Two are large to install: `make recipes` tries them, `make test` does not."""

import os

import pytest

from tests.support.n8n import an_n8n
from tests.support.smtp_sink import an_smtp_sink

collect_ignore_glob = [] if os.environ.get("RECIPES") else ["test_airflow.py", "test_n8n*.py"]


@pytest.fixture(scope="session")
def the_n8n(tmp_path_factory):
    """One n8n for all tests: it takes half a minute to start."""
    with an_n8n(tmp_path_factory.mktemp("n8n")) as n8n:
        yield n8n


@pytest.fixture
def n8n(the_n8n):
    yield the_n8n
    the_n8n.stop_all()


@pytest.fixture
def sink():
    with an_smtp_sink() as sink:
        yield sink
