"""`holdfire postfix-policy`: tells Postfix, message by message, whether bulk mail may pass."""

import logging
from typing import Annotated

import typer

from app.commands.options import KeyOption
from app.commands.output import FAILED, USAGE, fail
from app.commands.talking import talk


def postfix_policy(
    listen: Annotated[
        str | None, typer.Option("--listen", help="Where Postfix asks: 127.0.0.1:PORT, or unix:/PATH.")
    ] = None,
    url: Annotated[str | None, typer.Option("--url", envvar="HOLDFIRE_URL", help="Where holdfire listens.")] = None,
    key: KeyOption = None,
) -> None:
    """Answer Postfix's policy requests: bulk mail waits while its gate holds, by the rules of holdfire.toml."""
    # Only this command needs them: the others that need no server have to start at once.
    from httpx2 import AsyncHTTPTransport  # noqa: PLC0415

    from app.client import AsyncHoldfire  # noqa: PLC0415
    from app.errors import Invalid  # noqa: PLC0415
    from app.postfix.policy_server import serve  # noqa: PLC0415
    from app.postfix.table import policy_table  # noqa: PLC0415
    from app.settings import load_settings  # noqa: PLC0415
    from app.telemetry.logs import configure_logs  # noqa: PLC0415
    from workers.systems.plain import readable_in  # noqa: PLC0415

    try:
        settings = load_settings()
        table = policy_table(settings.postfix_policy | ({"listen": listen} if listen else {}))
    except Invalid as fault:
        fail(fault, USAGE)
    configure_logs(settings.log_level, settings.log_format)

    for said in readable_in("postfix_policy", settings.postfix_policy | ({"url": url} if url else {})):
        logging.getLogger(__name__).warning("secret_readable", extra={"setting": said})

    async def work(holdfire: AsyncHoldfire) -> None:
        await serve(table, holdfire, lambda where: print(f"answering Postfix on {where}", flush=True))

    secret = table.api_key.get_secret_value() if table.api_key else None
    try:
        # Straight there: a proxy that refuses would look as if nobody were there who could have held.
        talk(url or table.url, key or secret, work, transport=AsyncHTTPTransport())
    except OSError as fault:
        fail(f"cannot listen on {table.listen}: {fault}", FAILED)
