"""A form that asks for an address, and what tells a person from a program."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from subscriptions import addresses
from subscriptions.forms.choice import ChoiceForm

OPEN_TOO_LONG = 24 * 3600  # seconds
_stamper = signing.TimestampSigner(salt="subscriptions.forms.made")


def stamp() -> str:
    """Says when a form was shown, signed. It holds nothing else."""
    return _stamper.sign("form")


class AddressForm(forms.Form):
    """One field, and two that people never see. What depends on the address happens later, in the task."""

    email = forms.CharField(
        label=_("Email address"),
        max_length=addresses.ADDRESS_LENGTH,
        strip=True,
        error_messages={"required": _("Enter your email address")},
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false", "size": 30}),
    )
    made = forms.CharField(required=False, widget=forms.HiddenInput)
    leave_empty = forms.CharField(required=False)

    doubted = ""  # an address that was asked about; sent along, the next press keeps it

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
        """The address as it is kept. One that looks like a slip of the keyboard is asked about once, never refused."""
        try:
            address = addresses.clean(self.cleaned_data["email"])
        except ValueError as error:
            raise ValidationError(gettext(str(error))) from error
        meant = addresses.meant(address)
        if meant and self.data.get("as_typed") != address:
            self.doubted = address
            said = _("Check the address: did you mean %(meant)s? To keep yours, press the button again")
            raise ValidationError(said, params={"meant": meant})
        return address

    def clean_made(self) -> str:
        """Refuse a form that was sent sooner than a person can, or that was open for a day. Pressing again helps."""
        value = self.cleaned_data["made"]
        try:
            _stamper.unsign(value, max_age=OPEN_TOO_LONG)
        except signing.SignatureExpired as error:
            raise ValidationError(_("This form was open for more than a day. Press the button again.")) from error
        except signing.BadSignature as error:
            raise ValidationError(_("The form did not arrive whole. Press the button again.")) from error
        if settings.FORM_MIN_SECONDS:
            try:
                _stamper.unsign(value, max_age=timedelta(seconds=settings.FORM_MIN_SECONDS))
            except signing.SignatureExpired:
                return str(value)
            raise ValidationError(_("That was faster than we expect of a person. Press the button again."))
        return str(value)


class SignupForm(AddressForm):
    """Subscribe, with one field. What was chosen before comes along in hidden ones."""

    def __init__(self, *args: Any, choice: ChoiceForm | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choice = ChoiceForm(choice.data if choice else self.data, auto_id=False)
