"""L2xx: the parts of a message and how they travel."""

from collections.abc import Iterator

from digest.lint.findings import Severity
from digest.lint.mail import Mail
from digest.lint.rules import Fault, rule

ERROR = Severity.ERROR
LINE = 998
SAFE = ("quoted-printable", "base64")


@rule(
    "L201",
    ERROR,
    "the message is multipart/alternative, the text first and the HTML last, or text alone",
    "Attach the HTML to the text as its only alternative.",
    "RFC 2046 section 5.1.4",
)
def alternatives(mail: Mail) -> Iterator[Fault]:
    """The last alternative that a program can show is the one it shows."""
    kind = mail.message.get_content_type()
    parts = [part.type for part in mail.parts]
    if kind == "multipart/alternative" and parts == ["text/plain", "text/html"]:
        return
    if kind != "text/plain":
        yield Fault(f"it is {kind} of {', '.join(parts) or 'nothing'}", "Content-Type")


@rule("L202", ERROR, "nothing is attached", "Link to it instead.")
def nothing_attached(mail: Mail) -> Iterator[Fault]:
    """Text and HTML are all a digest has."""
    for part in mail.parts:
        if part.attached or not part.type.startswith("text/"):
            yield Fault(f"a part of {part.type}", part.type)


@rule(
    "L203",
    ERROR,
    "the text is utf-8, and so is the HTML",
    "Set the charset of the part to utf-8.",
    "RFC 2045 section 5.2",
)
def utf8(mail: Mail) -> Iterator[Fault]:
    """Names of authors come in all alphabets."""
    for part in mail.parts:
        if part.type.startswith("text/") and part.charset != "utf-8":
            yield Fault(f"the charset is {part.charset}", part.type)


@rule(
    "L204",
    ERROR,
    "parts are quoted-printable or base64; 7bit is for pure ASCII",
    "Encode the body as quoted-printable: a relay that re-encodes 8bit breaks the DKIM signature.",
    "RFC 6376 section 5.3, RFC 2045 section 6",
)
def seven_bit(mail: Mail) -> Iterator[Fault]:
    """What is said, and what is there."""
    for part in mail.parts:
        if part.encoding not in (*SAFE, "7bit"):
            yield Fault(f"the encoding is {part.encoding}", part.type)
        elif not part.body.isascii():
            yield Fault(f"8-bit octets in a part that is {part.encoding}", part.type)


@rule("L205", ERROR, "each part can be decoded", "Encode it in the charset that it names.", "RFC 2045 section 6")
def decodable(mail: Mail) -> Iterator[Fault]:
    """By its transfer encoding, then by its charset."""
    for part in mail.parts:
        if part.type.startswith("text/") and part.text is None:
            yield Fault(f"it is not {part.charset} in {part.encoding}", part.type)


@rule(
    "L206",
    ERROR,
    f"no line of a body is over {LINE} octets",
    "Encode it as quoted-printable.",
    "RFC 5322 section 2.1.1",
)
def short_lines(mail: Mail) -> Iterator[Fault]:
    """Servers break longer ones where they like, and with them the signature."""
    for part in mail.parts:
        longest = max((len(line.rstrip(b"\r")) for line in part.body.split(b"\n")), default=0)
        if longest > LINE:
            yield Fault(f"a line of {longest} octets", part.type)


@rule(
    "L207",
    ERROR,
    "the MIME structure is whole",
    "Let the email package write boundaries; look for a cut message.",
    "RFC 2046 section 5.1.1",
)
def whole(mail: Mail) -> Iterator[Fault]:
    """What the parser had to put up with, by its name in email.errors."""
    for defect in mail.defects:
        yield Fault(f"{defect} (see email.errors)", "MIME")


@rule("L208", ERROR, "there is a text, and no part is empty", "Write the text; never send the HTML alone.")
def not_empty(mail: Mail) -> Iterator[Fault]:
    """Blank counts as empty."""
    if not mail.text.strip():
        yield Fault("there is no text", "text/plain")
    if mail.html is not None and not mail.page.blocks:
        yield Fault("the HTML shows nothing", "text/html")


@rule(
    "L209",
    ERROR,
    "parts end their lines in one way: CRLF, or LF in a file",
    "Take lone carriage returns out of the texts.",
    "RFC 5322 section 2.3",
)
def line_ends(mail: Mail) -> Iterator[Fault]:
    """A lone CR is a line break to some servers and none to others (SMTP smuggling)."""
    if lone := mail.raw.count(b"\r") - mail.raw.count(b"\r\n"):
        yield Fault(f"{lone} carriage returns without a line feed", "raw message")
