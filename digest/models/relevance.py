"""What relevance is computed with, kept: every worker scores a day with the same words and weights."""

from django.db import models


class RelevanceModel(models.Model):
    """Words and their weights (TF-IDF), fitted on the papers of a window. Written once by ``digest.profiles``.

    ``version`` is that of the code that can read it: a row of another version is left alone, and matching falls back
    to words.
    """

    version = models.PositiveSmallIntegerField()
    fitted_at = models.DateTimeField()
    documents = models.PositiveIntegerField(help_text="How many papers it was fitted on.")
    since = models.DateField(help_text="The first day of its window.")
    until = models.DateField(help_text="The last day of its window.")
    terms = models.PositiveIntegerField(help_text="How many words and pairs of words it knows.")
    vocabulary = models.BinaryField(help_text="The terms, one a line, compressed by zlib.")
    idf = models.BinaryField(help_text="Their weights: little-endian 32-bit floats, in the order of the terms.")
    same_words = models.JSONField(default=dict, help_text="{short form: long form}, as they were when it was fitted.")

    class Meta:
        indexes = [models.Index(fields=["-fitted_at"], name="relevance_newest")]

    def __str__(self) -> str:
        return f"model {self.pk}, fitted {self.fitted_at:%Y-%m-%d %H:%M}"
