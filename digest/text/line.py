"""The line that a reader of TeX writes."""

from digest.text.scripts import SMALL


class Line:
    """Parts of a line, and what the last of them wants of the next: TeX and Unicode space differently."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.apart = False  # the next letter or digit stands apart: "log n"
        self.hungry = False  # the next space goes: it only ended a command's name

    @property
    def last(self) -> str:
        """The last character, or nothing."""
        return self.parts[-1][-1] if self.parts else ""

    def add(self, text: str) -> None:
        """Write ``text`` as the last part wants it."""
        if self.hungry:
            text = text.lstrip()
            self.hungry = False
        if not text:
            return
        if self.apart and text[0].isalnum() and text[0] not in SMALL:
            text = " " + text
        self.apart = False
        self.parts.append(text)

    def word(self, text: str, *, after: bool = True) -> None:
        """Write a name that must not run into its neighbours: ``n log n``."""
        if text and text[0].isalnum() and (self.last.isalnum() or self.last in tuple(")]}′")):
            self.hungry = False
            text = " " + text
        self.add(text)
        self.apart = after

    def attach(self, text: str) -> None:
        """Write a superscript or subscript: what stood before it still wants what it wanted."""
        self.parts.append(text)
        self.hungry = False
        self.apart = self.apart or (text[0] in "^_" and text[-1].isalnum())
