"""Who uses Finstage."""

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """A person or a program with an account; ours from the first migration, so that it can grow."""
