"""What arrives is what was sent, byte for byte, and a DKIM signature over it holds."""

import smtplib
import subprocess

import dkim
import pytest
from django.core.mail import get_connection

from tests.e2e.stack import Inbox
from tests.mail.cast import CAST, digest
from tests.mail.mail import Mail

pytestmark = [pytest.mark.mail, pytest.mark.django_db]

ODD_LINES = (
    ".\n..\n.leading dot\nnaïve café 🤖 למידה 机器人\n" + "=" * 90 + "\n"
    "a line that ends in a space \nand one in a tab\t\nFrom the beginning\n" + "long " * 400 + "\n"
)


class Receiver(Inbox):
    """Keeps the octets between DATA and the dot, with the dots that SMTP doubled undone (RFC 5321 section 4.5.2)."""

    def __init__(self) -> None:
        super().__init__()
        self.received: list[bytes] = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        self.received.append(envelope.content)
        return "250 OK"


@pytest.fixture
def receiver():
    server = Receiver()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def smtp(receiver):
    """Django's own backend, speaking to the receiver."""
    return get_connection(
        "django.core.mail.backends.smtp.EmailBackend", host="127.0.0.1", port=receiver.port, use_tls=False
    )


def hold(message):
    """The mail as one MIME object: each call of message() would draw another boundary. Its bytes, with CRLF."""
    built = message.message()
    message.message = lambda: built
    return built.as_bytes(linesep="\r\n")


def with_odd_lines():
    """A digest in whose parts stand the lines that SMTP and quoted-printable have to take care of."""
    message = digest(3)
    message.body = ODD_LINES + message.body
    [html] = message.alternatives
    message.alternatives = [html._replace(content=html.content.replace("</h1>", f"</h1>\n{ODD_LINES}"))]
    return message


@pytest.mark.parametrize("build", [*CAST.values(), with_odd_lines], ids=[*CAST, "odd lines"])
def test_the_bytes_that_arrive_are_those_that_were_built(build, receiver, smtp):
    message = build()
    sent = hold(message)
    assert smtp.send_messages([message]) == 1
    [received] = receiver.received
    assert received == sent
    assert all(len(line) <= 998 and line.isascii() for line in received.split(b"\r\n")), "RFC 5322 section 2.1.1"

    there, here = Mail("", received), Mail("", message.message().as_bytes())
    assert there.message.items() == here.message.items()
    assert not there.message.defects
    assert there.text.replace("\r\n", "\n") == message.body
    if message.alternatives:
        assert there.html.replace("\r\n", "\n") == message.alternatives[0].content


def test_the_lines_that_smtp_and_quoted_printable_touch_are_read_as_they_were_written(receiver, smtp):
    message = with_odd_lines()
    smtp.send_messages([message])
    mail = Mail("", receiver.received[0])
    assert mail.text.replace("\r\n", "\n").startswith(ODD_LINES)
    assert ODD_LINES in mail.html.replace("\r\n", "\n")


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    """A key pair of nobody: PEM, and the record that its owner would publish."""
    path = tmp_path_factory.mktemp("dkim") / "key.pem"
    try:
        subprocess.run(["openssl", "genrsa", "-traditional", "-out", path, "2048"], check=True, capture_output=True)
        public = subprocess.run(["openssl", "rsa", "-in", path, "-pubout"], check=True, capture_output=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("DKIM: needs openssl, to make a key")
    return path.read_bytes(), b"v=DKIM1; k=rsa; p=" + b"".join(public.splitlines()[1:-1])


# Both fields of one-click unsubscribe have to be signed (RFC 8058 section 4). Named once more than they stand there,
# a second one that somebody adds on the way breaks the signature (RFC 6376 section 8.15).
SIGNED = [b"from", b"to", b"subject", b"date", b"message-id", *[b"list-unsubscribe", b"list-unsubscribe-post"] * 2]


@pytest.mark.parametrize("build", [lambda: digest(10), CAST["worst case"], with_odd_lines], ids=["10", "worst", "odd"])
def test_a_dkim_signature_over_what_is_sent_holds_for_what_arrives(build, receiver, key):
    private, record = key
    raw = hold(build())
    signature = dkim.sign(raw, b"s1", b"example.org", private, include_headers=SIGNED)
    with smtplib.SMTP("127.0.0.1", receiver.port) as server:
        server.sendmail("papers@example.org", ["reader@example.org"], signature + raw)
    [received] = receiver.received
    assert dkim.verify(received, dnsfunc=lambda *_, **__: record)
    assert not dkim.verify(received.replace(b"grasp", b"clasp", 1), dnsfunc=lambda *_, **__: record)
    added = b"List-Unsubscribe: <https://elsewhere.example.net/u/>\r\n" + received
    assert not dkim.verify(added, dnsfunc=lambda *_, **__: record)
