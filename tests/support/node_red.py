"""A real Node-RED in a folder of its own, with flows that are there when it starts."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.running import a_free_port, a_running
from tests.support.server import REPOSITORY

HOME = REPOSITORY / ".recipes_cache" / "node-red"
SETTINGS = """\
module.exports = {{
  uiHost: "127.0.0.1", uiPort: {port}, flowFile: "flows.json", credentialSecret: "canary", httpAdminRoot: "/",
  nodesDir: "{modules}", telemetry: {{ enabled: false, updateNotification: false }},
  logging: {{ console: {{ level: "info", metrics: false, audit: false }} }},
}};
"""


@contextmanager
def a_node_red(folder: Path, flows: list[dict[str, Any]]) -> Iterator[Path]:
    """Yield its log, once its flows run."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "flows.json").write_text(json.dumps(flows))
    (folder / "settings.js").write_text(SETTINGS.format(port=a_free_port(), modules=HOME / "node_modules"))
    program = HOME / "node_modules" / ".bin" / "node-red"
    command: list[str | Path] = [program, "--userDir", folder, "--settings", folder / "settings.js"]
    with a_running(command, folder, lambda log: "Started flows" in log) as log:
        yield log
