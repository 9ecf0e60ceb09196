"""Write the Grafana dashboards in docker/grafana/dashboards, from the tables in scripts.dashboards.

python -m scripts.draw_dashboards
"""

# ruff: noqa: INP001 -- a script, not a package

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from app.core.gate.decision import Verdict
from app.web.palettes import THEMES
from scripts.dashboards import DASHBOARDS
from scripts.panels import SHAPES, VERDICT, WIDE, Dashboard, Panel, Row

FOLDER = Path(__file__).resolve().parent.parent / "docker" / "grafana" / "dashboards"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLOURS = THEMES["dark"].states
LIMIT_COLOURS = {"hold": COLOURS[Verdict.HOLD], "resume": COLOURS[Verdict.UNKNOWN]}
HEIGHT = 8


def drawn(dashboard: Dashboard) -> str:
    """Return a dashboard in Grafana's own form."""
    document = {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.about,
        "tags": ["holdfire"],
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "refresh": "10s",
        "time": {"from": "now-3h", "to": "now"},
        "graphTooltip": 1,
        "templating": {"list": [_datasource(), *(_choice(*each) for each in dashboard.choices.items())]},
        "panels": list(_placed(dashboard.rows)),
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _datasource() -> dict[str, Any]:
    return {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _choice(name: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def _placed(rows: Iterable[Row]) -> Iterable[dict[str, Any]]:
    """Yield rows and panels from left to right and top to bottom, each with its place and its number."""
    number = top = 0
    for row in rows:
        number += 1
        yield {
            "id": number,
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "panels": [],
            "gridPos": {"x": 0, "y": top, "w": WIDE, "h": 1},
        }
        top, left = top + 1, 0
        for panel in row.panels:
            if left + panel.width > WIDE:
                top, left = top + HEIGHT, 0
            number += 1
            yield {"id": number, "gridPos": {"x": left, "y": top, "w": panel.width, "h": HEIGHT}, **_panel(panel)}
            left += panel.width
        top += HEIGHT


def _panel(panel: Panel) -> dict[str, Any]:
    is_verdict = VERDICT in panel.queries.values()
    mappings = _verdict_mappings() if is_verdict else _up_mappings() if panel.kind == "stat" else []
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": SOURCE,
        "targets": [
            {"refId": letter, "expr": query, "legendFormat": legend, "instant": panel.kind == "stat"}
            for letter, (legend, query) in zip("ABCDEF", panel.queries.items(), strict=False)
        ],
        "options": _OPTIONS[panel.kind],
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "noValue": f"{SHAPES[Verdict.UNKNOWN]} UNKNOWN" if is_verdict else "-",
                "mappings": mappings,
                "thresholds": _thresholds(panel.warns_at),
                **({} if panel.least is None else {"min": panel.least}),
                "custom": _custom(panel),
            },
            "overrides": _limit_lines(panel),
        },
    }


_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "timeseries": {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "stat": {
        "colorMode": "background",
        "graphMode": "none",
        "textMode": "value_and_name",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    },
    "state-timeline": {"mergeValues": True, "showValue": "auto", "rowHeight": 0.8, "legend": {"showLegend": False}},
}


def _custom(panel: Panel) -> dict[str, Any]:
    if panel.kind == "state-timeline":
        return {"fillOpacity": 80, "lineWidth": 0}
    if panel.kind == "stat":
        return {}
    style = "off" if panel.warns_at is None else "dashed"
    # A gap in what is known stays a gap.
    return {"lineWidth": 1, "fillOpacity": 0, "spanNulls": False, "thresholdsStyle": {"mode": style}}


def _thresholds(warns_at: float | None) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": COLOURS[Verdict.UNKNOWN], "value": None}]
    if warns_at is not None:
        steps.append({"color": COLOURS[Verdict.HOLD], "value": warns_at})
    return {"mode": "absolute", "steps": steps}


def _verdict_mappings() -> list[dict[str, Any]]:
    shown = {
        str(number): {"text": f"{shape} {verdict.upper()}", "color": COLOURS[verdict], "index": number}
        for number, (verdict, shape) in enumerate(SHAPES.items(), 1)
    }
    return [{"type": "value", "options": shown}]


def _up_mappings() -> list[dict[str, Any]]:
    shown = {
        "0": {"text": "■ DOWN", "color": COLOURS[Verdict.HOLD], "index": 0},
        "1": {"text": "● UP", "color": COLOURS[Verdict.SEND], "index": 1},
    }
    return [{"type": "value", "options": shown}]


def _limit_lines(panel: Panel) -> list[dict[str, Any]]:
    """Return how the lines of limits look: dashed, in the colour of what they lead to."""
    if not any("holdfire_rule_limit" in query for query in panel.queries.values()):
        return []
    return [
        {
            "matcher": {"id": "byRegexp", "options": f"^{bound} limit, .*"},
            "properties": [
                {"id": "color", "value": {"mode": "fixed", "fixedColor": colour}},
                {"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [6, 4]}},
            ],
        }
        for bound, colour in LIMIT_COLOURS.items()
    ]


def main() -> None:
    """Write all dashboards anew."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, dashboard in DASHBOARDS.items():
        (FOLDER / name).write_text(drawn(dashboard), encoding="utf-8")


if __name__ == "__main__":
    main()
