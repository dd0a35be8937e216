"""`manage.py doctor`: what Finstage stands on, and the fix for what is broken."""

import os

from django.core.management.base import BaseCommand

from finstage import diagnosis


class Command(BaseCommand):
    help = "Say the state of each dependency and how to mend what is broken; exit status 1 if something is."
    requires_system_checks = []

    def handle(self, **options) -> None:
        findings = diagnosis.examine()
        for finding in findings:
            verdict = self.style.ERROR("broken") if finding.fix else self.style.SUCCESS("ok    ")
            fix = f". {finding.fix}" if finding.fix else ""
            self.stdout.write(f"{verdict}  {finding.name:<12}  {finding.state}{fix}")
        self.stdout.flush()
        # A check that still waits for a frozen server must not hold the exit.
        os._exit(1 if any(finding.fix for finding in findings) else 0)
