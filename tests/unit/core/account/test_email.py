import pytest

from app.core.account.email import email_fault, normal_email


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Ann@Example.COM ", "ann@example.com"),
        ("jose\u0301@example.com", "jos\u00e9@example.com"),
        ("a+b@x-y.example", "a+b@x-y.example"),
    ],
)
def test_an_address_has_one_spelling(typed, kept):
    assert normal_email(typed) == kept
    assert email_fault(typed) is None


@pytest.mark.parametrize(
    "typed",
    [
        "ann",
        "@example.com",
        "ann@",
        "ann@localhost",
        "a@b@c.example",
        "ann lee@example.com",
        "ann@exam ple.com",
        "ann@-x.example",
        "ann@x.1",
        "a\x00@example.com",
        "ann@example.com.",
        f"{'a' * 65}@example.com",
        f"ann@{'a' * 250}.example",
    ],
)
def test_what_is_no_address_is_refused_with_what_to_do(typed):
    fault = email_fault(typed)
    assert fault is not None
    assert "like ann@example.com" in fault or "at most" in fault


def test_an_empty_address_is_said_to_be_empty():
    assert "is empty" in str(email_fault("  "))
