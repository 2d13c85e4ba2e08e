"""Pause, and why somebody left."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from subscriptions import schedule


class PauseForm(forms.Form):
    """For some weeks, or until a date."""

    WEEKS = (("1", _("1 week")), ("2", _("2 weeks")), ("4", _("4 weeks")))

    length = forms.ChoiceField(
        label=_("How long"),
        choices=[*WEEKS, ("until", _("Until a date"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose how long to pause")},
    )
    until = forms.DateField(
        label=_("The first day with a digest again"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": _("Enter a date, like 2026-03-27")},
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
            self.add_error("until", _("Enter the date on which digests go on, like 2026-03-27"))
        elif day <= self.today:
            self.add_error("until", _("Enter a date after today"))
        elif day > self.today + timedelta(days=365):
            self.add_error("until", _("Enter a date within a year from now"))
        return data

    def end(self) -> datetime:
        """When the pause ends (UTC): the beginning of its first day, in the reader's zone."""
        data = self.cleaned_data
        day = data["until"] if data["length"] == "until" else self.today + timedelta(weeks=int(data["length"]))
        return schedule.local_instant(day, time(0), self.zone)


class ReasonForm(forms.Form):
    """One question after leaving. Not answering is an answer."""

    REASONS = (
        ("too many", _("Too many mails")),
        ("not for me", _("The papers were not for me")),
        ("elsewhere", _("I read papers elsewhere")),
        ("never asked", _("I never asked for it")),
        ("other", _("Another reason")),
    )

    reason = forms.ChoiceField(
        label=_("Why did you leave?"),
        choices=REASONS,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a reason, or close this page")},
    )
