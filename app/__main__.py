"""The `holdfire` program. What asks and sends starts without loading the server: scripts run it over and over."""

import gc
import sys
from collections.abc import Callable, Mapping

import typer

from app.commands import ask, outlook, postfix_policy, release, watch

QUICK: Mapping[str, Callable[..., None]] = {
    "check": ask.check,
    "wait": ask.wait,
    "release": release.release,
    "postfix-policy": postfix_policy.postfix_policy,
    "outlook": outlook.outlook,
    "watch": watch.watch,
}


def main() -> None:
    """Run the command that is named on the command line."""
    named = sys.argv[1] if len(sys.argv) > 1 else ""
    if named not in QUICK:
        gc.disable()  # nothing that loads is garbage, and looking for some takes as long as a third of the loading
        from app.cli import cli  # noqa: PLC0415 - costs more than a second

        gc.freeze()
        gc.enable()
        cli(prog_name="holdfire")
    quick = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    quick.callback()(lambda: None)
    quick.command()(QUICK[named])
    quick(prog_name="holdfire")


if __name__ == "__main__":
    main()
