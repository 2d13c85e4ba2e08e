"""A reader's page: what can be changed, and what is shown beside it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import Q

from subscriptions import languages, schedule
from subscriptions.forms import SHOWN_DAYS, zone_choices
from subscriptions.interests import Interests
from subscriptions.models import MailEvent, Subscriber, Suppression, Topic

CHOSEN = ("hour", "zone", "paused_until", "paper_limit", "only_my_topics", "text_only", "language")
SHOWN_ROWS = 20


class SubscriberForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A reader's preferences, with weekdays and topics as boxes to tick."""

    zone = forms.ChoiceField(label="Time zone", choices=zone_choices)
    days = forms.TypedMultipleChoiceField(
        label="Weekdays", choices=SHOWN_DAYS, coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )
    topics = forms.ModelMultipleChoiceField(
        Topic.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None: what trends.",
    )
    language = forms.ChoiceField(label="Language of the mail", choices=lambda: settings.LANGUAGES, required=False)

    # One field: the admin's pair of date and time has labels that belong to no control.
    paused_until = forms.DateTimeField(required=False, help_text="Like 2026-03-27 07:30, in UTC.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = Interests.of(self.instance)
        fields: dict[str, Any] = self.fields
        # What the row has is a choice, whatever is on offer by now: saving another field must not change it.
        fields["zone"].choices = zone_choices(self.instance.zone)
        fields["language"].choices = languages.choices(self.instance.language)
        self.initial["days"] = [day for day, _ in SHOWN_DAYS if self.instance.weekdays >> day & 1]
        self.initial["topics"] = list(own.topics)  # a muted topic is no box that is ticked

    def _get_validation_exclusions(self) -> set[str]:
        """As in the reader's own form: a zone that left the tz database stays until another one is chosen."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # the stubs do not know it
        return excluded | {"zone"}

    def choices(self) -> dict[str, Any]:
        """What goes into the reader's row."""
        data = self.cleaned_data
        chosen = {name: data[name] for name in CHOSEN if name != "language" or data[name]}
        return chosen | {"weekdays": schedule.weekdays(data["days"])}

    def interests(self, own: Interests) -> Interests:
        """The reader's own, with the topics that are ticked."""
        wanted = tuple(topic.pk for topic in self.cleaned_data["topics"])
        return replace(own, topics=wanted, muted_topics=tuple(pk for pk in own.muted_topics if pk not in wanted))


def beside(reader: Subscriber, now: datetime) -> Mapping[str, Any]:
    """What the page shows beside the form: other interests, what stops the mail, consent, letters, reports."""
    own = Interests.of(reader)
    muted = list(Topic.objects.filter(pk__in=own.muted_topics).values_list("name", flat=True))
    named = {
        "Keywords and phrases": own.phrases,
        "Authors": own.authors,
        "Muted topics": muted,
        "Muted words": own.muted_words,
    }
    about = Q(reader=reader.pk) | Q(email_hash=reader.email_hash)
    stops = list(Suppression.objects.filter(email_hash=reader.email_hash).order_by("-pk")[:SHOWN_ROWS])
    return {
        "interests": [(name, values) for name, values in named.items() if values],
        "stops": stops,
        "live": [stop for stop in stops if not stop.lifted_at and (stop.ends_at is None or stop.ends_at > now)],
        "events": reader.consent_events.select_related("wording").order_by("-pk")[:SHOWN_ROWS],
        "requests": reader.signup_requests.order_by("-pk")[:SHOWN_ROWS],
        "reports": MailEvent.objects.filter(about).defer("payload").order_by("-pk")[:SHOWN_ROWS],
    }
