"""Indices of a symbol alone, which the key of each of these tables serves already, are dropped; no table is copied."""

import django.db.models.deletion
from django.db import migrations, models

NAMES = {"bar": "bars", "barrevision": "bar_revisions", "corporateaction": "actions", "record": "records",
         "snapshot": "snapshots"}  # fmt: skip


def drop(apps, editor) -> None:
    for name in NAMES:
        model = apps.get_model("market", name)
        with editor.connection.cursor() as cursor:
            found = editor.connection.introspection.get_constraints(cursor, model._meta.db_table)
        keys = [told["columns"] for told in found.values() if told["unique"] or told["primary_key"]]
        # MySQL wants an index for the foreign key. SQLite wants none, and tells a key in its table's order of columns.
        if editor.connection.vendor == "sqlite" or any(columns[:1] == ["symbol_id"] for columns in keys):
            for index, told in found.items():
                if told["index"] and not told["unique"] and told["columns"] == ["symbol_id"]:
                    editor.remove_index(model, models.Index(fields=["symbol"], name=index))


def _of_symbol(related_name: str) -> models.ForeignKey:
    return models.ForeignKey(
        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name=related_name, to="market.symbol"
    )


class Migration(migrations.Migration):
    dependencies = [("market", "0007_actions_have_a_history")]

    operations = [
        migrations.SeparateDatabaseAndState(
            [migrations.RunPython(drop, migrations.RunPython.noop)],
            [migrations.AlterField(name, "symbol", _of_symbol(related)) for name, related in NAMES.items()],
        )
    ]
