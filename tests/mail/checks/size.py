"""How heavy a mail is."""

from tests.mail.mail import Mail

# Gmail clips a message at about 102 KB, and whether it counts before or after decoding is not told.
DECODED, ENCODED = 80_000, 95_000


def sizes(mail: Mail) -> tuple[int, int]:
    """Bytes of the HTML, decoded and as its part is encoded."""
    part = mail.message.get_body(("html",))
    return len(mail.html.encode()), len(part.as_bytes()) if part else 0


def size_faults(mail: Mail) -> list[str]:
    """Where it is over a limit."""
    decoded, encoded = sizes(mail)
    faults = [f"size decoded: {decoded:,} bytes"] if decoded >= DECODED else []
    return faults + ([f"size encoded: {encoded:,} bytes"] if encoded >= ENCODED else [])
