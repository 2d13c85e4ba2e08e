"""Everything that a reader can choose."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.db.models import Q
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from subscriptions import languages, schedule
from subscriptions.forms.zones import zone_choices
from subscriptions.interests import Interests
from subscriptions.lifecycle import LIMITS
from subscriptions.models import Interest, Subscriber, Topic

SHOWN_DAYS = list(WEEKDAYS.items())  # Monday is 0; the names are Django's, in its languages
MOST_LINES = 50
# What the page after saving calls each field.
SAVED = {
    "topics": pgettext_lazy("a setting that was saved", "topics"),
    "phrases": pgettext_lazy("a setting that was saved", "keywords"),
    "authors": pgettext_lazy("a setting that was saved", "authors"),
    "muted_words": pgettext_lazy("a setting that was saved", "muted words"),
    "muted_topics": pgettext_lazy("a setting that was saved", "muted topics"),
    "cadence": pgettext_lazy("a setting that was saved", "how often"),
    "days": pgettext_lazy("a setting that was saved", "days"),
    "weekly_day": pgettext_lazy("a setting that was saved", "day of the week"),
    "hour": pgettext_lazy("a setting that was saved", "time"),
    "zone": pgettext_lazy("a setting that was saved", "time zone"),
    "paper_limit": pgettext_lazy("a setting that was saved", "number of papers"),
    "only_my_topics": pgettext_lazy("a setting that was saved", "only your topics"),
    "text_only": pgettext_lazy("a setting that was saved", "plain text"),
    "language": pgettext_lazy("a setting that was saved", "language"),
}


class LinesField(forms.CharField):
    """Several short texts, one a line; a tuple, each once, in the order typed."""

    widget = forms.Textarea(attrs={"rows": 4, "spellcheck": "false"})

    def to_python(self, value: Any) -> Any:
        """Raises ValidationError for what is too long, too short or too much, naming the line."""
        lines = [" ".join(line.split()) for line in (value or "").splitlines()]
        texts = list(dict.fromkeys(line for line in lines if line))
        if len(texts) > MOST_LINES:
            said = ngettext(
                "Enter at most %(most)d lines. There is %(number)d",
                "Enter at most %(most)d lines. There are %(number)d",
                len(texts),
            )
            raise ValidationError(said, params={"most": MOST_LINES, "number": len(texts)})
        for text in texts:
            ProhibitNullCharactersValidator()(text)
            if len(text) > Interest.TEXT_LENGTH:
                said = ngettext(
                    'Shorten "%(text)s…" to %(limit)d character or fewer',
                    'Shorten "%(text)s…" to %(limit)d characters or fewer',
                    Interest.TEXT_LENGTH,
                )
                raise ValidationError(said, params={"text": text[:30], "limit": Interest.TEXT_LENGTH})
            if len(text) < 2:
                said = gettext('"%(text)s" is too short to look for. Enter two characters or more')
                raise ValidationError(said, params={"text": text})
        return tuple(texts)

    def prepare_value(self, value: Any) -> Any:
        """A tuple as lines."""
        return value if isinstance(value, str) or value is None else "\n".join(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """By what is kept, not by what is typed."""
        try:
            return bool(tuple(initial or ()) != self.to_python(data))
        except ValidationError:
            return True


class TopicsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # not generic at run time
    """Topics by number. One that no row can have is no choice, as any other that is not there."""

    widget = forms.CheckboxSelectMultiple

    def clean(self, value: Any) -> Any:
        """Raises ValidationError also for a number that SQLite cannot hold."""
        for number in value or ():
            if len(str(number)) > 18:
                raise ValidationError(self.error_messages["invalid_choice"], params={"value": f"{str(number)[:18]}…"})
        return super().clean(value)


class PreferencesForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """Everything that a reader can choose. ``choices`` and ``interests`` are what lifecycle.choose takes."""

    topics = TopicsField(
        Topic.objects.filter(offered=True),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: you get what trends over all topics."),
    )
    phrases = LinesField(
        label=_("Your own keywords and phrases"), required=False, help_text=_('One a line, like "protein folding".')
    )
    authors = LinesField(label=_("Authors to follow"), required=False, help_text=_("One full name a line."))
    muted_words = LinesField(
        label=_("Muted words"), required=False, help_text=_("One a line. A paper that names one of them is left out.")
    )
    muted_topics = TopicsField(
        Topic.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Untick one to stop leaving out its papers."),
    )
    cadence = forms.ChoiceField(
        label=_("How often"),
        choices=[("daily", _("Each day that you tick")), ("weekly", _("Once a week"))],
        widget=forms.RadioSelect,
    )
    days = forms.TypedMultipleChoiceField(
        label=_("Days of the digest"),
        choices=SHOWN_DAYS,
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    weekly_day = forms.TypedChoiceField(
        label=_("Day of the weekly digest"), choices=SHOWN_DAYS, coerce=int, required=False, empty_value=None
    )
    hour = forms.TimeField(
        label=_("Time of the digest"),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={"required": _("Enter a time, like 07:30"), "invalid": _("Enter a time, like 07:30")},
    )
    zone = forms.ChoiceField(label=_("Time zone"), choices=zone_choices)
    paper_limit = forms.TypedChoiceField(
        label=_("Papers in a digest, at most"), choices=[(n, str(n)) for n in LIMITS], coerce=int
    )
    language = forms.ChoiceField(label=_("Language of mails and pages"), required=False)

    class Meta:
        model = Subscriber
        fields = ("hour", "zone", "paper_limit", "only_my_topics", "text_only", "language")
        labels = {
            "only_my_topics": _("Only my topics"),
            "text_only": _("Plain text only"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reader, own = self.instance, Interests.of(self.instance)
        fields: dict[str, Any] = self.fields
        # With those the reader has, also if they are not offered any more: saving the hour must not drop them.
        fields["topics"].queryset = Topic.objects.filter(Q(offered=True) | Q(pk__in=own.topics))
        fields["muted_topics"].queryset = Topic.objects.filter(pk__in=own.muted_topics)
        fields["language"].choices = languages.choices(reader.language)
        if len(settings.LANGUAGES) == 1:
            del fields["language"]
        if not own.muted_topics:
            del fields["muted_topics"]
        if reader.paper_limit not in LIMITS:  # an operator's number: saving the hour must not change it
            fields["paper_limit"].choices = sorted(
                {*fields["paper_limit"].choices, (reader.paper_limit, str(reader.paper_limit))}
            )
        fields["zone"].choices = zone_choices(reader.zone)
        if reader.hour.second:  # an import's 07:30:15 stays when something else is saved
            fields["hour"].widget.format = "%H:%M:%S"
        days = [day for day, _ in SHOWN_DAYS if reader.weekdays >> day & 1]
        self.initial = {
            **self.initial,
            "topics": list(own.topics),
            "phrases": own.phrases,
            "authors": own.authors,
            "muted_words": own.muted_words,
            "muted_topics": list(own.muted_topics),
            "cadence": "weekly" if reader.is_weekly else "daily",
            "days": [day for day, _ in SHOWN_DAYS] if reader.is_weekly else days,
            "weekly_day": days[0] if reader.is_weekly else 0,
        }

    def _get_validation_exclusions(self) -> set[str]:
        """The field's own choices judge the zone: the model refuses one that left the tz database, and all with it."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # the stubs do not know it
        return excluded | {"zone"}

    def clean(self) -> dict[str, Any]:
        """A daily digest needs a day."""
        data = super().clean() or {}
        if data.get("cadence") == "daily" and not data.get("days") and "days" not in self.errors:
            self.add_error("days", _("Tick one day or more, or pause your digests instead"))
        return data

    def choices(self) -> dict[str, Any]:
        """What goes into the reader's row."""
        data = self.cleaned_data
        days = [data["weekly_day"] or 0] if data["cadence"] == "weekly" else data["days"]
        own = ("hour", "zone", "paper_limit", "only_my_topics", "text_only", "language")
        return {
            "weekdays": schedule.weekdays(days),
            **{name: data[name] for name in own if data.get(name) not in (None, "")},
        }

    def interests(self) -> Interests:
        """What goes into the reader's interests."""
        data = self.cleaned_data
        wanted = _numbers(data["topics"])
        return Interests(
            topics=wanted,
            phrases=data["phrases"],
            authors=data["authors"],
            muted_topics=tuple(pk for pk in _numbers(data.get("muted_topics", ())) if pk not in wanted),
            muted_words=data["muted_words"],
        )

    def changed_words(self) -> list[str]:
        """The names of the fields that were changed, as the page after saving says them."""
        return [name for name in self.changed_data if name in SAVED]


def _numbers(topics: Iterable[Topic]) -> tuple[int, ...]:
    return tuple(topic.pk for topic in topics)
