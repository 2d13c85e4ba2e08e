import re
from datetime import date, timedelta
from email import message_from_bytes, policy
from html import unescape

import pytest
from django.utils.html import escape
from hypothesis import given
from hypothesis import strategies as st

from digest.models import Digest, Paper
from digest.rendering import Shelf, authors_line, days_in_words, digest_message, items_of
from subscriptions.models import Topic
from tests.conftest import NOW, make_digest, make_edition, make_paper, make_reader

pytestmark = pytest.mark.django_db


def wire(digest):
    message = digest_message(digest, digest.subscriber, Shelf.for_digests([digest]), now=NOW)
    return message_from_bytes(message.message().as_bytes(), policy=policy.default)


def parts(mail):
    return mail.get_body(("plain",)).get_content(), mail.get_body(("html",)).get_content()


@pytest.fixture
def digest(robotics):
    papers = [make_paper(n, f"Robot paper {n}", code_url="https://github.com/x/y") for n in range(1, 11)]
    make_edition(papers)
    digest = make_digest(make_reader("a", robotics), papers)
    for chosen in digest.picks:
        chosen["why"] = [{"topic": robotics.pk, "terms": ["robot"], "category": ""}]
    digest.save()
    return digest


def test_the_headers_are_those_of_a_list_with_one_click_unsubscribe(digest):
    mail = wire(digest)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert re.fullmatch(r"<https://papers\.example\.org/u/\w{33}/>", mail["List-Unsubscribe"].strip())
    assert mail["List-Id"] == "Daily Papers <digest.example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert re.fullmatch(rf"<digest-{digest.pk}\.[0-9a-f]{{16}}@example\.org>", mail["Message-ID"])
    assert mail["Date"].datetime == NOW
    for name in ("To", "From", "Subject", "Message-ID", "Date", "List-Unsubscribe", "List-Id"):
        assert len(mail.get_all(name)) == 1


def test_nothing_is_8bit_and_no_line_is_too_long(digest):
    raw = digest_message(digest, digest.subscriber, Shelf.for_digests([digest]), now=NOW).message().as_bytes()
    assert max(raw) < 128
    assert max(map(len, raw.splitlines())) <= 998
    assert b"Content-Transfer-Encoding: 8bit" not in raw


def test_text_comes_first_and_both_parts_have_every_paper_reason_and_the_way_out(digest):
    mail = wire(digest)
    assert [p.get_content_type() for p in mail.iter_parts()] == ["text/plain", "text/html"]
    for body in parts(mail):
        for number in range(1, 11):
            assert f"Robot paper {number}" in body
        assert "Robotics" in body
        assert re.search(r"https://papers\.example\.org/u/\w{33}/", body)
        assert "1 Example Street" in body
        assert "{{" not in body
        assert "{%" not in body


def test_both_parts_carry_the_same_links(digest):
    text, html = parts(wire(digest))
    assert set(re.findall(r"https?://[^\s<>\"]+", text)) == set(re.findall(r'href="([^"]+)"', html))


def test_ten_papers_are_small_and_fifty_fit(digest):
    assert len(parts(wire(digest))[1].encode()) < 30_000
    papers = [make_paper(100 + n, "A long title " * 10, abstract="Long sentence here. " * 60) for n in range(50)]
    big = make_digest(make_reader("b"), papers)
    assert len(parts(wire(big))[1].encode()) < 102_400


def test_text_lines_are_short(digest):
    text, _ = parts(wire(digest))
    assert [line for line in text.splitlines() if len(line) > 78 and "https://" not in line] == []
    assert "\n\n\n" not in text


def test_markup_in_a_paper_is_text_in_the_mail():
    paper = make_paper(1, "<script>alert(1)</script> & <think>", abstract="<img src=x onerror=y> {{ secret }}")
    make_edition([paper])
    text, html = parts(wire(make_digest(make_reader("a"), [paper])))
    assert "<script>" not in html
    assert "<img" not in html
    assert "&lt;think&gt;" in html
    assert "<think>" in text


