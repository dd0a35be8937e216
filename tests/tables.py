"""Tables between tests: where a test has committed, what it filled is emptied, and nothing is made anew.

Django's own way empties all of them and makes every content type and permission again, which took a third of the time
of the tests that commit.
"""

from django.core.management.color import no_style
from django.db import connection
from django.test import TransactionTestCase

KEPT = {"django_content_type", "auth_permission"}  # as the migrations made them; no test changes them


def empty_what_is_filled(_: TransactionTestCase) -> None:
    held = set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - KEPT
    quoted = connection.ops.quote_name
    asked = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {quoted(name)})" for name in sorted(held))
    with connection.cursor() as cursor:
        cursor.execute(asked)
        filled = [name for (name,) in cursor.fetchall()]
    connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), filled))
