"""From the bytes of an answer to plain values: everything that may be wrong with a whole answer."""

import io
import json
import math
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

import feedparser

from digest.addresses import linkable
from digest.sources.base import SourceError

ARXIV = "http://arxiv.org/schemas/atom"
OPENSEARCH = "http://a9.com/-/spec/opensearch/1.1/"

# What an answer may hold, asked before anything is built of it: a byte can become a hundred, "[]" is a list. Fuller
# than any answer of ours: a hundred featured papers have 14,000 signs, a full feed of arXiv has 60,000 tags.
MOST_SIGNS = 200_000  # "[", "{" and "," of JSON: no value comes without one
MOST_TAGS = 300_000  # "<" of XML
MOST_ATTRIBUTES = 100_000  # "=" of XML
MOST_OF_ONE = (
    40  # attributes of an element, and ten times as many namespaces. Feedparser takes the square of their number
)
MOST_DEPTH = 40  # of lists and objects, or of elements, within one another

# XML 1.0 allows no other control characters, and one of them would cost the whole answer.
_CONTROL = bytes({*range(0x20)} - {*b"\t\n\r"})
_BOM = b"\xef\xbb\xbf"


def read_json(body: bytes, *, source: str) -> Any:
    """The JSON value in ``body``, fit for a database. Raises SourceError (transient) if it is not JSON, or too full."""
    if sum(map(body.count, (b"[", b"{", b","))) > MOST_SIGNS:
        raise SourceError(f"{source} answered with JSON of more than {MOST_SIGNS} values", transient=True)
    try:
        return storable(json.loads(body))
    except (ValueError, RecursionError) as error:  # also bytes that are not UTF-8
        raise SourceError(f"{source} answered with broken JSON: {error}", transient=True) from error


def storable(value: Any, depth: int = 0) -> Any:
    """``value`` without what PostgreSQL cannot keep: NUL, half surrogate pairs, NaN and infinity.

    Raises ValueError for lists and objects more than MOST_DEPTH deep: what writes them down again would fail.
    """
    if depth > MOST_DEPTH:
        raise ValueError(f"it is more than {MOST_DEPTH} levels deep")
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [storable(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {storable(key): storable(item, depth + 1) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def read_feed(body: bytes, *, source: str) -> Any:
    """``body`` as feedparser sees a feed. Raises SourceError (transient) if it is cut off, broken, too full or no feed.

    Always UTF-8, whatever the answer's headers or the XML declaration say: arXiv writes nothing else, and a
    guess of latin-1 turns "é" into "Ã©" for good. Text stays text: feedparser's cleaning would drop the
    "<think>" of a title.
    """
    try:
        plain = _plain(body)
    except (expat.ExpatError, ValueError) as error:
        raise SourceError(
            f"{source} answered with something that is not a whole feed: {error}", transient=True
        ) from error
    # From a file object, since feedparser takes bytes for a file's name or an address first.
    feed = feedparser.parse(
        io.BytesIO(plain),
        response_headers={"content-type": "application/xml; charset=utf-8"},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    if not feed.version:
        raise SourceError(f"{source} answered with XML that is not a feed", transient=True)
    return feed


def _plain(body: bytes) -> bytes:
    """``body`` as UTF-8 without control characters, looked through once before anything is built of it.

    Raises ExpatError for XML that is not well-formed, ValueError where it declares a document type, or is too full or
    too deep. Feedparser would read what is broken too, by other means, which take time and memory that nothing bounds.
    """
    text = body.removeprefix(_BOM).translate(None, _CONTROL).decode("utf-8", "replace").encode()
    if text.count(b"<") > MOST_TAGS or text.count(b"=") > MOST_ATTRIBUTES:
        raise ValueError(f"it has more than {MOST_TAGS} tags or {MOST_ATTRIBUTES} attributes")
    _Look(text)
    return text


class _Look:
    """One pass over an XML document that keeps nothing of it. Raises ExpatError, and ValueError for what we refuse."""

    def __init__(self, text: bytes) -> None:
        self.depth = self.namespaces = 0
        parser = expat.ParserCreate("utf-8", "}")  # with namespaces, as those that come after it read it
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.StartDoctypeDeclHandler, parser.StartNamespaceDeclHandler = self._doctype, self._namespace
        parser.Parse(text, True)

    def _start(self, _: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if len(attributes) > MOST_OF_ONE:
            raise ValueError(f"an element has more than {MOST_OF_ONE} attributes")
        if self.depth > MOST_DEPTH:
            raise ValueError(f"it is more than {MOST_DEPTH} levels deep")

    def _end(self, *_: object) -> None:
        self.depth -= 1

    def _namespace(self, *_: object) -> None:
        self.namespaces += 1
        if self.namespaces > MOST_OF_ONE * 10:
            raise ValueError("it declares too many namespaces")

    def _doctype(self, *_: object) -> None:
        """Called before any entity is declared, so that none ever is: a bomb made of entities has no fuse."""
        raise ValueError("it declares a document type")


def read_xml(body: bytes, *, source: str, root: str) -> ElementTree.Element:
    """The tree of ``body``, whose outermost element must be ``root`` ("{namespace}name").

    Always UTF-8, as in ``read_feed``. Raises SourceError (transient) for anything else, a document type included:
    no answer of ours has one, and entities (billion laughs, files of this machine) need one.
    """
    try:
        text = _plain(body)
        tree = ElementTree.fromstring(text, ElementTree.XMLParser(encoding="utf-8"))  # noqa: S314 - looked through
    except (expat.ExpatError, ElementTree.ParseError, ValueError) as error:
        raise SourceError(f"{source} answered with broken XML: {error}", transient=True) from error
    if tree.tag != root:
        raise SourceError(f"{source} answered with XML of another kind: {tree.tag[:100]}", transient=True)
    return tree


def extension(feed: Any, element: Any, namespace: str, name: str) -> Any:
    """The value of ``name`` in ``element`` (an entry or the feed's head), whichever prefix its namespace has.

    Text for an element with text, a dict of attributes for one with attributes, None for none.
    """
    keys = [f"{prefix}_{name}".lower() for prefix, uri in feed.namespaces.items() if uri == namespace]
    return next((element[key] for key in keys if key in element), None)


def text_of(value: Any) -> str:
    """``value`` if it is text, else nothing."""
    return str(storable(value)).strip() if isinstance(value, str) else ""


def texts_of(values: Any) -> tuple[str, ...]:
    """The texts in ``values`` if it is a list, in their order; nothing for anything else."""
    return tuple(filter(None, map(text_of, values if isinstance(values, list) else [])))


def first_of(text: str) -> str | None:
    """The first word: where a paper in two journals has two DOIs, with a space between. None for no word."""
    return next(iter(text.split()), None)


def count_of(value: Any) -> int | None:
    """``value`` if it is a count that a database column can hold, else None (unknown, which is not 0)."""
    return value if type(value) is int and 0 <= value < 2**31 else None


def url_of(value: Any) -> str:
    """``value`` if it is a web address that readers may be led to, else nothing: ``addresses.linkable`` decides."""
    return linkable(value.strip()) if isinstance(value, str) else ""


def moment_of(value: Any) -> datetime | None:
    """``value``, an ISO 8601 text, in UTC; without an offset it is taken for UTC. None if unreadable."""
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
