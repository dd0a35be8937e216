"""What jobs are about gets another name, by which those that were are found from then on. Their arguments stay."""

from django.db import transaction

from monitoring.jobs.running.fan_out import chunks
from monitoring.models import Job, JobSubject

BATCH = 500


def rename(old: str, new: str) -> None:
    """Have the jobs that are about `old` be about `new`, in capitals. Safe to run again."""
    Job.objects.filter(about=old).update(about=new)
    of_several = JobSubject.objects.filter(subject=old)
    for batch in chunks(list(of_several.values_list("job_id", flat=True)), BATCH):
        with transaction.atomic():
            both = JobSubject.objects.filter(subject=new, job_id__in=batch).values_list("job_id", flat=True)
            of_several.filter(job_id__in=list(both)).delete()
            of_several.filter(job_id__in=batch).update(subject=new)
            _rename_in_lines(batch, old, new)


def _rename_in_lines(batch: list, old: str, new: str) -> None:
    for line in set(Job.objects.filter(pk__in=batch).values_list("about", flat=True)):
        renamed = ",".join(new if each.upper() == old else each for each in line.split(","))
        if renamed != line:
            length = Job._meta.get_field("about").max_length
            Job.objects.filter(about=line, pk__in=batch).update(about=renamed[:length])
