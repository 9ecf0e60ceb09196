import pytest

from app.errors import Invalid
from workers.systems.table import Table


def a_table(environ=None, **values):
    return Table("sources[0]", values, {} if environ is None else environ)


def test_a_secret_comes_from_the_table_a_file_or_a_variable(tmp_path):
    (tmp_path / "token").write_text("s3cret\n")
    tables = [
        a_table(token="s3cret"),
        a_table(token_file=str(tmp_path / "token")),
        a_table({"TOKEN": "s3cret"}, token_env="TOKEN"),
    ]
    assert [table.secret("token").get_secret_value() for table in tables] == ["s3cret"] * 3
    assert "s3cret" not in repr(tables[0].secret("token"))
    for table in tables:
        table.done()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, r"sources\[0\].token: is missing; give it as token_file, token_env or token"),
        ({"token": 7}, r"sources\[0\].token: is not text"),
        ({"token": "a\nb"}, r"sources\[0\].token: gives an empty secret, or one with control characters"),
        ({"token": "a", "token_env": "T"}, r"sources\[0\].token_env: and token are both there; keep one"),
        ({"token_env": "T"}, r"sources\[0\].token_env: the variable T is not set"),
        ({"token_file": "/nowhere/token"}, r"sources\[0\].token_file: /nowhere/token cannot be read \(No such file"),
    ],
)
def test_a_bad_secret_is_refused_without_being_quoted(values, sentence):
    with pytest.raises(Invalid, match=sentence):
        a_table(**values).secret("token")


def test_a_secret_that_would_be_shown_is_a_fault_of_the_program():
    with pytest.raises(TypeError, match="would show 'pin'"):
        a_table(pin="1").secret("pin")


def test_headers_are_secrets_by_their_own_names():
    headers = a_table({"T": "seven"}, headers={"X-Tenant_env": "T", "X-Api-Key": "k"}).secrets("headers")
    assert {name: each.get_secret_value() for name, each in headers.items()} == {"X-Tenant": "seven", "X-Api-Key": "k"}


@pytest.mark.parametrize(
    ("ask", "value", "sentence"),
    [
        (lambda table: table.number("k", 1, 0, 9), 10, "10 is not allowed; give a number from 0 to 9"),
        (lambda table: table.number("k", 1, 0, 9), True, "True is not allowed"),
        (lambda table: table.whole("k", 1, 0, 9), 1.5, "1.5 is not allowed; give a whole number from 0 to 9"),
        (lambda table: table.flag("k", default=True), "yes", "'yes' is not allowed; write true or false"),
        (lambda table: table.choice("k", ("a", "b")), "c", "'c' is not known; known are a, b"),
        (lambda table: table.url("k"), "acd.example", "is not a URL; write https or http://host/path"),
        (lambda table: table.url("k"), "https://a:pw@acd.example", "holds a user or a password; give them in keys"),
        (lambda table: table.url("k"), "https://acd.example:x", "is not a URL"),
        (lambda table: table.table("k"), "x", "is not a table"),
        (lambda table: table.mapping("k"), {"a": 1}, r"1 is not text"),
        (lambda table: table.texts("k", ()), "x", "'x' is not a list of texts"),
    ],
)
def test_a_bad_value_is_refused_naming_the_key(ask, value, sentence):
    with pytest.raises(Invalid, match=rf"sources\[0\]\.k.*{sentence}"):
        ask(a_table(k=value))


def test_what_is_missing_is_said_to_be_missing():
    with pytest.raises(Invalid, match=r"sources\[0\].port: is missing; give a whole number from 1 to 9"):
        a_table().whole("port", None, 1, 9)


def test_sound_values_come_back_as_they_are():
    table = a_table(n=2, w=3, f=False, c="a", u="https://acd.example/x?y=1", m={"a": "b"}, t=["x"])
    assert (table.number("n", 0, 0, 9), table.whole("w", 0, 0, 9), table.flag("f", default=True)) == (2.0, 3, False)
    assert (table.choice("c", ("a",)), table.url("u"), table.mapping("m")) == (
        "a",
        "https://acd.example/x?y=1",
        {"a": "b"},
    )
    assert (table.texts("t", ()), table.optional_text("absent")) == (("x",), None)
    table.done()


def test_a_key_nobody_asked_for_is_refused_in_tables_within_too():
    table = a_table(auth={"user": "ann", "color": "red"})
    table.table("auth").text("user")
    with pytest.raises(Invalid, match=r"sources\[0\].auth.color: is not known; known are user"):
        table.done()
