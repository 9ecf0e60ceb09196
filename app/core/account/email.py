"""Email addresses as people sign in with them: one spelling each, and no more checked than that it may be one.

Whether mail arrives there nobody can tell from its text, and holdfire sends none.
"""

import re
import unicodedata

LONGEST = 254  # RFC 5321, 4.5.3.1.3: a path of 256 with its brackets
LONGEST_LOCAL = 64  # RFC 5321, 4.5.3.1.1
_DOMAIN = re.compile(r"(?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W\d_](?:[\w-]*[^\W_])?")
_SHOWN = 60


def normal_email(text: str) -> str:
    """Return the one spelling of an address: no space around it, composed characters, all in lower case.

    RFC 5321 lets the part before the @ differ by case; no mail system in use does, and people type it either way.
    """
    return unicodedata.normalize("NFC", text.strip()).lower()


def email_fault(text: str) -> str | None:
    """Judge an address: None, or a sentence naming what is wrong and what to do."""
    email = normal_email(text)
    local, at, domain = email.rpartition("@")
    if not email:
        return "the email address is empty; send one like ann@example.com"
    if len(email) > LONGEST or len(local) > LONGEST_LOCAL:
        return f"the email address has {len(email)} characters; at most {LONGEST}, {LONGEST_LOCAL} before the @"
    spaced = any(character.isspace() or not character.isprintable() for character in email)
    if not at or not local or "@" in local or spaced or not _DOMAIN.fullmatch(domain):
        return f"{email[:_SHOWN]!r} is no email address; send one like ann@example.com"
    return None
