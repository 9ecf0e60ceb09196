"""Check vendored browser code against the VENDOR.toml beside it, or take it from an npm tarball.

    python scripts/vendor.py --check
    npm pack htmx.org@2.0.11 && python scripts/vendor.py --take htmx.org-2.0.11.tgz

--take copies file and licence out of the tarball once its integrity is the one written in a VENDOR.toml. What pages
load lies in app/static/vendor, what only their tests load in tests/vendor.
"""

# ruff: noqa: INP001 -- a script, not a package

import argparse
import base64
import hashlib
import sys
import tarfile
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "app" / "static" / "vendor"
TESTS_VENDOR = ROOT / "tests" / "vendor"
FOLDERS = (VENDOR, TESTS_VENDOR)
LEGAL = {"licence_file": "LICENSE", "notices_file": "LICENSE-3RD-PARTY.txt"}  # what they are called in a tarball


def digest(algorithm: str, content: bytes) -> str:
    """Return a digest in base64, as npm and subresource integrity write it."""
    return base64.b64encode(hashlib.new(algorithm, content).digest()).decode()


def assets(folder: Path) -> list[dict[str, Any]]:
    """Return the entries of a folder's VENDOR.toml."""
    return list(tomllib.loads((folder / "VENDOR.toml").read_text(encoding="utf-8"))["asset"])


def contents(asset: dict[str, Any]) -> dict[str, str]:
    """Return an asset's files: their paths in the npm package, and what they are called here."""
    return {asset["path_in_package"]: asset["file"]} | {
        path: asset[member] for member, path in LEGAL.items() if member in asset
    }


def faults(folder: Path) -> list[str]:
    """Return one sentence per difference between a folder and its VENDOR.toml; empty when all is as published."""
    found: list[str] = []
    listed = {"VENDOR.toml"}
    for asset in assets(folder):
        files = list(contents(asset).values())
        listed |= set(files)
        found.extend(f"{name} is missing" for name in files if not (folder / name).is_file())
        if not (folder / asset["file"]).is_file():
            continue
        actual = digest("sha384", (folder / asset["file"]).read_bytes())
        if actual != asset["sha384"]:
            found.append(f"{asset['file']} has sha384 {actual}, VENDOR.toml says {asset['sha384']}")
        if asset["version"] not in asset["file"]:
            found.append(f"{asset['file']} does not carry its version {asset['version']} in its name")
    found.extend(f"{path.name} is not in VENDOR.toml" for path in sorted(folder.iterdir()) if path.name not in listed)
    return found


def integrity_of(tarball: Path) -> str:
    """Return a tarball's digest as npm writes it."""
    return f"sha512-{digest('sha512', tarball.read_bytes())}"


def folder_of(tarball: Path) -> Path:
    """Return the folder whose VENDOR.toml lists a tarball; that of the pages for one that none lists."""
    integrity = integrity_of(tarball)
    listing = (folder for folder in FOLDERS if any(asset["integrity"] == integrity for asset in assets(folder)))
    return next(listing, VENDOR)


def take(tarball: Path, folder: Path) -> str:
    """Copy an asset out of its npm tarball and return its name. Raises ValueError for a tarball nobody listed."""
    integrity = integrity_of(tarball)
    matching = [asset for asset in assets(folder) if asset["integrity"] == integrity]
    if not matching:
        raise ValueError(f"{tarball.name} has integrity {integrity}, which VENDOR.toml does not list")
    asset = matching[0]
    with tarfile.open(tarball) as archive:
        for source, target in contents(asset).items():
            member = archive.extractfile(f"package/{source}")
            if member is None:
                raise ValueError(f"{tarball.name} has no file package/{source}")
            (folder / target).write_bytes(member.read())
    return str(asset["name"])


def main() -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare the files with VENDOR.toml")
    parser.add_argument("--take", type=Path, metavar="TARBALL", help="copy file and licence from an npm tarball")
    arguments = parser.parse_args()
    if arguments.take:
        sys.stdout.write(f"took {take(arguments.take, folder_of(arguments.take))}\n")
    found = [fault for folder in FOLDERS for fault in faults(folder)]
    sys.stdout.write("".join(f"{fault}\n" for fault in found) or "vendored files are as published\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
