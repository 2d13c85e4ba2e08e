"""A list of texts as people type one: a line each."""

from typing import Any

from django import forms

from digest.text import readable


class LinesField(forms.Field):
    """A JSON list shown as lines, in their order; empty lines and repetitions are dropped."""

    def __init__(self, *, rows: int = 6, **kwargs: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": rows, "cols": 60}), required=False, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """The list as lines; what was typed, where the form comes back with an error."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:
        """The lines as a list."""
        lines = map(readable, (value or "").splitlines()) if not isinstance(value, list) else value
        return list(dict.fromkeys(line for line in lines if line))
