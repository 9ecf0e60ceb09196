"""The data that tests may read but the repository never holds: `../shared` beside the checkout, where it exists."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
QUEUE_LOG = "data/queue_log_anonbank_1999-02-01_14.txt"
CALLS_CSV = "data/anonbank_calls_1999_feb.csv"


def shared(name: str) -> Path:
    """Return a shared file's path; without it the test is skipped, which under CI=true counts as failed."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{path} is not there; it comes with the shared data, not with the repository")
    return path
