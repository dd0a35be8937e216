"""What identifies is compared by its bytes on MariaDB and MySQL too, in one change of each table."""

import monitoring.exact
from django.db import migrations

EXACT = {
    "Job": {"about": "NOT NULL", "key": "NULL", "name": "NOT NULL"},
    "JobSubject": {"subject": "NOT NULL"},
    "JobTemplate": {"name": "NOT NULL"},
    "SeededSchedule": {"name": "NOT NULL"},
}


def compare_by_bytes(apps, editor) -> None:
    """The version before reads and writes these columns as ever: their type stays."""
    collation = monitoring.exact.collation(editor.connection)
    if collation is None:
        return
    for name, columns in EXACT.items():
        meta = apps.get_model("monitoring", name)._meta
        changes = [
            f"MODIFY {editor.quote_name(column)} {meta.get_field(column).db_type(editor.connection)} "
            f"COLLATE {collation} {null}"
            for column, null in columns.items()
        ]
        editor.execute(f"ALTER TABLE {editor.quote_name(meta.db_table)} {', '.join(changes)}")


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0008_claim_order_attempts_asked'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(compare_by_bytes, migrations.RunPython.noop)],
            state_operations=[
                migrations.AlterField(
                    model_name='job',
                    name='about',
                    field=monitoring.exact.ExactCharField(blank=True, help_text='What it is about, such as its symbols.', max_length=200),
                ),
                migrations.AlterField(
                    model_name='job',
                    name='key',
                    field=monitoring.exact.ExactCharField(help_text='The same key is the same job.', max_length=200, null=True, unique=True),
                ),
                migrations.AlterField(
                    model_name='job',
                    name='name',
                    field=monitoring.exact.ExactCharField(max_length=100),
                ),
                migrations.AlterField(
                    model_name='jobsubject',
                    name='subject',
                    field=monitoring.exact.ExactCharField(max_length=200),
                ),
                migrations.AlterField(
                    model_name='jobtemplate',
                    name='name',
                    field=monitoring.exact.ExactCharField(max_length=100, unique=True),
                ),
                migrations.AlterField(
                    model_name='seededschedule',
                    name='name',
                    field=monitoring.exact.ExactCharField(max_length=200, primary_key=True, serialize=False),
                ),
            ],
        ),
    ]
