"""arXiv's OAI-PMH interface: the records that changed on a day, to fill gaps of days past; and withdrawals."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from xml.etree.ElementTree import Element

from django.conf import settings

from digest.sources import client
from digest.sources.arxiv import ask, bare_id
from digest.sources.base import Fetched, Incomplete, PaperRecord, Rejected, SourceError
from digest.sources.calendar import announcement_of, arxiv_feed, feed_day
from digest.sources.payload import first_of, moment_of, read_xml, storable, text_of, texts_of

NAME = "arxiv_oai"
OAI = "{http://www.openarchives.org/OAI/2.0/}"
ARXIV = "{http://arxiv.org/OAI/arXiv/}"
RAW = "{http://arxiv.org/OAI/arXivRaw/}"
# A page holds more than a thousand records, and a category changes a few hundred on a day; but arXiv has rewritten
# whole archives in one night.
MAX_PAGES = 50
# A set is group:archive:CATEGORY, where all archives but these are of the group physics:
# https://info.arxiv.org/help/oa/index.html
GROUPS = frozenset({"cs", "econ", "eess", "math", "q-bio", "q-fin", "stat"})


def fetch(day: date) -> Iterator[Fetched]:
    """The papers in ARXIV_CATEGORIES whose record arXiv last changed on ``day`` (UTC), each once.

    Changed is not new: most are new versions, and corrections of papers years old. Only what by its dates is a first
    announcement has ``announced_on`` (see ``read``). And a paper is listed under its last change alone, so of days
    long past some papers are gone. A record deleted at the source comes out as Rejected: it is no paper any more.
    Raises SourceError while iterating; what came before it is good.
    """
    seen: set[str] = set()
    for name in dict.fromkeys(map(set_of, settings.ARXIV_CATEGORIES)):
        query = {"metadataPrefix": "arXiv", "set": name, "from": day.isoformat(), "until": day.isoformat()}
        for raw in map(_raw, _records(query)):
            if not raw["identifier"] or raw["identifier"] not in seen:  # what names nothing is nothing's double
                seen.add(raw["identifier"])
                yield read(raw)


def set_of(category: str) -> str:
    """The OAI set of a category or archive: cs.AI is cs:cs:AI, hep-th is physics:hep-th."""
    archive, _, subject = category.partition(".")
    group = archive if archive in GROUPS else "physics"
    return ":".join(filter(None, (group, archive, subject)))


def is_withdrawn(arxiv_id: str) -> bool:
    """Whether the latest version of this paper is a withdrawal: 0 kB of source type I.

    arXiv's own serializer (https://github.com/arXiv/oaipmh) writes I for the format "withdrawn", behind the letters
    of other flags. Raises SourceError, not transient for an id that arXiv does not know.
    """
    known = bare_id(arxiv_id)
    if known is None:
        raise SourceError(f"{NAME}: not an arXiv id: {arxiv_id[:100]!r}", transient=False)
    query = {"verb": "GetRecord", "metadataPrefix": "arXivRaw", "identifier": f"oai:arXiv.org:{known}"}
    tree = _ask(query)
    versions = [] if tree is None else list(tree.iter(f"{RAW}version"))
    if not versions:
        raise SourceError(f"{NAME} answered without the versions of {known}", transient=True)
    latest = max(versions, key=_number)
    return _text(latest, f"{RAW}size") == "0kb" and _text(latest, f"{RAW}source_type").endswith("I")


def _number(version: Element) -> int:
    digits = version.get("version", "").removeprefix("v")
    return int(digits) if digits.isdecimal() else 0


def _records(query: client.Params) -> Iterator[Element]:
    """All records of a list, page after page."""
    token = ""
    tokens: set[str] = set()
    given: set[str] = set()
    size = 0
    for _ in range(MAX_PAGES):
        tree = _ask({"verb": "ListRecords", **({"resumptionToken": token} if token else query)})
        if tree is None:
            if token:
                raise Incomplete(f"{NAME} gave a token for more, and then has no records")
            return
        records = list(tree.iter(f"{OAI}record"))
        names = [
            _text(record, f"{OAI}header/{OAI}identifier") or f"no name {len(given)} {n}"
            for n, record in enumerate(records)
        ]
        is_news = not given.issuperset(names)
        given.update(names)
        yield from records
        size = max(size, _size(tree))
        token = _text(tree, f".//{OAI}resumptionToken")
        if not token:  # the last page has none, or an empty one
            if len(given) < size:
                raise Incomplete(f"{NAME} gave {len(given)} of {size} records")
            return
        if token in tokens:
            raise Incomplete(f"{NAME} gives out the same resumption token again")
        if not is_news:
            raise Incomplete(f"{NAME} gives a page without new records and a token for more")
        tokens.add(token)
    raise Incomplete(f"{NAME} goes on after {MAX_PAGES} pages", transient=False)


def _size(tree: Element) -> int:
    """How many records the whole list has, where the token says so (OAI-PMH 2.0, 3.5.1: it may be revised); else 0."""
    token = tree.find(f".//{OAI}resumptionToken")
    said = "" if token is None else token.get("completeListSize", "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 10 else 0


def _ask(query: client.Params) -> Element | None:
    """The answer; None for nothing in the list. Errors come with status 200, in an element of their own."""
    body = ask(f"{settings.ARXIV_OAI_URL}/oai", query, source=NAME, accept="application/xml, text/xml;q=0.9")
    tree = read_xml(body, source=NAME, root=f"{OAI}OAI-PMH")
    error = tree.find(f"{OAI}error")
    if error is None:
        return tree
    code = error.get("code", "")
    if code == "noRecordsMatch":
        return None
    # A token lives until midnight: the list must be asked for anew.
    text = " ".join((error.text or "no reason given").split())[:300]
    raise SourceError(f"{NAME}: {code}: {text}", transient=code == "badResumptionToken")


def _raw(record: Element) -> dict[str, Any]:
    """All of a record that is kept, as JSON: the header's values, and the paper's under arXiv's own names."""
    header = record.find(f"{OAI}header")
    raw: dict[str, Any] = {name: _text(header, f"{OAI}{name}") for name in ("identifier", "datestamp")}
    raw["status"] = "" if header is None else header.get("status", "")
    for element in record.iterfind(f"{OAI}metadata/{ARXIV}arXiv/*"):
        raw[element.tag.removeprefix(ARXIV)] = (element.text or "").strip()
    raw["authors"] = [
        {part: _text(author, f"{ARXIV}{part}") for part in ("keyname", "forenames", "suffix")}
        for author in record.iterfind(f".//{ARXIV}author")
    ]
    return dict(storable(raw))


