"""Passwords that whoever guesses tries first: words that people choose, dressed up or not, and runs on a keyboard.

A list of thousands would say the same: nearly all of it is one of these words with a year or a mark behind it, some
letters swapped for signs, or twice the same.
"""

import re

WORDS = frozenset(
    """
    password passwort motdepasse contrasena kennwort passphrase passw0rd pass secret geheim letmein welcome willkommen
    bienvenue admin administrator root user guest login master changeme default temp temporary test testing demo
    qwerty qwertz azerty iloveyou sunshine princess dragon monkey football baseball basketball soccer hockey superman
    batman pokemon starwars shadow michael jennifer jessica ashley jordan charlie daniel thomas george andrew hunter
    harley ranger buster tigger cookie chocolate cheese flower summer winter spring autumn monday friday january
    december freedom whatever trustno computer internet samsung google facebook microsoft windows apple linkedin
    liverpool chelsea arsenal mustang ferrari mercedes corvette killer hello ninja blink maggie pepper ginger
    company corporate business office support service callcenter contactcenter marketing workforce holdfire
    """.split()  # noqa: SIM905  a list of a hundred quoted words cannot be read
)
ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "qazwsxedcrfvtgbyhnujm",
    "1q2w3e4r5t6y7u8i9o0p",
)
LEAST_DIFFERENT = 4
_SIGNS = str.maketrans("@40$5317!", "aaosseiti")
_EDGES = re.compile(r"^[\W\d_]+|[\W\d_]+$")


def is_guessable(password: str) -> bool:
    """Return whether a password is among the first that would be tried."""
    text = password.casefold()
    return len(set(text)) < LEAST_DIFFERENT or _is_run(text) or _is_word(text)


def _is_word(text: str) -> bool:
    bare = _EDGES.sub("", text)
    return any(
        _repeated(each) in WORDS for each in (bare, bare.translate(_SIGNS), _EDGES.sub("", text.translate(_SIGNS)))
    )


def _repeated(text: str) -> str:
    """Return what a text repeats, the text itself when nothing: "letmeinletmein" is "letmein"."""
    whole = (text + text).find(text, 1)
    return text[:whole] if whole > 0 else text


def _is_run(text: str) -> bool:
    """Return whether a text goes along a keyboard or an alphabet, either way, from any place and round again."""
    bare = _repeated(text)
    return any(bare in row * 2 or bare in row[::-1] * 2 for row in ROWS)
