"""L60x and L61x: where links lead, and what their addresses give away."""

import re
from base64 import urlsafe_b64decode
from binascii import Error as NoBase64
from collections.abc import Iterator
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from digest.lint.findings import Severity
from digest.lint.headers import aligned
from digest.lint.mail import Mail
from digest.lint.rules import Fault, Needs, rule
from digest.lint.wording import brief

ERROR, WARNING = Severity.ERROR, Severity.WARNING
OWN, OTHER = 120, 500  # characters
ADDRESS = re.compile(r"[\w.+%-]@[\w-]+\.[\w-]")  # that there is one, not which
BASE64 = re.compile(r"[\w+-]{8,}={0,2}", re.ASCII)  # a slash parts paths before it parts base64
TRACKING = re.compile(r"utm_|mc_[ce]id$|[fgm]s?clid$|_hs(enc|mi)$|mkt_tok$|igshid$|vero_|oly_|ref_src$", re.IGNORECASE)
TOKEN = re.compile(r"[0-9A-Za-z]{20,40}")
TOKENISH = re.compile(r"(?=.*[A-Z])\S{16,}|\S{41,}")  # a slug is in lower case
SHORTENERS = (
    *("bit.ly", "goo.gl", "t.co", "tinyurl.com", "ow.ly", "is.gd", "buff.ly", "rebrand.ly", "cutt.ly"),
    *("lnkd.in", "shorturl.at", "tiny.cc", "rb.gy", "v.gd"),
)


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # a port that is no number raises here
    except ValueError:
        return None
    return parts


@rule(
    "L601",
    ERROR,
    "links are absolute http(s) addresses",
    "Build the link from SITE_URL, or take it out.",
    "RFC 3986 section 4.3",
)
def absolute(mail: Mail) -> Iterator[Fault]:
    """A mail has no page that a path could start from. Images too."""
    for url, where in mail.urls.items():
        parts = _split(url)
        if not parts or parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", url):
            yield Fault(f"it is {brief(url)!r}", where)


@rule(
    "L602",
    ERROR,
    "links to this site are https",
    "Set SITE_URL to an https address.",
    "https://support.google.com/a/answer/81126",
    eased=True,
)
def own_https(mail: Mail) -> Iterator[Fault]:
    """Each carries a token that opens somebody's settings."""
    found = [(url, where) for url, where in mail.urls.items() if url.lower().startswith("http:") and mail.is_own(url)]
    for url, where in found[:1]:
        others = f", and {len(found) - 1} more like it" if len(found) > 1 else ""
        yield Fault(f"it is {brief(url)}{others}", where)


@rule("L603", WARNING, "links to other sites are https", "Use the https address, where there is one.")
def other_https(mail: Mail) -> Iterator[Fault]:
    """A project's page may have none."""
    for url, where in mail.urls.items():
        if url.lower().startswith("http:") and not mail.is_own(url):
            yield Fault(f"it is {brief(url)}", where)


@rule("L604", WARNING, f"links to this site are at most {OWN} characters long", "Use a shorter SITE_URL.")
def short(mail: Mail) -> Iterator[Fault]:
    """They are read in the text part, and wrap there."""
    for url, where in mail.urls.items():
        if len(url) > OWN and mail.is_own(url):
            yield Fault(f"{len(url)} characters", where)


@rule("L605", ERROR, f"links to other sites are at most {OTHER} characters long", "Leave the link out.")
def not_endless(mail: Mail) -> Iterator[Fault]:
    """What is longer carries something."""
    for url, where in mail.urls.items():
        if len(url) > OTHER and not mail.is_own(url):
            yield Fault(f"{len(url)} characters", where)


@rule("L606", ERROR, "no link carries a name or password", "Take them out.", "RFC 3986 section 7.5")
def no_credentials(mail: Mail) -> Iterator[Fault]:
    """user:password@host, which is also how a false host is made."""
    for url, where in mail.urls.items():
        parts = _split(url)
        if parts and "@" in parts.netloc:
            yield Fault("it does", where)


@rule(
    "L607",
    ERROR,
    "no link carries an e-mail address, in plain or in base64",
    "Use an opaque token.",
    "RFC 8058 section 3.1",
)
def no_address(mail: Mail) -> Iterator[Fault]:
    """Addresses of links end in logs, histories and other people's referrers."""
    for url, where in mail.urls.items():
        parts = _split(url)
        said = unquote(f"{parts.path}?{parts.query}#{parts.fragment}") if parts else ""
        if ADDRESS.search(said) or any(ADDRESS.search(_decoded(word)) for word in BASE64.findall(said)):
            yield Fault("it does", where)


def _decoded(word: str) -> str:
    """What base64 says, in either alphabet."""
    plain = word.replace("+", "-").rstrip("=")
    try:
        return urlsafe_b64decode(plain + "=" * (-len(plain) % 4)).decode("ascii")
    except (NoBase64, ValueError):
        return ""


@rule("L608", WARNING, "no link has parameters to track by", "Take them out of the address.")
def no_tracking(mail: Mail) -> Iterator[Fault]:
    """utm_source and its like, also where a source brought them along."""
    for url, where in mail.urls.items():
        parts = _split(url)
        names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)] if parts else []
        if found := [name for name in names if TRACKING.match(name)]:
            yield Fault(f"it has {brief(', '.join(found))}", where)


@rule(
    "L609",
    WARNING,
    "no link goes through a shortener",
    "Use the address that it leads to.",
    "https://support.google.com/a/answer/81126",
)
def no_shortener(mail: Mail) -> Iterator[Fault]:
    """Spam filters count them, since nobody sees where they lead."""
    for url, where in mail.urls.items():
        parts = _split(url)
        if parts and (parts.hostname or "").removeprefix("www.") in SHORTENERS:
            yield Fault(f"it goes through {parts.hostname}", where)


@rule(
    "L610",
    ERROR,
    "tokens in links are 20 to 40 letters and digits, and the way out has one",
    "Make the link with the project's tokens.",
    "RFC 8058 section 3.1",
)
def tokens(mail: Mail) -> Iterator[Fault]:
    """Shorter ones are guessed, others are broken by programs that find links in texts."""
    for url, where in mail.urls.items():
        parts = _split(url)
        for segment in unquote(parts.path).split("/") if parts and mail.is_own(url) else ():
            if TOKENISH.fullmatch(segment) and not TOKEN.fullmatch(segment):
                yield Fault(f"{brief(segment, 20)!r}", where)
    out = _split(mail.unsubscribe_url)
    if mail.unsubscribe_url and out and not any(TOKEN.fullmatch(segment) for segment in out.path.split("/")):
        yield Fault("there is none", "List-Unsubscribe")


@rule(
    "L611",
    ERROR,
    "no link shows another address than its own",
    "Show the words or the address itself.",
    needs=Needs.HTML,
)
def honest(mail: Mail) -> Iterator[Fault]:
    """The mark of phishing."""
    for link in mail.page.links:
        if link.text.lower().startswith(("http://", "https://", "www.")):
            shown = _split(link.text if "://" in link.text else f"https://{link.text}")
            led = _split(link.href)
            if not shown or not led or not aligned(shown.hostname or "", led.hostname or ""):
                yield Fault(f"it leads to {brief(link.href)}", link.spot)
