"""L9xx: Gmail cuts a mail at about 102 KB, and with the end goes the footer."""

from collections.abc import Iterator

from digest.lint.findings import Severity
from digest.lint.mail import Mail
from digest.lint.rules import Fault, Needs, rule

ERROR, WARNING = Severity.ERROR, Severity.WARNING
CLIPPED = 102_400  # octets; seen between 102 and 105 KB, of the decoded or of the encoded part
ROOMY, ROOMY_ENCODED = 80_000, 95_000
SOURCE = "https://help.echobox.com/what-is-gmail-email-clipping"
REMEDY = "Show fewer papers, or shorten their texts."


@rule("L901", WARNING, f"the HTML is at most {ROOMY:,} octets", REMEDY, SOURCE, needs=Needs.HTML)
def roomy(mail: Mail) -> Iterator[Fault]:
    """Decoded. Up to the limit; above it there is a rule of its own."""
    if ROOMY < (size := _decoded(mail)) <= CLIPPED:
        yield Fault(f"{size:,} octets", "text/html")


@rule("L902", ERROR, f"the HTML is at most {CLIPPED:,} octets", REMEDY, SOURCE, needs=Needs.HTML)
def not_clipped(mail: Mail) -> Iterator[Fault]:
    """Decoded."""
    if (size := _decoded(mail)) > CLIPPED:
        yield Fault(f"{size:,} octets", "text/html")


@rule("L903", WARNING, f"the HTML is at most {ROOMY_ENCODED:,} octets as it travels", REMEDY, SOURCE, needs=Needs.HTML)
def roomy_encoded(mail: Mail) -> Iterator[Fault]:
    """Quoted-printable or base64, with CRLF."""
    if ROOMY_ENCODED < (size := _encoded(mail)) <= CLIPPED:
        yield Fault(f"{size:,} octets", "text/html")


@rule("L904", ERROR, f"the HTML is at most {CLIPPED:,} octets as it travels", REMEDY, SOURCE, needs=Needs.HTML)
def not_clipped_encoded(mail: Mail) -> Iterator[Fault]:
    """Some programs count these."""
    if (size := _encoded(mail)) > CLIPPED:
        yield Fault(f"{size:,} octets", "text/html")


@rule(
    "L905",
    ERROR,
    "the way out stands in the first 100 KB of the HTML",
    "Put an unsubscribe link above the papers.",
    "https://support.google.com/a/answer/81126",
    needs=Needs.HTML | Needs.DIGEST,
)
def way_out_in_reach(mail: Mail) -> Iterator[Fault]:
    """In octets of the decoded HTML. That there is a link at all has a rule of its own."""
    before, found, _ = (mail.html or "").replace("&amp;", "&").partition(f'href="{mail.unsubscribe_url}"')
    if mail.unsubscribe_url and found and (place := len(before.encode(errors="replace"))) > 100_000:
        yield Fault(f"it stands at octet {place:,}", "text/html")


def _decoded(mail: Mail) -> int:
    return len((mail.html or "").encode(errors="replace"))


def _encoded(mail: Mail) -> int:
    return mail.html_part.wire_size if mail.html_part else 0
