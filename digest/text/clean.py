"""Characters that have no place in a line of a mail."""

import re
import unicodedata

# Default-ignorable characters (Unicode 15, DerivedCoreProperties) that hide in a line: bidirectional controls can
# make it read as something else (UTR 36, section 3.1), zero-width ones hide words from search, tags hide text.
# Variation selectors stay: emoji need them.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff"
    "\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# Scripts and emoji need the joiners between their signs; beside a Latin letter or a space they only hide something.
_LOOSE_JOINERS = re.compile("(?<![^\x00-\u024f])[\u200c\u200d]+|[\u200c\u200d]+(?![^\x00-\u024f\u200c\u200d])")
# Cc are controls, Cs lone surrogates (JSON can carry them, no database or mail can), Zl and Zp break lines.
_BREAKS = {"Cc", "Cs", "Zl", "Zp"}


def clean(text: str) -> str:
    """One line of NFC text without controls, lone surrogates and invisible characters."""
    text = " ".join(text.split())
    if text.isascii() and text.isprintable():
        return text
    if not text.isprintable():  # says no to more than we mind, but says it fast
        text = "".join(" " if unicodedata.category(c) in _BREAKS else c for c in text)
        text = _LOOSE_JOINERS.sub("", _INVISIBLE.sub("", text))
        text = " ".join(text.split())
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)
