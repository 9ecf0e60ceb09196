"""The suite's own rule: a skip is a failure under CI=true, so that a green run cannot hide a missing program."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
MODULE_SKIP = 'import pytest\npytest.skip("no such program", allow_module_level=True)\n'
TEST_SKIP = 'import pytest\ndef test_it():\n    pytest.skip("no such program")\n'


def outcome(tmp_path: Path, source: str, *, ci: str) -> tuple[int, str]:
    (tmp_path / "conftest.py").write_text(CONFTEST.read_text())
    (tmp_path / "test_one.py").write_text(source)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    environment = os.environ | {"CI": ci, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # no plugin has a part in it
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=False)
    return run.returncode, run.stdout


@pytest.mark.parametrize("source", [MODULE_SKIP, TEST_SKIP], ids=["module", "test"])
def test_a_skip_fails_the_run_under_ci_and_names_the_reason(tmp_path, source):
    code, output = outcome(tmp_path, source, ci="true")
    assert code != 0
    assert "nothing may be skipped, and this was: Skipped: no such program" in output


def test_a_skip_is_allowed_on_a_developers_machine(tmp_path):
    code, output = outcome(tmp_path, TEST_SKIP, ci="")
    assert (code, "1 skipped" in output) == (0, True)
