"""`holdfire keys` and a running server share one database: what one does, the other knows within seconds."""

import json
import time
from pathlib import Path

from tests.support.server import a_server, run_cli

WITHIN_SECONDS = 60


def test_a_key_made_and_revoked_on_the_command_line_counts_for_the_running_server(tmp_path: Path) -> None:
    folder = {"HOLDFIRE_DATA_DIR": str(tmp_path)}
    with a_server(tmp_path, auth="on") as server:
        made = run_cli("keys", "create", "mailer", "--scope", "read", "--expires-in", "1d", "--json", **folder)
        assert made.returncode == 0, made.stderr
        key = json.loads(made.stdout)
        assert key["scopes"] == ["read"]
        with server.client(key["key"]) as client:
            assert _becomes(client, 200)
            listed = run_cli("keys", "list", "--json", **folder)
            assert [one["id"] for one in json.loads(listed.stdout)] == [key["id"]]
            assert key["key"] not in listed.stdout
            revoked = run_cli("keys", "revoke", key["id"], **folder)
            assert revoked.returncode == 0, revoked.stderr
            assert _becomes(client, 401)


def test_the_secret_alone_is_on_standard_output_so_that_a_script_can_take_it(tmp_path: Path) -> None:
    made = run_cli("keys", "create", "mailer", "--scope", "read", "--scope", "ingest", HOLDFIRE_DATA_DIR=str(tmp_path))
    assert made.stdout.strip().startswith("hf_live_")
    assert len(made.stdout.split()) == 1
    assert "cannot be shown again" in made.stderr


def test_what_is_wrong_is_said_in_a_sentence_with_the_right_exit_code(tmp_path: Path) -> None:
    folder = {"HOLDFIRE_DATA_DIR": str(tmp_path)}
    scope = run_cli("keys", "create", "mailer", "--scope", "everything", **folder)
    assert scope.returncode == 2
    assert "'everything' is not a scope; known are ingest" in scope.stderr
    span = run_cli("keys", "create", "mailer", "--scope", "read", "--expires-in", "soon", **folder)
    assert span.returncode == 2
    assert "--expires-in=soon" in span.stderr
    unknown = run_cli("keys", "revoke", "aaaaaaaa", **folder)
    assert unknown.returncode == 1
    assert "there is no key" in unknown.stderr
    assert "Traceback" not in scope.stderr + span.stderr + unknown.stderr


def _becomes(client, status: int) -> bool:
    """Return whether /floor answers with `status` before long; the server looks for new keys every few seconds."""
    until = time.monotonic() + WITHIN_SECONDS
    while time.monotonic() < until:
        if client.get("/api/v1/floor").status_code == status:
            return True
        time.sleep(0.1)
    return False
