from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("digest", "0008_how_the_transport_refuses"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="digest",
            index=models.Index(
                condition=models.Q(("provider_id", ""), _negated=True),
                fields=["provider_id"],
                name="digest_provider_id",
            ),
        ),
    ]
