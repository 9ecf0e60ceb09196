"""Check vendored browser code against VENDOR.toml, or take it from an npm tarball.

    python scripts/vendor.py --check
    npm pack htmx.org@2.0.11 && python scripts/vendor.py --take htmx.org-2.0.11.tgz

--take copies file and licence out of the tarball once its integrity is the one written in VENDOR.toml.
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

VENDOR = Path(__file__).resolve().parent.parent / "app" / "static" / "vendor"


def digest(algorithm: str, content: bytes) -> str:
    """Return a digest in base64, as npm and subresource integrity write it."""
    return base64.b64encode(hashlib.new(algorithm, content).digest()).decode()


def assets(folder: Path) -> list[dict[str, Any]]:
    """Return the entries of a folder's VENDOR.toml."""
    return list(tomllib.loads((folder / "VENDOR.toml").read_text(encoding="utf-8"))["asset"])


def faults(folder: Path) -> list[str]:
    """Return one sentence per difference between a folder and its VENDOR.toml; empty when all is as published."""
    found: list[str] = []
    listed = {"VENDOR.toml"}
    for asset in assets(folder):
        listed |= {asset["file"], asset["licence_file"]}
        found.extend(
            f"{name} is missing" for name in (asset["file"], asset["licence_file"]) if not (folder / name).is_file()
        )
        if not (folder / asset["file"]).is_file():
            continue
        actual = digest("sha384", (folder / asset["file"]).read_bytes())
        if actual != asset["sha384"]:
            found.append(f"{asset['file']} has sha384 {actual}, VENDOR.toml says {asset['sha384']}")
        if asset["version"] not in asset["file"]:
            found.append(f"{asset['file']} does not carry its version {asset['version']} in its name")
    found.extend(f"{path.name} is not in VENDOR.toml" for path in sorted(folder.iterdir()) if path.name not in listed)
    return found


def take(tarball: Path, folder: Path) -> str:
    """Copy an asset out of its npm tarball and return its name. Raises ValueError for a tarball nobody listed."""
    integrity = f"sha512-{digest('sha512', tarball.read_bytes())}"
    matching = [asset for asset in assets(folder) if asset["integrity"] == integrity]
    if not matching:
        raise ValueError(f"{tarball.name} has integrity {integrity}, which VENDOR.toml does not list")
    asset = matching[0]
    with tarfile.open(tarball) as archive:
        for source, target in ((asset["path_in_package"], asset["file"]), ("LICENSE", asset["licence_file"])):
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
        sys.stdout.write(f"took {take(arguments.take, VENDOR)}\n")
    found = faults(VENDOR)
    sys.stdout.write("".join(f"{fault}\n" for fault in found) or "vendored files are as published\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
