"""The builder of mails: encodings, lines, senders, ways out, languages."""

import re
from email import message_from_bytes, policy

import pytest
from django.core.mail import EmailMessage
from hypothesis import given
from hypothesis import strategies as st

from subscriptions import emails
from subscriptions.emails import LINE, mailbox, message_to, set_in_lines, shorter_encoding
from tests.conftest import NOW
from tests.pseudo import pseudo

LINKS = {"preferences_url": "https://papers.example.org/r/x/preferences/"}
words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=400)


def already(reader, **options):
    """The wire form of a small mail."""
    message = message_to(reader, "already", LINKS, now=NOW, key="already-1", **options)
    return message_from_bytes(message.message().as_bytes(), policy=policy.default)


@given(st.lists(words).map("\n".join))
def test_lines_of_the_text_part_are_short_and_no_word_is_lost(text):
    set_text = set_in_lines(text)
    assert all(len(line) <= LINE for line in set_text.splitlines())
    assert "".join(set_text.split()) == "".join(text.split())
    assert "\n\n\n" not in set_text


@given(st.integers(1, 300), words)
def test_a_long_link_is_never_broken(length, before):
    link = "https://papers.example.org/" + "x" * length
    assert link in set_in_lines(f"{before} {link}").splitlines() or len(link) <= LINE
    assert f"({link})." in set_in_lines(f"{before} ({link}).")


@given(words)
def test_the_encoding_is_the_shorter_one_and_always_seven_bits(text):
    lengths = [len(charset.body_encode(text)) for charset in (emails.QUOTED_PRINTABLE, emails.BASE64_TEXT)]
    chosen = shorter_encoding(text).body_encode(text)
    assert chosen.isascii()
    # Soft line breaks are not counted: 3 characters in 76.
    assert len(chosen) <= min(lengths) * 1.06 + 4


def test_latin_mails_are_readable_on_the_wire_and_greek_ones_are_short(confirmed, settings):
    assert already(confirmed).get_body(("plain",))["Content-Transfer-Encoding"] == "quoted-printable"
    assert shorter_encoding("Ελληνικά " * 50) is emails.BASE64_TEXT


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], min_codepoint=128), min_size=1, max_size=150))
def test_encoded_words_of_a_subject_are_as_short_as_they_must_be(subject):
    message = EmailMessage(subject, "x", "a@example.org", ["b@example.org"])
    message.encoding = emails.QUOTED_PRINTABLE
    raw = message.message().as_bytes()
    (line,) = re.findall(rb"^Subject: ((?:.|\n )*)$", raw, re.MULTILINE)
    assert all(len(word) <= 75 for word in line.split())
    read = str(message_from_bytes(raw, policy=policy.default)["Subject"])
    assert "".join(read.split()) == "".join(subject.split())


def test_senders_have_domains_of_idna_2008(settings, confirmed):
    settings.DEFAULT_FROM_EMAIL = "Papiere für dich <blatt@straße.de>"
    settings.REPLY_TO = "redaktion@straße.de"
    mail = already(confirmed, listed=True)
    # IDNA 2003, which Django's own mail API has, would make it strasse.de: somebody else's.
    assert mail["From"].addresses[0].addr_spec == "blatt@xn--strae-oqa.de"
    assert mail["From"].addresses[0].display_name == "Papiere für dich"
    assert mail["Reply-To"].addresses[0].addr_spec == "redaktion@xn--strae-oqa.de"
    assert mail["Message-ID"] == "<already-1@xn--strae-oqa.de>"
    for wrong in ("papers", "papers@example..org", "a@example.org, b@example.org", "papers@ex－..de"):
        with pytest.raises(ValueError, match=r".+"):
            mailbox(wrong)
    assert mailbox("papers@mail_1.example.org") == "papers@mail_1.example.org"


def test_one_way_out_unless_a_mailbox_for_leaving_is_set(settings, confirmed):
    assert re.fullmatch(
        r"<https://papers\.example\.org/u/\w{33}/>", already(confirmed, listed=True)["List-Unsubscribe"].strip()
    )
    settings.UNSUBSCRIBE_MAILTO = "leave@example.org"
    first, second = already(confirmed, listed=True)["List-Unsubscribe"].strip().split(", ")
    assert first.startswith("<https://")
    assert re.fullmatch(r"<mailto:leave@example\.org\?subject=unsubscribe%20\w{33}>", second)
    assert "List-Unsubscribe" not in already(confirmed)


def test_a_mail_is_in_its_readers_language_and_direction(confirmed, settings):
    assert 'lang="en" dir="ltr"' in already(confirmed).get_body(("html",)).get_content()
    with pseudo("ar") as code:
        confirmed.language = code
        mail = already(confirmed)
    html = mail.get_body(("html",)).get_content()
    assert f'lang="{code}" dir="rtl"' in html
    assert "text-align:right" in html
    assert mail["Subject"].strip().startswith("⟦")
    assert already(confirmed)["Subject"] == "You are already subscribed to Daily Papers", "it is not on offer any more"


def test_the_sender_is_named_once(confirmed, settings):
    settings.POSTAL_ADDRESS = "Daily Papers, 1 Example Street"
    assert already(confirmed).get_body(("plain",)).get_content().rstrip().endswith("\n\nDaily Papers, 1 Example Street")
    settings.POSTAL_ADDRESS = "1 Example Street"
    assert already(confirmed).get_body(("plain",)).get_content().rstrip().endswith("\n\nDaily Papers, 1 Example Street")
