"""The table that a measurement prints, and the file that it leaves."""

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent.parent
IS_JUDGED = os.environ.get("BENCH_UNJUDGED") != "1"
HEAD = ("what", "ours", "rival", "ratio", "unit", "spread", "judged", "gate", "goal", "")


@dataclass(frozen=True)
class Line:
    """One measured thing. rival may be a limit that is not a rival's. `figure` is what the gate is held against."""

    what: str
    ours: list[float]
    rival: list[float]
    unit: str
    gate: float
    goal: float
    is_smaller_better: bool = False
    gates_ours: bool = False  # the gate is for our own figure and not for the ratio
    usual: float | None = None  # what the rival takes where the gate was set: a slower machine is excused

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios."""
        return statistics.median(ours / rival for ours, rival in zip(self.ours, self.rival, strict=True))

    @property
    def figure(self) -> float:
        if not self.gates_ours:
            return self.ratio
        slower = statistics.median(self.rival) / self.usual if self.usual else 1
        return statistics.median(self.ours) / max(1, slower)

    def reaches(self, mark: float) -> bool:
        """Also where nothing is judged, because so little is measured that only a broken script shows."""
        if not IS_JUDGED:
            return True
        return self.figure <= mark if self.is_smaller_better else self.figure >= mark

    def cells(self) -> tuple[str, ...]:
        sign = "≤" if self.is_smaller_better else "≥"
        judged = "goal" if self.reaches(self.goal) else "gate" if self.reaches(self.gate) else "MISSED"
        verdict = judged if IS_JUDGED else "not judged"
        ours, rival = statistics.median(self.ours), statistics.median(self.rival)
        spread = f"{_told(min(self.ours))}–{_told(max(self.ours))}"
        marks = (_told(self.figure), f"{sign} {self.gate:g}", f"{sign} {self.goal:g}", verdict)
        return (self.what, _told(ours), _told(rival), f"{self.ratio:.2f}", self.unit, spread, *marks)


@dataclass
class Evidence:
    name: str
    lines: list[Line] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    def add(self, line: Line) -> Line:
        self.lines.append(line)
        return line

    def leave_out(self, what: str, why: str) -> None:
        """What could not be measured here is told so: no line of it would look as if nothing had been asked."""
        self.left_out[what] = why

    def tell(self) -> None:
        """Print the table and write var/bench/NAME.json, which only what is judged may replace."""
        rows = [HEAD, *(line.cells() for line in self.lines)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
        print()  # noqa: T201
        for row in rows:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))  # noqa: T201
        for what, why in self.left_out.items():
            print(f"NOT MEASURED {what}: {why}")  # noqa: T201
        if not IS_JUDGED:
            return
        path = ROOT / "var" / "bench" / f"{self.name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            json.dumps(
                {**machine(), "lines": [asdict(line) for line in self.lines], "left_out": self.left_out}, indent=1
            )
        )


def alternated(rounds: int, ours: Callable[[], float], rival: Callable[[], float]) -> tuple[list[float], list[float]]:
    """Both measured by turns, after one round of each that does not count."""
    ours(), rival()
    pairs = [(ours(), rival()) for _ in range(rounds)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def _told(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 10_000 else f"{figure:.4g}"


def machine() -> dict:
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return {
        "commit": commit.stdout.strip(),
        "at": datetime.now(UTC).isoformat(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "processors": psutil.cpu_count(),
        "load": psutil.getloadavg(),
    }
