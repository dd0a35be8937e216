import django.db.models.deletion
from django.db import migrations, models

COPIED = (
    "symbol_id", "scope", "high", "high_date", "low", "low_date", "as_of", "since", "source", "computed_at", "version",
    "pass_number",
)  # fmt: skip


def bring_along(apps, editor):
    """The version before goes on with its table, whose key has no pass: its upserts name that key."""
    there = apps.get_model("market", "NewestRecord").objects.using(editor.connection.alias)
    record = apps.get_model("market", "Record")
    found = [record(**row) for row in there.order_by("pk").values(*COPIED)]
    record.objects.using(editor.connection.alias).bulk_create(found, batch_size=500)


class Migration(migrations.Migration):
    dependencies = [
        ("market", "0020_an_epoch_was_a_pass"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel("Record", "NewestRecord"),
                migrations.AlterModelTable("NewestRecord", "market_record"),
                migrations.AlterField(
                    "newestrecord",
                    "symbol",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="market.symbol",
                    ),
                ),
            ]
        ),
        migrations.CreateModel(
            name="Record",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("scope", models.CharField(choices=[("all_time", "all time"), ("52_weeks", "52 weeks")], max_length=8)),
                ("high", models.FloatField()),
                ("high_date", models.DateField()),
                ("low", models.FloatField()),
                ("low_date", models.DateField()),
                ("as_of", models.DateField(help_text="The last session counted.")),
                ("since", models.DateField(help_text="The first session counted.", null=True)),
                ("source", models.CharField(max_length=16)),
                ("computed_at", models.DateTimeField()),
                (
                    "version",
                    models.CharField(
                        help_text="Of the bars that they were computed from; null of a version before.",
                        max_length=32,
                        null=True,
                    ),
                ),
                (
                    "pass_number",
                    models.PositiveIntegerField(
                        db_default=1, default=1, help_text="The pass of a recording that they are of."
                    ),
                ),
                (
                    "symbol",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="records",
                        to="market.symbol",
                    ),
                ),
            ],
            options={
                "db_table": "market_recordofpass",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("symbol", "scope", "pass_number"), name="one_record_a_scope_and_pass"
                    )
                ],
            },
        ),
        migrations.RunPython(bring_along, migrations.RunPython.noop),
    ]
