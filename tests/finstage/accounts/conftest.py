"""A person with an account, and their browser."""

import pytest
from django.test import Client

from finstage.models import User

PASSWORD = "a long one, kept by nobody"


@pytest.fixture
def bob(db) -> User:
    return User.objects.create_user("bob", "bob@example.com", PASSWORD)


@pytest.fixture
def browser(bob) -> Client:
    client = Client()
    client.force_login(bob)
    return client
