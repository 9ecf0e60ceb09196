"""An installed wheel can create and upgrade its own database: the migrations travel with it."""

import subprocess
import sys
import zipfile

import pytest

from tests.support.server import REPOSITORY


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return a folder with what the wheel holds, as pip would install it."""
    built, target = tmp_path_factory.mktemp("built"), tmp_path_factory.mktemp("installed")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(built)]
    subprocess.run(build, cwd=REPOSITORY, check=True, capture_output=True, timeout=280)
    (wheel,) = built.iterdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


@pytest.mark.slow
def test_an_installed_wheel_migrates_a_new_database(installed, tmp_path):
    program = (
        "import app.store.migrate as m, pathlib; print(pathlib.Path(m.__file__).parents[2]);"
        f"print(m.migrate('sqlite:///{tmp_path}/holdfire.db'))"
    )
    environment = {"PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200, check=True
    )
    folder, version = done.stdout.split()
    assert folder == str(installed)
    assert version == max(path.name[:4] for path in (installed / "app/store/migrations/versions").glob("0*.py"))
