"""What choices would have brought in the last days: before a sign-up and before saving."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from digest import planning, tryout
from digest.models import Digest, Edition, EditionPaper, Paper
from digest.preview import Profile
from digest.views.tryout import NO_MAIL
from subscriptions import links
from subscriptions.models import Budget, Interest
from tests.conftest import NOW, TODAY, make_edition, make_paper, make_reader
from tests.subscriptions.doors import everything, take_clock

pytestmark = pytest.mark.django_db
DAYS = [TODAY - timedelta(days=back) for back in (4, 3, 2, 1, 0)]
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    return take_clock(monkeypatch, NOW)


def papers_of(number, day):
    """Three papers of a day: on robots, on speech, on neither."""
    return [
        make_paper(10 * number + 1, f"A robot of day {number}", day=day, categories=["cs.RO"]),
        make_paper(10 * number + 2, f"Speech recognition of day {number}", day=day, categories=["eess.AS"]),
        make_paper(10 * number + 3, f"Protein folding of day {number}", day=day, categories=["q-bio"]),
    ]


@pytest.fixture
def week(robotics, speech):
    """Five editions; each shows also the papers of the day before, as trending ones are."""
    before: list[Paper] = []
    editions = []
    for number, day in enumerate(DAYS):
        own = papers_of(number, day)
        editions.append(make_edition([*own, *before], day))
        before = own
    return editions


def look(client, **query):
    """The public page."""
    return client.get(reverse("try-out") + "?" + urlencode(query, doseq=True))


def said(page):
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", page.content.decode()).split()))


def shown(page):
    """The titles of each day on a page, the newest day first."""
    sections = page.content.decode().split('<section aria-labelledby="day-')[1:]
    return [re.findall(r'class="tried-title"[^>]*><a[^>]*>([^<]+)</a>', section) for section in sections]


def filled(**more):
    """What a browser sends of a reader's settings."""
    return {"hour": "07:30", "zone": "UTC", "paper_limit": "10", "cadence": "daily", "days": list(range(7)), **more}


def own_page(reader, client, **more):
    return client.post(reverse("try-settings", args=[links.manage_token(reader, NOW)]), filled(**more))


# --- what is shown -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("only", [False, True])
def test_it_shows_what_planning_really_sent_a_reader_with_these_choices_day_by_day(robotics, speech, only, clock):
    before: list[Paper] = []
    sent = []
    reader = make_reader("real", speech, only_my_topics=only, due=NOW - timedelta(days=4, minutes=30))
    Interest.objects.create(subscriber=reader, kind="phrase", text="folding")
    Interest.objects.create(subscriber=reader, kind="muted word", text="robot")
    for number, day in enumerate(DAYS):
        own = papers_of(number, day)
        make_edition([*own, *before], day)
        before = own
        planning.plan_due(NOW - timedelta(days=4 - number))
        digest = Digest.objects.get(subscriber=reader, day=day)
        Digest.objects.filter(pk=digest.pk).update(state="accepted")
        sent.append((day, digest.picks, digest.reason))
    profile = Profile((speech.pk,), ("folding",), muted_words=("robot",), only_my_topics=only)
    found = tryout.last_digests(profile, NOW)
    assert [(digest.day, digest.picks, digest.reason) for digest in reversed(found)] == sent
    assert any(picks for _, picks, _ in sent)


def test_no_paper_comes_twice_in_no_row_of_its_work(week, robotics):
    twin = make_paper(77, "A robot of day 1 under another number", day=TODAY)
    first = Paper.objects.get(title="A robot of day 1")
    Paper.objects.filter(pk=twin.pk).update(merged_into=first)
    EditionPaper.objects.create(edition=week[-1], paper=twin, position=1, score=999)
    found = [pick["paper"] for digest in tryout.last_digests(Profile((robotics.pk,)), NOW) for pick in digest.picks]
    assert len(found) == len(set(found))
    assert first.pk in found
    assert twin.pk not in found


def test_a_page_shows_the_last_five_days_newest_first_each_paper_with_its_reason(week, client, robotics):
    make_edition([make_paper(99, "A robot of long ago", day=DAYS[0])], DAYS[0] - timedelta(days=1))
    page = look(client, topic="robotics", only="on")
    assert page.status_code == 200
    assert shown(page) == [[f"A robot of day {number}"] for number in (4, 3, 2, 1, 0)]
    assert said(page).count("Why you got this: your topic Robotics") == 5
    assert "About 1 paper a day in your topics. Counted on 5 days." in said(page)


