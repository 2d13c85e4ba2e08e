from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("subscriptions", "0007_limits_of_domains_and_sign_ins"),
    ]

    operations = [
        migrations.AddField(
            model_name="mailevent",
            name="native",
            field=models.CharField(blank=True, help_text="The provider's own word for it.", max_length=60),
        ),
        migrations.AddField(
            model_name="mailevent",
            name="known",
            field=models.BooleanField(
                default=True, help_text="Whether it could be read, and the provider's word is in our table."
            ),
        ),
        migrations.AddIndex(
            model_name="mailevent",
            index=models.Index(
                condition=models.Q(("known", False)), fields=["esp", "native"], name="mail_event_unknown"
            ),
        ),
    ]
