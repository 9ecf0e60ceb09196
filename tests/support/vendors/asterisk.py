"""An Asterisk whose app_queue follows a script: it keeps the truth, tells AMI, and writes its queue_log.

Names, order and units of the fields as in apps/app_queue.c and main/manager.c of Asterisk 20 to 23, the traps included:
LoggedIn counts members on a break, Available those of unknown state, HoldTime is a moving average, Completed counts for
ever, an abandonment is told before the leave, and an answer after it.
"""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.support.vendors.wire import Line, Truth, Wire

USERNAME, SECRET = "holdfire", "s3cr3t"
CANARY_NUMBER, CANARY_NAME = "+15550142857", "Canary Birdsong"
UNKNOWN, FREE, IN_USE, BUSY, INVALID, UNAVAILABLE, RINGING = range(7)


@dataclass
class Agent:
    interface: str
    name: str
    status: int = FREE
    paused: bool = False
    in_call: bool = False
    last_call: int = 0
    wrap_up: int = 0


@dataclass
class Queue:
    name: str
    agents: dict[str, Agent] = field(default_factory=dict)
    line: dict[str, float] = field(default_factory=dict)  # call -> joined
    talks: dict[str, tuple[float, float, Agent]] = field(default_factory=dict)  # call -> joined, answered, by whom
    hold_time: int = 0
    completed: int = 0
    abandoned: int = 0


