"""The papers of an edition as an editor's rows: what each form changes, and where a paper goes."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import QuerySet

from digest import trending
from digest.admin.matches import matches_of
from digest.models import Edition, EditionPaper
from digest.relevance import Match
from digest.rendering import BLURB_LENGTH, Item, item
from digest.text import readable
from subscriptions.models import Topic

WRITTEN = ("position", "pinned", "hidden", "hidden_reason", "blurb")


class EntryForm(forms.Form):
    """One row. Each field carries what it showed, so that only what this editor changed is written.

    Another editor may be at the same edition, and it is drafted anew every minute.
    """

    position = forms.IntegerField(min_value=1, max_value=9999, error_messages={"min_value": "1 or more"})
    pinned = forms.BooleanField(required=False)
    hidden = forms.BooleanField(required=False)
    hidden_reason = forms.CharField(required=False, max_length=200)
    blurb = forms.CharField(required=False, max_length=600, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = True
        self.fields["blurb"].widget.attrs["data-counter"] = BLURB_LENGTH

    def clean_blurb(self) -> str:
        """On one line, as every text."""
        return readable(self.cleaned_data["blurb"])


@dataclass(frozen=True, slots=True)
class Row:
    """One paper of the edition with all that its row shows."""

    entry: EditionPaper
    form: EntryForm
    topics: Sequence[Match]
    item: Item
    shown: bool  # whether readers see it

    @property
    def why_not(self) -> str:
        """Why readers do not see the paper, where that is not this row's own hiding; "" where they do."""
        if self.shown or self.entry.hidden:
            return ""
        paper = self.entry.paper
        for row in filter(None, (paper, paper.merged_into)):
            if row.withdrawn_at:
                return "withdrawn"
            if row.hidden_at:
                return f"hidden everywhere. {row.hidden_reason}".strip()
        if paper.merged_into:
            return f"the same work as “{paper.merged_into}”"
        return "another row of this work is hidden or withdrawn"

    @property
    def explanation(self) -> str:
        """What its score is made of, in words."""
        return trending.explain(self.entry.ingredients)


def rows_of(edition: Edition, data: Mapping[str, Any] | None = None) -> list[Row]:
    """All rows in the order of the edition, in three queries. With ``data``, forms that read it."""
    entries: QuerySet[EditionPaper] = edition.entries.select_related("paper__merged_into")
    papers = [entry.paper for entry in entries]
    shown = set(edition.entries.shown().values_list("pk", flat=True))
    found = matches_of(papers, Topic.objects.all(), edition)
    return [
        Row(
            entry,
            _form(entry, data or {}),
            found.get(entry.paper_id, []),
            item(entry.paper, place, blurb=entry.blurb),
            shown=entry.pk in shown,
        )
        for place, entry in enumerate(entries, start=1)
    ]


def _form(entry: EditionPaper, data: Mapping[str, Any]) -> EntryForm:
    prefix = f"entry-{entry.pk}"
    # A paper that came in after the page was opened is not in the answer: unticked boxes say nothing of it.
    bound = data if f"{prefix}-position" in data else None
    return EntryForm(bound, prefix=prefix, initial={name: getattr(entry, name) for name in WRITTEN})


def save(rows: Iterable[Row]) -> list[str]:
    """Write what the (valid) forms changed and number the papers anew; what changed, in words."""
    rows = list(rows)
    said, moved = [], {}
    for row in rows:
        if not row.form.is_bound or not row.form.has_changed():
            continue
        values = {name: row.form.cleaned_data[name] for name in row.form.changed_data}
        if "position" in values:
            moved[row.entry.pk] = values.pop("position")
            said.append(f"{row.entry.paper.key} moved to {moved[row.entry.pk]}")
        for name, value in values.items():
            said.append(f"{row.entry.paper.key} {name}: {getattr(row.entry, name)!r} -> {value!r}")
            setattr(row.entry, name, value)
        if not row.entry.hidden:
            row.entry.hidden_reason = ""
    if said:
        entries = {row.entry.pk: row.entry for row in rows}
        pinned = {pk for pk, entry in entries.items() if entry.pinned}
        for place, pk in enumerate(placed(list(entries), moved, pinned), start=1):
            entries[pk].position = place
        EditionPaper.objects.bulk_update(entries.values(), WRITTEN)
    return said


def placed(order: Sequence[int], moved: Mapping[int, int], pinned: Collection[int]) -> list[int]:
    """The order after moves: pinned first; a moved one stands at the number given, the others close up.

    Two that were given the same number keep the order they had.
    """
    places = [pk for pk in order if pk not in moved]
    for pk in sorted((pk for pk in order if pk in moved), key=lambda pk: moved[pk]):
        places.insert(moved[pk] - 1, pk)
    return sorted(places, key=lambda pk: pk not in pinned)
