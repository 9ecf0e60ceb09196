import pytest

from app.core.account.password import ADVISED, MOST, is_short, password_fault


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "tr0ub4dor&3",
        "Sommer in Wien",
        "  a b c d e  ",
        "pässwörter nicht",
        "a9-b8" * 204 + "c7+d",
        "密码密码长长的一句话",
    ],
)
def test_whatever_is_long_and_not_the_first_guess_is_taken(password):
    assert password_fault(password, "ann@example.com", "Ann") is None


@pytest.mark.parametrize(("length", "said"), [(0, "has 0 characters"), (7, "has 7 characters"), (MOST + 1, "1,025")])
def test_too_short_and_too_long_are_refused_with_what_is_allowed(length, said):
    fault = password_fault(("a9-b8_c7+d6" * 100)[:length])
    assert fault is not None
    assert said in fault
    assert "take at" in fault


@pytest.mark.parametrize(
    "password",
    [
        "password", "Passw0rd!", "P@ssword2024", "12345678", "98765432", "aaaaaaaa", "abcdefgh", "letmeinletmein",
        "qwertyuiop", "1q2w3e4r", "Welcome1", "trustno1", "asdfghjkl", "iloveyou!!", "holdfire1", "!!admin2026!!",
    ],
)  # fmt: skip
def test_what_is_tried_first_is_refused_and_not_repeated(password):
    fault = password_fault(password)
    assert fault is not None
    assert "tried first" in fault
    assert password == "password" or password not in fault


@pytest.mark.parametrize(
    "password", ["ann.lee@example.com", "Ann.Lee@Example.com", "ann.lee1", "Dr Ann Lee", " dr ann lee "]
)
def test_ones_own_name_and_address_are_refused(password):
    fault = password_fault(
        password, "ann.lee1@example.com" if password == "ann.lee1" else "ann.lee@example.com", "Dr Ann Lee"
    )
    assert fault is not None
    assert "your name or email address" in fault


def test_a_password_of_fifteen_is_as_long_as_advised():
    assert is_short("x" * (ADVISED - 1))
    assert not is_short("x" * ADVISED)