@given(title=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=300))
def test_no_title_adds_a_header_or_breaks_the_mail(title, digest):
    from digest.text import readable  # noqa: PLC0415

    shelf = Shelf.for_digests([digest])
    next(iter(shelf.papers.values())).title = readable(title) or "x"
    raw = digest_message(digest, digest.subscriber, shelf, now=NOW).message().as_bytes()
    mail = message_from_bytes(raw, policy=policy.default)
    assert mail.get_all("Bcc") is None
    assert "\n" not in mail["Subject"]
    assert mail.get_body(("plain",)) is not None


def test_an_editors_blurb_wins_and_its_origin_is_said(digest):
    paper = make_paper(50, "Curated")
    edition = make_edition([paper], digest.day + timedelta(days=1))
    edition.entries.update(blurb="Read this one.")
    text, _ = parts(wire(make_digest(make_reader("c"), [paper])))
    assert "Read this one." in text
    assert "Editor" in text


@pytest.mark.parametrize(
    ("title", "subject"),
    [
        ("Robots that fold", "Robots that fold, and 9 more"),
        ("Is attention all you need?", "Is attention all you need? and 9 more"),
        ("Robots that fold shirts and then some more of them", "Robots that fold shirts and then… and 9 more"),
    ],
)
def test_the_subject_names_the_top_paper_and_how_many_more(digest, title, subject):
    Paper.objects.filter(pk=digest.picks[0]["paper"]).update(title=title)
    assert wire(digest)["Subject"] == subject


def test_news_of_papers_that_the_reader_has_stand_below_the_papers(digest):
    papers = [make_paper(60 + n, f"Known paper {n}") for n in range(4)]
    news = zip(papers, ["withdrawn", "code", "took off", "some later kind"], strict=True)
    digest.follow_ups = [{"paper": paper.pk, "what": what} for paper, what in news]
    Paper.objects.filter(pk=papers[1].pk).update(hidden_at=NOW)
    for body in parts(wire(digest)):
        said = body[body.index("News of papers you have") :]
        assert "It has been withdrawn since we sent it to you." in said
        assert "It has taken off since we sent it to you." in said
        assert "Known paper 1" not in said, "an editor hid it"
        assert "Known paper 3" not in said, "nobody knows what it means"


def test_each_papers_links_are_its_own_and_all_links_of_ours_are_on_our_site(digest):
    text, html = parts(wire(digest))
    for n, chosen in enumerate(digest.picks, start=1):
        paper = Paper.objects.get(pk=chosen["paper"])
        for words, address in (
            (f"{n}. {paper.title}", f"https://papers.example.org/papers/{paper.pk}/"),
            (f"Paper no. {n}", f"https://arxiv.org/abs/{paper.arxiv_id}"),
            (f"PDF of no. {n}", f"https://arxiv.org/pdf/{paper.arxiv_id}"),
        ):
            assert re.search(rf'<a [^>]*href="{address}"[^>]*>{words}</a>', html)
            assert address in text
        for verb in ("more", "less"):
            link = rf"https://papers\.example\.org/say/\w{{33}}/{paper.pk}/{verb}/"
            assert re.search(rf'href="{link}"[^>]*>{verb.capitalize()} like no\. {n}</a>', html)
            assert re.search(rf"{verb.capitalize()} like no\. {n}:\n{link}", text.replace("\r\n", "\n"))
    hosts = {address.split("/")[2] for address in re.findall(r'href="([^"]+)"', html)}
    assert hosts == {"papers.example.org", "arxiv.org", "github.com"}


def test_three_thousand_authors_fit_a_line():
    assert authors_line([f"Author {n}" for n in range(3303)]) == "Author 0, Author 1, Author 2 and 3,300 others"
    assert authors_line(["A", "B", "C", "D"]) == "A, B, C and 1 other"
    assert authors_line([]) == ""


