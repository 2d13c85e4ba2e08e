"""The admin's form to sign in, for what nobody would type."""

from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator

PASSWORD_LENGTH = 4096  # hashing costs the more the longer it is; Django's own limit was the same


def validate_encodable(text: str) -> None:
    """Raise ValidationError for half a surrogate pair: no database, hash or page can hold it."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValidationError("Enter text without broken characters.") from error


class SignInForm(AdminAuthenticationForm):
    """Names that are longer than any user's are an error of the form: Django sets the length in the page only."""

    def __init__(self, request: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        lengths = {"username": self.username_field.max_length or 254, "password": PASSWORD_LENGTH}
        for name, length in lengths.items():
            self.fields[name].validators += [MaxLengthValidator(length), validate_encodable]
