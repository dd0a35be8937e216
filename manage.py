#!/usr/bin/env python
"""The command line of Finstage: `python manage.py help` lists what it can do."""

import os
import sys

INSTALL = "Install what is missing with: .venv/bin/pip install -r requirements/base.txt"
OURS = ("finstage", "realtime", "analysis", "market", "monitoring")

try:
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
except ModuleNotFoundError as error:
    sys.exit(f"Finstage cannot start: the package {error.name} is not installed. {INSTALL}")


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finstage.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Finstage cannot start: {error}")
    except ModuleNotFoundError as error:
        if not error.name or error.name.startswith(OURS):
            raise
        sys.exit(f"Finstage cannot start: the package {error.name} is not installed. {INSTALL}")


if __name__ == "__main__":
    main()
