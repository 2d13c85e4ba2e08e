"""What somebody without a subscription chooses, to see what it would bring; a sign-up takes it along."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from subscriptions.forms.preferences import MOST_LINES, LinesField
from subscriptions.lifecycle import LIMITS
from subscriptions.models import Subscriber, Topic

PAPERS: int = Subscriber._meta.get_field("paper_limit").default


class OfferedTopicsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # not generic at run time
    """Topics by slug, in the order of their list. One that is not on offer is left out: links outlive topics."""

    widget = forms.CheckboxSelectMultiple

    def clean(self, value: Any) -> Any:
        """A list. One query, and nothing that was typed is in it, however much that is."""
        wanted = set(value or ())
        return [topic for topic in self.queryset or () if topic.slug in wanted]


class ChoiceForm(forms.Form):
    """Topics, keywords and limits, by names that are short enough for a URL."""

    topic = OfferedTopicsField(Topic.objects.filter(offered=True), required=False, to_field_name="slug")
    words = LinesField(
        label=_("Your own keywords and phrases"), required=False, help_text=_('One a line, like "protein folding".')
    )
    only = forms.BooleanField(label=_("Only my topics"), required=False)
    papers = forms.TypedChoiceField(
        label=_("Papers in a digest, at most"), choices=[(n, str(n)) for n in LIMITS], coerce=int, required=False
    )

    def __init__(self, data: Any, **kwargs: Any) -> None:
        self.is_made = any(name in data for name in self.base_fields)
        if not data.get("papers"):
            data = data.copy()
            data["papers"] = str(PAPERS)
        super().__init__(data, **kwargs)

    @property
    def unknown(self) -> int:
        """How many topics were left out. Of a form that was cleaned."""
        asked = self.fields["topic"].widget.value_from_datadict(self.data, {}, "topic") or ()
        return len(set(asked)) - len(self.cleaned_data["topic"])

    def kept(self) -> dict[str, Any]:
        """What of it a sign-up keeps, as JSON; {} where nothing was chosen.

        What is wrong is left out and never an error: somebody who wants to subscribe is not sent back to a form that
        is not on the page any more.
        """
        if not self.is_made:
            return {}
        self.full_clean()
        chosen = self.cleaned_data
        return {
            "topics": [topic.pk for topic in chosen["topic"]],
            "phrases": list(chosen.get("words", _right_ones(str(self.data.get("words", "")).splitlines()))),
            "only_my_topics": chosen["only"],
            "paper_limit": chosen.get("papers") or PAPERS,
        }


def _right_ones(lines: Iterable[str]) -> list[str]:
    """Those lines that can be keywords, each once; the first 500 are looked at."""
    field = LinesField(required=False)
    kept: dict[str, None] = {}
    for line in islice(lines, 10 * MOST_LINES):
        try:
            kept |= dict.fromkeys(field.clean(line))
        except ValidationError:
            continue
    return list(kept)[:MOST_LINES]
