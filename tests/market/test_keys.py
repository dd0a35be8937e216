"""What each table of the market is found by."""

import pytest
from django.apps import apps
from django.db import connection

pytestmark = [pytest.mark.django_db, pytest.mark.db]


@pytest.mark.parametrize("model", apps.get_app_config("market").get_models(), ids=lambda model: model.__name__)
def test_no_index_repeats_what_another_serves(model):
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, model._meta.db_table)
    columns = {name: told["columns"] for name, told in found.items() if not (told["foreign_key"] or told["check"])}
    lists = {name: listed for name, listed in columns.items() if listed and not found[name]["unique"]}
    # SQLite tells a key's columns in the table's order.
    keys = [field.column for field in model._meta.pk_fields]
    others = {name: listed for name, listed in columns.items() if not found[name]["primary_key"]} | {"the key": keys}
    repeated = [
        (name, other)
        for name, listed in lists.items()
        if not found[name]["primary_key"]
        for other, more in others.items()
        if other != name and more[: len(listed)] == listed
    ]
    assert not repeated
