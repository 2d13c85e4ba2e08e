"""HTML -> the elements, texts and links that the rules look at, in the order of the page."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

from justhtml import JustHTML

from digest.lint.styles import Declared, Sheet, declared, hides
from digest.lint.wording import brief, squeezed

# What begins and ends a line of its own; all else runs on.
BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "body", "center", "dd", "div", "dl", "dt", "fieldset"}
    | {"figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li"}
    | {"main", "nav", "ol", "p", "pre", "section", "table", "tbody", "td", "tfoot", "th", "thead", "tr"}
    | {"ul", "br"}
)
SILENT = frozenset(["head", "script", "style", "template", "title"])  # their text is not shown
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
FILLER = re.compile("[\u00a0\u00ad\u034f\u061c\u180e\u200b-\u200f\u2007\u2060\ufeff]+")


@dataclass(eq=False, slots=True)
class Element:
    """One element of the page."""

    name: str
    attrs: dict[str, str]  # names in lower case
    parent: "Element | None"
    style: Declared  # of the style attribute
    hidden: bool  # it or one around it
    heading: "Element | None"  # the last one before it
    content: "list[Element | str]" = field(default_factory=list)

    @property
    def children(self) -> "list[Element]":
        """The elements right inside it."""
        return [inner for inner in self.content if isinstance(inner, Element)]

    def inside(self) -> "Iterator[Element]":
        """The elements in it, at any depth, in the page's order."""
        waiting = self.children[::-1]
        while waiting:
            element = waiting.pop()
            yield element
            waiting += reversed(element.children)

    @property
    def ancestors(self) -> "Iterator[Element]":
        """From the one around it outwards."""
        around = self.parent
        while around:
            yield around
            around = around.parent

    @property
    def text(self) -> str:
        """All text in it on one line."""
        return squeezed("".join(self._pieces()))

    def _pieces(self) -> "Iterator[str]":
        waiting: list[Element | str] = self.content[::-1]
        while waiting:
            inner = waiting.pop()
            if isinstance(inner, str):
                yield inner
            else:
                yield " " if inner.name in BLOCKS else ""
                waiting += reversed(inner.content)

    @property
    def spot(self) -> str:
        """How a finding names it: by the first of its words. Not by all: tables nest as deep as somebody likes."""
        words = squeezed("".join(islice(self._pieces(), 50))) or self.attrs.get("alt", "") or self.attrs.get("src", "")
        return f"<{self.name}> {brief(words)}".strip()


@dataclass(frozen=True, slots=True)
class Link:
    """A link: where it leads and what it says."""

    href: str
    text: str  # of its words, else of its images' alt
    element: Element

    @property
    def spot(self) -> str:
        """How a finding names it."""
        return self.element.spot


@dataclass(frozen=True, slots=True)
class Block:
    """Shown text between two breaks."""

    text: str
    element: Element  # that the text begins in

    @property
    def spot(self) -> str:
        """How a finding names it: by the heading that it stands under."""
        own = next((e for e in (self.element, *self.element.ancestors) if e.name in HEADINGS), None)
        heading = own or self.element.heading
        return f'under "{brief(heading.text)}"' if heading else f'"{brief(self.text)}"'


class Page:
    """A parsed page, as a browser would understand it."""

    def __init__(self, html: str) -> None:
        document = JustHTML(html, sanitize=False, collect_errors=True, scripting_enabled=False)
        self.errors = [str(error) for error in document.errors]
        self.doctype: str | None = None
        self.elements: list[Element] = []
        self.comments: list[str] = []
        self.blocks: list[Block] = []  # shown: the preheader is not
        self._read(document.root)

    def _read(self, root: Any) -> None:
        """One walk without recursion: nesting is as deep as somebody likes."""
        heading: Element | None = None
        run: list[tuple[str, Element]] = []
        waiting: list[tuple[Any, Element | None]] = [(root, None)]
        while waiting:
            node, parent = waiting.pop()
            if node is None:  # the end of a block
                self._close(run)
            elif node.name == "#text":
                if parent:
                    parent.content.append(node.data)
                    if not (parent.hidden or parent.name in SILENT):
                        run.append((node.data, parent))
            elif node.name == "#comment":
                self.comments.append(node.data or "")
            elif node.name == "!doctype":
                self.doctype = node.data.name
            elif node.name.startswith("#"):
                waiting += [(child, parent) for child in reversed(node.children or [])]
            else:
                element = self._element(node, parent, heading)
                heading = element if element.name in HEADINGS else heading
                if element.name in BLOCKS:
                    self._close(run)
                    waiting.append((None, None))
                waiting += [(child, element) for child in reversed(node.children or [])]
        self._close(run)

    def _element(self, node: Any, parent: Element | None, heading: Element | None) -> Element:
        attrs = {name.lower(): value or "" for name, value in (node.attrs or {}).items()}
        style = declared(attrs.get("style", ""))
        hidden = bool(parent and parent.hidden) or hides(style.values) or "hidden" in attrs
        element = Element(node.name.lower(), attrs, parent, style, hidden, heading)
        if parent:
            parent.content.append(element)
        self.elements.append(element)
        return element

    def _close(self, run: list[tuple[str, Element]]) -> None:
        text = squeezed("".join(piece for piece, _ in run))
        if text:
            self.blocks.append(Block(text, next(element for piece, element in run if squeezed(piece))))
        run.clear()

    def named(self, *names: str) -> list[Element]:
        """The elements of these names."""
        return [element for element in self.elements if element.name in names]

    @cached_property
    def body(self) -> Element | None:
        """The body."""
        return next(iter(self.named("body")), None)

    @cached_property
    def text(self) -> str:
        """All shown text, a block a line."""
        return "\n".join(block.text for block in self.blocks)

    def text_after(self, element: Element) -> str:
        """The shown text below an element of the body."""
        found: list[str] = []
        waiting: list[Element | str] = [self.body] if self.body else []
        while waiting:
            inner = waiting.pop()
            if inner is element:
                found.clear()
            elif isinstance(inner, str):
                found.append(inner)
            elif not inner.hidden:
                waiting += reversed(inner.content)
        return squeezed(" ".join(found))

    @cached_property
    def links(self) -> list[Link]:
        """The links, shown or not."""
        return [Link(a.attrs["href"].strip(), _said(a), a) for a in self.named("a") if "href" in a.attrs]

    @cached_property
    def preheader(self) -> Element | None:
        """The element with hidden text before all shown text."""
        for element in self.body.inside() if self.body else ():
            if element.hidden:
                return element
            if any(isinstance(piece, str) and piece.strip() for piece in element.content):
                return None
        return None

    @cached_property
    def preview(self) -> str:
        """What the preheader says, without its filler."""
        return squeezed(FILLER.sub(" ", self.preheader.text)) if self.preheader else ""

    @cached_property
    def sheet(self) -> Sheet:
        """All <style> elements together."""
        return Sheet.of("\n".join(style.text for style in self.named("style")))

    def meta(self, name: str) -> str:
        """The content of a named meta; empty where there is none."""
        found = [m for m in self.named("meta") if m.attrs.get("name", "").lower() == name]
        return found[0].attrs.get("content", "") if found else ""


def _said(link: Element) -> str:
    alts = (image.attrs.get("alt", "") for image in link.inside() if image.name == "img")
    return link.text or squeezed(" ".join(alts))
