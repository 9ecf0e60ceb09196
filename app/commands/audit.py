"""`holdfire audit`: whether everything that was written down is still there, unchanged."""

import re
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from app.commands.output import FAILED, USAGE, JsonFlag, fail, print_json
from app.errors import HoldfireError, Invalid
from app.ports.events import Verified
from app.settings import load_settings
from app.store.audit import verify as verify_chain

audit = typer.Typer(no_args_is_help=True, help="Check that the log of events is whole.")


@audit.callback()
def _group() -> None:
    """Keep `verify` a command of its own, also while it is the only one."""


@audit.command()
def verify(
    data_dir: Annotated[str | None, typer.Option(help="Folder of the embedded database.")] = None,
    head: Annotated[str | None, typer.Option(help="A head noted earlier: it must still be there.")] = None,
    json: JsonFlag = False,
) -> None:
    """Check every event, and each decision by its event, and change nothing. Exit 0 when all is whole, else 1."""
    noted = head.strip().lower() if head else None
    if noted is not None and not re.fullmatch(r"[0-9a-f]{64}", noted):
        fail(f"--head={head} must be the 64 hexadecimal digits that `holdfire audit verify` printed", USAGE)
    try:
        found = verify_chain(load_settings({"data_dir": data_dir}).resolved_database_url, noted)
    except Invalid as fault:
        fail(fault, USAGE)
    except (HoldfireError, OSError) as fault:
        fail(fault)
    if json:
        print_json(_shape(found))
    elif found.is_whole:
        print(f"{found.count:,} events, whole\nhead {found.head}")
    if not found.is_whole:
        fail("; ".join(_faults(found)), FAILED)


def _faults(found: Verified) -> Iterator[str]:
    if found.broken is not None:
        yield f"broken at event {found.broken.seq}: {found.broken.detail}; the {found.count:,} before it are whole"
    if found.differs is not None:
        yield f"{found.differs.detail}; it was changed since"


def _shape(found: Verified) -> dict[str, Any]:
    broken, differs = found.broken, found.differs
    return {
        "whole": found.is_whole,
        "count": found.count,
        "head": found.head,
        "broken_at": broken and broken.seq,
        "detail": broken and broken.detail,
        "changed_decision": differs and differs.decision_id,
        "changed_decision_detail": differs and differs.detail,
    }
