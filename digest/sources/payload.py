"""From the bytes of an answer to plain values: everything that may be wrong with a whole answer."""

import io
import json
import math
import re
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import feedparser

from digest.addresses import linkable
from digest.sources.base import SourceError

ARXIV = "http://arxiv.org/schemas/atom"
OPENSEARCH = "http://a9.com/-/spec/opensearch/1.1/"

# XML 1.0 allows no other control characters, and one of them would cost the whole answer.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_END_OF_FEED = re.compile(rb"</(?:\w+:)?(?:rss|feed)\s*>\s*(?:<!--[^<]*-->\s*)*\Z")


def read_json(body: bytes, *, source: str) -> Any:
    """The JSON value in ``body``, fit for a database. Raises SourceError (transient) if it is not JSON."""
    try:
        return storable(json.loads(body))
    except (ValueError, RecursionError) as error:  # also bytes that are not UTF-8
        raise SourceError(f"{source} answered with broken JSON: {error}", transient=True) from error


def storable(value: Any) -> Any:
    """``value`` without what PostgreSQL cannot keep: NUL, half surrogate pairs, NaN and infinity."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [storable(item) for item in value]
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def read_feed(body: bytes, *, source: str) -> Any:
    """``body`` as feedparser sees a feed. Raises SourceError (transient) if it is cut off or no feed.

    Always UTF-8, whatever the answer's headers or the XML declaration say: arXiv writes nothing else, and a
    guess of latin-1 turns "é" into "Ã©" for good. Text stays text: feedparser's cleaning would drop the
    "<think>" of a title.
    """
    if not _END_OF_FEED.search(body):
        raise SourceError(f"{source} answered with something that is not a whole feed", transient=True)
    # From a file object, since feedparser takes bytes for a file's name or an address first.
    feed = feedparser.parse(
        io.BytesIO(body.decode("utf-8", "replace").encode()),
        response_headers={"content-type": "application/xml; charset=utf-8"},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    if not feed.version:
        raise SourceError(f"{source} answered with XML that is not a feed", transient=True)
    return feed


class _NoDoctype(ElementTree.TreeBuilder):
    def doctype(self, *_: object) -> None:
        """Called before any entity is declared, so that none ever is: a bomb made of entities has no fuse."""
        raise ValueError("it declares a document type")


def read_xml(body: bytes, *, source: str, root: str) -> ElementTree.Element:
    """The tree of ``body``, whose outermost element must be ``root`` ("{namespace}name").

    Always UTF-8, as in ``read_feed``. Raises SourceError (transient) for anything else, a document type included:
    no answer of ours has one, and entities (billion laughs, files of this machine) need one.
    """
    text = _CONTROL.sub("", body.decode("utf-8-sig", "replace"))
    parser = ElementTree.XMLParser(target=_NoDoctype(), encoding="utf-8")  # noqa: S314 - see above
    try:
        parser.feed(text.encode())
        tree: ElementTree.Element = parser.close()
    except (ElementTree.ParseError, ValueError) as error:
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
