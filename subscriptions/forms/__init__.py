"""The readers' forms."""

from subscriptions.forms.address import AddressForm, SignupForm, stamp
from subscriptions.forms.choice import ChoiceForm
from subscriptions.forms.leaving import PauseForm, ReasonForm
from subscriptions.forms.preferences import SAVED, SHOWN_DAYS, LinesField, PreferencesForm
from subscriptions.forms.zones import zone_choices

__all__ = [
    "SAVED",
    "SHOWN_DAYS",
    "AddressForm",
    "ChoiceForm",
    "LinesField",
    "PauseForm",
    "PreferencesForm",
    "ReasonForm",
    "SignupForm",
    "stamp",
    "zone_choices",
]
