"""`make chaos api`: many requests to every operation, made from the document, as guest, user and staff."""

import pytest

from tests import interface
from tests.monitoring import sample_jobs  # noqa: F401

pytestmark = [pytest.mark.chaos, pytest.mark.django_db]

EXAMPLES = 100  # of each operation, beside those that try its bounds


@pytest.mark.parametrize("role", interface.ROLES)
@pytest.mark.parametrize("are_found", [False, True], ids=["anything", "names"])
def test_no_answer_differs_from_the_document(apple, role, are_found):
    found = interface.differences(role, examples=EXAMPLES, are_found=are_found)
    assert not found, "\n\n".join(found)