def test_a_mail_without_papers_is_refused(digest):
    with pytest.raises(ValueError, match="no paper"):
        digest_message(
            digest,
            digest.subscriber,
            Shelf.for_digests([digest]),
            now=NOW,
            without=[p["paper"] for p in digest.picks],
        )


ROBOT = {"terms": ["robot"], "category": ""}
PHRASE, AUTHOR = {"phrase": "protein folding"}, {"author": "Ana Unal"}


def with_reasons(digest, *why):
    digest.picks = [{**digest.picks[0], "why": list(why)}]
    digest.save()
    text, html = parts(wire(digest))
    return " ".join(text.split()), unescape(" ".join(html.split()))


@pytest.mark.parametrize(
    ("why", "sentence"),
    [
        (["topic"], "your topic Robotics (it names “robot”)"),
        ([PHRASE], "your keyword “protein folding”"),
        ([AUTHOR], "you follow Ana Unal"),
        ([AUTHOR, {"author": "Bo Sample"}], "you follow Ana Unal; you follow Bo Sample"),
        (
            ["topic", PHRASE, AUTHOR],
            "your topic Robotics (it names “robot”); your keyword “protein folding”; you follow Ana Unal",
        ),
    ],
)
def test_both_parts_say_why_in_one_sentence(digest, robotics, why, sentence):
    reasons = [{"topic": robotics.pk, **ROBOT} if reason == "topic" else reason for reason in why]
    for body in with_reasons(digest, *reasons):
        assert re.search(re.escape(f"Why you got this: {sentence}") + "(<br>| Page of no. 1)", body)


def test_editors_see_each_reason_by_itself(digest, robotics):
    digest.picks[0]["why"] = [{"topic": robotics.pk, **ROBOT}, PHRASE, AUTHOR]
    assert items_of(digest, Shelf.for_digests([digest]))[0].reasons == (
        "your topic Robotics (it names “robot”)",
        "your keyword “protein folding”",
        "you follow Ana Unal",
    )


@given(words=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=2, max_size=80))
def test_no_words_of_a_reader_break_the_mail_or_become_markup(words, digest):
    digest.picks[0]["why"] = [{"phrase": words}, {"author": words}]
    text, html = parts(wire(digest))
    assert f"your keyword “{escape(words)}”" in html.replace("\r\n", "\n")
    assert "Unsubscribe" in text


@pytest.mark.parametrize(
    ("days", "line"),
    [
        ([date(2026, 3, 16), date(2026, 3, 20)], "16 to 20 March 2026"),
        ([date(2026, 3, 30), date(2026, 4, 3)], "30 March to 3 April 2026"),
        ([date(2025, 12, 30), date(2026, 1, 2)], "30 December 2025 to 2 January 2026"),
    ],
)
def test_days_are_said_as_people_say_them(days, line):
    assert days_in_words(days) == line


def test_a_digest_of_several_editions_says_which_days_it_covers(digest):
    for body in parts(wire(digest)):
        assert "10 papers for Friday 20 March 2026" in body
        assert "In order of trend, upvotes counted 07:00 UTC." in body
    for back, state in ((4, "approved"), (1, "closed"), (6, "draft"), (9, "approved")):
        make_edition([], digest.day - timedelta(days=back), state=state)
    digest.content_from = digest.day - timedelta(days=7)
    for body in parts(wire(digest)):
        assert "10 papers of 16 to 20 March 2026" in body


def test_only_the_first_digest_after_a_pause_says_that_it_has_ended(digest):
    said = "Your pause ended on Thursday 19 March 2026, and your digests go on."
    reader = digest.subscriber
    assert said not in " ".join(parts(wire(digest))[0].split())
    reader.paused_until = NOW - timedelta(hours=20)
    reader.save()
    before = make_digest(
        reader, [], state="accepted", day=digest.day - timedelta(days=9), due_at=NOW - timedelta(days=9)
    )
    for body in parts(wire(digest)):
        assert said in " ".join(body.split())
    before.due_at = NOW - timedelta(hours=19)
    before.save()
    assert said not in " ".join(parts(wire(digest))[0].split())
    Digest.objects.filter(pk=before.pk).update(state="skipped")
    assert said in " ".join(parts(wire(digest))[0].split()), "a skip told the reader nothing"
    reader.paused_until = NOW + timedelta(days=3)
    reader.save()
    assert "pause ended" not in " ".join(parts(wire(digest))[0].split())


