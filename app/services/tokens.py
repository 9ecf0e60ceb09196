"""Tokens that stand in an address: how they are drawn, and what is kept of them."""

import base64
import secrets
from hashlib import sha256


def random_text(length: int) -> str:
    """Return that many random characters of a-z and 2-7, five bits each. length: a multiple of eight."""
    return base64.b32encode(secrets.token_bytes(length * 5 // 8)).decode().lower()


def digest_of(text: str) -> bytes:
    """Return what is kept of a secret: its SHA-256. Who guesses 200 random bits needs no slow hash to be stopped."""
    return sha256(text.encode()).digest()
