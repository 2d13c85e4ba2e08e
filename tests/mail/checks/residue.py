"""What a template prints where a value is missing. No paper of the cast has these words of its own."""

import re
from html import unescape

from tests.mail.mail import Mail

_RESIDUE = re.compile(
    r"\b(?:None|True|False|NaN|nan|undefined)\b|\[\]|\{\w*\}|\(\s*\)|\bobject at 0x"
    r"|\b\w+(?:\.\w+)*\((?:['\"]|\d{4})"  # what repr() says: Decimal('3.0'), datetime.datetime(2026, 3, 20)
)
# A separator with nothing behind it.
_DANGLING = re.compile(r"[^\s>]*(?:\s|&nbsp;)*·(?:\s|&nbsp;)*(?=<br>|</p>|</td>)")


def residue_faults(mail: Mail) -> list[str]:
    """Each with the words around it, of the subject and of both parts."""
    shown = unescape(re.sub(r"<(?:style.*?</style|[^>]*)>", " ", mail.html, flags=re.DOTALL))
    found = [
        f"residue: {text[max(found.start() - 20, 0) : found.end() + 20]!r}"
        for text in (mail.subject, mail.text, shown)
        for found in _RESIDUE.finditer(text)
    ]
    return found + [f"residue separator: {dangling.group()!r}" for dangling in _DANGLING.finditer(mail.html)]
