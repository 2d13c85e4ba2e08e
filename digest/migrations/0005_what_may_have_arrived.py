from django.db import migrations, models
from django.db.models import Q


def say_what_may_have_arrived(apps, schema_editor):
    """Until now that was read from the state, and from whether a hand-over was dated."""
    rows = apps.get_model("digest", "Digest").objects.using(schema_editor.connection.alias)
    tried = Q(state__in=["planned", "claimed", "skipped", "cancelled", "suppressed"], handed_at__isnull=False)
    rows.filter(tried | Q(state="uncertain") | Q(state="failed", reason="outcome unknown")).update(perhaps_taken=True)


class Migration(migrations.Migration):
    dependencies = [
        ("digest", "0004_what_became_of_each_mail"),
    ]

    operations = [
        migrations.AddField(
            model_name="digest",
            name="perhaps_taken",
            field=models.BooleanField(
                default=False,
                help_text="An answer of the mail server was lost: the reader may have it, whatever came later.",
            ),
        ),
        migrations.AlterField(
            model_name="digest",
            name="handed_at",
            field=models.DateTimeField(help_text="When its newest hand-over began.", null=True),
        ),
        migrations.RunPython(say_what_may_have_arrived, migrations.RunPython.noop),
    ]
