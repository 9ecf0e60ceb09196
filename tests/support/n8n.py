"""A real n8n in a folder of its own, told what to do as its own pages tell it: import, choose a credential, execute."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from tests.support.running import a_free_port, a_running
from tests.support.server import REPOSITORY
from tests.support.shell import wait_until

PROGRAM = REPOSITORY / ".recipes_cache" / "n8n" / "node_modules" / ".bin" / "n8n"
SETTINGS = {
    "N8N_LISTEN_ADDRESS": "127.0.0.1",
    "N8N_HOST": "127.0.0.1",
    "N8N_ENCRYPTION_KEY": "canary",
    "N8N_SECURE_COOKIE": "false",
    "N8N_RUNNERS_ENABLED": "false",
    "N8N_GRACEFUL_SHUTDOWN_TIMEOUT": "1",
    "N8N_DIAGNOSTICS_ENABLED": "false",
    "N8N_VERSION_NOTIFICATIONS_ENABLED": "false",
    "N8N_TEMPLATES_ENABLED": "false",
    "N8N_COMMUNITY_PACKAGES_ENABLED": "false",
    "N8N_LICENSE_AUTO_RENEW_ENABLED": "false",
}
OWNER = {"email": "ann@example.com", "firstName": "Ann", "lastName": "Owner", "password": "Canary-pass-1"}
RUN_SECONDS = 300
UNDER_WAY = {"new", "running", "waiting"}


class N8n:
    """A started n8n. url: where it serves, and where whom it waits for may call it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx2.Client(base_url=f"{url}/rest", timeout=60)
        self._started: list[str] = []

    def close(self) -> None:
        self._client.close()

    def log_in(self) -> None:
        """Make its first user and be that."""
        self._post("/owner/setup", OWNER)

    def mailer(self, port: int) -> str:
        """Make a credential for a mail server on loopback and return its id."""
        return self._keep("smtp", host="127.0.0.1", port=port, user="", password="", secure=False, disableStartTls=True)

    def bearer(self, key: str) -> str:
        """Make the credential that the recipe's page tells of, for this key of holdfire, and return its id."""
        return self._keep("httpHeaderAuth", name="Authorization", value=f"Bearer {key}")

    def execute(self, workflow: dict[str, Any], **credentials: str) -> str:
        """Import a workflow, give its nodes these credentials by kind, execute it; return the execution's id."""
        nodes = [
            node | {"credentials": {kind: {"id": credentials[kind], "name": kind} for kind in node["credentials"]}}
            if "credentials" in node
            else node
            for node in workflow["nodes"]
        ]
        imported = {name: value for name, value in workflow.items() if name != "id"} | {"nodes": nodes}
        kept = self._post("/workflows", imported)
        run = {"workflowData": kept, "triggerToStartFrom": {"name": "Start"}}
        execution = str(self._post(f"/workflows/{kept['id']}/run", run)["executionId"])
        self._started.append(execution)
        return execution

    def state(self, execution: str) -> str:
        """Return what the list of executions says of one: waiting, success, error, …"""
        reply = self._client.get(f"/executions/{execution}").raise_for_status()
        return str(reply.json()["data"]["status"])

    def last_node(self, execution: str) -> str:
        """Return the node at which an execution ended."""
        reply = self._client.get(f"/executions/{execution}").raise_for_status()
        table = json.loads(reply.json()["data"]["data"])
        result = table[int(table[0]["resultData"])]
        return str(table[int(result["lastNodeExecuted"])])

    def stop_all(self) -> None:
        """Stop what still runs: it would ask whoever listens at that port next."""
        while self._started:
            execution = self._started.pop()
            if self.state(execution) in UNDER_WAY:
                self._client.post(f"/executions/{execution}/stop")
                self.wait_for_end(execution)

    def wait_for_end(self, *executions: str) -> None:
        """Return once none of them is under way."""
        wait_until(lambda: not {self.state(each) for each in executions} & UNDER_WAY, "executions to end", RUN_SECONDS)

    def _keep(self, kind: str, **data: object) -> str:
        return str(self._post("/credentials", {"name": kind, "type": kind, "data": data})["id"])

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        reply = self._client.post(path, json=body)
        assert reply.is_success, reply.text
        return reply.json()["data"]


@contextmanager
def an_n8n(folder: Path) -> Iterator[N8n]:
    """Yield it, once it serves and somebody is logged in."""
    folder.mkdir(parents=True, exist_ok=True)
    port = a_free_port()
    n8n = N8n(f"http://127.0.0.1:{port}")
    settings = SETTINGS | {"N8N_USER_FOLDER": str(folder), "N8N_PORT": port, "WEBHOOK_URL": f"{n8n.url}/"}
    try:
        with a_running([PROGRAM, "start"], folder, lambda log: "Editor is now accessible" in log, settings):
            n8n.log_in()
            yield n8n
    finally:
        n8n.close()
