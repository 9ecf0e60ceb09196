import pytest

from tests.support.whole import a_whole


@pytest.fixture
async def admin(tmp_path):
    async with a_whole(tmp_path) as whole, whole.client("admin") as client:
        yield client


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("keys", {"name": "tool", "scopes": ["readiness"]}),
        ("calendar-tokens", {"name": "Outlook"}),
        ("displays", {"name": "Floor 2"}),
    ],
)
async def test_what_was_made_is_found_where_the_answer_says_and_without_its_secret(admin, path, body):
    made = await admin.post(f"/api/v1/{path}", json=body)
    found = await admin.get(made.headers["location"])
    nothing = await admin.get(f"/api/v1/{path}/nobody")
    assert (made.status_code, found.status_code, nothing.status_code) == (201, 200, 404)
    assert found.json().items() < made.json().items()
    assert "'nobody'" in nothing.json()["detail"]
