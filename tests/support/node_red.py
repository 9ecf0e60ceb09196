"""A real Node-RED in a folder of its own, with flows that are there when it starts."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.support.server import REPOSITORY
from tests.support.shell import wait_until

HOME = REPOSITORY / ".recipes_cache" / "node-red"
SETTINGS = """\
module.exports = {{
  uiHost: "127.0.0.1", uiPort: {port}, flowFile: "flows.json", credentialSecret: "canary", httpAdminRoot: "/",
  nodesDir: "{modules}", telemetry: {{ enabled: false, updateNotification: false }},
  logging: {{ console: {{ level: "info", metrics: false, audit: false }} }},
}};
"""
STOP_SECONDS = 20


@contextmanager
def a_node_red(folder: Path, flows: list[dict[str, Any]]) -> Iterator[Path]:
    """Yield its log, once its flows run."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "flows.json").write_text(json.dumps(flows))
    (folder / "settings.js").write_text(SETTINGS.format(port=_free_port(), modules=HOME / "node_modules"))
    log = folder / "log"
    with log.open("w") as out:
        binary = HOME / "node_modules" / ".bin" / "node-red"
        program: list[str | Path] = [binary, "--userDir", folder, "--settings", folder / "settings.js"]
        process = subprocess.Popen(program, cwd=folder, stdout=out, stderr=out, start_new_session=True)
    try:
        wait_until(lambda: "Started flows" in log.read_text() or process.poll() is not None, "Node-RED")
        assert process.poll() is None, log.read_text()
        yield log
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])
