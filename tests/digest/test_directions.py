"""Words of the other direction keep to themselves: in the subject, the preheader, the text part and the HTML."""

import re
from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.lint import lint
from digest.rendering import Press, digest_message
from digest.rendering.message import subject_line
from digest.text import isolated, undirected
from subscriptions.emails import LINE, set_in_lines
from tests.conftest import NOW, make_digest, make_edition, make_paper, make_reader
from tests.digest.press.printed import assert_equal
from tests.profiles import fewer

CONTROL = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
PAIR = re.compile("\u2068[^\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]*\u2069")
ARABIC, HEBREW = "نماذج اللغة الكبيرة (GPT-4): دراسة", "מפה של כל השפות, חלק 2"
MIXED = "GPT-4 للغة العربية"
TITLES = (
    ARABIC,
    HEBREW,
    MIXED,
    "A fine study",
    "大型语言模型",
    "A study \u2067of\u202e no\u2069 end\u2066",
    "\u200f" + HEBREW,
)
texts = st.text(
    st.sampled_from("ab 1.,(\u05d0\u05d1\u0627\u0628\u4e2d\u2066\u2067\u2068\u2069\u202e\u202c\u200f\u061c"),
    max_size=200,
)


def spills(line):
    """Whether a control of direction works beyond its own words."""
    while (inner := PAIR.sub("x", line)) != line:
        line = inner
    return CONTROL.search(line) is not None


@given(texts, st.booleans())
def test_foreign_words_never_spill_and_lose_nothing_but_controls(text, rtl):
    found = isolated(text, rtl=rtl)
    assert not spills(found)
    assert undirected(found) == undirected(text)


@given(st.lists(texts, max_size=9))
def test_every_line_of_a_text_part_closes_what_it_opens_and_is_short_enough(parts):
    lines = set_in_lines("\n".join(f"1. {isolated(part, rtl=False)} and more" for part in parts)).splitlines()
    assert not any(map(spills, lines))
    assert all(len(line) <= LINE + 2 for line in lines)


@pytest.mark.parametrize("title", [ARABIC, HEBREW, MIXED])
@pytest.mark.parametrize("papers", [1, 2, 10])
def test_a_title_from_right_to_left_is_isolated_in_the_subject_and_the_subject_is_not_longer(title, papers):
    subject = subject_line(title, papers)
    assert subject.startswith("\u2068")
    assert subject.count("\u2068") == subject.count("\u2069") == 1
    assert len(subject) <= 50
    assert subject_line("A fine study", papers).isascii()
    assert len(subject_line(title * 9, papers)) <= 50


@pytest.fixture
def mixed(robotics):
    robotics.name = "רובוטיקה"
    robotics.save()
    papers = [
        make_paper(n, title, abstract=f"{title}. " * 5, authors=[HEBREW[:9], "Ana Exemplar", ARABIC[:11]])
        for n, title in enumerate(TITLES, start=1)
    ]
    make_edition(papers)

    def made(**fields):
        digest = make_digest(make_reader(**fields), papers, follow_ups=[{"paper": papers[1].pk, "what": "code"}])
        why = [
            {"phrase": "שפה \u202e"},
            {"author": ARABIC[:11]},
            {"topic": robotics.pk, "terms": ["לשון"]},
            {"like": papers[0].pk},
        ]
        digest.picks = [{**pick, "why": why} for pick in digest.picks]
        digest.save()
        return digest

    return made


@pytest.mark.django_db
@pytest.mark.parametrize("text_only", [False, True])
def test_no_line_of_a_mail_is_moved_by_what_it_tells(mixed, text_only):
    digest = mixed(text_only=text_only)
    read = message_from_bytes(assert_equal(Press(), digest).message().as_bytes(), policy=policy.default)
    text = read.get_body(("plain",)).get_content()
    assert not any(spills(line) for line in [read["Subject"], *text.splitlines()])
    assert f"1. \u2068{ARABIC}\u2069" in text
    assert f"2. \u2068{HEBREW}\u2069" in text
    assert "4. A fine study\n" in text
    assert "your keyword “\u2068שפה \u2069”" in " ".join(text.split("\n"))
    assert read["Subject"].startswith("\u2068")
    rules = {finding.rule for finding in lint(read.as_bytes())}
    assert "L715" not in rules
    # The overrides that one title brought: shown to editors, and kept to their element.
    assert "L705" in rules or text_only


@pytest.mark.django_db
def test_the_html_keeps_each_title_in_an_element_with_its_direction(mixed):
    html = str(assert_equal(Press(), mixed()).alternatives[0][0])
    for title in (ARABIC, HEBREW):
        assert f'<span dir="rtl">{title}</span>' in html
    assert f'<span dir="ltr">{TITLES[5]}</span>' in html
    assert "4. A fine study</a>" in html


@pytest.mark.django_db
@fewer(2)
@given(st.lists(texts.filter(str.strip), min_size=1, max_size=3))
def test_whatever_titles_say_no_line_of_the_text_part_spills(robotics, titles):
    reader = make_reader()
    papers = [make_paper(n, title, abstract=title, authors=[title]) for n, title in enumerate(titles, start=1)]
    digest = make_digest(reader, papers)
    press = Press()
    press.lay_out([digest])
    try:
        message = press.message(digest, reader, now=NOW)
        assert message.subject == digest_message(digest, reader, press._shelf, now=NOW).subject
        assert not any(spills(line) for line in [message.subject, *message.body.splitlines()])
    finally:
        for row in [digest, *papers, reader]:
            row.delete()
