"""L13x and L14x: what makes a digest a list's mail, and a letter none."""

import re
from collections.abc import Iterator

from digest.lint.findings import Severity
from digest.lint.headers import aligned
from digest.lint.mail import BRACKETED, Mail
from digest.lint.rules import Fault, Needs, rule
from digest.lint.wording import brief

ERROR = Severity.ERROR
ONE_CLICK = "List-Unsubscribe=One-Click"
LIST_ID = re.compile(r"(?P<name>.*)<(?P<id>[a-z0-9_][\w-]*(\.[a-z0-9_][\w-]*)+)>", re.IGNORECASE)
LIST_ID_OCTETS = 255
GOOGLE_LISTS = "https://support.google.com/a/answer/81126"
GOOGLE_FEEDBACK = "https://support.google.com/mail/answer/6254652"
WORDS = re.compile(r"[a-z0-9]+")


@rule(
    "L130",
    ERROR,
    "a digest's List-Unsubscribe is one http(s) address in angle brackets, and at most one mailto",
    "Write List-Unsubscribe: <https://...>, perhaps with a second <mailto:...>.",
    "RFC 8058 section 3.1, RFC 2369 section 3.2",
    needs=Needs.DIGEST,
)
def list_unsubscribe(mail: Mail) -> Iterator[Fault]:
    """One-click takes the http(s) address; two of them are two ways to be wrong."""
    value = mail.value("List-Unsubscribe")
    uris = [uri.strip().lower() for uri in BRACKETED.findall(value)]
    web = [uri for uri in uris if uri.startswith(("https://", "http://"))]
    post = [uri for uri in uris if uri.startswith("mailto:")]
    if len(web) != 1:
        yield Fault(f"{len(web)} http(s) addresses", "List-Unsubscribe")
    if len(post) > 1 or len(uris) > len(web) + len(post):
        yield Fault("more than one mailto, or another kind of address", "List-Unsubscribe")
    if BRACKETED.sub("", value).strip(" ,\t"):
        yield Fault("something stands outside of angle brackets", "List-Unsubscribe")


@rule(
    "L131",
    ERROR,
    "the one-click address is https",
    "Set SITE_URL to an https address.",
    "RFC 8058 section 3.1",
    needs=Needs.DIGEST,
    eased=True,
)
def one_click_is_https(mail: Mail) -> Iterator[Fault]:
    """Mail programs do not show the button otherwise."""
    if mail.unsubscribe_url.lower().startswith("http:"):
        yield Fault(f"it is {brief(mail.unsubscribe_url, 40)}", "List-Unsubscribe")


@rule(
    "L132",
    ERROR,
    f"a digest's List-Unsubscribe-Post is {ONE_CLICK}",
    f"Write List-Unsubscribe-Post: {ONE_CLICK}, letter by letter.",
    "RFC 8058 section 3.1",
    needs=Needs.DIGEST,
)
def one_click(mail: Mail) -> Iterator[Fault]:
    """The value is a form field that is posted back."""
    if mail.value("List-Unsubscribe-Post") != ONE_CLICK:
        yield Fault(f"it is {brief(mail.value('List-Unsubscribe-Post'))!r}", "List-Unsubscribe-Post")


@rule(
    "L133",
    ERROR,
    "a letter carries no header of a list",
    "Build it as a letter: what somebody asked for once is no list's mail.",
    needs=Needs.LETTER,
)
def letter_is_no_list(mail: Mail) -> Iterator[Fault]:
    """List-Id and List-Unsubscribe would make it a digest; the others are left-overs."""
    for header in mail.headers:
        if header.name.lower().startswith("list-"):
            yield Fault(f"there is a {header.name}", header.name)


@rule(
    "L134",
    ERROR,
    f"a digest's List-Id is 'Name <label.domain>', at most {LIST_ID_OCTETS} octets, without an address of the web",
    "Write List-Id: Daily Papers <digest.example.org>, the same for ever.",
    "RFC 2919 sections 2 and 3",
    needs=Needs.DIGEST,
)
def list_id(mail: Mail) -> Iterator[Fault]:
    """Readers' filters hang on it."""
    value = mail.value("List-Id")
    match = LIST_ID.fullmatch(value)
    if not match or not match["name"].strip('" \t'):
        yield Fault(f"{brief(value)!r} is not 'Name <label.domain>'", "List-Id")
    elif len(match["id"]) > LIST_ID_OCTETS:
        yield Fault(f"{len(match['id'])} octets", "List-Id")
    if "://" in value:
        yield Fault("there is an address of the web in it", "List-Id")


