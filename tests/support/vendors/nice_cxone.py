"""A NICE CXone tenant: strict about the access key, tokens that run out, and the path's version."""

import json
from datetime import datetime, timedelta
from typing import Any

from tests.support.vendors.strict import Answer, Asked, Vendor, Wrong, must_be, must_bear

KEY_ID, SECRET = "canary-cxone-key", "canary-cxone-secret"
TOKEN_PATH, PATH = "/authentication/v1/token/access-key", "/incontactAPI/services/v30.0/skills/activity"


def written(at: datetime) -> str:
    """Return an instant as CXone writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


class Cxone(Vendor):
    """rows: what stands in skillActivity, but for serverTime. lasts: how long a token is good for, in s."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[dict[str, Any]] = []
        self.tokens, self.lasts = 0, 3600
        self.refuses = False

    @property
    def token(self) -> str:
        return f"cxone-t0ken-{self.tokens}"

    def skill(self, number: object, waiting: object, seconds: float = 0, **more: Any) -> dict[str, Any]:
        """Return a row of a skill in which so many wait, the oldest for so long by CXone's clock."""
        return {
            "skillId": number,
            "skillName": "Orders",
            "mediaTypeName": "Phone Call",
            "queueCount": waiting,
            "earliestQueueTime": written(self.now() - timedelta(seconds=seconds)) if waiting else None,
            "agentsLoggedIn": 9,
            "agentsUnavailable": 3,
            "agentsAvailable": 4,
            "agentsIdle": 2,
            "agentsWorking": 3,
            "agentsACW": 1,
            "serviceLevel": 100,
            "isActive": True,
            "isOutbound": False,
        } | more

    def answer(self, asked: Asked) -> Answer:
        if asked.path == TOKEN_PATH:
            return self._sign_in(asked)
        must_be(asked, "GET", PATH)
        must_bear(asked, self.token)
        if self.refuses:
            raise Wrong(403, "the role may not read real-time data")
        now = written(self.now())
        return Answer({"lastPollTime": now, "skillActivity": [{"serverTime": now} | row for row in self.rows]})

    def table(self, **values: object) -> dict[str, object]:
        """Return the [[sources]] table that reads this tenant."""
        return {
            "type": "nice-cxone",
            "name": "cxone",
            "area": "na1",
            "api_version": "v30.0",
            "token_url": self.url(TOKEN_PATH),
            "api_url": self.url(),
            "access_key_id": KEY_ID,
            "access_key_secret": SECRET,
            "queues": {"day-voice": "4711"},
        } | values

    def _sign_in(self, asked: Asked) -> Answer:
        must_be(asked, "POST", TOKEN_PATH)
        if asked.headers.get("content-type") != "application/json":
            raise Wrong(415, "another type")
        if json.loads(asked.body) != {"accessKeyId": KEY_ID, "accessKeySecret": SECRET}:
            raise Wrong(401, "another key")
        self.tokens += 1
        return Answer({"access_token": self.token, "token_type": "Bearer", "expires_in": self.lasts})
