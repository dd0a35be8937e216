"""What differs by a capital, an accent or a space at its end is not the same, also in a database that was made as
MariaDB makes one where nobody says how it compares.
"""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from monitoring import jobs
from monitoring.models import Job, JobSubject, JobTemplate, SeededSchedule
from tests.monitoring import sample_jobs  # noqa: F401
from tests.used import database

pytestmark = pytest.mark.rows
ALIKE = [["Order-x", "order-X"], ["tt", "TT"], ["AAPL", "AÀPL"], ["ZZ", "ZZ "]]


@pytest.fixture(scope="module", autouse=True)
def of_default_collation(django_db_setup, django_db_blocker) -> Iterator[None]:
    with django_db_blocker.unblock(), database.empty("by_default", "utf8mb4_general_ci"):
        call_command("migrate", "monitoring", verbosity=0)
        yield


@pytest.mark.parametrize("keys", ALIKE)
def test_two_keys_that_look_alike_are_two_jobs(keys):
    first, second = (jobs.submit("sample.add", {"a": number}, key=key) for number, key in enumerate(keys))
    assert first != second
    assert jobs.submit("sample.add", {"a": 1}, key=keys[1]) == second


@pytest.mark.parametrize(("names", "expected"), [(["AAPL", "AÀPL"], 2), (["ZZ", "ZZ "], 1), (["aapl", "AAPL"], 1)])
def test_a_job_about_names_that_look_alike_is_about_each_that_is_another(names, expected):
    job = jobs.submit("sample.many", {"names": names})
    assert JobSubject.objects.filter(job=job).count() == expected
    for name in names:
        assert job in Job.objects.about(name.strip())


def test_a_job_is_not_found_by_what_only_looks_like_what_it_is_about():
    job = jobs.submit("sample.add", {"a": 1, "title": "MSFT"})
    assert job in Job.objects.about("MSFT")
    assert job not in Job.objects.about("MŠFT")


@pytest.mark.parametrize("names", ALIKE)
@pytest.mark.parametrize("model", [JobTemplate, SeededSchedule])
def test_templates_and_schedules_whose_names_look_alike_are_two(model, names):
    rest = {"submission": {}} if model is JobTemplate else {}
    made = [model.objects.create(name=name, **rest) for name in names]
    assert [model.objects.get(name=name) for name in names] == made
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.bulk_create([model(name=names[0], **rest)])