@rule(
    "L135",
    ERROR,
    "a digest has a List-Archive with one http(s) address in angle brackets",
    "Write List-Archive: <https://...>, the page with all days.",
    "RFC 2369 section 3.6",
    needs=Needs.DIGEST,
)
def list_archive(mail: Mail) -> Iterator[Fault]:
    """Where the other days are."""
    if not re.fullmatch(r"<https?://[^<>\s]+>", mail.value("List-Archive"), re.IGNORECASE):
        yield Fault(f"it is {brief(mail.value('List-Archive'))!r}", "List-Archive")


@rule(
    "L136",
    ERROR,
    "a digest's Feedback-ID is four fields, the last one of 5 to 15 characters",
    "Write Feedback-ID: issue:cadence:stream:senderid.",
    GOOGLE_FEEDBACK,
    needs=Needs.DIGEST,
)
def feedback_id(mail: Mail) -> Iterator[Fault]:
    """Gmail's complaint reports are grouped by it."""
    fields = mail.value("Feedback-ID").split(":")
    if len(fields) != 4 or not 5 <= len(fields[-1].strip()) <= 15:
        yield Fault(f"it is {brief(mail.value('Feedback-ID'))!r}", "Feedback-ID")


@rule(
    "L137",
    ERROR,
    "Feedback-ID says nothing of the reader",
    "Name the issue, the cadence and the stream; no address, no number of a row.",
    GOOGLE_FEEDBACK,
)
def feedback_is_nobodys(mail: Mail) -> Iterator[Fault]:
    """A field of digits alone is a row's number. A part of To counts, unless the sender's own name has it too."""
    ours = set(WORDS.findall((mail.value("From") + mail.value("List-Id")).lower()))
    locals_ = {address.rpartition("@")[0].lower() for _, address in mail.addresses("To")} - ours - {""}
    for field in mail.value("Feedback-ID").lower().split(":"):
        if "@" in field or field.strip().isdigit() or any(part in field.split("-") for part in locals_):
            yield Fault(f"the field {brief(field, 20)!r} is the reader's", "Feedback-ID")


@rule(
    "L138",
    ERROR,
    "where there is a DKIM signature, one covers List-Unsubscribe and List-Unsubscribe-Post",
    "Name both in the signer's list of headers (h=): OpenDKIM leaves them out unless told.",
    "RFC 8058 section 4",
    needs=Needs.DIGEST,
)
def signed_one_click(mail: Mail) -> Iterator[Fault]:
    """Seen in a copy that was received; one that is about to be sent has no signature yet."""
    signatures = [_tags(header.raw) for header in mail.all("DKIM-Signature")]
    covered = [set(tags.get("h", "").lower().split(":")) for tags in signatures]
    if covered and not any({"list-unsubscribe", "list-unsubscribe-post"} <= names for names in covered):
        yield Fault("no h= names both", "DKIM-Signature")


@rule(
    "L139",
    ERROR,
    "where there is a DKIM signature, the domain of one is aligned with From's",
    "Sign with the domain of From (d=).",
    "RFC 7489 section 3.1.1",
)
def signed_by_sender(mail: Mail) -> Iterator[Fault]:
    """Without it DMARC stands on SPF alone, which forwarding breaks."""
    domains = [_tags(header.raw).get("d", "") for header in mail.all("DKIM-Signature")]
    if domains and not any(aligned(domain, mail.sender_domain) for domain in domains):
        yield Fault(f"d= is {', '.join(domains)}, From is {mail.sender_domain}", "DKIM-Signature")


def _tags(signature: str) -> dict[str, str]:
    pairs = (tag.partition("=") for tag in re.sub(r"\s", "", signature).split(";"))
    return {name: value for name, _, value in pairs}
