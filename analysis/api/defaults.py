"""What is meant where a request of the analysis leaves something out: the one place, of which the documents' table is
made.
"""

from analysis import periods
from analysis.indicators import catalogue

PERIOD = periods.DEFAULT
INDICATORS = catalogue.ALL
BATCH_SIZE = 5
SAVE_RESULTS = True
ALERTS_ONLY = False
_ABOUT = {
    "period": (PERIOD, "The bars that are told, counted back from the last one."),
    "indicators": (INDICATORS, "The default set, as `/api/v2/technical-analysis/catalogue` lists it."),
    "batch_size": (BATCH_SIZE, "Symbols that are read and computed together; fewer take less memory."),
    "save_results": (SAVE_RESULTS, "A job saves what is found."),
    "alerts_only": (ALERTS_ONLY, "Only symbols of which an alert's condition holds."),
}


def table() -> str:
    """The defaults as Markdown."""
    rows = [f"| `{name}` | `{_said(value)}` | {about} |" for name, (value, about) in _ABOUT.items()]
    return "\n".join(["| parameter | default | what it means |", "|---|---|---|", *rows])


def _said(value: object) -> str:
    return str(value).lower()
