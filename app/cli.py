"""The `holdfire` command: one line per command, each in its own module under app.commands."""

import typer

from app import __version__
from app.commands import (
    ask,
    audit,
    backtest,
    decisions,
    demo,
    installation,
    keys,
    outlook,
    postfix_policy,
    release,
    replay,
    serve,
    sources,
    staffing,
    users,
    watch,
)
from app.commands.output import JsonFlag, print_json

cli = typer.Typer(
    name="holdfire",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The send gate between marketing and the contact center.",
)

cli.command()(serve.serve)
cli.command()(demo.demo)
cli.command()(replay.replay)
cli.command()(decisions.decisions)
cli.command()(backtest.backtest)
cli.command()(outlook.outlook)
cli.command()(ask.check)
cli.command()(ask.wait)
cli.command()(watch.watch)
cli.command()(release.release)
cli.command()(postfix_policy.postfix_policy)
cli.add_typer(keys.keys, name="keys")
cli.add_typer(users.users, name="users")
cli.add_typer(staffing.staffing, name="staffing")
cli.add_typer(sources.sources, name="sources")
cli.add_typer(audit.audit, name="audit")
cli.add_typer(installation.config, name="config")
cli.command()(installation.migrate)
cli.command()(installation.doctor)
cli.command()(installation.openapi)


@cli.command()
def version(json: JsonFlag = False) -> None:
    """Print the version."""
    if json:
        print_json({"version": __version__})
    else:
        print(f"holdfire {__version__}")


def main() -> None:
    """Run the command line."""
    cli()


if __name__ == "__main__":
    main()
