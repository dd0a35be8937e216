"""What the OpenAPI document says is what is answered; `make chaos api` asks more."""

import pytest

from tests import interface
from tests.monitoring import sample_jobs  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("role", "are_found"), [("guest", True), ("user", False), ("staff", True)])
def test_what_is_answered_is_what_the_document_says(apple, role, are_found):
    found = interface.differences(role, examples=3, are_found=are_found)
    assert not found, "\n\n".join(found)
