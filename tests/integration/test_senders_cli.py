"""`holdfire doctor --sender`, `config check` and `config show` over a fake tool that really listens."""

import json

import pytest
from typer.testing import CliRunner

from app.cli import cli
from tests.support.tools import LISTMONK
from tests.support.vendors.listmonk import PASSWORD, USER
from tests.support.vendors.strict import serving

CONFIG = """
[[senders]]
type = "listmonk"
name = "news"
url = "{url}"
username = "{user}"
password = "{password}"
messages_per_second = {rate}
"""


@pytest.fixture
def tool():
    with serving(LISTMONK.make()) as fake:
        fake.add("12", 700, "paused")
        yield fake


@pytest.fixture
def holdfire(tool, tmp_path, monkeypatch):
    path = tmp_path / "holdfire.toml"
    monkeypatch.setenv("HOLDFIRE_CONFIG", str(path))
    monkeypatch.setenv("HOLDFIRE_DATA_DIR", str(tmp_path))

    def run(*words, rate=50, password=PASSWORD):
        path.write_text(CONFIG.format(url=tool.url(), user=USER, password=password, rate=rate), encoding="utf-8")
        return CliRunner().invoke(cli, words)

    return run


def test_it_says_how_a_campaign_stands_and_changes_nothing(tool, holdfire):
    done = holdfire("doctor", "--sender", "news", "--campaign", "12", "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout) == {
        "sender": "news",
        "type": "listmonk",
        "can_pause": True,
        "campaign": "12",
        "state": "paused",
        "sent": 0,
        "target": 700,
        "ok": True,
        "detail": "it answers, and nothing was changed",
    }
    assert tool.commands == []


def test_wrong_credentials_fail_with_a_sentence(holdfire):
    done = holdfire("doctor", "--sender", "news", "--campaign", "12", "--json", password="wrong")
    assert done.exit_code == 1
    assert "does not accept our credentials" in json.loads(done.stdout)["detail"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--sender", "other", "--campaign", "12"), "no sender is called 'other'"),
        (("--sender", "news"), "needs --campaign"),
    ],
)
def test_what_is_missing_is_said(holdfire, words, said):
    done = holdfire("doctor", *words)
    assert done.exit_code == 2
    assert said in done.output


def test_config_check_names_the_table_and_the_key(holdfire):
    assert holdfire("config", "check").exit_code == 0
    done = holdfire("config", "check", rate=-1)
    assert done.exit_code == 2
    assert "senders[0].messages_per_second" in done.output


def test_config_show_shows_no_secret(holdfire):
    done = holdfire("config", "show", "--json")
    assert done.exit_code == 0
    assert "news" in done.output
    assert PASSWORD not in done.output


def test_a_password_that_would_go_unencrypted_is_warned_of_and_not_refused(tmp_path, monkeypatch):
    path = tmp_path / "holdfire.toml"
    path.write_text(CONFIG.format(url="http://news.example.com", user=USER, password=PASSWORD, rate=50))
    monkeypatch.setenv("HOLDFIRE_CONFIG", str(path))
    done = CliRunner().invoke(cli, ["config", "check"])
    assert (done.exit_code, done.stdout) == (0, "settings are fine\n")
    assert done.stderr == (
        "warning: senders[0].url: anybody on the way to news.example.com can read password; write https://\n"
    )
