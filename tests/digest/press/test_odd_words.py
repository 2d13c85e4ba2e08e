"""Whatever papers, reasons and addresses say, the press prints it as the ordinary builder makes it."""

from copy import copy
from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.models import Paper
from digest.rendering import Press, digest_message
from subscriptions.models import Topic
from subscriptions.ready import ReadyMessage
from tests.conftest import NOW, make_edition, make_reader
from tests.digest.press.printed import assert_equal, digest_of

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


LINES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=200)


ODD = st.sampled_from(
    [
        r"An $O(n^2 \log n)$ bound for \emph{sparse} attention: 50 %(heading)b, %s and %% of it",
        "🤖 Robots that say 👩🏽‍🔬 what they see 🎉",
        "למידה עמוקה של תנועת רובוטים מתוך הדגמות מעטות",
        "机器人从少量演示中学习操作技能的统一框架" * 12,
        "Ένα μακρύ κείμενο για ρομπότ. " * 20,
        "Pneumonoultramicroscopic" * 9,
        ".NET agents\n.\n..\nFrom the beginning\n ends in a space \n\n\n\nand a tab\t",
        "=" * 90 + " é" * 60,
        "</title><script>alert('x')</script> & \"facts\" =\r\n=3D",
        "a" * 75 + " " + "b" * 76 + " " + "c" * 77,
        "x\x85y\u2028z\x0b\x1c\r\n",
    ]
)


WORDS = ODD | LINES


@given(title=WORDS, second=WORDS, abstract=WORDS, author=WORDS, blurb=WORDS, count=st.integers(1, 3))
def test_whatever_papers_say_is_printed_as_it_is_made(small, title, second, abstract, author, blurb, count):
    press = Press()
    press.lay_out([small])
    digest = copy(small)
    digest.picks = small.picks[:count]
    shown = [press._shelf.papers[p["paper"]] for p in digest.picks]
    shown[0].title, shown[0].abstract, shown[0].authors = title.strip() or "x", abstract, [author]
    shown[-1].abstract = second
    shown[count // 2].title = second.strip() or "y"
    press._shelf.blurbs[shown[-1].pk] = blurb
    assert_equal(press, digest)


@given(phrase=WORDS, author=WORDS, term=WORDS, name=WORDS)
def test_whatever_the_reasons_say_is_printed_as_it_is_made(small, phrase, author, term, name):
    press = Press()
    press.lay_out([small])
    topic = next(iter(press._shelf.topics))
    press._shelf.topics[topic] = " ".join(name.split())[:60]
    reasons = [
        [{"phrase": phrase}],
        [{"author": author.strip() or "x"}],
        [{"topic": topic, "terms": [term, "x"], "category": ""}],
    ]
    for pick, own in zip(small.picks, reasons, strict=True):
        pick["why"] = own
    assert_equal(press, small)


def test_words_with_blank_lines_around_them_are_made_the_slow_way(small):
    press = Press()
    press.lay_out([small])
    small.picks[0]["why"] = [{"author": "Ana Exemplar\n\n"}]
    made = digest_message(small, small.subscriber, press._shelf, now=NOW)
    printed = press.message(small, small.subscriber, now=NOW)
    assert (printed.body, printed.alternatives) == (made.body, made.alternatives)


LOCAL = st.from_regex(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,60}(\.[a-z0-9+-]{1,3})?", fullmatch=True) | st.sampled_from(
    ['"a b"', '"a,b"', '"a@b"', '"<a>"', "o'brien", "a" * 64, "%recipient.because%"]
)


DOMAIN = st.sampled_from(
    ["example.org", "xn--strae-oqa.de", "bücher.example", "a." * 60 + "example.org", "x_y.example"]
)


@given(local=LOCAL, domain=DOMAIN)
def test_whatever_the_address_it_is_written_as_django_writes_it(small, local, domain):
    small.subscriber.email = f"{local}@{domain}"
    assert_equal(Press(), small)


@pytest.mark.parametrize("field", ["email", "subject"])
def test_no_line_break_gets_into_the_headers(small, field):
    press, digest = Press(), small
    press.lay_out([digest])
    if field == "email":
        digest.subscriber.email = "a@example.org\r\nBcc: b@example.org"
        with pytest.raises(ValueError, match="newlines"):
            press.message(digest, digest.subscriber, now=NOW).octets()
    else:
        press._shelf.papers[digest.picks[0]["paper"]].title = "Robots\r\nBcc: b@example.org\r\n\r\nBody"
        read = message_from_bytes(assert_equal(press, digest).octets(), policy=policy.default)
        assert read["Bcc"] is None


def test_greek_and_chinese_mails_are_base64_as_they_are_made(papers, topics):
    for paper in papers:
        paper.title, paper.abstract = "Ένα μακρύ κείμενο για ρομπότ " * 4, "機器人與語言。" * 90
    Paper.objects.bulk_update(papers, ["title", "abstract"])
    make_edition(papers)
    for text_only in (False, True):
        digest = digest_of(make_reader(f"a{text_only}", text_only=text_only), papers[:10], topics)
        raw = assert_equal(Press(), digest).octets()
        assert b"Content-Transfer-Encoding: base64" in raw


def test_a_text_only_mail_has_the_encoding_of_its_text(papers, topics):
    for paper in papers:
        paper.title, paper.abstract = "Ένα μακρύ κείμενο για ρομπότ", "機器人與語言。" * 5
    Paper.objects.bulk_update(papers, ["title", "abstract"])
    make_edition(papers)
    encodings = [
        assert_equal(
            Press(), digest_of(make_reader(f"a{text_only}", text_only=text_only), papers[:10], topics)
        ).encoding
        for text_only in (False, True)
    ]
    assert encodings[0] is not encodings[1], "the markup makes the difference"


def test_an_offer_whose_words_need_two_lines_gives_the_ordinary_mail(small):
    topic = small.picks[0]["why"][0]["topic"]
    for length, fast in ((60, True), (80, False)):
        Topic.objects.filter(pk=topic).update(name=("Robots and other things " * 9)[:length].strip())
        press = Press()
        press.lay_out([small])
        made = digest_message(small, small.subscriber, press._shelf, now=NOW)
        printed = press.message(small, small.subscriber, now=NOW)
        assert isinstance(printed, ReadyMessage) == fast
        assert (printed.body, printed.alternatives) == (made.body, made.alternatives)


@pytest.mark.parametrize("length", [4, 30, 60])
def test_too_many_words_are_cut_where_the_ordinary_mail_cuts_them(papers, topics, length):
    for paper in papers:
        paper.title, paper.abstract = "Ένα μακρύ κείμενο" * (length // 4), "機器人與語言。" * 2 * length
    Paper.objects.bulk_update(papers, ["title", "abstract"])
    make_edition(papers)
    press = Press()
    sizes = {
        len(assert_equal(press, digest_of(make_reader(f"a{count}"), papers[:count], topics)).octets()) // count
        for count in (10, 30, 50)
    }
    assert length < 30 or max(sizes) > 1.5 * min(sizes), "nothing was cut"
