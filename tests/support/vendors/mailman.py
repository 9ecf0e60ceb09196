"""A Mailman 3: held messages of lists with members; what is accepted goes to all of them at once."""

from urllib.parse import parse_qs, unquote

from tests.support.vendors.mailing import Job, Mailer
from tests.support.vendors.strict import Answer, Asked, Wrong, must_sign_in

USER, PASSWORD = "restadmin", "canary-of-mailman"


class Mailman(Mailer):
    """Jobs are named list/request, as news.example.com/1. Once accepted, a message is held no longer."""

    def answer(self, asked: Asked) -> Answer:
        must_sign_in(asked, USER, PASSWORD)
        match asked.method, [unquote(step) for step in asked.path.split("/")[1:]]:
            case "GET", ["3.1", "lists", mailing_list]:
                return Answer({"list_id": mailing_list, "member_count": self.members(mailing_list), "http_etag": '"x"'})
            case "GET", ["3.1", "lists", mailing_list, "held", request]:
                job = self.held(mailing_list, request)
                return Answer(
                    {"request_id": int(job.id.rpartition("/")[2]), "subject": "Spring", "reason": "Emergency"}
                )
            case "POST", ["3.1", "lists", mailing_list, "held", request]:
                return self.post(self.held(mailing_list, request), asked)
        raise Wrong(404, f"there is no {asked.path}")

    def members(self, mailing_list: str) -> int:
        sizes = [job.recipients for job in self.jobs.values() if job.id.startswith(f"{mailing_list}/")]
        if not sizes:
            raise Wrong(404, "404 Not Found")
        return sizes[0]

    def held(self, mailing_list: str, request: str) -> Job:
        job = self.jobs.get(f"{mailing_list}/{request}")
        if job is None or job.status != "held":
            raise Wrong(404, "404 Not Found")
        return job

    def post(self, job: Job, asked: Asked) -> Answer:
        if asked.headers.get("content-type") != "application/x-www-form-urlencoded":
            raise Wrong(400, "send a form")
        action = parse_qs(asked.body.decode())["action"][0]
        if action not in {"accept", "discard", "reject", "defer", "hold"}:
            raise Wrong(400, "Cannot convert parameters: action")
        self.commands.append(action)
        if action == "accept" and "accept" not in self.deaf:
            self.send(job, job.recipients)
            job.status = "accepted"
        return Answer(status=204)
