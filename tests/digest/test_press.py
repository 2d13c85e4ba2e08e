"""The press prints what digest_message makes: every header, every part, the encoding."""

import re
from copy import copy
from datetime import date, timedelta
from email import message_from_bytes, policy

import pytest
from django.test import override_settings
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from digest.models import Digest, Paper
from digest.rendering import Press, Shelf, digest_message
from digest.rendering.stock import Kept
from subscriptions import links
from subscriptions.models import Subscriber, Topic
from subscriptions.ready import ReadyMessage
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper, make_reader
from tests.mail.cast import SOURCES
from tests.pseudo import pseudo

pytestmark = pytest.mark.django_db
many = hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
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
    assert raw.isascii()
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert all(len(line) <= 998 for line in head.split(b"\r\n"))
    assert all(len(line) <= 76 for line in body.split(b"\r\n"))
    for name in ("subject", "body", "alternatives", "from_email", "to", "reply_to", "extra_headers", "metadata"):
        assert getattr(printed, name) == getattr(made, name), name
    assert printed.encoding is made.encoding
    assert printed.recipients() == made.recipients()
    return printed


@pytest.fixture
def topics():
    return [
        Topic.objects.create(slug=f"t{n}", name=name, description="D.", categories=["cs.RO"], terms=["robot"])
        for n, name in enumerate(["Robotics", "Speech & <language>", "Robotics", "Vision 100 %", "Theory"])
    ]


@pytest.fixture
def papers():
    """Fifty, of which some lack what a paper can lack."""
    every = []
    for n in range(1, 51):
        fields = {"code_url": "https://github.com/x/y?a=1&b=2"} if n % 2 else {}
        paper = make_paper(n, f"Learning to grasp from few demonstrations, part {n}", stars=1234, **fields)
        if n % 5 == 0:
            paper.authors, paper.arxiv_id, paper.abstract, paper.upvotes, paper.stars = [], None, "", 0, None
        every.append(paper)
    Paper.objects.bulk_update(every, ["authors", "arxiv_id", "abstract", "upvotes", "stars"])
    return every


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


@pytest.mark.parametrize("count", [1, 2, 3, 10, 25])
@pytest.mark.parametrize("text_only", [False, True])
def test_a_digest_of_any_size_is_printed_as_it_is_made(papers, topics, count, text_only):
    make_edition(papers, standing_on=SOURCES)
    reader = make_reader("a", zone="Asia/Tokyo", text_only=text_only)
    assert_equal(Press(), digest_of(reader, papers[:count], topics))


def test_one_press_prints_for_all_kinds_of_readers(papers, topics):
    for back in range(4):
        make_edition(papers[back::4], TODAY - timedelta(days=back), standing_on=SOURCES)
    week = {"cadence": Digest.Cadence.WEEKLY, "content_from": TODAY - timedelta(days=7)}
    fields = [
        ({"zone": "America/New_York"}, {}),
        ({"text_only": True}, {}),
        ({"paper_limit": 5}, {"content_from": date(2026, 3, 16)}),
        ({"weekdays": 16}, week),
        ({"language": "tlh"}, {"day": TODAY - timedelta(days=1)}),
        ({"confirmed_at": None}, {"content_from": None, "content_to": None}),
        ({"paused_until": NOW - timedelta(hours=9)}, {}),
    ]
    press = Press()
    bodies = set()
    for n, (own, digests) in enumerate([*fields, *fields]):
        reader = make_reader(f"reader{n}", **{k: v for k, v in own.items() if k != "confirmed_at"})
        if "confirmed_at" in own:
            reader.confirmed_at = reader.next_due_at = None
            reader.save()
        chosen = [papers[(7 * n + 3 * at) % 50] for at in range(10)]
        digest = digest_of(reader, chosen, topics, shift=n, **digests)
        bodies.add(assert_equal(press, digest).body)
    assert len(bodies) == 2 * len(fields)
    assert sum("Your pause ended" in body for body in bodies) == 2
    assert sum("Your week" in body for body in bodies) == 2