def test_who_chooses_nothing_is_shown_the_popular_list_and_told_so(week, client):
    page = look(client)
    assert shown(page)[0] == ["A robot of day 4", "Speech recognition of day 4", "Protein folding of day 4"]
    assert "Nothing is chosen, so these are the most popular papers of each day." in said(page)
    assert "in your topics." not in said(page).partition("Your digests of the last days")[2]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"words": "no such thing", "only": "on"}, "No paper of these days is in your topics. Counted on 5 days."),
        ({"words": "of day 2"}, "Less than one paper a day in your topics. Counted on 5 days."),
        ({"topic": ["robotics", "speech"]}, "About 2 papers a day in your topics. Counted on 5 days."),
        ({"words": "day", "papers": "5"}, "About 3 papers a day in your topics. Counted on 5 days."),
    ],
)
def test_the_number_a_day_is_said_honestly(week, client, query, words):
    assert words in said(look(client, **query))


def test_a_number_that_the_limit_cuts_off_says_so(week, client):
    for edition, day in zip(week, DAYS, strict=True):
        for number in range(9):
            paper = make_paper(100 * day.day + number, "Quantum", day=day)
            EditionPaper.objects.create(edition=edition, paper=paper, position=number)
    cut = "That is as many as you want at most: there may be more."
    assert f"About 5 papers a day in your topics. Counted on 5 days. {cut}" in said(
        look(client, words="quantum", papers=5)
    )
    assert cut not in said(look(client, words="quantum", papers=10))


def test_a_day_without_mail_says_why(week, client):
    Edition.objects.filter(day=DAYS[3]).update(held=True)
    EditionPaper.objects.filter(edition__day=DAYS[2]).update(hidden=True)
    page = look(client, words="day 4", only="on")
    assert shown(page) == [
        ["A robot of day 4", "Speech recognition of day 4", "Protein folding of day 4"],
        [],
        [],
        [],
        [],
    ]
    reasons = re.findall(r'<p class="soft">(.*?)</p>', page.content.decode())
    held, no_match, nothing = (str(NO_MAIL[why]) for why in (planning.HELD, planning.NO_MATCH, planning.NO_EDITION))
    assert list(map(unescape, reasons)) == [held, no_match, no_match, no_match]
    assert "Counted on 4 days." in said(page), "a list that is held back says nothing of the topics"
    assert nothing in said(look(client)), "of a day whose papers are all hidden"


def test_fewer_days_are_counted_as_fewer_and_none_is_no_fault(client, robotics):
    page = look(client, topic="robotics")
    assert page.status_code == 200
    assert "The first list is being made: there is nothing to show yet." in said(page)
    make_edition([make_paper(1), make_paper(2)])
    assert "About 2 papers a day in your topics. Counted on 1 day." in said(look(client, topic="robotics"))
    Edition.objects.update(held=True)
    page = look(client, topic="robotics")
    assert shown(page) == [[]]
    assert "Counted on" not in said(page)


picks = st.lists(st.booleans(), max_size=20)


@given(st.lists(st.tuples(picks, st.booleans()), max_size=5))
def test_the_mean_counts_papers_with_a_reason_on_days_that_are_not_held(days):
    digests = [
        Digest(picks=[{"paper": 1, "why": [{}] * own} for own in wanted], reason=planning.HELD if held else "")
        for wanted, held in days
    ]
    mean, counted = tryout.a_day(digests)
    wanted = [sum(own) for own, held in days if not held]
    assert counted == len(wanted)
    assert mean * counted == pytest.approx(sum(wanted))


# --- odd input ---------------------------------------------------------------------------------------------------------


def test_five_hundred_topics_of_which_most_do_not_exist_cost_the_queries_of_one(week, client):
    look(client)  # what is read once a process
    costs = []
    for topics in (["robotics"], ["speech", *(f"topic-{n}" for n in range(499))]):
        with CaptureQueriesContext(connection) as asked:
            page = look(client, topic=topics)
        costs.append(len(asked))
        assert page.status_code == 200
    assert costs[0] == costs[1] < 25
    assert "499 topics of this link are not on offer, and left out." in said(page)
    assert "Speech recognition of day 4" in shown(page)[0]


@pytest.mark.parametrize("words", ["(a+)+$", "[a", "c++", ".*", "机器人 学习", "\u202eabc", "İstanbul", "a" * 80])
def test_any_keyword_is_text_and_no_pattern(week, client, words):
    page = look(client, words=words, only="on")
    assert page.status_code == 200
    assert all(day == [] for day in shown(page))
    assert page.context["form"]["words"].value() == words


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"words": "x" * 10_000}, "to 80 characters or fewer"),
        ({"words": "a\x00b"}, "Null characters are not allowed."),
        ({"words": "\n".join(f"line {n}" for n in range(51))}, "Enter at most 50 lines. There are 51"),
        ({"papers": "7"}, "Select a valid choice."),
    ],
)
def test_what_cannot_be_looked_for_is_said_and_nothing_typed_is_lost(week, client, query, words):
    page = look(client, topic="speech", **query)
    assert page.status_code == 422
    assert words in said(page)
    assert page.context["form"]["topic"].value() == ["speech"]
    assert all(page.context["form"][name].value() == value for name, value in query.items())
    assert shown(page) == []


