"""What a template prints where a value is missing. No paper of the cast has these words of its own."""

import re
from html import unescape

from tests.mail.mail import Mail

_RESIDUE = re.compile(r"\b(?:None|True|False|NaN|nan|undefined)\b|\[\]|\{\}|\bobject at 0x")


def residue_faults(mail: Mail) -> list[str]:
    """Each with the words around it, of the subject and of both parts."""
    shown = unescape(re.sub(r"<(?:style.*?</style|[^>]*)>", " ", mail.html, flags=re.DOTALL))
    return [
        f"residue: {text[max(found.start() - 20, 0) : found.end() + 20]!r}"
        for text in (mail.subject, mail.text, shown)
        for found in _RESIDUE.finditer(text)
    ]
