"""What a password must be: long, not one that is tried first, and nothing more (OWASP ASVS 5.0.0, 6.2).

No rule asks for digits or signs: they make passwords hard to remember and hardly harder to guess.
"""

from app.core.account.email import normal_email
from app.core.account.guessable import is_guessable

LEAST, ADVISED, MOST = 8, 15, 1024


def password_fault(password: str, email: str = "", name: str = "") -> str | None:
    """Judge a new password for who has this address and name: None, or a sentence naming what to do.

    It is taken exactly as it is: no space is cut off, no case changed (ASVS 6.2.8). The sentence never repeats it.
    """
    if len(password) < LEAST:
        return f"the password has {len(password)} characters; take at least {LEAST}, better {ADVISED} or more"
    if len(password) > MOST:
        return f"the password has {len(password):,} characters; take at most {MOST:,}"
    typed, address = password.casefold().strip(), normal_email(email)
    if typed and typed in {address, address.partition("@")[0], name.casefold().strip()}:
        return "the password is your name or email address; take one that nobody can look up"
    if is_guessable(password):
        return "the password is among those tried first; take another, like four words that have nothing in common"
    return None


def is_short(password: str) -> bool:
    """Return whether a password that is allowed is shorter than we advise."""
    return len(password) < ADVISED
