"""What the versions before did not say of their jobs: what each is about, and whether it came whole."""

from django.db import migrations

AT_ONCE = 500


def fill_subjects(apps, _editor) -> None:
    job, subject = (apps.get_model("monitoring", name) for name in ("Job", "JobSubject"))
    rows = job.objects.exclude(about="").order_by("pk").values_list("pk", "about", "arguments")
    for pk, about, arguments in rows.iterator(AT_ONCE):
        found = [subject(job_id=pk, subject=each) for each in _subjects(about, arguments)]
        subject.objects.bulk_create(found, batch_size=AT_ONCE, ignore_conflicts=True)


def fill_outcomes(apps, _editor) -> None:
    job = apps.get_model("monitoring", "Job")
    completed = job.objects.filter(state="completed", outcome=None)
    telling = completed.filter(result__has_key="failed").order_by("pk").values_list("pk", "result")
    for pk, result in telling.iterator(AT_ONCE):
        failed, done = result["failed"], result.get("done", result.get("symbols"))
        if isinstance(failed, dict) and isinstance(done, dict | list):
            parts = {"parts_failed": failed or None, "parts_done": len(done), "parts_asked": len(done) + len(failed)}
            job.objects.filter(pk=pk).update(outcome="partial" if failed else "whole", **parts)
    completed.update(outcome="whole")


def fill_orphans(apps, _editor) -> None:
    """The keys of people begin with their number; of those that nobody owns now, the owner is gone."""
    job = apps.get_model("monitoring", "Job")
    job.objects.filter(owner=None, key__regex=r"^[0-9]+:").update(is_orphan=True)


def _subjects(about: str, arguments: dict) -> list[str]:
    """The subjects of a job that do not stand in its row as they are: of a list its items, in capitals."""
    for value in arguments.values() if isinstance(arguments, dict) else ():
        if isinstance(value, list) and len(value) > 1 and ",".join(map(str, value))[:200] == about:
            return list(dict.fromkeys(str(each).upper()[:200] for each in value))
    return [about.upper()[:200]] if about != about.upper() else []


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0005_parts_subjects_orphans")]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop) for fill in (fill_subjects, fill_outcomes, fill_orphans)
    ]
