"""A FreeSWITCH whose mod_callcenter follows a script: it keeps the truth and tells it over the event socket.

Columns, headers and their order as in mod_callcenter.c and mod_event_socket.c of FreeSWITCH 1.10, the traps included:
who gave up stays on the list of members, an agent who picked up may fail to be connected, a hang-up is told as
BREAK_OUT, a caller's name stands unescaped between the bars of a table.
"""

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from tests.support.vendors.wire import Line, Truth, Wire

PASSWORD, USER = "ClueCon2", "holdfire@pbx.example"
CANARY_NUMBER, CANARY_NAME = "+15550142857", "Canary | Bird\u00e9song"
DISCARD_SECONDS = 900


@dataclass
class Agent:
    name: str
    status: str = "Available"
    state: str = "Waiting"
    wrap_up: int = 0
    last_bridge_end: int = 0
    ready_time: int = 0


@dataclass
class Member:
    id: str
    queue: str
    joined: float
    rejoined: float = 0.0
    answered: float = 0.0
    gone: float = 0.0
    agent: str = ""
    state: str = "Waiting"


class FreeSwitch:
    """now: the world's time. skew_seconds: how far its own clock is ahead. permits_events, permits_api: of the user."""

    def __init__(self, now: Callable[[], datetime], *queues: str, largest_piece: int = 0) -> None:
        self._now, self.queues = now, queues
        self.members: dict[str, Member] = {}
        self.agents: dict[str, Agent] = {}
        self.tiers: list[tuple[str, str]] = []
        self.skew_seconds = 0.0
        self.permits_events = self.permits_api = True
        self.tells = True
        self.repeats = False
        self.number, self.name = CANARY_NUMBER, CANARY_NAME  # of every caller
        self.asked: Counter[str] = Counter()
        self.wire = Wire(self._talk, largest_piece=largest_piece)

    # --- the script ---

    @property
    def at(self) -> float:
        """Return the time by its own clock, epoch seconds."""
        return self._now().timestamp() + self.skew_seconds

    def add(self, queue: str, name: str, **facts: Any) -> Agent:
        """Add an agent to a queue; there is no event for a tier, a list shows it."""
        agent = self.agents.setdefault(name, Agent(name, **facts))
        self.tiers.append((queue, name))
        return agent

    def change(self, agent: Agent, *, status: str | None = None, state: str | None = None) -> None:
        if status is not None:
            agent.status = status
            self._tell("agent-status-change", Agent=agent.name, Agent_Status=status)
        if state is not None:
            agent.state = state
            self._tell("agent-state-change", Agent=agent.name, Agent_State=state)

    def join(self, queue: str) -> str:
        member = Member(str(uuid.uuid4()), queue, self.at)
        self.members[member.id] = member
        self._of_member("member-queue-start", member)
        return member.id

    def come_back(self, call: str) -> None:
        """Who had given up takes the old place again."""
        member = self.members[call]
        member.state, member.rejoined = "Waiting", self.at
        self._of_member("member-queue-resume", member)

    def reach(self, call: str, agent: Agent) -> None:
        """An agent picks up; whether the two are connected comes next."""
        member = self.members[call]
        member.state, member.agent = "Trying", agent.name
        self.change(agent, state="Receiving")
        self._of_agent("bridge-agent-start", member, agent)

    def connect(self, call: str, agent: Agent) -> None:
        self.reach(call, agent)
        member = self.members[call]
        member.state, member.answered = "Answered", self.at
        self.change(agent, state="In a queue call")

    def fail_to_connect(self, call: str) -> None:
        """The caller waits on."""
        member = self.members[call]
        agent = self.agents[member.agent]
        member.state, member.agent = "Waiting", ""
        self._of_agent("bridge-agent-end", member, agent, Agent_Bridged="false")
        self.change(agent, state="Waiting")

    def complete(self, call: str) -> None:
        member = self.members.pop(call)
        agent = self.agents[member.agent]
        agent.last_bridge_end = int(self.at)
        self._of_agent("bridge-agent-end", member, agent, Agent_Bridged="true")
        times = {"Member_Leaving_Time": int(self.at), "Agent_Answered_Time": int(member.answered)}
        self._of_member("member-queue-end", member, Cause="Terminated", Agent=agent.name, **times)
        self.change(agent, state="Waiting")

    def cancel(self, call: str, reason: str = "BREAK_OUT") -> None:
        """A wait ends; the member stays listed."""
        member = self.members[call]
        member.state, member.gone, member.agent = "Abandoned", self.at, ""
        times = {"Member_Leaving_Time": int(self.at)}
        self._of_member("member-queue-end", member, Cause="Cancel", Cancel_Reason=reason, **times)

    async def restart(self) -> None:
        await self.wire.hang_up()
        self.members.clear()
        for agent in self.agents.values():
            agent.state, agent.last_bridge_end = "Waiting", 0
        await self.wire.listen()

    def waiting(self, queue: str) -> list[str]:
        return [
            member.id
            for member in self.members.values()
            if member.queue == queue and member.state in {"Waiting", "Trying"}
        ]

    def talking(self, queue: str) -> list[str]:
        return [member.id for member in self.members.values() if member.queue == queue and member.state == "Answered"]

    def free(self, queue: str) -> list[Agent]:
        agents = [self.agents[name] for of, name in self.tiers if of == queue]
        return [
            agent
            for agent in agents
            if agent.status.startswith("Available")
            and agent.state == "Waiting"
            and self.at >= agent.ready_time
            and not (agent.last_bridge_end and self.at < agent.last_bridge_end + agent.wrap_up)
        ]

    def truth(self, queue: str) -> Truth:
        waits = [self.members[call].rejoined or self.members[call].joined for call in self.waiting(queue)]
        agents = [self.agents[name] for of, name in self.tiers if of == queue]
        free = len(self.free(queue))
        busy = sum(agent.state == "In a queue call" or agent.status.startswith("Available") for agent in agents) - free
        talking = len(self.talking(queue))
        return Truth(len(waits), min(waits, default=None), talking, free + busy, free, busy)

    # --- the event socket ---

    async def _talk(self, line: Line) -> None:
        line.send(b"Content-Type: auth/request\n\n")
        while isinstance(said := await line.paragraph(), str):
            word, _, rest = said.partition(" ")
            self.asked[said if word == "api" else word] += 1
            if "user" not in line.facts:
                proven = (word, rest) in {("auth", PASSWORD), ("userauth", f"{USER}:{PASSWORD}")}
                self._reply(line, "+OK accepted" if proven else "-ERR invalid")
                if not proven:
                    line.send(b"Content-Type: text/disconnect-notice\nContent-Length: 0\n\n")
                    line.close()
                    return
                line.facts["user"] = word
            elif word == "event":
                line.subscribed = self.permits_events
                self._reply(line, "+OK event listener enabled plain" if line.subscribed else "-ERR permission denied")
            elif word == "api" and not self.permits_api:
                self._reply(line, "-ERR permission denied")
            elif word == "api":
                body = self._api(rest).encode()
                line.send(b"Content-Type: api/response\nContent-Length: %d\n\n%s" % (len(body), body))
            else:
                self._reply(line, "-ERR command not found")

    def _api(self, command: str) -> str:
        if command == "strepoch":
            return str(int(self.at))
        tables = {
            "queue list": self._queues,
            "queue list members": self._members,
            "agent list": self._agents,
            "tier list": self._tiers,
        }
        table = tables.get(command.removeprefix("callcenter_config "))
        return "-ERR Command not found!\n" if table is None else table() + "+OK\n"

    def _queues(self) -> str:
        head = "name|strategy|moh_sound|calls_answered|calls_abandoned"
        return _table(head, [f"{name}|longest-idle-agent|$${{hold_music}}|17|900" for name in self.queues])

    def _members(self) -> str:
        head = (
            "queue|instance_id|uuid|session_uuid|cid_number|cid_name|system_epoch|joined_epoch|rejoined_epoch|"
            "bridge_epoch|abandoned_epoch|base_score|skill_score|serving_agent|serving_system|state|score"
        )
        self.members = {
            call: member
            for call, member in self.members.items()
            if member.state != "Abandoned" or self.at - member.gone < DISCARD_SECONDS
        }
        rows = [
            f"{one.queue}|single_box|{one.id}|{uuid.uuid4()}|{self.number}|{self.name}|{int(one.joined)}|"
            f"{int(one.joined)}|{int(one.rejoined)}|{int(one.answered)}|{int(one.gone)}|0|0|{one.agent}|single_box|"
            f"{one.state}|{int(self.at - one.joined)}"
            for one in self.members.values()
        ]
        return _table(head, rows)

    def _agents(self) -> str:
        head = (
            "name|instance_id|uuid|type|contact|status|state|max_no_answer|wrap_up_time|reject_delay_time|"
            "busy_delay_time|no_answer_delay_time|last_bridge_start|last_bridge_end|last_offered_call|"
            "last_status_change|no_answer_count|calls_answered|talk_time|ready_time|external_calls_count"
        )
        rows = [
            f"{one.name}|single_box||callback|user/{one.name}|{one.status}|{one.state}|3|{one.wrap_up}|10|60|30|0|"
            f"{one.last_bridge_end}|0|0|0|0|0|{one.ready_time}|0"
            for one in self.agents.values()
        ]
        return _table(head, rows)

    def _tiers(self) -> str:
        return _table("queue|agent|state|level|position", [f"{of}|{name}|Ready|1|1" for of, name in self.tiers])

    def _reply(self, line: Line, text: str) -> None:
        line.send(f"Content-Type: command/reply\nReply-Text: {text}\n\n".encode())

    # --- telling ---

    def _of_member(self, action: str, member: Member, **facts: object) -> None:
        who = {"Member_UUID": member.id, "Member_CID_Name": self.name, "Member_CID_Number": self.number}
        self._tell(action, Queue=member.queue, **who, Member_Joined_Time=int(member.joined), **facts)

    def _of_agent(self, action: str, member: Member, agent: Agent, **facts: object) -> None:
        self._of_member(action, member, Agent=agent.name, Agent_Answered_Time=int(self.at), **facts)

    def _tell(self, action: str, **facts: object) -> None:
        if not self.tells:
            return
        headers: dict[str, object] = {
            "Event-Name": "CUSTOM", "Core-UUID": "6f1f", "Event-Date-Timestamp": int(self.at * 1e6),
            "Event-Subclass": "callcenter::info", "Caller-Caller-ID-Number": self.number, "CC-Action": action,
            **{f"CC-{name.replace('_', '-')}": value for name, value in facts.items()},
        }  # fmt: skip
        body = "".join(f"{name}: {quote(str(value))}\n" for name, value in headers.items()).encode() + b"\n"
        frame = b"Content-Length: %d\nContent-Type: text/event-plain\n\n%s" % (len(body), body)
        self.wire.tell(frame * (2 if self.repeats else 1))


def _table(head: str, rows: list[str]) -> str:
    """Return what a list prints; without rows it has no first line either."""
    return "".join(f"{line}\n" for line in [head, *rows]) if rows else ""
