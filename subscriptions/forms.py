"""The sign-up form and the preferences."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from email_validator import EmailNotValidError, validate_email

from subscriptions.models import ADDRESS_LENGTH, Subscriber, Topic

LIMITS = [(5, "5"), (10, "10"), (20, "20")]
HOW_TO_WRITE = "Enter an email address in the correct format, like name@example.com"


class SignupForm(forms.Form):
    """One field. What depends on the address happens later, in the task."""

    email = forms.CharField(
        label="Email address",
        max_length=ADDRESS_LENGTH,
        strip=True,
        error_messages={"required": "Enter your email address", "max_length": HOW_TO_WRITE},
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false", "size": 30}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # clean_email judges the whole address, in words that say what to do.
        self.fields["email"].validators.clear()

    def clean_email(self) -> str:
        """The address as RFC 5321 and IDNA 2008 have it; the domain in lower case."""
        try:
            # Not every mail server carries SMTPUTF8 (RFC 6531), so a local part must be ASCII.
            found = validate_email(
                self.cleaned_data["email"], check_deliverability=False, allow_smtputf8=False, strict=True
            )
        except EmailNotValidError as error:
            raise ValidationError(HOW_TO_WRITE) from error
        address = f"{found.local_part}@{found.ascii_domain}"
        if len(address) > ADDRESS_LENGTH:
            raise ValidationError(HOW_TO_WRITE)
        return address.lower()


def zone_choices() -> list[Any]:
    """IANA zones by region, UTC first: a <select> with groups needs no JavaScript."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for zone in sorted(available_timezones()):
        region, _, place = zone.partition("/")
        if place and region not in {"Etc", "SystemV", "US", "posix", "right"}:
            groups.setdefault(region, []).append((zone, place.replace("_", " ")))
    return [("UTC", "UTC"), *groups.items()]


class PreferencesForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """Topics, hour and zone, and how much."""

    topics = forms.ModelMultipleChoiceField(
        Topic.objects.filter(offered=True),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: you get what trends over all topics.",
    )
    hour = forms.TimeField(
        label="Time of the digest",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={"required": "Enter a time, like 07:30", "invalid": "Enter a time, like 07:30"},
    )
    zone = forms.ChoiceField(label="Time zone", choices=zone_choices)
    paper_limit = forms.TypedChoiceField(label="Papers in a digest, at most", choices=LIMITS, coerce=int)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # With those the reader has, also if they are not offered any more: saving the hour must not drop them.
        mine = Q(offered=True) | Q(interests__subscriber=self.instance)
        self.fields["topics"].queryset = Topic.objects.filter(mine).distinct()  # type: ignore[attr-defined]

    class Meta:
        model = Subscriber
        fields = ("topics", "hour", "zone", "paper_limit", "only_my_topics")
        labels = {"only_my_topics": "Only my topics"}
