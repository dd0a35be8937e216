#!/usr/bin/env python
"""The command line of Finstage: `python manage.py help` lists what it can do."""

import os
import sys

OURS_PYTHON = os.path.join(os.path.dirname(os.path.abspath(__file__)), ".venv", "bin", "python")
OURS = ("finstage", "realtime", "analysis", "market", "monitoring")


def _missing(package: str) -> str:
    """One sentence with the command that helps, whichever Python runs this."""
    said = f"Finstage cannot start: the package {package} is not installed for {sys.executable}."
    is_ours = os.path.dirname(sys.executable) == os.path.dirname(OURS_PYTHON)
    if os.path.exists(OURS_PYTHON) and not is_ours:
        return f"{said} Use the Python that has it: .venv/bin/python manage.py {' '.join(sys.argv[1:])}".rstrip()
    install = f"{sys.executable} -m pip install -r requirements/base.txt"
    return f"{said} Install what is missing with: {install}" + ("" if is_ours else " (or `make up`, which makes .venv)")


try:
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
except ModuleNotFoundError as error:
    sys.exit(_missing(error.name))


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finstage.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Finstage cannot start: {error}")
    except ModuleNotFoundError as error:
        if not error.name or error.name.startswith(OURS):
            raise
        sys.exit(_missing(error.name))


if __name__ == "__main__":
    main()
