"""Who runs a command on this machine, as events name them."""

import os
import pwd

from app.core.event import Actor


def local_actor() -> Actor:
    """Return the command line's actor, named for the operating system's user; by number where that has no name."""
    number = os.getuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:  # a container may run under a number that nobody named
        name = f"user {number}"
    return Actor("cli", name)
