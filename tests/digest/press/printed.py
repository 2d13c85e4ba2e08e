"""A printed mail beside the ordinary one."""

from email import message_from_bytes, policy

from digest.rendering import digest_message
from subscriptions.emails import BASE64_TEXT
from subscriptions.ready import ReadyMessage
from tests.conftest import NOW, make_digest


def built(raw):
    """All that a mail client sees: headers in their order, and each part's type and text."""
    read = message_from_bytes(raw, policy=policy.default)
    headers = [(name, " ".join(str(value).split())) for name, value in read.items() if name != "Content-Type"]
    parts = [part for part in read.walk() if not part.is_multipart()]
    texts = [
        (part["Content-Type"], part["Content-Transfer-Encoding"], part.get_content().replace("\r\n", "\n"))
        for part in parts
    ]
    return read.get_content_type(), headers, texts, read.defects


def header_lines(head):
    """As they are folded; boundaries differ."""
    return [line for line in head.split(b"\r\n") if b"multipart/" not in line and b"boundary=" not in line]


def assert_equal(press, digest, without=frozenset()):
    """The press prints the same mail, by stencils, and its lines are those of RFC 5322 and RFC 2045."""
    press.lay_out([digest])
    shelf = press._shelf
    made = digest_message(digest, digest.subscriber, shelf, now=NOW, without=without)
    printed = press.message(digest, digest.subscriber, now=NOW, without=without)
    assert isinstance(printed, ReadyMessage), "it was made the slow way"
    raw = printed.octets()
    assert built(raw) == built(made.message().as_bytes())
    head, _, body = raw.partition(b"\r\n\r\n")
    assert header_lines(head) == header_lines(
        made.message().as_bytes().replace(b"\n", b"\r\n").partition(b"\r\n\r\n")[0]
    )
    assert raw.isascii()
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert all(len(line) <= 76 for line in body.split(b"\r\n"))
    goes_on = b"=\r\n\r\n--" in body  # behind the end of a part; in base64 it is padding
    assert not goes_on or printed.encoding is BASE64_TEXT
    for name in ("subject", "body", "alternatives", "from_email", "to", "reply_to", "extra_headers", "metadata"):
        assert getattr(printed, name) == getattr(made, name), name
    assert printed.encoding is made.encoding
    assert printed.recipients() == made.recipients()
    return printed


def why(topics, n):
    """Reasons of every kind."""
    kinds = [
        [{"topic": topics[n % 5].pk, "terms": ["robot", "grasp"], "category": ""}],
        [{"topic": topics[(n + 1) % 5].pk, "terms": [], "category": "cs.RO"}, {"author": "Ana O'Unal"}],
        [{"phrase": "few <b> demonstrations %(x)s"}],
        [],
        [{"topic": 999_999, "terms": [], "category": "cs.XX"}],
    ]
    return kinds[n % len(kinds)]


def digest_of(reader, papers, topics, *, shift=0, **fields):
    digest = make_digest(reader, papers, **fields)
    for n, pick in enumerate(digest.picks):
        pick["why"] = why(topics, n + shift)
    digest.save()
    return digest
