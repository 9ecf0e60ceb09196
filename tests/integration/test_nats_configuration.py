"""NATS reads the configuration that the cluster gives it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.server import REPOSITORY

DOCKER = REPOSITORY / "docker"
# Debian's server is older than the image's and does not know it.
NEWER = re.compile(r"^ *sync_interval: always$", re.MULTILINE)


def test_nats_takes_its_configuration_with_the_password_that_was_made(tmp_path: Path):
    server = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin")
    if server is None:
        pytest.skip("nats-server is not installed (Debian: apt-get install nats-server)")
    subprocess.run([DOCKER / "make-secrets.sh", tmp_path / "secrets"], check=True, capture_output=True)
    (tmp_path / "auth.conf").write_text((tmp_path / "secrets" / "nats_auth.conf").read_text())
    text, replaced = NEWER.subn("", (DOCKER / "nats" / "nats.conf").read_text(encoding="utf-8"))
    assert replaced == 1
    (tmp_path / "nats.conf").write_text(text.replace("/data", str(tmp_path / "data")))
    checked = subprocess.run(
        [server, "-t", "-c", tmp_path / "nats.conf"], capture_output=True, text=True, timeout=60, check=False
    )
    assert checked.returncode == 0, checked.stderr
