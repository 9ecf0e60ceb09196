"""`holdfire users` over a real database, in this process."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli
from tests.support.people import PASSWORD, a_user


class Shell:
    """Runs commands on one data folder."""

    def __init__(self, folder: Path) -> None:
        self.environment = {"HOLDFIRE_DATA_DIR": str(folder), "HOLDFIRE_PUBLIC_URL": "https://hold.example"}

    def run(self, *arguments: str, typed: str = "") -> Result:
        return CliRunner().invoke(cli, ["users", *arguments], input=typed, env=self.environment)

    def listed(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = json.loads(self.run("list", "--json").stdout)
        return found


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_an_invitation_is_printed_once_and_listed_without_its_token(shell: Shell):
    made = shell.run("create", "--email", "Mia@example.com", "--role", "marketer")
    assert made.exit_code == 0, made.stderr
    assert re.fullmatch(r"https://hold\.example/join/[\w-]{43}\n", made.stdout)
    assert "cannot be shown again" in made.stderr
    (link,) = shell.listed()["invitations"]
    assert (link["email"], link["role"], link["purpose"]) == ("mia@example.com", "marketer", "join")
    assert made.stdout.strip().rpartition("/")[2] not in shell.run("list", "--json").stdout
    assert "Links nobody used yet" in shell.run("list").stdout


def test_somebody_with_a_password_can_sign_in_at_once(shell: Shell):
    made = shell.run(
        "create", "--email", "ann@example.com", "--role", "admin", "--name", "Ann", "--password-stdin", typed=PASSWORD
    )
    assert made.stdout == "ann@example.com can sign in now, as admin\n"
    (ann,) = shell.listed()["users"]
    assert (ann["name"], ann["role"], ann["signed_in_at"]) == ("Ann", "admin", None)
    assert "argon2" not in json.dumps(ann)


def test_a_password_is_asked_for_twice_and_not_shown(shell: Shell):
    made = shell.run("create", "--email", "ann@example.com", "--role", "viewer", "--prompt", typed=f"{PASSWORD}\n" * 2)
    assert made.exit_code == 0, made.stderr
    assert PASSWORD not in made.stdout + made.stderr
    assert [user["name"] for user in shell.listed()["users"]] == ["ann"]


def test_every_fault_is_named_and_nothing_is_made(shell: Shell):
    weak = shell.run("create", "--email", "x", "--role", "viewer", "--password-stdin", typed="a\n")
    assert weak.exit_code == 2
    assert "is no email address" in weak.stderr
    assert "has 1 characters" in weak.stderr
    assert shell.run("create", "--email", "a@example.com", "--role", "king").exit_code == 2
    assert shell.listed() == {"users": [], "invitations": []}


def test_somebody_is_disabled_once_and_the_only_admin_never(shell: Shell):
    a_user(shell.environment, "boss@example.com")
    only = shell.run("disable", "boss@example.com")
    assert (only.exit_code, "only admin" in only.stderr) == (1, True)
    a_user(shell.environment, "second@example.com")
    first, again = (shell.run("disable", "Boss@example.com", "--json") for _ in range(2))
    assert json.loads(first.stdout)["disabled_at"] is not None
    assert first.stdout == again.stdout
    assert "disabled since" in shell.run("disable", "boss@example.com").stdout


def test_a_link_to_a_new_password_is_for_users_only(shell: Shell):
    a_user(shell.environment, "boss@example.com")
    assert shell.run("reset", "boss@example.com").stdout.startswith("https://hold.example/reset/")
    nobody = shell.run("reset", "nobody@example.com")
    assert (nobody.exit_code, "no user 'nobody@example.com'" in nobody.stderr) == (1, True)