def test_nulls_and_nonsense_in_every_field_are_no_fault(week, client):
    for name in ("topic", "words", "only", "papers", "unknown"):
        for value in ("\x00", "\ud7ff", "9" * 5000, "<script>", ""):
            page = look(client, **{name: value})
            assert page.status_code in {200, 422}, (name, value)
            assert "<script>" not in page.content.decode()


# --- remembered and limited ----------------------------------------------------------------------------------------------


def test_what_is_remembered_costs_no_board_and_is_forgotten_when_a_list_changes(week, client, monkeypatch):
    computed = []
    once = tryout.last_digests

    def counted(*given):
        computed.append(given)
        return once(*given)

    monkeypatch.setattr(tryout, "last_digests", counted)
    first = shown(look(client, topic="robotics"))
    assert shown(look(client, topic="robotics")) == first
    assert len(computed) == 1
    robot = Paper.objects.get(title="A robot of day 4")
    changes = [
        lambda: EditionPaper.objects.filter(paper=robot).update(hidden=True),
        lambda: Edition.objects.filter(day=TODAY).update(held=True),
        lambda: Edition.objects.filter(day=TODAY).update(held=False),
        lambda: Paper.objects.filter(title="A robot of day 3").update(withdrawn_at=NOW),
        lambda: make_edition([make_paper(50, "A robot of tomorrow")], TODAY + timedelta(days=1)),
    ]
    seen = [first]
    for number, change in enumerate(changes, start=2):
        change()
        seen.append(shown(look(client, topic="robotics")))
        assert seen[-1] != seen[-2]
        # Released again, the list is as it was before it was held: that answer is remembered still.
        assert len(computed) == number - (number > 3)


def test_equal_choices_share_an_answer_and_others_do_not(week, robotics, speech):
    keys = {
        tryout.key_of(Profile(**choice))
        for choice in (
            {},
            {"topics": (robotics.pk,)},
            {"topics": (speech.pk,)},
            {"muted_topics": (speech.pk,)},
            {"phrases": ("robot",)},
            {"authors": ("robot",)},
            {"muted_words": ("robot",)},
            {"papers": 5},
            {"only_my_topics": True},
        )
    }
    assert len(keys) == 9
    assert tryout.key_of(Profile((robotics.pk,))) == tryout.key_of(Profile((robotics.pk,)))


def test_a_network_that_asks_too_often_waits_and_keeps_its_choice(week, client, settings, clock):
    settings.PREVIEWS_PER_NETWORK = ((10 * MINUTE, 2), (timedelta(days=1), 3))
    before = everything()
    assert [look(client, words=f"robot {n}").status_code for n in range(3)] == [200, 200, 429]
    page = look(client, topic="speech", words="robot 9")
    assert (page.status_code, page["Retry-After"]) == (429, "600")
    assert page.context["form"]["topic"].value() == ["speech"]
    assert page.context["form"]["words"].value() == "robot 9"
    assert "Wait 10 minutes" in said(page)
    assert look(client, words="robot 1").status_code == 200, "what is remembered is free"
    elsewhere = Client(REMOTE_ADDR="198.51.100.7")
    assert look(elsewhere, words="robot 7").status_code == 200
    clock.push(minutes=10)
    assert [look(client, words=f"again {n}").status_code for n in range(2)] == [200, 429], "three a day"
    assert everything() == before, "a GET writes no row"


def test_a_reader_who_asks_too_often_is_counted_in_rows_and_can_still_save(week, client, settings, speech):
    settings.PREVIEWS_PER_NETWORK = ((10 * MINUTE, 1),)
    reader = make_reader()
    assert own_page(reader, client).status_code == 200
    assert own_page(reader, client).status_code == 200, "what is remembered is free"
    page = own_page(reader, client, topics=[speech.pk], phrases="one\r\ntwo")
    assert (page.status_code, page["Retry-After"]) == (429, "600")
    assert list(Budget.objects.values_list("kind", "granted", "refused")) == [("preview", 1, 1)]
    saved = client.post(reverse("preferences", args=[links.manage_token(reader, NOW)]), hidden_in(page))
    assert saved.status_code == 303
    assert set(reader.interests.values_list("kind", "text")) == {("topic", ""), ("phrase", "one"), ("phrase", "two")}


def test_a_cache_that_is_away_costs_time_and_no_page(week, client, settings):
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1"}
    }
    settings.PREVIEWS_PER_NETWORK = ((10 * MINUTE, 1),)
    assert [look(client, topic="robotics").status_code for _ in range(2)] == [200, 200]


# --- in the settings ---------------------------------------------------------------------------------------------------


