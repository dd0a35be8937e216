"""What can go wrong with a job, by name."""


def printable(text: object, length: int) -> str:
    """A text as a row and an answer can hold it: half a surrogate pair and the zero byte are replaced."""
    return str(text)[:length].encode("utf-8", "replace").decode().replace("\0", "?")


class JobError(Exception):
    """A refusal of ours. `code` is for programs, `errors` names fields, `status` is HTTP's word for it."""

    code = "job_error"
    status = 400

    def __init__(self, detail: str, errors: dict[str, list[str]] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors or {}


class UnknownJob(JobError):
    """Here; a newer version of us may know it."""

    code = "unknown_task"
    temporary = True


class InvalidArguments(JobError):
    code = "invalid_arguments"


class InvalidResult(JobError):
    code = "invalid_result"


class InvalidProgress(JobError):
    """What a body says of its progress is no number of parts."""

    code = "invalid_progress"


class KeyReused(JobError):
    """An idempotency key came back with another job. `others`: what was said otherwise the first time."""

    code = "key_reused"
    status = 409

    def __init__(self, *others: str) -> None:
        told = f"This key belongs to another job: it came with another {', '.join(others)} before."
        super().__init__(told, {"key": [f"came with another {name} before" for name in others]})
        self.others = others


class Busy(JobError):
    """Somebody else's transaction holds the job's row; asking again can help."""

    code = "job_busy"
    status = 409


class WrongState(JobError):
    """What was asked does not go with the state that the job is in."""

    code = "wrong_state"
    status = 409


class Stopped(BaseException):
    """The body must end now. Not an Exception, so that a body's care for one bad item does not swallow it."""

    code = "stopped"


class Cancelled(Stopped):
    code = "cancelled"


class DeadlineExceeded(Stopped):
    code = "deadline_exceeded"


class Superseded(Stopped):
    """Somebody else holds a newer attempt of this job, or it has ended: nothing of ours may be written."""

    code = "superseded"
