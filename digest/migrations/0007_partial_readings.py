from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("digest", "0006_relevance_and_follow_ups"),
    ]

    operations = [
        migrations.AddField(
            model_name="paper",
            name="withdrawal_asked_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="paper",
            name="withdrawal_asked_of",
            field=models.PositiveSmallIntegerField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="paper",
            name="withdrawn_from",
            field=models.CharField(blank=True, editable=False, max_length=20),
        ),
        migrations.AlterField(
            model_name="paper",
            name="code_url",
            field=models.CharField(blank=True, max_length=500),
        ),
        migrations.AlterField(
            model_name="paper",
            name="project_url",
            field=models.CharField(blank=True, max_length=500),
        ),
        migrations.AlterField(
            model_name="sourcerun",
            name="state",
            field=models.CharField(
                choices=[
                    ("running", "Running"),
                    ("fresh", "Fresh"),
                    ("waiting", "Waiting"),
                    ("partial", "Partial"),
                    ("quiet", "Quiet"),
                    ("stalled", "Stalled"),
                    ("failed", "Failed"),
                ],
                default="running",
                max_length=10,
            ),
        ),
    ]
