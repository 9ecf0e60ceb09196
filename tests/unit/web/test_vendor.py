import importlib.util
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def vendor():
    spec = importlib.util.spec_from_file_location("vendor", ROOT / "scripts" / "vendor.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_vendored_files_are_byte_for_byte_as_published(vendor):
    assert [vendor.faults(folder) for folder in vendor.FOLDERS] == [[], []]


def test_a_changed_a_missing_and_an_unlisted_file_are_each_named(vendor, tmp_path):
    folder = tmp_path / "vendor"
    shutil.copytree(vendor.VENDOR, folder)
    (folder / "htmx-2.0.11.min.js").write_text("changed")
    (folder / "plotly-basic-4.1.1.LICENSE").unlink()
    (folder / "extra.js").write_text("")
    found = vendor.faults(folder)
    assert len(found) == 3
    assert "htmx-2.0.11.min.js has sha384" in found[0]
    assert found[1] == "plotly-basic-4.1.1.LICENSE is missing"
    assert found[2] == "extra.js is not in VENDOR.toml"


def test_a_tarball_nobody_listed_is_refused(vendor, tmp_path):
    (tmp_path / "some.tgz").write_bytes(b"not it")
    with pytest.raises(ValueError, match=r"some\.tgz has integrity sha512-"):
        vendor.take(tmp_path / "some.tgz", vendor.VENDOR)
