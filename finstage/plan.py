"""What `manage.py up` asks of the supervisor, and how it is handed over."""

from dataclasses import dataclass, field

import msgspec


@dataclass(frozen=True)
class Part:
    """Something to run."""

    name: str
    command: list[str]
    is_once: bool = False  # a preparation: it ends before the next stage, and its output is repeated after the start
    socket: str = ""  # a server that the other parts stand on: ready once this accepts, ended last
    log: str = ""  # where to look when it ends by itself


@dataclass(frozen=True)
class Plan:
    """The stages, each of which starts when the one before is there, and where the web will answer."""

    stages: list[list[Part]]
    folder: str
    register: str
    host: str
    port: int
    elsewhere: list[str] = field(default_factory=list)  # the addresses for other machines

    @property
    def address(self) -> str:
        host = reachable(self.host)
        return f"http://[{host}]:{self.port}/" if ":" in host else f"http://{host}:{self.port}/"


def write(plan: Plan) -> str:
    return msgspec.json.encode(plan).decode()


def read(text: str) -> Plan:
    """The plan, also where the code was replaced between the two: fields that are not known here mean nothing."""
    return msgspec.json.decode(text, type=Plan)


def reachable(host: str) -> str:
    """A server on every address of the machine is reached from itself by this one."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