def test_no_mail_has_a_token_of_another_reader_or_of_nobody(papers, topics):
    make_edition(papers)
    press = Press()
    seen: set[str] = set()
    nobody = Subscriber(pk=0)
    for n in range(5):
        digest = digest_of(make_reader(f"reader{n}"), papers[n : n + 10], topics)
        printed = assert_equal(press, digest)
        own = {
            links.manage_token(digest.subscriber, NOW),
            links.feedback_token(digest.subscriber, NOW),
            links.unsubscribe_path(digest.subscriber, NOW).split("/")[2],
        }
        raw = printed.octets().replace(b"=\r\n", b"").decode()
        assert set(re.findall(r"\b[0-9A-Za-z]{33}\b", raw)) == own
        assert links.manage_token(nobody, NOW) not in raw
        assert seen.isdisjoint(own)
        seen |= own


@pytest.fixture
def one(papers, topics):
    """A digest of twelve."""
    make_edition(papers, standing_on=SOURCES)
    return digest_of(make_reader("a", zone="Europe/Berlin"), papers[:12], topics)


@pytest.fixture
def small(papers, topics):
    """A digest of three."""
    make_edition(papers, standing_on=SOURCES)
    return digest_of(make_reader("a", zone="Europe/Berlin"), papers[:3], topics)


