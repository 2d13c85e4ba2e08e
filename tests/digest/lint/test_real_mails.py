"""The project's own mails. What the linter says of them is printed (``pytest -s``), and that it can read them is held."""

import sys
from datetime import timedelta

import pytest

from digest.lint import lint
from digest.rendering import Shelf, digest_message
from digest.text import readable
from subscriptions.emails import message_to
from subscriptions.links import absolute, confirm_path, fresh_path, manage_token, not_me_path
from subscriptions.models import SignupRequest
from tests.conftest import NOW, make_digest, make_edition, make_paper, make_reader

pytestmark = pytest.mark.django_db

LONG = "A very long title about " + "the scaling of language models and " * 8


def report(name, message):
    """What the linter says of a message, on stdout."""
    raw = message.message().as_bytes(linesep="\r\n")
    findings = lint(raw)
    sys.stdout.write(f"\n{name}: {len(raw):,} octets, {len(findings)} findings\n")
    for finding in findings:
        sys.stdout.write(f"  {finding.rule} {finding.severity}: {finding.said} [{finding.where}]\n")
    return findings


def mail_of(papers, reader, **fields):
    digest = make_digest(reader, papers, **fields)
    return digest_message(digest, reader, Shelf.for_digests([digest]), now=NOW)


def ordinary(number):
    return make_paper(number, f"Robots that learn to walk, part {number}", code_url=f"https://github.com/x/y{number}")


def hard(number, clean):
    """Each kind of trouble that papers bring; cleaned as they are when they come in, or not."""
    titles = (
        "\u05de\u05d5\u05d3\u05dc\u05d9\u05dd \u05d2\u05d3\u05d5\u05dc\u05d9\u05dd \u05e9\u05dc \u05e9\u05e4\u05d4",
        "Let's <think> about reasoning",
        r"Learning in $O(n^2)$ with \textit{mirror} descent",
        "\U0001f680 Rockets all the way down",
        LONG[:300],
    )
    abstract = "<think>Let me see.</think> We show that $x^2$ &amp; <b>y</b> agree. " * 12
    return make_paper(
        number,
        clean(f"{titles[number % 5]} ({number})"),
        authors=[f"Author Number{n}" for n in range(3303)] if number % 50 == 0 else ["Ana Exemplar"],
        abstract=clean(abstract),
        code_url=f"https://github.com/x/y{number}",
    )


def digests(topic):
    """(name, message) of a few readers' digests."""
    papers = [ordinary(n) for n in range(1, 11)]
    make_edition(papers)
    yield "ten papers", mail_of(papers, make_reader("ten", topic))
    yield "one paper", mail_of(papers[:1], make_reader("one", topic))
    yield "text only", mail_of(papers, make_reader("text", topic, text_only=True))
    weekly = make_reader("weekly", topic, weekdays=0b10000, paper_limit=20)
    yield "weekly", mail_of(papers, weekly, content_from=NOW.date() - timedelta(days=7))
    for name, start, clean in (("as they come", 100, str), ("cleaned", 200, readable)):
        worst = [hard(number, clean) for number in range(start, start + 50)]
        yield f"the worst fifty, {name}", mail_of(worst, make_reader(f"fifty-{start}", topic))


def test_it_reads_the_digests(robotics):
    for name, message in digests(robotics):
        findings = report(name, message)
        assert not [finding for finding in findings if "broke" in finding.said]


@pytest.mark.parametrize("name", ["confirm", "already", "link", "move", "moved", "leave"])
def test_it_reads_the_letters(name):
    reader = make_reader("letters")
    request = SignupRequest.objects.create(email=reader.email, created_at=NOW)
    context = {
        "confirm_url": absolute(confirm_path(request, NOW)),
        "not_me_url": absolute(not_me_path(request, NOW)),
        "move_url": absolute(confirm_path(request, NOW)),
        "preferences_url": absolute(f"/r/{manage_token(reader, NOW)}/preferences/"),
        "fresh_url": absolute(fresh_path(request, NOW)),
        "old_address": "o***@example.org",
        "new_address": "n***@example.org",
    }
    findings = report(name, message_to(reader, name, context, now=NOW, key=f"{name}-1"))
    assert not [finding for finding in findings if "broke" in finding.said]
