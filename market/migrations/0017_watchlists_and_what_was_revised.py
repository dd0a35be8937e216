import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import monitoring.exact


class Migration(migrations.Migration):

    dependencies = [
        ('market', '0016_trading_years'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='record',
            name='version',
            field=models.CharField(help_text='Of the bars that they were computed from; null of a version before.', max_length=32, null=True),
        ),
        migrations.AddIndex(
            model_name='barrevision',
            index=models.Index(fields=['replaced_at'], name='revision_by_its_time'),
        ),
        migrations.CreateModel(
            name='Watchlist',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', monitoring.exact.ExactCharField(help_text='Empty: the default list.', max_length=100)),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('owner', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='watchlists', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['owner_id', 'id'],
                'constraints': [models.UniqueConstraint(fields=('owner', 'name'), name='one_watchlist_a_name')],
            },
        ),
        migrations.CreateModel(
            name='WatchedSymbol',
            fields=[
                ('pk', models.CompositePrimaryKey('watchlist_id', 'symbol_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('place', models.PositiveIntegerField(help_text='Lists are told in this order.')),
                ('symbol', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='watched', to='market.symbol')),
                ('watchlist', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='watched', to='market.watchlist')),
            ],
            options={
                'ordering': ['watchlist_id', 'place', 'symbol_id'],
            },
        ),
    ]