def offers(digest):
    """{words: address} of the links of both parts: the same in both, no words twice with different addresses."""
    text, html = parts(wire(digest))
    links: dict[str, str] = {}
    for address, words in re.findall(r'<a [^>]*href="([^"]+)"[^>]*>([^<]+)</a>', html):
        assert links.setdefault(unescape(" ".join(words.split())), address) == address
    for words, address in re.findall(r"^([A-Z][^:\n]*):\s+(https://\S+)$", text, re.MULTILINE):
        assert links.get(words, address) == address
    return links


def test_every_digest_offers_less_without_a_login(digest, robotics, speech):
    digest.picks[1]["why"] = [{"topic": robotics.pk, **ROBOT}, {"topic": speech.pk, **ROBOT}, PHRASE]
    digest.save()
    links = offers(digest)
    ends = {words: links[words].rpartition("/r/")[2].partition("/")[2] for words in links if "/r/" in links[words]}
    assert ends == {
        "Change topics or frequency": "preferences/",
        "Fewer papers": "fewer/",
        "Weekly instead": "weekly/",
        "Pause": "pause/",
        "Mute Robotics": f"mute/{robotics.pk}/",
        "Mute Speech": f"mute/{speech.pk}/",
        "Your last 14 days": "",
    }
    text, _ = parts(wire(digest))
    for words, address in links.items():
        if "/r/" in address:
            assert f"{words}:\n{address}\n" in text.replace("\r\n", "\n")
    assert list(re.findall(r"^(\w[^:\n]*):$", text, re.MULTILINE))[-1] == "Unsubscribe"


def test_only_what_can_still_be_less_is_offered_and_few_topics_to_mute(digest):
    reader = digest.subscriber
    reader.paper_limit, reader.weekdays = 5, 1
    reader.save()
    topics = [Topic.objects.create(slug=f"t{n}", name=f"Topic {n}", description="x") for n in range(5)]
    for chosen, topic in zip(digest.picks, topics, strict=False):
        chosen["why"] = [{"topic": topic.pk, **ROBOT}]
    digest.save()
    links = offers(digest)
    assert "Fewer papers" not in links
    assert "Weekly instead" not in links
    assert [words for words in links if words.startswith("Mute")] == ["Mute Topic 0", "Mute Topic 1", "Mute Topic 2"]


def test_a_topic_is_offered_to_mute_only_where_it_is_a_reason_in_this_mail(digest, robotics):
    message = digest_message(
        digest, digest.subscriber, Shelf.for_digests([digest]), now=NOW, without=[p["paper"] for p in digest.picks[1:]]
    )
    assert "Mute Robotics" in message.body
    digest.picks = [{**p, "why": []} for p in digest.picks]
    assert "Mute" not in parts(wire(digest))[0]


def test_who_wants_plain_text_gets_no_html_and_no_mail_loads_a_picture(digest):
    assert "<img" not in parts(wire(digest))[1]
    digest.subscriber.text_only = True
    mail = wire(digest)
    assert mail.get_content_type() == "text/plain"
    assert "Fewer papers" in mail.get_content()


def test_what_a_chunk_of_mails_is_made_of_costs_the_same_for_one_and_for_sixty(digest, django_assert_num_queries):
    papers = [make_paper(1000)]
    digests = [make_digest(make_reader(f"r{n}", paused_until=NOW - timedelta(days=1)), papers) for n in range(60)]
    with django_assert_num_queries(5):
        assert len(Shelf.for_digests(digests).after_pause) == 60
