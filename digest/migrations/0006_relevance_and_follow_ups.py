import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("digest", "0005_what_may_have_arrived"),
        ("subscriptions", "0004_what_became_of_each_mail"),
    ]

    operations = [
        migrations.CreateModel(
            name="FollowUp",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "what",
                    models.CharField(
                        choices=[("withdrawn", "Withdrawn"), ("code", "code released"), ("took off", "Took Off")],
                        max_length=10,
                    ),
                ),
                ("found_at", models.DateTimeField()),
                ("to_tell", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="RelevanceModel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.PositiveSmallIntegerField()),
                ("fitted_at", models.DateTimeField()),
                ("documents", models.PositiveIntegerField(help_text="How many papers it was fitted on.")),
                ("since", models.DateField(help_text="The first day of its window.")),
                ("until", models.DateField(help_text="The last day of its window.")),
                ("terms", models.PositiveIntegerField(help_text="How many words and pairs of words it knows.")),
                ("vocabulary", models.BinaryField(help_text="The terms, one a line, compressed by zlib.")),
                (
                    "idf",
                    models.BinaryField(
                        help_text="Their weights: little-endian 32-bit floats, in the order of the terms."
                    ),
                ),
                (
                    "same_words",
                    models.JSONField(
                        default=dict, help_text="{short form: long form}, as they were when it was fitted."
                    ),
                ),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="feedback",
            name="one_word_per_reader_and_paper",
        ),
        migrations.AddField(
            model_name="feedback",
            name="teaches",
            field=models.BooleanField(default=True, help_text="Digests learn from it."),
        ),
        migrations.AddField(
            model_name="paper",
            name="code_seen_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AlterField(
            model_name="feedback",
            name="verb",
            field=models.CharField(
                choices=[("more", "More like this"), ("less", "Less like this"), ("save", "Save for later")],
                max_length=4,
            ),
        ),
        migrations.AddIndex(
            model_name="digest",
            index=models.Index(condition=models.Q(("folded", False)), fields=["day"], name="digest_unfolded"),
        ),
        migrations.AddConstraint(
            model_name="feedback",
            constraint=models.UniqueConstraint(
                condition=models.Q(("verb__in", ["more", "less"])),
                fields=("subscriber", "paper"),
                name="one_opinion_per_reader_and_paper",
            ),
        ),
        migrations.AddConstraint(
            model_name="feedback",
            constraint=models.UniqueConstraint(
                condition=models.Q(("verb", "save")),
                fields=("subscriber", "paper"),
                name="a_paper_saved_once_per_reader",
            ),
        ),
        migrations.AddField(
            model_name="followup",
            name="paper",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="follow_ups", to="digest.paper"
            ),
        ),
        migrations.AddIndex(
            model_name="relevancemodel",
            index=models.Index(fields=["-fitted_at"], name="relevance_newest"),
        ),
        migrations.AddField(
            model_name="edition",
            name="relevance_model",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="editions",
                to="digest.relevancemodel",
            ),
        ),
        migrations.AddIndex(
            model_name="followup",
            index=models.Index(fields=["found_at"], name="follow_up_found"),
        ),
        migrations.AddConstraint(
            model_name="followup",
            constraint=models.UniqueConstraint(fields=("paper", "what"), name="news_of_a_kind_once_per_paper"),
        ),
        migrations.AddIndex(
            model_name="paper",
            index=models.Index(
                condition=models.Q(("code_seen_at__isnull", False)), fields=["code_seen_at"], name="paper_code_seen"
            ),
        ),
        migrations.AddIndex(
            model_name="paper",
            index=models.Index(
                condition=models.Q(("withdrawn_at__isnull", False)), fields=["withdrawn_at"], name="paper_withdrawn"
            ),
        ),
    ]
