from django.db import migrations, models

import subscriptions.models.requests


class Migration(migrations.Migration):

    dependencies = [
        ('subscriptions', '0002_readers_and_their_safety'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='subscriber',
            name='images',
        ),
        migrations.AddField(
            model_name='signuprequest',
            name='language',
            field=models.CharField(default=subscriptions.models.requests.page_language, help_text='Of the page that asked.', max_length=10),
        ),
    ]
