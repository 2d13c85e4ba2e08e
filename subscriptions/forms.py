"""The readers' forms: sign-up, preferences, pause, another address."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.db.models import Q

from subscriptions import addresses, schedule
from subscriptions.interests import Interests
from subscriptions.lifecycle import LIMITS
from subscriptions.models import Interest, Subscriber, Topic

OPEN_TOO_LONG = 24 * 3600  # seconds
SHOWN_DAYS = list(enumerate(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")))
MOST_LINES = 50
_stamper = signing.TimestampSigner(salt="subscriptions.forms.made")


def stamp() -> str:
    """Says when a form was shown, signed. It holds nothing else."""
    return _stamper.sign("form")


class AddressForm(forms.Form):
    """One field, and two that people never see. What depends on the address happens later, in the task."""

    email = forms.CharField(
        label="Email address",
        max_length=addresses.ADDRESS_LENGTH,
        strip=True,
        error_messages={"required": "Enter your email address", "max_length": addresses.HOW_TO_WRITE},
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false", "size": 30}),
    )
    made = forms.CharField(required=False, widget=forms.HiddenInput)
    leave_empty = forms.CharField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # clean_email judges the whole address, in words that say what to do.
        self.fields["email"].validators.clear()

    @property
    def new_stamp(self) -> str:
        """For the form as it is shown now, also when it is shown again."""
        return stamp()

    @property
    def is_from_a_robot(self) -> bool:
        """Whether the field that people do not see was filled in."""
        return bool(self.data.get("leave_empty"))

    def clean_email(self) -> str:
        """The address as it is kept."""
        try:
            return addresses.clean(self.cleaned_data["email"])
        except ValueError as error:
            raise ValidationError(str(error)) from error

    def clean_made(self) -> str:
        """Refuse a form that was sent sooner than a person can, or that was open for a day. Pressing again helps."""
        value = self.cleaned_data["made"]
        try:
            _stamper.unsign(value, max_age=OPEN_TOO_LONG)
        except signing.SignatureExpired as error:
            raise ValidationError("This form was open for more than a day. Press the button again.") from error
        except signing.BadSignature as error:
            raise ValidationError("The form did not arrive whole. Press the button again.") from error
        if settings.FORM_MIN_SECONDS:
            try:
                _stamper.unsign(value, max_age=timedelta(seconds=settings.FORM_MIN_SECONDS))
            except signing.SignatureExpired:
                return str(value)
            raise ValidationError("That was faster than we expect of a person. Press the button again.")
        return str(value)


class SignupForm(AddressForm):
    """Subscribe, with one field."""


def zone_choices() -> list[Any]:
    """IANA zones by region, UTC first: a <select> with groups needs no JavaScript."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for zone in sorted(available_timezones()):
        region, _, place = zone.partition("/")
        if place and region not in {"Etc", "SystemV", "US", "posix", "right"}:
            groups.setdefault(region, []).append((zone, place.replace("_", " ")))
    return [("UTC", "UTC"), *groups.items()]


class LinesField(forms.CharField):
    """Several short texts, one a line; a tuple, each once, in the order typed."""

    widget = forms.Textarea(attrs={"rows": 4, "spellcheck": "false"})

    def to_python(self, value: Any) -> Any:
        """Raises ValidationError for what is too long, too short or too much, naming the line."""
        lines = [" ".join(line.split()) for line in (value or "").splitlines()]
        texts = list(dict.fromkeys(line for line in lines if line))
        if len(texts) > MOST_LINES:
            raise ValidationError(f"Enter at most {MOST_LINES} lines. There are {len(texts)}")
        for text in texts:
            ProhibitNullCharactersValidator()(text)
            if len(text) > Interest.TEXT_LENGTH:
                raise ValidationError(f'Shorten "{text[:30]}…" to {Interest.TEXT_LENGTH} characters or fewer')
            if len(text) < 2:
                raise ValidationError(f'"{text}" is too short to look for. Enter two characters or more')
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


class PreferencesForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """Everything that a reader can choose. ``choices`` and ``interests`` are what lifecycle.choose takes."""

    topics = forms.ModelMultipleChoiceField(
        Topic.objects.filter(offered=True),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: you get what trends over all topics.",
    )
    phrases = LinesField(
        label="Your own keywords and phrases", required=False, help_text='One a line, like "protein folding".'
    )
    authors = LinesField(label="Authors to follow", required=False, help_text="One full name a line.")
    muted_words = LinesField(
        label="Muted words", required=False, help_text="One a line. A paper that names one of them is left out."
    )
    muted_topics = forms.ModelMultipleChoiceField(
        Topic.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Untick one to stop leaving out its papers.",
    )
    cadence = forms.ChoiceField(
        label="How often",
        choices=[("daily", "Each day that you tick"), ("weekly", "Once a week")],
        widget=forms.RadioSelect,
    )
    days = forms.TypedMultipleChoiceField(
        label="Days of the digest", choices=SHOWN_DAYS, coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )
    weekly_day = forms.TypedChoiceField(
        label="Day of the weekly digest", choices=SHOWN_DAYS, coerce=int, required=False, empty_value=None
    )
    hour = forms.TimeField(
        label="Time of the digest",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={"required": "Enter a time, like 07:30", "invalid": "Enter a time, like 07:30"},
    )
    zone = forms.ChoiceField(label="Time zone", choices=zone_choices)
    paper_limit = forms.TypedChoiceField(
        label="Papers in a digest, at most", choices=[(n, str(n)) for n in LIMITS], coerce=int
    )
    language = forms.ChoiceField(label="Language of the mail", required=False)

    class Meta:
        model = Subscriber
        fields = ("hour", "zone", "paper_limit", "only_my_topics", "images", "text_only", "language")
        labels = {
            "only_my_topics": "Only my topics",
            "images": "Show pictures",
            "text_only": "Plain text only",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reader, own = self.instance, Interests.of(self.instance)
        fields: dict[str, Any] = self.fields
        # With those the reader has, also if they are not offered any more: saving the hour must not drop them.
        fields["topics"].queryset = Topic.objects.filter(Q(offered=True) | Q(pk__in=own.topics))
        fields["muted_topics"].queryset = Topic.objects.filter(pk__in=own.muted_topics)
        fields["language"].choices = settings.LANGUAGES
        if len(settings.LANGUAGES) == 1:
            del fields["language"]
        if not own.muted_topics:
            del fields["muted_topics"]
        if reader.paper_limit not in LIMITS:  # an operator's number: saving the hour must not change it
            fields["paper_limit"].choices = sorted(
                {*fields["paper_limit"].choices, (reader.paper_limit, str(reader.paper_limit))}
            )
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

    def clean(self) -> dict[str, Any]:
        """A daily digest needs a day."""
        data = super().clean() or {}
        if data.get("cadence") == "daily" and not data.get("days") and "days" not in self.errors:
            self.add_error("days", "Tick one day or more, or pause your digests instead")
        return data

    def choices(self) -> dict[str, Any]:
        """What goes into the reader's row."""
        data = self.cleaned_data
        days = [data["weekly_day"] or 0] if data["cadence"] == "weekly" else data["days"]
        own = ("hour", "zone", "paper_limit", "only_my_topics", "images", "text_only", "language")
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


# What the page after saving calls each field.
SAVED = {
    "topics": "topics",
    "phrases": "keywords",
    "authors": "authors",
    "muted_words": "muted words",
    "muted_topics": "muted topics",
    "cadence": "how often",
    "days": "days",
    "weekly_day": "day of the week",
    "hour": "time",
    "zone": "time zone",
    "paper_limit": "number of papers",
    "only_my_topics": "only your topics",
    "images": "pictures",
    "text_only": "plain text",
    "language": "language",
}


class PauseForm(forms.Form):
    """For some weeks, or until a date."""

    WEEKS = (("1", "1 week"), ("2", "2 weeks"), ("4", "4 weeks"))

    length = forms.ChoiceField(
        label="How long",
        choices=[*WEEKS, ("until", "Until a date")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how long to pause"},
    )
    until = forms.DateField(
        label="The first day with a digest again",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": "Enter a date, like 2026-03-27"},
    )

    def __init__(self, data: Any = None, *, today: date, zone: str) -> None:
        """``today`` is the reader's own date, in ``zone``."""
        super().__init__(data)
        self.today, self.zone = today, zone

    def clean(self) -> dict[str, Any]:
        """A date is needed where a date was chosen: from tomorrow to a year from now."""
        data = super().clean() or {}
        if data.get("length") != "until" or "until" in self.errors:
            return data
        day = data.get("until")
        if day is None:
            self.add_error("until", "Enter the date on which digests go on, like 2026-03-27")
        elif day <= self.today:
            self.add_error("until", "Enter a date after today")
        elif day > self.today + timedelta(days=365):
            self.add_error("until", "Enter a date within a year from now")
        return data

    def end(self) -> datetime:
        """When the pause ends (UTC): the beginning of its first day, in the reader's zone."""
        data = self.cleaned_data
        day = data["until"] if data["length"] == "until" else self.today + timedelta(weeks=int(data["length"]))
        return schedule.local_instant(day, time(0), self.zone)


class ReasonForm(forms.Form):
    """One question after leaving. Not answering is an answer."""

    REASONS = (
        ("too many", "Too many mails"),
        ("not for me", "The papers were not for me"),
        ("elsewhere", "I read papers elsewhere"),
        ("never asked", "I never asked for it"),
        ("other", "Another reason"),
    )

    reason = forms.ChoiceField(
        label="Why did you leave?",
        choices=REASONS,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a reason, or close this page"},
    )


def _numbers(topics: Iterable[Topic]) -> tuple[int, ...]:
    return tuple(topic.pk for topic in topics)
