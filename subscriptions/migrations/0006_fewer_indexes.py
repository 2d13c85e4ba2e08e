from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("subscriptions", "0005_choices_with_a_sign_up"),
    ]

    operations = [
        migrations.AlterField(
            model_name="subscriber",
            name="email",
            field=models.EmailField(max_length=254),
        ),
        migrations.AlterField(
            model_name="subscriber",
            name="email_hash",
            field=models.CharField(editable=False, max_length=64),
        ),
        migrations.AddIndex(
            model_name="subscriber",
            index=models.Index(fields=["email_hash"], name="subscriber_email_hash"),
        ),
        migrations.AddConstraint(
            model_name="subscriber",
            constraint=models.UniqueConstraint(fields=("email",), name="one_reader_per_address"),
        ),
    ]
