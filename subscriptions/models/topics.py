"""The fields of research that are on offer."""

from django.core.exceptions import ValidationError
from django.db import models


class Topic(models.Model):
    """A field of research that readers can choose."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    description = models.CharField(max_length=300, help_text="One sentence: what is in it.")
    categories = models.JSONField(
        default=list,
        blank=True,
        help_text='arXiv categories that belong here without further evidence: ["cs.RO"]',
    )
    terms = models.JSONField(
        default=list,
        blank=True,
        help_text='Words and phrases, lower case, singular: ["diffusion model"]. A plural "s" matches too.',
    )
    position = models.PositiveSmallIntegerField(default=1000, help_text="Where it stands in the list of topics.")
    offered = models.BooleanField(default=True, help_text="Readers can choose it.")

    class Meta:
        ordering = ("position", "name")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Lists of strings only: anything else would break matching for every reader of the topic."""
        for name in ("categories", "terms"):
            value = getattr(self, name)
            if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
                raise ValidationError({name: 'A list of texts in double quotes, like ["one", "two"].'})
