"""One process evaluates a database: two would not see each other's changes of policy, and would count history twice."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import URL

from app.errors import Invalid
from app.store.connect import shown, usable_url

SUFFIX = ".lock"


@contextmanager
def sole_evaluator(url: str) -> Iterator[None]:
    """Hold, while inside, the right to evaluate the database at `url`; it ends with the process, however that ends.

    Raises Invalid when somebody else has it, or when the lock's file beside the database cannot be had.
    """
    with _locked(usable_url(url)):
        yield


def _locked(database: URL) -> IO[str]:
    try:
        file = Path(f"{database.database}{SUFFIX}").open("a", encoding="ascii")  # noqa: SIM115  # its caller closes it
    except OSError as fault:
        raise Invalid(f"{shown(database)}: {fault.filename} cannot be written ({fault.strerror})") from fault
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as fault:
        file.close()
        raise Invalid(
            f"{shown(database)} is in use by another holdfire that serves or replays; "
            "stop that one, or give this one a folder of its own with HOLDFIRE_DATA_DIR"
        ) from fault
    return file
