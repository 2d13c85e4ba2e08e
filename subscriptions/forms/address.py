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
FIRST, AGAIN = "form", "again "  # what is signed: of a form shown for the first time; with the network behind it
_stamper = signing.TimestampSigner(salt="subscriptions.forms.made")


def stamp(network: str | None = None) -> str:
    """Says when a form was shown, signed. It holds nothing else.

    Of a form that is shown ``AGAIN`` to a ``network`` (its hash, or "" where that is of no use) it says that too.
    """
    return _stamper.sign(FIRST if network is None else AGAIN + network)


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

    def __init__(self, *args: Any, network: str = "", **kwargs: Any) -> None:
        """``network`` is the hash of the one that the request comes from."""
        super().__init__(*args, **kwargs)
        self.network = network
        # clean_email judges the whole address, in words that say what to do.
        self.fields["email"].validators.clear()

    @property
    def new_stamp(self) -> str:
        """For the form as it is shown now. Of one that is shown again the next press is not measured anew."""
        return stamp(self.network) if self.is_bound else stamp()

    @property
    def was_offered_here(self) -> bool:
        """Whether the form was shown again to this network, so that another site cannot have brought it along.

        That is known without a cookie: whoever reads the answer to a POST from a network is in it, and the browsers
        that another site makes post cannot read it.
        """
        return bool(self.network) and self._signed() == AGAIN + self.network

    @property
    def is_of_ours(self) -> bool:
        """Whether the form came from us at all, whenever that was, and by whatever way."""
        return self._signed() is not None

    def _signed(self) -> str | None:
        try:
            return _stamper.unsign(self.data.get("made", ""), max_age=OPEN_TOO_LONG)
        except signing.BadSignature:
            return None

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
        if not meant:
            return address
        self.doubted = address  # also where it was kept: something else may be wrong with this press
        if self.data.get("as_typed") != address:
            said = _("Check the address: did you mean %(meant)s? To keep yours, press the button again")
            raise ValidationError(said, params={"meant": meant})
        return address

    def clean_made(self) -> str:
        """Refuse a form that was sent sooner than a person can, or that was open for a day. Pressing again helps."""
        value = self.cleaned_data["made"]
        try:
            shown = _stamper.unsign(value, max_age=OPEN_TOO_LONG)
        except signing.SignatureExpired as error:
            raise ValidationError(_("This form was open for more than a day. Press the button again.")) from error
        except signing.BadSignature as error:
            raise ValidationError(_("The form did not arrive whole. Press the button again.")) from error
        if settings.FORM_MIN_SECONDS and shown == FIRST:  # who was told to press again may do so at once
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
