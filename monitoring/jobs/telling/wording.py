"""Why a job or a part of it failed, in a sentence of the reader's language with what to do about it. Rows keep code and
text; both are worded when they are shown, so that what was written before is worded too. Where a code has no sentence,
the row's own text stands.
"""

import re
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

Words = tuple[Promise | str, Promise | str]

NOTHING_DONE = re.compile(r"(?:NothingDone: )?None of (\d+) came to anything; ([^:]+): (.*)", re.DOTALL)
IS_CLASS = re.compile(r"[A-Z]\w*")  # a fault of the program is named by its class

_AGAIN = gettext_lazy("Run it again when you like.")
_SOON = gettext_lazy("It is tried again by itself while it has attempts left; after that run it again.")
_ALONE = gettext_lazy("It is tried again in a process of its own; look at the memory of that machine.")
_TELL = gettext_lazy("Tell whoever runs Finstage, with the task's id.")
_EACH = gettext_lazy("See why at each of them.")

_words: dict[str, Words] = {
    "nothing_done": (gettext_lazy("None of its parts came to anything."), _EACH),
    "not_all_done": (gettext_lazy("Some of its parts did not come yet."), _SOON),
    "partial": (gettext_lazy("Not all of its parts came."), gettext_lazy("See what failed in it, and run that again.")),
    "cancelled": (gettext_lazy("It was cancelled."), _AGAIN),
    "condition_false": (gettext_lazy("What it was to depend on did not hold when its turn came."), ""),
    "rights_ended": (gettext_lazy("Whoever asked for it may not have it run any more."), ""),
    "previous_failed": (
        gettext_lazy("A task before it did not complete."),
        gettext_lazy("Run that one again, and this one follows."),
    ),
    "deadline_exceeded": (
        gettext_lazy("It took longer than its time limit."),
        gettext_lazy("Ask for less at once, or give it more time with “Edit and run again”."),
    ),
    "released": (gettext_lazy("Its worker stopped and gave it back; the attempt does not count."), _SOON),
    "worker_lost": (gettext_lazy("Its worker stopped answering."), _SOON),
    "worker_broke": (gettext_lazy("A part of its worker broke while it ran."), _SOON),
    "process_died": (gettext_lazy("The process that ran it died, as it does without memory."), _ALONE),
    "process_not_started": (gettext_lazy("A process of its own could not be started."), _SOON),
    "unknown_job": (
        gettext_lazy("No worker that looked knows this task; it waits for one that does."),
        gettext_lazy("Bring all workers to the same version."),
    ),
    "invalid_arguments": (
        gettext_lazy("Its arguments do not fit what it takes."),
        gettext_lazy("Mend them with “Edit and run again”."),
    ),
    "invalid_result": (gettext_lazy("What it came to can't be kept."), _TELL),
    "invalid_progress": (gettext_lazy("What it says of its progress is no number of parts."), _TELL),
    "unwritable": (gettext_lazy("Its end could not be written."), _TELL),
    "job_busy": (gettext_lazy("Somebody else was writing its row."), _AGAIN),
}


@dataclass(frozen=True)
class Reason:
    """says: what happened and why. remedy: what to do, empty where there is nothing."""

    says: str = ""
    remedy: str = ""


def word(code: str, says: Promise | str, remedy: Promise | str = "") -> None:
    """Give a code its sentences. Whoever raises a code words it, in its own `tasks` module."""
    _words[code] = (says, remedy)


def reason(code: str, text: str = "") -> Reason:
    """The sentences of what went wrong, empty where there are none for it. text: what the row says of it."""
    if code == "nothing_done" and (found := NOTHING_DONE.fullmatch(text)):
        return _nothing(int(found[1]), found[2], part(found[3]))
    code = "process_died" if code.startswith("process_died_") else code
    if code in _words:
        says, remedy = _words[code]
        return Reason(str(says), str(remedy))
    if IS_CLASS.fullmatch(code):
        return Reason(
            _("The program came upon a fault of its own."),
            _("Run it again. If it fails again, tell whoever runs Finstage, with this code and the task's id."),
        )
    return Reason()


def part(why: str) -> Reason:
    """Of a part that failed: its text is a code, and what was said of it."""
    code, __, text = why.partition(": ")
    return reason(code, text)


def code_of(why: str) -> str:
    """The code that the text of a part begins with; empty where it begins with none."""
    code = why.partition(": ")[0]
    return code if re.fullmatch(r"[A-Za-z]\w*", code) else ""


def _nothing(asked: int, name: str, first: Reason) -> Reason:
    if asked == 1 and first.says:
        return Reason(f"{name}: {first.says}", first.remedy)
    if not first.says:
        return Reason(_("None of its {n} parts came to anything.").format(n=asked), _("See why at each of them."))
    says = _("None of its {n} parts came to anything; of {name}: {why}")
    return Reason(says.format(n=asked, name=name, why=first.says), first.remedy)
