from django.db import migrations
from django.db.models import F


def bring_along(apps, editor):
    """Up to now an epoch was a pass: what rang is known by it."""
    sources = apps.get_model("market", "DataSource").objects.using(editor.connection.alias)
    sources.update(pass_number=F("epoch"))
    if (number := sources.values_list("epoch", flat=True).first()) is not None:
        apps.get_model("market", "Record").objects.using(editor.connection.alias).update(pass_number=number)


class Migration(migrations.Migration):

    dependencies = [
        ("market", "0019_the_players_clock"),
    ]

    operations = [migrations.RunPython(bring_along, migrations.RunPython.noop)]
