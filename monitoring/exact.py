"""Text that identifies: its bytes tell it apart, whatever the database takes for the same where nobody says."""

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

NO_PAD_SINCE = (8, 0, 17)  # MySQL's


class ExactCharField(models.CharField):
    """MariaDB by default takes x for X, A for À, and whatever ends with spaces for the same without them."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict:
        return {**super().db_parameters(connection), "collation": collation(connection)}


def collation(connection: BaseDatabaseWrapper) -> str | None:
    """The one by which bytes and the spaces at the end count; SQLite compares so by itself."""
    if connection.vendor != "mysql":
        return None
    if connection.mysql_is_mariadb:
        return "utf8mb4_nopad_bin"
    return "utf8mb4_0900_bin" if connection.mysql_version >= NO_PAD_SINCE else "utf8mb4_bin"
