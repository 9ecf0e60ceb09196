"""Who counts as nobody: who refuses, or cannot be reached by the network; no fault of this machine."""

import errno
import socket
import ssl

import httpx2
import pytest

from app.client import Unanswered
from app.postfix.nobody import is_nobody

REFUSED, UNREACHABLE = (OSError(number, "no") for number in (errno.ECONNREFUSED, errno.EHOSTUNREACH))
TOO_MANY = OSError(errno.EMFILE, "Too many open files")


def lost(*causes, kind=httpx2.ConnectError):
    """Return the fault of a client whose attempts to connect, one per address, failed like this."""
    fault, outer = Unanswered("it cannot be asked", lasting=False), kind("all connection attempts failed")
    fault.__cause__ = outer
    if causes:
        outer.__cause__ = OSError("all connection attempts failed")
        outer.__cause__.__cause__ = causes[0] if len(causes) == 1 else ExceptionGroup("several", causes)
    return fault


@pytest.mark.parametrize("causes", [[REFUSED], [UNREACHABLE], [REFUSED, UNREACHABLE]], ids=["refused", "away", "both"])
def test_who_refuses_or_cannot_be_reached_is_nobody(causes):
    assert is_nobody(lost(*causes))


@pytest.mark.parametrize(
    "fault",
    [
        lost(),
        lost(TOO_MANY),
        lost(REFUSED, TOO_MANY),
        lost(OSError(errno.EACCES, "denied")),
        lost(OSError(errno.EADDRNOTAVAIL, "no local port is left")),
        lost(socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")),
        lost(ssl.SSLError("bad certificate")),
        lost(ConnectionResetError(errno.ECONNRESET, "reset")),
        lost(TimeoutError(), kind=httpx2.ConnectTimeout),
        lost(REFUSED, kind=httpx2.ReadError),
        lost(REFUSED, kind=httpx2.PoolTimeout),
        Unanswered("status 503", lasting=False),
    ],
    ids=range(12),
)
def test_anything_else_may_be_somebody(fault):
    assert not is_nobody(fault)