def hidden_in(page):
    """The hidden fields that a browser would send of the form on the page."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.content.decode()):
        found.setdefault(name, []).append(unescape(value))
    return {name: values for name, values in found.items() if name != "csrfmiddlewaretoken"}


def test_settings_are_tried_out_as_they_were_filled_in_and_nothing_is_saved(week, client, robotics, speech):
    reader = make_reader("reader", robotics)
    before = everything()
    page = own_page(reader, client, topics=[speech.pk], authors="Bo Sample", muted_words="robot", only_my_topics="on")
    assert Budget.objects.all().delete()[0] == 1, "the guard counts"
    assert everything() == before, "that is all"
    assert shown(page)[0] == ["Speech recognition of day 4", "Protein folding of day 4"]
    assert "you follow Bo Sample" in said(page)
    assert not any("robot" in title for day in shown(page) for title in day)
    assert "Nothing is saved yet." in said(page)
    saved = client.post(reverse("preferences", args=[links.manage_token(reader, NOW)]), hidden_in(page))
    assert {"topics", "authors", "muted_words", "only_my_topics"} <= set(
        saved["Location"].partition("saved=")[2].split(".")
    )
    assert [i.topic for i in reader.interests.filter(kind="topic")] == [speech]


def test_back_to_the_settings_keeps_what_was_typed_and_saves_nothing(week, client, robotics, speech):
    reader = make_reader("reader", robotics)
    page = own_page(
        reader, client, topics=[speech.pk], phrases="one\r\ntwo", hour="09:45", cadence="weekly", weekly_day="2"
    )
    assert "A weekly digest holds the best of all its days" in said(page)
    before = everything()
    back = client.post(
        reverse("try-settings", args=[links.manage_token(reader, NOW)]), {**hidden_in(page), "back": "1"}
    )
    assert everything() == before
    assert back.status_code == 200
    form = back.context["form"]
    typed = {name: form[name].value() for name in ("topics", "hour", "cadence", "weekly_day")}
    assert typed == {"topics": [str(speech.pk)], "hour": "09:45", "cadence": "weekly", "weekly_day": "2"}
    assert form["phrases"].value().split() == ["one", "two"]
    assert not form.errors
    action = reverse("preferences", args=[links.manage_token(reader, NOW)])
    assert f'method="post" action="{action}"' in back.content.decode(), "Save goes to the settings"


def test_settings_with_a_fault_come_back_with_what_is_wrong(week, client):
    page = own_page(make_reader(), client, hour="noon", phrases="x" * 10_000)
    assert page.status_code == 422
    assert "Enter a time, like 07:30" in said(page)
    assert page.context["form"]["phrases"].value() == "x" * 10_000


def test_a_link_that_is_opened_leads_to_the_settings_and_a_forged_one_nowhere(week, client):
    reader = make_reader()
    token = links.manage_token(reader, NOW)
    opened = client.get(reverse("try-settings", args=[token]))
    assert (opened.status_code, opened["Location"]) == (303, reverse("preferences", args=[token]))
    assert client.post(reverse("try-settings", args=["nonsense"]), filled()).status_code == 404
    late = links.manage_token(reader, NOW - timedelta(days=31))
    assert client.post(reverse("try-settings", args=[late]), filled()).status_code == 410


def test_two_readers_with_the_same_choices_get_the_same_papers_and_no_link_of_each_other(week, client, speech):
    ana, bo = make_reader("ana"), make_reader("bo")
    pages = [own_page(reader, client, topics=[speech.pk]) for reader in (ana, bo)]
    assert shown(pages[0]) == shown(pages[1])
    assert Budget.objects.get(kind="preview").granted == 1, "the second was remembered"
    assert links.manage_token(ana, NOW) not in pages[1].content.decode()


def test_the_page_of_a_reader_is_as_closed_as_every_page_behind_a_link(week, client):
    page = own_page(make_reader(), client)
    assert "no-store" in page["Cache-Control"]
    assert page["X-Robots-Tag"] == "noindex"
    assert "script-src" not in page["Content-Security-Policy"]


# --- and the sign-up ---------------------------------------------------------------------------------------------------


def test_the_front_page_and_the_sign_up_page_lead_to_it(week, client):
    for name in ("today", "subscribe"):
        assert f'href="{reverse("try-out")}"' in client.get(reverse(name)).content.decode()


def test_the_sign_up_form_takes_the_choice_along(week, client, robotics, speech):
    page = look(client, topic=["speech", "robotics", "gone"], words="protein folding\r\nc++", only="on", papers="5")
    fields = hidden_in(page)
    assert set(fields["topic"]) == {"speech", "robotics", "gone"}
    assert fields["words"] == ["protein folding\r\nc++"]
    assert (fields["only"], fields["papers"]) == (["True"], ["5"])
    assert {"topic", "words"}.isdisjoint(hidden_in(look(client))), "of who chose nothing, nothing"
