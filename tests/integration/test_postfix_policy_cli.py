"""`holdfire postfix-policy` as a program: what it says, how it ends, and what is left of its permits then."""

import json
import signal
import subprocess
import sys

import pytest

from app.core.permit.permit import PermitState
from tests.support.answers import HOLD, a_scripted, nobody
from tests.support.asking import DEFER, PASS, asking
from tests.support.policy_server import a_policy_server
from tests.support.senders import open_gate, stored_permits, tell, wait_for_gate
from tests.support.server import REPOSITORY, a_server, run_cli


def test_bulk_mail_passes_under_permits_that_are_settled_at_the_end_and_waits_while_the_gate_holds(tmp_path):
    with a_server(tmp_path) as server, server.client() as client:
        open_gate(server)
        with a_policy_server(tmp_path, server.url) as policy, asking(policy.where) as postfix:
            assert [postfix.ask() for _ in range(7)] == [PASS] * 7
            assert policy.stop() == -signal.SIGTERM
            assert postfix.answer() is None
        (permit,) = client.get("/api/v1/permits").json()["items"]
        assert (permit["state"], permit["allow"], permit["sent"]) == ("released", 50, 7)
        tell(client, backlog=99)
        wait_for_gate(client, "hold")
        with a_policy_server(tmp_path, server.url) as policy, asking(policy.where) as postfix:
            assert postfix.ask() == DEFER
            assert postfix.ask("receipts@shop.example") == PASS
            assert postfix.ask("anna@home.example", recipients=40) == PASS


def test_what_a_killed_one_did_not_report_stays_charged_and_nothing_is_charged_twice(tmp_path):
    with a_server(tmp_path) as server:
        open_gate(server, max_audience_per_hour=60)
        with a_policy_server(tmp_path, server.url) as policy, asking(policy.where) as postfix:
            assert [postfix.ask() for _ in range(7)] == [PASS] * 7
            policy.stop(signal.SIGKILL)
        with a_policy_server(tmp_path, server.url) as policy, asking(policy.where) as postfix:
            assert [postfix.ask() for _ in range(20)].count(PASS) == 10
    killed, ended = sorted(stored_permits(tmp_path).values(), key=lambda permit: permit.granted_at)
    assert (killed.state, killed.allowed, ended.state, ended.sent) == (PermitState.ACTIVE, 50, PermitState.USED, 10)


@pytest.mark.parametrize(("on_unreachable", "answer"), [("defer", DEFER), ("pass", PASS)])
def test_without_a_holdfire_the_settings_decide(tmp_path, on_unreachable, answer):
    settings = {"on_unreachable": on_unreachable, "unreachable_seconds": 0, "answer_seconds": 20}
    with a_policy_server(tmp_path, "http://127.0.0.1:9", **settings) as policy:
        with asking(policy.where) as postfix:
            assert postfix.ask("person@customers.example") == PASS
            assert postfix.ask() == answer
        policy.stop()
        printed = "".join(policy.printed)
    assert ("PASSES UNASKED" in printed) is (on_unreachable == "pass")
    assert "shop.example" not in printed
    assert "customers.example" not in printed


def test_a_proxy_that_refuses_lets_nothing_pass(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    with nobody() as proxy, a_scripted(HOLD) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        monkeypatch.setenv("http_proxy", proxy)
        with a_policy_server(tmp_path, server.url, on_unreachable="pass", unreachable_seconds=0) as policy:
            with asking(policy.where) as postfix:
                assert postfix.ask() == DEFER
            assert server.asked


def test_settings_that_cannot_be_end_it_with_the_key_at_fault(tmp_path):
    (tmp_path / "holdfire.toml").write_text('[postfix_policy]\nlisten = "0.0.0.0:10040"\n')
    checked = run_cli("config", "check", HOLDFIRE_CONFIG=str(tmp_path / "holdfire.toml"))
    started = run_cli("postfix-policy", HOLDFIRE_CONFIG=str(tmp_path / "holdfire.toml"))
    assert (checked.returncode, started.returncode) == (2, 2)
    assert "postfix_policy.listen" in checked.stderr
    assert checked.stderr == started.stderr


def test_its_key_is_never_shown(tmp_path):
    (tmp_path / "holdfire.toml").write_text('[postfix_policy]\napi_key = "hf_live_1_verysecret"\n')
    shown = run_cli("config", "show", "--json", HOLDFIRE_CONFIG=str(tmp_path / "holdfire.toml"))
    assert json.loads(shown.stdout)["settings"]["postfix_policy"] == {"api_key": "***"}


def test_a_port_that_is_taken_is_said_in_a_sentence(tmp_path):
    with a_policy_server(tmp_path, "http://127.0.0.1:9") as policy:
        listen = policy.where.removeprefix("inet:")
        second = run_cli("postfix-policy", "--listen", listen, HOLDFIRE_CONFIG=str(tmp_path / "holdfire.toml"))
    assert second.returncode == 1
    assert f"cannot listen on inet:{listen}" in second.stderr


def test_it_starts_without_loading_the_server():
    loaded = "import sys; from app.__main__ import QUICK; import app.postfix.policy_server; print(*sorted(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", loaded], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    modules = set(shown.stdout.split())
    assert "app.postfix.policy_server" in modules
    assert modules.isdisjoint({"fastapi", "sqlalchemy", "numpy", "app.main", "app.store", "app.services"})
