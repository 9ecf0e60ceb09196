"""Data that lies beside the repository, never in it. Tests that need it skip where it is absent (CI=true: fail)."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared"


def shared(relative: str) -> Path:
    """Return the path of a shared file, or skip the test with a message that names it."""
    path = SHARED / relative
    if not path.exists():
        pytest.skip(f"needs ../shared/{relative}, which is not here")
    return path