class Asterisk:
    """now: the world's time. skew_seconds: how far its own clock is ahead. reads_agent: the user's `read = agent`.

    stamps: timestampevents. repeats: every event is sent twice. garbage: what is sent before each event. old: lists as
    of Asterisk 11, without EventList, ListItems and InCall.
    """

    def __init__(self, now: Callable[[], datetime], *queues: str, largest_piece: int = 0) -> None:
        self._now = now
        self.queues = {name: Queue(name) for name in queues}
        self.skew_seconds = 0.0
        self.reads_agent = self.stamps = True
        self.repeats = self.old = False
        self.secret = SECRET
        self.asked: Counter[str] = Counter()
        self.log: list[str] = []
        self.garbage = b""
        self.number, self.name = CANARY_NUMBER, CANARY_NAME  # of every caller
        self.wire = Wire(self._talk, largest_piece=largest_piece)
        self._calls = 0

    # --- the script ---

    @property
    def at(self) -> float:
        """Return the time by its own clock, epoch seconds."""
        return self._now().timestamp() + self.skew_seconds

    def add(self, queue: str, name: str, **facts: Any) -> Agent:
        agent = Agent(f"PJSIP/{len(self.queues[queue].agents) + 1}-{queue}", name, **facts)
        self.queues[queue].agents[agent.interface] = agent
        self._log("MANAGER", queue, name, "ADDMEMBER", "PAUSED" if agent.paused else "")
        self._tell("QueueMemberAdded", **self._member(queue, agent))
        return agent

    def change(self, queue: str, agent: Agent, **facts: object) -> None:
        """Change an agent's status or break, and tell."""
        paused = agent.paused
        for name, value in facts.items():
            setattr(agent, name, value)
        if agent.paused != paused:
            self._log("NONE", queue, agent.name, "PAUSE" if agent.paused else "UNPAUSE", "")
        event = "QueueMemberStatus" if agent.paused == paused else "QueueMemberPause"
        self._tell(event, **self._member(queue, agent))

    def remove(self, queue: str, agent: Agent) -> None:
        del self.queues[queue].agents[agent.interface]
        self._log("MANAGER", queue, agent.name, "REMOVEMEMBER", "")
        self._tell("QueueMemberRemoved", **self._member(queue, agent))

    def join(self, queue: str, call: str | None = None) -> str:
        """Return the id of a call that came into the queue."""
        if call is None:
            self._calls += 1
            call = f"{int(self.at)}.{self._calls}"
        self.queues[queue].line[call] = self.at
        count = len(self.queues[queue].line)
        self._log(call, queue, "NONE", "ENTERQUEUE", "", self.number, str(count))
        self._tell("QueueCallerJoin", **self._channel(call), Queue=queue, Position=count, Count=count)
        return call

    def answer(self, queue: str, call: str, agent: Agent) -> None:
        joined = self._leave(queue, call)
        at = self.queues[queue]
        at.talks[call] = joined, self.at, agent
        at.hold_time = (3 * at.hold_time + int(self.at - joined)) >> 2
        agent.in_call, agent.status = True, IN_USE
        waited = int(self.at) - int(joined)
        self._log(call, queue, agent.name, "CONNECT", str(waited), f"{call}9", "3")
        self._of_agent("AgentConnect", queue, call, agent, HoldTime=waited, RingTime=3)
        self._tell("QueueMemberStatus", **self._member(queue, agent))

    def ring_in_vain(self, queue: str, call: str, agent: Agent) -> None:
        """An agent does not pick up: the caller waits on. RingTime is in milliseconds here."""
        self._log(call, queue, agent.name, "RINGNOANSWER", "15000")
        self._of_agent("AgentCalled", queue, call, agent)
        self._of_agent("AgentRingNoAnswer", queue, call, agent, RingTime=15000)

    def dump(self, queue: str, call: str, agent: Agent) -> None:
        """An agent hangs up before the talk: the caller waits on."""
        self._log(call, queue, agent.name, "AGENTDUMP", "")
        self._of_agent("AgentDump", queue, call, agent)

    def complete(self, queue: str, call: str, by: str = "caller") -> None:
        joined, answered, agent = self.queues[queue].talks.pop(call)
        self.queues[queue].completed += 1
        agent.in_call, agent.status, agent.last_call = False, FREE, int(self.at)
        hold, talk = int(answered) - int(joined), int(self.at) - int(answered)
        event = {"caller": "COMPLETECALLER", "agent": "COMPLETEAGENT", "transfer": "BLINDTRANSFER"}[by]
        self._log(call, queue, agent.name, event, str(hold), str(talk), "1")
        self._of_agent("AgentComplete", queue, call, agent, HoldTime=hold, TalkTime=talk, Reason=by)
        self._tell("QueueMemberStatus", **self._member(queue, agent))

    def abandon(self, queue: str, call: str, event: str = "ABANDON") -> None:
        """A wait ends unanswered; AMI tells the same for EXITWITHTIMEOUT, EXITEMPTY and WITHDRAW."""
        waited = int(self.at) - int(self.queues[queue].line[call])
        self.queues[queue].abandoned += 1
        self._log(call, queue, "NONE", event, "1", "1", str(waited))
        facts = {"Queue": queue, "Position": 1, "OriginalPosition": 1, "HoldTime": waited}
        self._tell("QueueCallerAbandon", **self._channel(call), **facts)
        self._leave(queue, call)

    def press_key(self, queue: str, call: str) -> None:
        """The caller leaves by a key: AMI tells of the leave and nothing else."""
        waited = int(self.at) - int(self.queues[queue].line[call])
        self._log(call, queue, "NONE", "EXITWITHKEY", "1", "1", "1", str(waited))
        self._leave(queue, call)

    async def restart(self) -> None:
        """All calls end, and nobody is told."""
        await self.wire.hang_up()
        for queue in self.queues.values():
            queue.line.clear()
            queue.talks.clear()
            queue.hold_time = queue.completed = queue.abandoned = 0
            for agent in queue.agents.values():
                agent.in_call, agent.last_call = False, 0
                agent.status = FREE if agent.status == IN_USE else agent.status
        self._log("NONE", "NONE", "NONE", "QUEUESTART", "")
        await self.wire.listen()

    def truth(self, queue: str) -> Truth:
        at = self.queues[queue]
        free = busy = 0
        for agent in at.agents.values():
            if agent.in_call:
                busy += 1
            elif not agent.paused and agent.status not in {UNKNOWN, INVALID, UNAVAILABLE}:
                idle = agent.status == FREE and not (agent.last_call and self.at < agent.last_call + agent.wrap_up)
                free, busy = free + idle, busy + (not idle)
        return Truth(len(at.line), min(at.line.values(), default=None), len(at.talks), free + busy, free, busy)

    # --- the manager interface ---

    async def _talk(self, line: Line) -> None:
        line.send(b"Asterisk Call Manager/13.0.0\r\n")
        while isinstance(said := await line.paragraph(), dict):
            name = said.get("action", "")
            self.asked[name] += 1
            if name == "Login" and not self._proven(line, said):
                self._respond(line, said, "Error", Message="Authentication failed")
                line.close()
                return
            self._do(line, name, said)

    def _do(self, line: Line, name: str, said: dict[str, str]) -> None:
        if name == "Challenge":
            line.facts["challenge"] = "314159265"
            self._respond(line, said, "Success", Challenge=line.facts["challenge"])
        elif name == "Login":
            line.facts["user"] = said["username"]
            line.subscribed = said.get("events", "on") == "on"
            self._respond(line, said, "Success", Message="Authentication accepted")
        elif "user" not in line.facts:
            self._respond(line, said, "Error", Message="Permission denied")
        elif name == "Ping":
            self._respond(line, said, "Success", Ping="Pong", Timestamp=f"{self.at:.6f}")
        elif name in {"QueueStatus", "QueueSummary"}:
            self._list(line, name, said)
        else:
            self._respond(line, said, "Error", Message="Invalid/unknown command: " + name)

    def _proven(self, line: Line, said: dict[str, str]) -> bool:
        if said.get("username") != USERNAME:
            return False
        if said.get("authtype", "").upper() != "MD5":
            return said.get("secret") == self.secret
        digest = hashlib.md5((line.facts.get("challenge", "") + self.secret).encode()).hexdigest()  # noqa: S324
        return "challenge" in line.facts and said.get("key") == digest

    def _list(self, line: Line, name: str, said: dict[str, str]) -> None:
        rows = [row for queue in self.queues.values() for row in self._rows(name, queue)]
        self._respond(line, said, "Success", **self._new(EventList="start"), Message="Queue status will follow")
        number = {"ActionID": said.get("actionid", "")}
        for event, facts in rows:
            line.send(_frame({"Event": event, **facts, **number}))
        line.send(
            _frame({"Event": f"{name}Complete", **number, **self._new(EventList="Complete", ListItems=len(rows))})
        )

    def _rows(self, name: str, queue: Queue) -> list[tuple[str, dict[str, object]]]:
        now = int(self.at)
        longest = max((now - int(joined) for joined in queue.line.values()), default=0)
        if name == "QueueSummary":
            there = [agent for agent in queue.agents.values() if agent.status not in {INVALID, UNAVAILABLE}]
            available = sum(agent.status in {FREE, UNKNOWN} and not agent.paused for agent in there)
            facts = {"LoggedIn": len(there), "Available": available, "Callers": len(queue.line)}
            times = {"HoldTime": queue.hold_time, "TalkTime": 171, "LongestHoldTime": longest}
            return [("QueueSummary", {"Queue": queue.name, **facts, **times})]
        params = {
            "Queue": queue.name, "Max": 0, "Strategy": "rrmemory", "Calls": len(queue.line),
            "Holdtime": queue.hold_time, "TalkTime": 171, "Completed": queue.completed, "Abandoned": queue.abandoned,
            "ServiceLevel": 0, "ServicelevelPerf": "0.0", "ServicelevelPerf2": "0.0", "Weight": 0,
        }  # fmt: skip
        members = [("QueueMember", _listed(self._member(queue.name, agent))) for agent in queue.agents.values()]
        entries = [
            (
                "QueueEntry",
                {
                    "Queue": queue.name, "Position": place, "Channel": f"PJSIP/{self.number}-{place}",
                    "Uniqueid": call, "CallerIDNum": self.number, "CallerIDName": self.name,
                    "ConnectedLineNum": "unknown", "ConnectedLineName": "unknown", "Wait": now - int(joined),
                    "Priority": 0,
                },
            )
            for place, (call, joined) in enumerate(queue.line.items(), 1)
        ]  # fmt: skip
        return [("QueueParams", params), *members, *entries]

    def _respond(self, line: Line, said: dict[str, str], response: str, **facts: object) -> None:
        number = {"ActionID": said["actionid"]} if "actionid" in said else {}
        line.send(_frame({"Response": response, **number, **facts}))

    # --- telling ---

    def _leave(self, queue: str, call: str) -> float:
        joined = self.queues[queue].line.pop(call)
        count = len(self.queues[queue].line)
        self._tell("QueueCallerLeave", **self._channel(call), Queue=queue, Position=1, Count=count)
        return joined

    def _of_agent(self, event: str, queue: str, call: str, agent: Agent, **facts: object) -> None:
        who = {"Queue": queue, "Interface": agent.interface, "MemberName": agent.name}
        self._tell(event, **self._channel(call), DestChannel=f"{agent.interface}-0001", **who, **facts)

    def _tell(self, event: str, **facts: object) -> None:
        if not self.reads_agent:
            return
        stamp = {"Timestamp": f"{self.at:.6f}"} if self.stamps else {}
        frame = _frame({"Event": event, "Privilege": "agent,all", **stamp, **facts})
        self.wire.tell(self.garbage + frame * (2 if self.repeats else 1))

    def _channel(self, call: str) -> dict[str, object]:
        return {
            "Channel": f"PJSIP/{self.number}-0001", "ChannelState": 6, "ChannelStateDesc": "Up",
            "CallerIDNum": self.number, "CallerIDName": self.name, "ConnectedLineNum": "<unknown>",
            "ConnectedLineName": "<unknown>", "Language": "en", "AccountCode": self.number, "Context": "queues",
            "Priority": 1, "Uniqueid": call, "Linkedid": call,
        }  # fmt: skip

    def _member(self, queue: str, agent: Agent) -> dict[str, object]:
        return {
            "Queue": queue, "MemberName": agent.name, "Interface": agent.interface,
            "StateInterface": agent.interface, "Membership": "dynamic", "Penalty": 0, "CallsTaken": 0,
            "LastCall": agent.last_call, "LastPause": 0, "LoginTime": 0, **self._new(InCall=int(agent.in_call)),
            "Status": agent.status, "Paused": int(agent.paused), "PausedReason": "", "Ringinuse": 1,
            "Wrapuptime": agent.wrap_up,
        }  # fmt: skip

    def _new(self, **facts: object) -> dict[str, Any]:
        return {} if self.old else facts

    def _log(self, call: str, queue: str, agent: str, event: str, *data: str) -> None:
        self.log.append("|".join([str(int(self.at)), call, queue, agent, event, *data]))


def _listed(member: dict[str, object]) -> dict[str, object]:
    """Return a member as QueueStatus lists it: two of the names differ from those of events."""
    others = {name: value for name, value in member.items() if name not in {"MemberName", "Interface", "Ringinuse"}}
    return {"Queue": member["Queue"], "Name": member["MemberName"], "Location": member["Interface"], **others}


def _frame(headers: dict[str, object]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode() + b"\r\n"
