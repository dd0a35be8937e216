from django.db import migrations, models
from django.db.models import F


def bring_along(apps, editor):
    """Up to now an epoch was a pass, and all that was told of the market is of the one that runs."""
    apps.get_model("realtime", "Alert").objects.using(editor.connection.alias).update(pass_number=F("epoch"))
    sources = apps.get_model("market", "DataSource").objects.using(editor.connection.alias)
    if (number := sources.values_list("epoch", flat=True).first()) is not None:
        apps.get_model("realtime", "Event").objects.using(editor.connection.alias).update(pass_number=number)


class Migration(migrations.Migration):

    dependencies = [
        ("realtime", "0004_passes"),
        ("market", "0020_an_epoch_was_a_pass"),
    ]

    operations = [
        migrations.RunPython(bring_along, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="alert",
            name="dedupe_key",
            field=models.CharField(
                help_text="Rule, its level, symbol, session and pass: that rings once.", max_length=120, unique=True
            ),
        ),
        migrations.AlterField(
            model_name="alert",
            name="epoch",
            field=models.PositiveIntegerField(help_text="The epoch of the streams that it rang in."),
        ),
    ]
