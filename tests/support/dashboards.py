"""What dashboards ask Prometheus, with everything chosen that can be chosen."""

import json
from collections.abc import Mapping

from scripts.dashboards import DASHBOARDS
from scripts.draw_dashboards import FOLDER

CHOSEN: Mapping[str, str] = {"$gate": ".*", "$queue": ".*", "$instance": ".*", "$__rate_interval": "1m"}


def expressions(name: str) -> list[str]:
    """Return the PromQL of a dashboard's panels, as Grafana would send it."""
    document = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    asked = [target["expr"] for panel in document["panels"] for target in panel.get("targets", [])]
    for variable, value in CHOSEN.items():
        asked = [expression.replace(variable, value) for expression in asked]
    return asked


def all_expressions() -> list[str]:
    """Return the PromQL of all dashboards."""
    return [expression for name in DASHBOARDS for expression in expressions(name)]
