"""The recipes hang together: every page is listed and says how it is known, every file to import is whole."""

import json
import re
import shlex

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from app.cli import cli
from tests.support.server import REPOSITORY

PAGES = sorted((REPOSITORY / "docs" / "howto" / "recipes").glob("[a-z]*.md"))
INDEX = (REPOSITORY / "docs" / "howto" / "recipes" / "README.md").read_text(encoding="utf-8")
N8N = sorted((REPOSITORY / "recipes" / "n8n").glob("*.json"))
NODE_RED = sorted((REPOSITORY / "recipes" / "node-red").glob("*.json"))


def stem(path):
    return path.stem


@pytest.mark.parametrize("page", PAGES, ids=stem)
def test_every_page_is_listed_and_says_at_its_top_how_it_is_known(page):
    assert f"]({page.name})" in INDEX
    title, blank, known = page.read_text(encoding="utf-8").splitlines()[:3]
    assert title.startswith("# ")
    assert blank == ""
    assert re.match(r"> \*\*(Read, not run|Run)\b", known)


@pytest.mark.parametrize("page", PAGES, ids=stem)
def test_every_page_says_where_the_tool_sends_although_it_must_not(page):
    assert re.search(r"\*\*Where it fails open:?\*\*|## Where it fails open", page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=stem)
def test_the_keys_that_pages_make_can_be_made(page):
    root = get_command(cli)
    assert isinstance(root, TyperGroup)
    keys = root.commands["keys"]
    assert isinstance(keys, TyperGroup)
    for line in re.findall(r"^holdfire keys create (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE):
        given = keys.commands["create"].make_context("create", shlex.split(line)).params
        assert given["scope"] in (["readiness"], ["permits"])


@pytest.mark.parametrize("path", NODE_RED, ids=stem)
def test_a_flows_wires_lead_to_its_own_nodes_and_it_carries_no_secret(path):
    nodes = json.loads(path.read_text(encoding="utf-8"))
    ids = [node["id"] for node in nodes]
    assert len(set(ids)) == len(ids)
    assert {to for node in nodes for way in node.get("wires", []) for to in way} <= set(ids)
    assert not [node["id"] for node in nodes if "credentials" in node]


@pytest.mark.parametrize("path", N8N, ids=stem)
def test_a_workflows_connections_lead_to_its_own_nodes_and_it_names_no_credential_of_somebodys(path):
    workflow = json.loads(path.read_text(encoding="utf-8"))
    names = [node["name"] for node in workflow["nodes"]]
    assert len(set(names)) == len(names)
    wired = {to["node"] for ways in workflow["connections"].values() for way in ways["main"] for to in way}
    assert wired | {"Start"} == set(names)
    assert set(workflow["connections"]) <= set(names)
    used = {key["id"] for node in workflow["nodes"] for key in node.get("credentials", {}).values()}
    assert used <= {"holdfire", "smtp"}
    assert workflow["versionId"]  # its command line imports none without
