"""The dashboards in docker/grafana are those that the tables say, and ask for what is there."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from app.core.gate.decision import Verdict
from app.web.palettes import THEMES
from scripts.dashboards import DASHBOARDS
from scripts.draw_dashboards import FOLDER, drawn
from tests.support.dashboards import expressions
from tests.unit.test_docs import metric_names

OF_THE_CLIENT = {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_start_time_seconds"}
OF_THE_CLIENT |= {"process_open_fds", "process_max_fds"}
PROVISIONING = FOLDER.parent / "provisioning"


def panels(name: str) -> Iterator[dict[str, Any]]:
    yield from (panel for panel in json.loads(drawn(DASHBOARDS[name]))["panels"] if panel["type"] != "row")


def test_the_files_are_as_they_are_drawn():
    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()} == {
        name: drawn(dashboard) for name, dashboard in DASHBOARDS.items()
    }


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_asks_only_for_metrics_that_are_there(name):
    known = {*metric_names(), *(f"{metric}_bucket" for metric in metric_names()), *OF_THE_CLIENT, "up"}
    for expression in expressions(name):
        named = set(re.findall(r"\b(?:holdfire|process)_\w+|\bup\b", expression))
        assert named
        assert named <= known


@pytest.mark.parametrize("name", DASHBOARDS)
def test_no_panel_lies_on_another_or_sticks_out(name):
    cells = [
        (panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y)
        for panel in panels(name)
        for x in range(panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def test_states_have_their_shape_word_and_colour_and_no_data_is_unknown():
    now = next(panel for panel in panels("floor-and-gates.json") if panel["title"] == "Now")
    defaults = now["fieldConfig"]["defaults"]
    (mapping,) = defaults["mappings"]
    shown = {shown["text"]: shown["color"] for shown in mapping["options"].values()}
    colours = THEMES["dark"].states
    assert shown == {
        "● SEND": colours[Verdict.SEND],
        "▲ THROTTLE": colours[Verdict.THROTTLE],
        "■ HOLD": colours[Verdict.HOLD],
        "◇ UNKNOWN": colours[Verdict.UNKNOWN],
    }
    assert defaults["noValue"] == "◇ UNKNOWN"
    assert [target["instant"] for target in now["targets"]] == [True]


def test_dashboards_are_provisioned_from_where_they_are_mounted_with_a_source_that_is_there():
    (provider,) = yaml.safe_load((PROVISIONING / "dashboards" / "holdfire.yaml").read_text("utf-8"))["providers"]
    (source,) = yaml.safe_load((PROVISIONING / "datasources" / "prometheus.yaml").read_text("utf-8"))["datasources"]
    cluster = yaml.safe_load((FOLDER.parents[1] / "compose.cluster.yaml").read_text("utf-8"))["services"]
    mounts = dict(mount.split(":")[:2] for mount in cluster["grafana"]["volumes"])
    assert mounts["./grafana/dashboards"] == provider["options"]["path"]
    assert mounts["./grafana/provisioning"] == "/etc/grafana/provisioning"
    assert source["url"] == "http://prometheus:9090"
    assert "prometheus" in cluster
    home = cluster["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home.removeprefix(f"{provider['options']['path']}/") in DASHBOARDS
