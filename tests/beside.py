"""What others do while something runs: tests look whether it keeps them waiting."""

from concurrent.futures import ThreadPoolExecutor

from django.db import connection

from monitoring import jobs

PATIENCE_MILLISECONDS = 500  # with SQLite's write lock: whoever holds it, holds it until we have given up


def submit(name: str, arguments: dict) -> jobs.Job:
    """Another submits a job, on a connection of its own that waits for no lock for long."""
    with ThreadPoolExecutor(1) as other:
        return other.submit(_submit, name, arguments).result()


def _submit(name: str, arguments: dict) -> jobs.Job:
    try:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute(f"PRAGMA busy_timeout = {PATIENCE_MILLISECONDS}")
        return jobs.submit(name, arguments)
    finally:
        connection.close()
