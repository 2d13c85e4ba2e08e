"""What every source that speaks of arXiv papers shares: ids, arXiv's rules for readers, its signs and names."""

import re
from collections.abc import Iterable
from urllib.parse import unquote

from digest.sources import client
from digest.text.clean import clean

# One request every three seconds, one connection at a time, over all machines and over the API and the feeds
# together: https://info.arxiv.org/help/api/tou.html
GATE = "arxiv"
SECONDS_BETWEEN_REQUESTS = 3.0
# arXiv answers these when it is short of capacity, also to clients that keep the rules: worth asking later.
BUSY = frozenset({403, 406})

# https://info.arxiv.org/help/arxiv_identifier.html: since 2007-04 YYMM.NNNN (five digits since 2015), before
# that archive/YYMMNNN, where older records write the subject class too (math.GT/0309136).
_NEW_STYLE = re.compile(r"([0-9]{4}\.[0-9]{4,5})(?:v[0-9]+)?")
_OLD_STYLE = re.compile(r"([a-z]+(?:-[a-z]+)*)(?:\.[a-z]{2})?(/[0-9]{7})(?:v[0-9]+)?")
# As arXiv and others write ids: an address, "arXiv:", the DOI or OAI's name; behind it what citations and links add.
_ADDRESS = re.compile(
    r"(?:https?://)?(?:[a-z]{2,10}\.)?arxiv\.org/(?:abs|pdf|html|format|ps|src)/"
    r"|(?:https?://)?(?:dx\.|www\.)?doi\.org/(?=10\.48550/)|doi: ?(?=10\.48550/)"
)
_NAMED = re.compile(r"(?:oai:)?arxiv(?:\.org)?: ?|(?:10\.48550/)?arxiv\.(?!org)")
_BEHIND = re.compile(r"[?#].*| \[[a-z.-]{2,20}\]?\Z")
_LONGEST = 300  # characters of an address that is read
_VERSION = re.compile(r"[0-9]v([1-9][0-9]{0,3})\Z")

# A withdrawal is a new version, often with words that say so; no field does. Only where a clause begins with them is
# it this paper that is meant: elsewhere they tell of another paper, or of an earlier version, and what is withdrawn
# from a conference is still on arXiv.
_GONE = r"(?:withdrawn|retracted)\b(?! from (?!arxiv|the arxiv))"
_WITHDRAWN = re.compile(
    rf"(?:arxiv admin note: )?(?:(?:(?:this|the|our|present) )?(?:paper|article|submission|manuscript|preprint|work)"
    rf" (?:has been |have been |is |was )?(?:\w+ )?(?<!not ){_GONE}|{_GONE}|withdrawal\b)"
    r"|(?:the |this )?(?:authors?|submitters?|we|i) (?:have |has |had )?(?:\w+ )?"
    r"(?:withdrawn|withdrew|withdraw|retracted?)"
    r" (?:it|this|the (?:paper|article|submission|manuscript|preprint|work)|our)\b"
    r"|(?:the |this )?(?:authors?|submitters?) (?:have|has|had) (?:withdrawn|retracted)\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[.;!?]\s|[\[\](){}*|]|, (?=this |the authors? )", re.IGNORECASE)

# Two names of one category each: a paper in the one is in the other, but not every list says so.
# https://arxiv.org/category_taxonomy
ALIASES = (
    ("math-ph", "math.MP"),
    ("cs.IT", "math.IT"),
    ("math.NA", "cs.NA"),
    ("math.ST", "stat.TH"),
    ("econ.GN", "q-fin.EC"),
    ("eess.SY", "cs.SY"),
)
# These have categories below them; quant-ph, hep-th and the like are categories themselves.
WHOLE_ARCHIVES = frozenset(
    {"astro-ph", "cond-mat", "cs", "econ", "eess", "math", "nlin", "physics", "q-bio", "q-fin", "stat"}
)
_OTHER_NAME = {a: b for pair in ALIASES for a, b in (pair, pair[::-1])}


def ask(url: str, params: client.Params, *, source: str, accept: str) -> bytes:
    """``client.get`` by arXiv's rules, which every interface of arXiv shares. Raises SourceError."""
    return client.get(
        url,
        params,
        source=source,
        accept=accept,
        min_interval=SECONDS_BETWEEN_REQUESTS,
        gate=GATE,
        busy=BUSY,
    )


def bare_id(text: object) -> str | None:
    """The canonical arXiv id in ``text``, without version and subject class; None if it is not an arXiv id.

    "2604.14268v2" is "2604.14268", "math.GT/0309136" is "math/0309136". The archive of an old id belongs to
    it: hep-th/9901001 and solv-int/9901001 are two papers. Case, "arXiv:", arXiv's addresses and DOIs, escapes, and
    dots and brackets at the end change nothing.
    """
    name = _name(text)
    if new := _NEW_STYLE.fullmatch(name):
        return new[1]
    if old := _OLD_STYLE.fullmatch(name):
        return old[1] + old[2]
    return None


def version_of(text: object) -> int | None:
    """The version that an arXiv id names ("2604.14268v2" is 2); None if it names none or is no arXiv id."""
    found = _VERSION.search(_name(text)) if bare_id(text) else None
    return int(found[1]) if found else None


def _name(text: object) -> str:
    """What can be an arXiv id in ``text``, in small letters, bare of what is around it."""
    if not isinstance(text, str) or len(text) > _LONGEST:
        return ""
    name = text.strip().lower()
    if _NEW_STYLE.fullmatch(name):  # nearly all
        return name
    name = clean(unquote(unquote(name))).strip(" .,;:()[]{}<>\"'“”‘’")
    name = _ADDRESS.sub("", name, count=1)
    name = _BEHIND.sub("", _NAMED.sub("", name, count=1))
    return name.strip(" .,;:/()[]{}<>").removesuffix(".pdf")


def says_withdrawn(text: str) -> bool:
    """Whether a comment, abstract or title says that this very paper is withdrawn.

    A hint, to be confirmed: these are free text (``arxiv_oai.is_withdrawn`` asks for the fact).
    """
    clauses = _CLAUSE.split(" ".join(text.split()))
    return any(_WITHDRAWN.match(clause.strip(" -:,")) for clause in clauses)


def with_aliases(categories: Iterable[str]) -> tuple[str, ...]:
    """The categories and, behind them, their other names that are missing. For matching, never for display."""
    own = tuple(categories)
    return tuple(dict.fromkeys([*own, *(_OTHER_NAME[name] for name in own if name in _OTHER_NAME)]))
