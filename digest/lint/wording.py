"""Small readings of text that several rules share."""

import re

URL = re.compile(r"https?://[^\s<>\"]+")
SHOWN = 60


def squeezed(text: str) -> str:
    """On one line, without blanks around it; characters other than HTML's white space stay as they are."""
    return re.sub(r"[ \t\n\r\f\u00a0]+", " ", text).strip(" ")


def brief(text: str, limit: int = SHOWN) -> str:
    """Enough of a text to find it by."""
    line = squeezed(text[: 10 * limit])
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def urls_in(text: str) -> list[str]:
    """The http(s) addresses in a text, without the punctuation that closes a sentence or a bracket."""
    found = []
    for url in URL.findall(text):
        cut = url.rstrip(".,;:!?'")
        while cut.endswith(")") and cut.count(")") > cut.count("("):
            cut = cut[:-1].rstrip(".,;:!?'")
        found.append(cut)
    return found