def _text(element: Element | None, path: str) -> str:
    return "" if element is None else (element.findtext(path) or "").strip()


def read(raw: Any, _day: date | None = None) -> Fetched:
    """One kept record as a PaperRecord, or as Rejected with the reason. Never raises.

    ``submitted_at`` is midnight UTC of the day: the source has no time. The day that was asked for does not matter:
    the record has its own datestamp.
    """
    if not isinstance(raw, dict):
        return Rejected("not an object", raw)
    arxiv_id = bare_id(raw.get("id"))
    title, authors = text_of(raw.get("title")), _names(raw.get("authors"))
    if raw.get("status") == "deleted":
        return Rejected("deleted at the source", raw, is_lost=False)
    if arxiv_id is None:
        return Rejected("the id is not an arXiv id", raw)
    if not title:
        return Rejected("no title", raw)
    if not authors:
        return Rejected("no authors", raw)
    submitted_at, announced_on = _dates(arxiv_id, raw)
    return PaperRecord(
        source=NAME,
        source_key=arxiv_id,
        arxiv_id=arxiv_id,
        title=title,
        authors=authors,
        abstract=text_of(raw.get("abstract")),
        doi=first_of(text_of(raw.get("doi"))),
        categories=tuple(dict.fromkeys(text_of(raw.get("categories")).split())),
        submitted_at=submitted_at,
        announced_on=announced_on,
        comment=text_of(raw.get("comments")),
        raw=raw,
    )


def _names(authors: Any) -> tuple[str, ...]:
    """The names in their order, each as arXiv writes it elsewhere: forenames, keyname, suffix ("Ben Weir Jr.")."""
    items = [author for author in authors if isinstance(author, dict)] if isinstance(authors, list) else []
    parts = [[author.get(part) for part in ("forenames", "keyname", "suffix")] for author in items]
    return texts_of([" ".join(texts_of(part)) for part in parts])


def _dates(arxiv_id: str, raw: dict[str, Any]) -> tuple[datetime | None, date | None]:
    """The midnight (UTC) of the day of submission, and the day of the announcement; None for what may be wrong.

    ``created`` is that of the latest version, so it is the submission only where it fits the month in the id. And the
    datestamp is that of the last change, so it is the announcement only of a record without ``updated`` and at the
    time at which arXiv announces what came in on that day.
    """
    created, changed = moment_of(raw.get("created")), moment_of(raw.get("datestamp"))
    try:
        if created is None or not _may_be_first(arxiv_id, created):
            return None, None
        midnight = datetime.combine(created, time(0), UTC)
        is_new = changed and not raw.get("updated") and _is_announcement(midnight, changed.date())
        return midnight, changed.date() if changed and is_new else None
    except OverflowError:  # a year that no calendar reaches
        return None, None


def _may_be_first(arxiv_id: str, created: date) -> bool:
    """Whether a version of this day can be the first: an id has the month of the announcement, or the one before."""
    next_month = created.replace(day=1) + timedelta(days=31)
    return arxiv_id.rpartition("/")[2][:4] in (f"{created:%y%m}", f"{next_month:%y%m}")


def _is_announcement(submitted: datetime, changed: date) -> bool:
    """Whether the feed of ``changed`` has what came in within 24 hours of ``submitted``, or is the one after it.

    (A moderator may have held it.) The datestamp is the UTC date of the change, and a paper's first record is written
    as it is announced: at 00:00 or 01:00 UTC of the day that the feed names too.
    """
    if arxiv_feed(changed).quiet:
        return False
    latest = announcement_of(submitted + timedelta(hours=24))
    return feed_day(announcement_of(submitted)) <= changed <= feed_day(announcement_of(latest))
