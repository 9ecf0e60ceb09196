"""A real Node-RED in a folder of its own, with flows that are there when it starts."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.running import a_free_port, a_running
from tests.support.server import REPOSITORY

MODULES = REPOSITORY / ".recipes_cache" / "node-red" / "node_modules"
PROGRAM = MODULES / ".bin" / "node-red"
SETTINGS = """\
module.exports = {{
  uiHost: "127.0.0.1", uiPort: {port}, flowFile: "flows.json", credentialSecret: "canary", httpAdminRoot: "/",
  nodesDir: "{modules}", telemetry: {{ enabled: false, updateNotification: false }},
  logging: {{ console: {{ level: "info", metrics: false, audit: false }} }},
}};
"""


@contextmanager
def a_node_red(folder: Path, flows: list[dict[str, Any]]) -> Iterator[Path]:
    """Yield its log, once its flows run; skip where it is not installed, but not in CI."""
    if not PROGRAM.exists():
        if os.environ.get("CI") == "true":
            pytest.fail("scripts/recipes.sh node-red did not install Node-RED")
        pytest.skip("Node-RED is not installed; run scripts/recipes.sh node-red")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "flows.json").write_text(json.dumps(flows))
    (folder / "settings.js").write_text(SETTINGS.format(port=a_free_port(), modules=MODULES))
    command: list[str | Path] = [PROGRAM, "--userDir", folder, "--settings", folder / "settings.js"]
    with a_running(command, folder, lambda log: "Started flows" in log) as log:
        yield log