@many
@given(title=WORDS, second=WORDS, abstract=WORDS, author=WORDS, blurb=WORDS, count=st.integers(1, 3))
def test_whatever_papers_say_is_printed_as_it_is_made(small, title, second, abstract, author, blurb, count):
    press = Press()
    press.lay_out([small])
    digest = copy(small)
    digest.picks = small.picks[:count]
    shown = [press._shelf.papers[p["paper"]] for p in digest.picks]
    shown[0].title, shown[0].abstract, shown[0].authors = title or "x", abstract, [author]
    shown[-1].abstract = second
    shown[count // 2].title = second or "y"
    press._shelf.blurbs[shown[-1].pk] = blurb
    assume(shown[0].title.split())
    assert_equal(press, digest)


@many
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


@many
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


@pytest.mark.parametrize(
    "values",
    [
        {"UNSUBSCRIBE_MAILTO": "leave@example.org"},
        {"REPLY_TO": "Die Redaktion für dich <redaktion@straße.de>"},
        {"DEFAULT_FROM_EMAIL": "Papiere für dich <blatt@straße.de>", "SITE_NAME": "Papiere 100 % für dich"},
        {"SITE_URL": "http://127.0.0.1:8000", "POSTAL_ADDRESS": "1 %s Street & Sons, " + "Long Road " * 20},
        {"LINK_KEYS": ["another key of more than thirty-two characters"]},
    ],
    ids=lambda values: next(iter(values)),
)
def test_the_settings_of_the_site_are_in_the_printed_mail(one, values):
    with override_settings(**values):
        assert_equal(Press(), one)


@pytest.mark.parametrize("code", ["ar", "fr"])
def test_other_languages_are_printed_as_they_are_made(one, papers, topics, code):
    with pseudo(code):
        for count, text_only in ((1, False), (12, False), (12, True)):
            one.picks = one.picks[:count] if count == 1 else digest_picks(papers[:count], topics)
            one.subscriber.language, one.subscriber.text_only = code, text_only
            assert "⟦" in assert_equal(Press(), one).body


def digest_picks(papers, topics):
    return [{"paper": p.pk, "place": n, "why": why(topics, n)} for n, p in enumerate(papers)]


def test_greek_and_chinese_mails_are_base64_as_they_are_made(papers, topics):
    for paper in papers:
        paper.title, paper.abstract = "Ένα μακρύ κείμενο για ρομπότ " * 4, "機器人與語言。" * 90
    Paper.objects.bulk_update(papers, ["title", "abstract"])
    make_edition(papers)
    for text_only in (False, True):
        digest = digest_of(make_reader(f"a{text_only}", text_only=text_only), papers[:10], topics)
        raw = assert_equal(Press(), digest).octets()
        assert b"Content-Transfer-Encoding: base64" in raw


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


def test_papers_left_out_close_up(one):
    gone = frozenset(p["paper"] for p in one.picks[:3])
    assert "\n9. " in assert_equal(Press(), one, without=gone).body
    assert "\n10. " not in assert_equal(Press(), one, without=gone).body


def test_a_digest_without_a_paper_left_is_no_mail(one):
    press = Press()
    press.lay_out([one])
    with pytest.raises(ValueError, match="no paper is left"):
        press.message(one, one.subscriber, now=NOW, without=[p["paper"] for p in one.picks])


def test_news_of_papers_are_printed_as_they_are_made(papers, topics):
    make_edition(papers)
    had = papers[40:44]
    had[0].title = "News of <b>& a paper: " + "long " * 50
    had[3].hidden_at = NOW
    Paper.objects.bulk_update(had, ["title", "hidden_at"])
    press = Press()
    for n, kinds in enumerate([["code"], ["withdrawn", "code", "took off", "withdrawn"], ["some later kind"]]):
        news = [{"paper": paper.pk, "what": what} for paper, what in zip(had, kinds, strict=False)]
        digest = digest_of(make_reader(f"a{n}"), papers[:10], topics, follow_ups=news)
        assert ("News of papers you have" in assert_equal(press, digest).body) == (n < 2)


def test_a_template_that_the_press_does_not_fit_gives_the_ordinary_mail(one, settings, tmp_path, caplog):
    folder = tmp_path / "emails" / "digest"
    folder.mkdir(parents=True)
    page = (settings.BASE_DIR / "templates" / "emails" / "digest" / "body.html").read_text()
    between = page.replace('paper.html" %}{% endfor %}', 'paper.html" %}<hr>{% endfor %}')
    assert between != page
    (folder / "body.html").write_text(between)
    with override_settings(
        TEMPLATES=[{**engine, "DIRS": [tmp_path, *engine["DIRS"]]} for engine in settings.TEMPLATES]
    ):
        press = Press()
        press.lay_out([one])
        printed = press.message(one, one.subscriber, now=NOW)
        made = digest_message(one, one.subscriber, Shelf.for_digests([one]), now=NOW)
    assert printed.alternatives == made.alternatives
    assert printed.alternatives[0][0].count("<hr>") == 12
    assert "the slow way" in caplog.text


def test_a_change_of_a_template_is_in_the_printed_mail(one, settings, tmp_path):
    folder = tmp_path / "emails" / "digest"
    folder.mkdir(parents=True)
    for name, was, now in (
        ("paper.html", "{{ item.why }}", "<i>{{ item.why }}</i> 100 %"),
        ("paper.txt", "{{ item.why }}", "{{ item.why }}\n* * *"),
        ("body.html", "{{ because }}", "{{ because|upper }} {{ heading }}"),
        ("subject.txt", "{{ subject_line }}", "[Daily] {{ subject_line }} 100 %"),
    ):
        page = (settings.BASE_DIR / "templates" / "emails" / "digest" / name).read_text()
        (folder / name).write_text(page.replace(was, now))
    (folder / "body.html").write_text((folder / "body.html").read_text().replace("|upper", ""))
    with override_settings(
        TEMPLATES=[{**engine, "DIRS": [tmp_path, *engine["DIRS"]]} for engine in settings.TEMPLATES]
    ):
        printed = assert_equal(Press(), one)
    assert printed.subject.startswith("[Daily] Learning")
    assert printed.body.count("* * *") == 12


def test_what_is_laid_out_is_read_once(papers, topics, django_assert_num_queries):
    make_edition(papers)
    digests = [digest_of(make_reader(f"a{n}"), papers[n : n + 10], topics) for n in range(6)]
    press = Press()
    with django_assert_num_queries(4):  # papers, blurbs, topics, editions
        press.lay_out(digests[:5])
    with django_assert_num_queries(2):  # one paper more, and its blurb
        press.lay_out(digests[4:])
    with django_assert_num_queries(0):
        press.lay_out(digests)
        for digest in digests:
            press.message(digest, digest.subscriber, now=NOW).octets()
    with django_assert_num_queries(1):
        press.lay_out(Digest.objects.filter(pk=digests[0].pk).select_related("subscriber"))
    digests[0].subscriber.paused_until = NOW
    with django_assert_num_queries(1):
        press.lay_out(digests)


def test_what_is_kept_is_bounded():
    kept: Kept[int] = Kept(3)
    for n in range(10):
        kept.keep(n, n)
    assert list(kept) == [7, 8, 9]
