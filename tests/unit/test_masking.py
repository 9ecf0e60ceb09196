import pytest

from app.masking import is_secret, masked


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "bearer_token",
        "api_key",
        "X-Api-Key",
        "client_secret",
        "aws_secret_access_key",
        "body",
        "apikey",
        "accessToken",
        "pwd",
        "Cookie",
    ],
)
def test_keys_of_secrets_are_known_by_their_words(key):
    assert is_secret(key)
    assert masked({key: "hunter2"}) == {key: "***"}


@pytest.mark.parametrize("key", ["url", "queues", "keyboard", "monkey", "token_env", "password_file", "username"])
def test_what_names_a_place_or_only_sounds_like_a_secret_is_shown(key):
    assert masked({key: "there"}) == {key: "there"}


def test_every_header_is_hidden_but_where_it_is_from():
    headers = {"X-Tenant": "seven", "Authorization_env": "AUTH"}
    assert masked({"headers": headers}) == {"headers": {"X-Tenant": "***", "Authorization_env": "AUTH"}}


@pytest.mark.parametrize(("value", "shown"), [("Bearer t", "***"), (["Authorization: t"], ["***"])])
def test_headers_that_are_no_table_are_hidden(value, shown):
    assert masked({"headers": value}) == {"headers": shown}


def test_tables_that_came_as_one_text_are_hidden_whole():
    assert masked('[{"bearer_token": "t"}]', "sources") == "***"
    assert masked([{"url": "https://acd.example"}], "sources") == [{"url": "https://acd.example"}]


@pytest.mark.parametrize("value", ["t", 1234, {"value": "t"}, ["t"]])
def test_a_secret_of_a_wrong_type_is_hidden_too(value):
    assert masked({"password": value, "queue_from_key": True}) == {"password": "***", "queue_from_key": True}


def test_secrets_deep_within_tables_and_lists_are_hidden():
    assert masked([{"mapping": {"auth": [{"token": "t"}], "n": 1}}]) == [
        {"mapping": {"auth": [{"token": "***"}], "n": 1}}
    ]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://acd.example/v1/queues", "https://acd.example/v1/queues"),
        ("https://ann:pw@acd.example/v1", "https://***@acd.example/v1"),
        ("https://acd.example/v1?key=1", "https://acd.example/v1?***"),
        ("mqtts://u@broker:8883#x", "mqtts://***@broker:8883?***"),
        ("orders@example", "orders@example"),
        ("https://ann:p/w@acd.example/v1", "https://***"),
        ("https://ann:p#w@acd.example/v1", "https://***"),
        ("https://ann:p w@acd.example/v1", "https://***"),
    ],
)
def test_urls_lose_their_user_and_their_query(url, shown):
    assert masked({"url": url}) == {"url": shown}
