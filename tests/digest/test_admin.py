from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from digest.admin.entries import placed
from digest.models import Digest, Edition, EditionPaper, Paper, Sighting, Signal, SourceRun
from subscriptions import clock
from subscriptions.models import Interest, Topic
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper, make_reader

pytestmark = pytest.mark.django_db
MODELS = ["paper", "edition", "digest", "sourcerun", "topic"]


@pytest.fixture(autouse=True)
def stopped_clock(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def staff(client):
    def log_in(*permissions):
        user = User.objects.create_user("ana", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client.force_login(user)
        return client

    return log_in


def fill(number):
    """So many rows of everything."""
    start = Paper.objects.count()
    for n in range(start, start + number):
        day = TODAY - timedelta(days=n)
        paper = make_paper(n, day=day)
        make_edition([paper], day)
        make_digest(make_reader(f"reader{n}"), [paper])
        topic = Topic.objects.create(slug=f"topic{n}", name=f"Topic {n}", terms=["robot"])
        Interest.objects.create(subscriber=make_reader(f"fan{n}"), topic=topic)
        rejected = [{"reason": "no title", "record": {"id": n}}]
        SourceRun.objects.create(source="sample", day=day, state="fresh", started_at=NOW, rejected=rejected)
        Sighting.objects.create(
            paper=paper, source="sample", source_key=str(n), first_seen_at=NOW, last_seen_at=NOW, raw={"a": n}
        )
        Signal.objects.create(paper=paper, hour=NOW, upvotes=n)


def path_of(model, view="changelist", *args):
    app = "subscriptions" if model == "topic" else "digest"
    return reverse(f"admin:{app}_{model}_{view}", args=args)


def newest(model):
    return apps.get_model("subscriptions" if model == "topic" else "digest", model)._default_manager.latest("pk")


def queries(client, path):
    with CaptureQueriesContext(connection) as seen:
        assert client.get(path).status_code == 200
    return [query["sql"] for query in seen.captured_queries]


@pytest.mark.parametrize("model", MODELS)
def test_a_list_asks_the_same_number_of_queries_for_5_and_for_60_rows(admin_client, model):
    fill(5)
    few = queries(admin_client, path_of(model))
    fill(55)
    many = queries(admin_client, path_of(model))
    assert len(many) == len(few)
    assert len(many) <= 9


@pytest.mark.parametrize("model", MODELS)
def test_no_list_counts_a_whole_table(admin_client, model):
    fill(2)
    counts = [sql for sql in queries(admin_client, path_of(model)) if sql.startswith("SELECT COUNT")]
    assert counts
    assert all("LIMIT 10001" in sql for sql in counts)


@pytest.mark.parametrize("model", MODELS)
def test_a_page_opens_in_a_few_queries(admin_client, model):
    fill(60)
    assert len(queries(admin_client, path_of(model, "change", newest(model).pk))) <= 14


@pytest.mark.parametrize("model", MODELS)
def test_a_search_answers(admin_client, model):
    fill(2)
    for words in ("robot", "2603.00001", "1", "%", "reader 99999999999999999999"):
        assert admin_client.get(path_of(model), {"q": words}).status_code == 200


@pytest.mark.parametrize("model", ["digest", "sourcerun"])
def test_what_the_machine_makes_nobody_adds_changes_or_deletes(admin_client, model):
    fill(1)
    pk = newest(model).pk
    assert admin_client.get(path_of(model, "add")).status_code == 403
    assert admin_client.get(path_of(model, "delete", pk)).status_code == 403
    assert admin_client.post(path_of(model, "change", pk), {"state": "failed"}).status_code == 403


def test_a_list_says_more_than_where_it_stopped_counting(admin_client, monkeypatch):
    monkeypatch.setattr("subscriptions.admin.BoundedPaginator.BOUND", 2)
    fill(3)
    assert "more than 2 papers" in " ".join(admin_client.get(path_of("paper")).content.decode().split())


# --- Papers ---------------------------------------------------------------------------------------

NAMES = (
    "title authors arxiv_id doi abstract blurb categories keywords code_url project_url featured_on "
    "announced_on submitted_at"
)
EMPTY = dict.fromkeys(NAMES.split(), "")


def add(client, **values):
    return client.post(path_of("paper", "add"), {**EMPTY, **values})


def test_a_paper_is_added_by_hand_with_its_key_and_the_order_of_its_authors(admin_client):
    answer = add(
        admin_client,
        title="A  paper\u200b of ours",
        authors="Zoe Last\r\n\r\nAna First\r\n",
        arxiv_id="https://arxiv.org/abs/2604.14268v2",
        categories="cs.CL\ncs.AI",
        blurb="Read it.",
        featured_on="2026-03-20",
    )
    assert answer.status_code == 302
    paper = Paper.objects.get()
    assert (paper.key, paper.arxiv_id, paper.title) == ("arxiv:2604.14268", "2604.14268", "A paper of ours")
    assert (paper.authors, paper.categories) == (["Zoe Last", "Ana First"], ["cs.CL", "cs.AI"])
    assert (paper.blurb_origin, paper.first_seen_at) == (Paper.Origin.EDITOR, NOW)


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"doi": "https://doi.org/10.1000/ABC"}, "doi:10.1000/abc"),
        ({"doi": "10.48550/arXiv.2604.14268"}, "arxiv:2604.14268"),
        ({"featured_on": "2026-03-20"}, "title:"),
    ],
)
def test_a_paper_without_an_arxiv_id_gets_the_key_that_a_source_would_give_it(admin_client, values, key):
    add(admin_client, title="A paper about robots", authors="Ana Exemplar", **values)
    assert Paper.objects.get().key.startswith(key)


def test_a_paper_that_is_here_already_is_refused_with_its_link(admin_client):
    known = make_paper(7, "Known <already>")
    page = add(admin_client, title="Again", arxiv_id="2603.00007").content.decode()
    assert f'This paper is here already: <a href="{path_of("paper", "change", known.pk)}">Known &lt;already&gt;' in page
    assert Paper.objects.count() == 1


@pytest.mark.parametrize("values", [{"arxiv_id": "26.1"}, {"doi": "ten"}, {"title": "\u200b"}])
def test_what_is_no_id_and_no_title_is_refused(admin_client, values):
    assert "errorlist" in add(admin_client, **{"title": "A paper", **values}).content.decode()
    assert not Paper.objects.exists()


def test_a_blurb_by_hand_is_the_editors_and_an_emptied_one_is_not(admin_client):
    paper = make_paper(1, blurb="From a source.", blurb_origin=Paper.Origin.AI)
    values = {
        **EMPTY,
        "title": paper.title,
        "authors": "Ana Exemplar\nBo Sample",
        "featured_on": "2026-03-20",
    }
    values |= {"categories": "cs.RO", "abstract": paper.abstract}
    admin_client.post(path_of("paper", "change", paper.pk), {**values, "blurb": "From a source."})
    paper.refresh_from_db()
    assert paper.blurb_origin == Paper.Origin.AI
    admin_client.post(path_of("paper", "change", paper.pk), {**values, "blurb": "Mine."})
    paper.refresh_from_db()
    assert (paper.blurb, paper.blurb_origin, paper.arxiv_id) == ("Mine.", Paper.Origin.EDITOR, "2603.00001")
    admin_client.post(path_of("paper", "change", paper.pk), {**values, "blurb": ""})
    paper.refresh_from_db()
    assert (paper.blurb, paper.blurb_origin) == ("", Paper.Origin.ABSTRACT)


def test_papers_are_hidden_with_a_reason_and_shown_again(admin_client):
    paper = make_paper(1)
    act = {"_selected_action": [paper.pk], "action": "hide"}
    assert "Write a reason" in admin_client.post(path_of("paper"), act, follow=True).content.decode()
    admin_client.post(path_of("paper"), {**act, "reason": "an advert"})
    paper.refresh_from_db()
    assert (paper.hidden_at, paper.hidden_reason) == (NOW, "an advert")
    assert list(admin_client.get(path_of("paper"), {"hidden": "no"}).context["cl"].result_list) == []
    admin_client.post(path_of("paper"), {**act, "action": "show"})
    paper.refresh_from_db()
    assert (paper.hidden_at, paper.hidden_reason) == (None, "")
    assert LogEntry.objects.count() == 2


# --- Topics and runs ------------------------------------------------------------------------------


def test_a_topic_shows_todays_matches_and_why(admin_client, robotics):
    make_edition([make_paper(1, "A robot"), make_paper(2, "A poem", categories=["cs.CL"])], state="draft")
    page = admin_client.get(path_of("topic", "change", robotics.pk)).content.decode()
    assert "1 of 2 papers" in " ".join(page.split())
    assert "It names &quot;robot&quot;, and is listed in cs.RO." in page
    assert "A poem" not in page


def test_a_topics_lists_are_edited_a_line_each(admin_client, robotics):
    path = path_of("topic", "change", robotics.pk)
    assert ">\nrobot</textarea>" in admin_client.get(path).content.decode()
    values = {
        "name": "Robotics",
        "slug": "robotics",
        "description": "Robots.",
        "position": 1,
        "offered": "on",
    }
    admin_client.post(path, {**values, "categories": "cs.RO", "terms": "robot\r\nhumanoid\r\n\r\nrobot\r\n"})
    robotics.refresh_from_db()
    assert (robotics.terms, robotics.categories) == (["robot", "humanoid"], ["cs.RO"])


def test_a_topic_tells_its_readers(admin_client, robotics, speech):
    make_reader("one", robotics)
    make_reader("two", robotics)
    rows = admin_client.get(path_of("topic")).context["cl"].result_list
    assert {row.slug: row.readers for row in rows} == {"robotics": 2, "speech": None}


def test_a_run_shows_what_it_refused(admin_client):
    fill(1)
    page = admin_client.get(path_of("sourcerun", "change", newest("sourcerun").pk)).content.decode()
    assert "no title" in page
    assert "&quot;id&quot;: 0" in page


# --- Digests --------------------------------------------------------------------------------------


def test_a_digest_says_why_each_paper_is_in_it_and_names_no_address(admin_client, robotics):
    reader, paper = make_reader("secret", robotics), make_paper(1)
    why = [{"topic": robotics.pk, "terms": ["robot"], "category": ""}]
    digest = make_digest(reader, [], state="accepted", accepted_at=NOW)
    Digest.objects.update(picks=[{"paper": paper.pk, "place": 1, "why": why}])
    for path in (path_of("digest"), path_of("digest", "change", digest.pk)):
        page = admin_client.get(path).content.decode()
        assert f"reader {reader.pk}" in page
        assert "secret" not in page
    assert "Robotics (it names “robot”)" in page


def test_the_digests_of_a_day_begin_with_their_sum(admin_client):
    papers = [make_paper(1)]
    make_digest(make_reader("a"), papers, state="accepted")
    make_digest(make_reader("b"), [], state="skipped", reason="no match in your topics")
    make_digest(make_reader("c"), papers)
    page = admin_client.get(path_of("digest"), {"day": "2026-03-20"}).content.decode()
    assert "2026-03-20: 3 planned = 1 accepted + 1 skipped + 1 to go" in page
    assert "1 skipped: no match in your topics" in page
    assert admin_client.get(path_of("digest"), {"day": "2026-03-19"}).context["cl"].result_count == 0
    assert admin_client.get(path_of("digest"), {"day": "soon"}).status_code == 302


def test_a_digest_is_found_by_its_number_and_by_its_readers(admin_client):
    digest = make_digest(make_reader("a"), [])
    for words in (f"{digest.pk}", f"digest {digest.pk}", f"reader {digest.subscriber_id}"):
        assert admin_client.get(path_of("digest"), {"q": words}).context["cl"].result_count == 1
    assert admin_client.get(path_of("digest"), {"q": "a@example.org"}).context["cl"].result_count == 0


def test_the_preview_is_the_mail_with_links_that_do_nothing(admin_client, client):
    digest = make_digest(make_reader("secret"), [make_paper(1, "A fine paper")])
    answer = admin_client.get(path_of("digest", "preview", digest.pk))
    page = answer.content.decode()
    assert "A fine paper" in page
    assert "secret" not in page
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    manage = next(part for part in page.split('"') if "/r/" in part)
    assert client.get(manage[manage.index("/r/") :]).status_code == 404


def test_a_digest_without_papers_or_reader_has_no_preview(admin_client):
    empty, erased = make_digest(make_reader("a"), []), make_digest(None, [make_paper(1)])
    for digest in (empty, erased):
        assert admin_client.get(path_of("digest", "preview", digest.pk)).status_code == 404
        assert admin_client.get(path_of("digest", "change", digest.pk)).status_code == 200


def test_the_preview_needs_the_permission_to_view(staff):
    digest = make_digest(make_reader("a"), [make_paper(1)])
    assert staff("view_paper").get(path_of("digest", "preview", digest.pk)).status_code == 403


# --- Editions -------------------------------------------------------------------------------------


@pytest.fixture
def edition():
    return make_edition([make_paper(1, "A"), make_paper(2, "B"), make_paper(3, "C")], state="draft")


def form_of(edition, **changes):
    """What a browser sends back: every field, what it showed, and the ``changes`` of a paper by its title."""
    values = {}
    for entry in edition.entries.select_related("paper"):
        shown = {name: getattr(entry, name) for name in ("position", "pinned", "hidden", "hidden_reason", "blurb")}
        for name, value in shown.items():
            values[f"initial-entry-{entry.pk}-{name}"] = str(value)
            new = changes.get(entry.paper.title, {}).get(name, value)
            if new is not False:
                values[f"entry-{entry.pk}-{name}"] = "on" if new is True else str(new)
    return values


def order(edition):
    return "".join(edition.entries.values_list("paper__title", flat=True))


def save(client, edition, **changes):
    return client.post(path_of("edition", "change", edition.pk), form_of(edition, **changes))


def test_what_the_page_sends_back_unchanged_changes_nothing(admin_client, edition):
    answer = admin_client.post(path_of("edition", "change", edition.pk), form_of(edition), follow=True)
    assert "Nothing was changed" in answer.content.decode()
    assert not LogEntry.objects.exists()


def test_pin_hide_order_and_blurb_are_saved_and_logged(admin_client, edition):
    changes = {
        "C": {"pinned": True, "blurb": " Read \u200b this. "},
        "A": {"hidden": True, "hidden_reason": "an advert"},
    }
    assert save(admin_client, edition, **changes).status_code == 302
    assert order(edition) == "CAB"
    assert list(edition.entries.values_list("position", flat=True)) == [1, 2, 3]
    pinned, hidden = edition.entries.get(paper__title="C"), edition.entries.get(paper__title="A")
    assert (pinned.pinned, pinned.blurb) == (True, "Read this.")
    assert (hidden.hidden, hidden.hidden_reason) == (True, "an advert")
    assert "arxiv:2603.00003 pinned: False -> True" in LogEntry.objects.get().change_message
    save(admin_client, edition, A={"hidden": False})
    assert not edition.entries.exclude(hidden_reason="").exists()


@pytest.mark.parametrize(
    ("letter", "number", "after"), [("C", 1, "CAB"), ("A", 3, "BCA"), ("A", 2, "BAC"), ("A", 99, "BCA")]
)
def test_a_paper_goes_to_the_number_it_is_given(admin_client, edition, letter, number, after):
    save(admin_client, edition, **{letter: {"position": number}})
    assert order(edition) == after


def test_pinned_papers_come_first_whatever_number_another_is_given():
    assert placed([1, 2, 3, 4], {4: 1}, {3}) == [3, 4, 1, 2]
    assert placed([1, 2, 3, 4], {4: 1, 3: 1}, set()) == [4, 3, 1, 2]
    assert placed([1, 2, 3, 4], {}, {2, 4}) == [2, 4, 1, 3]


def test_two_editors_at_once_both_keep_their_work(admin_client, edition):
    first, second = (
        form_of(edition, A={"blurb": "First."}),
        form_of(edition, A={"pinned": True}, B={"blurb": "B."}),
    )
    for values in (first, second):
        admin_client.post(path_of("edition", "change", edition.pk), values)
    entry = edition.entries.get(paper__title="A")
    assert (entry.blurb, entry.pinned) == ("First.", True)


def test_a_paper_that_came_in_meanwhile_keeps_its_pin(admin_client, edition):
    values = form_of(edition, A={"blurb": "First."})
    EditionPaper.objects.create(edition=edition, paper=make_paper(4, "D"), position=4, pinned=True, blurb="D.")
    admin_client.post(path_of("edition", "change", edition.pk), values)
    entry = edition.entries.get(paper__title="D")
    assert (entry.pinned, entry.blurb) == (True, "D.")
    assert order(edition) == "DABC"


def test_a_row_with_an_error_saves_nothing_and_says_where(admin_client, edition):
    answer = save(admin_client, edition, A={"position": 0}, B={"blurb": "Fine."})
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert "Fine." in answer.content.decode()
    assert not edition.entries.exclude(blurb="").exists()


def test_fifty_papers_are_shown_and_saved_in_a_constant_number_of_queries(admin_client, robotics):
    edition = make_edition([make_paper(n) for n in range(50)])
    assert len(queries(admin_client, path_of("edition", "change", edition.pk))) <= 9
    with CaptureQueriesContext(connection) as seen:
        entry = edition.entries.first()
        values = {**form_of(edition), f"entry-{entry.pk}-position": "50"}
        assert admin_client.post(path_of("edition", "change", edition.pk), values).status_code == 302
    assert len(seen.captured_queries) <= 14


def test_every_control_of_a_row_has_a_label_that_names_its_paper(admin_client, edition):
    page = admin_client.get(path_of("edition", "change", edition.pk)).content.decode()
    for entry in edition.entries.all():
        for name in ("position", "pinned", "hidden", "hidden_reason", "blurb"):
            assert f'for="id_entry-{entry.pk}-{name}"' in page
    assert "style=" not in page


def test_a_closed_edition_can_be_read_only(admin_client, edition):
    Edition.objects.update(state="closed")
    page = admin_client.get(path_of("edition", "change", edition.pk)).content.decode()
    assert "<textarea" not in page
    assert "hold-reason" not in page
    assert save(admin_client, edition, A={"blurb": "Late."}).status_code == 403


def test_an_edition_that_is_not_there_is_not_found(admin_client):
    assert admin_client.get(path_of("edition", "change", 7)).status_code == 404


def decide(client, edition, what, **values):
    return client.post(path_of("edition", what, edition.pk), values, follow=True).content.decode()


def test_an_editor_with_the_permission_holds_releases_and_approves(staff, edition):
    Paper.objects.update(title="A study of robots")  # one letter is no name for a link
    client = staff("view_edition", "approve_edition")
    assert "Write why" in decide(client, edition, "hold")
    assert "held by ana" in decide(client, edition, "hold", reason="a wrong paper")
    assert "Release it first" in decide(client, edition, "approve")
    decide(client, edition, "release")
    page = decide(client, edition, "approve")
    edition.refresh_from_db()
    assert (edition.state, edition.approved_by, edition.approved_at, edition.held) == (
        "approved",
        "ana",
        NOW,
        False,
    )
    assert "Approved by ana" in page
    assert "approved already" in decide(client, edition, "approve")
    assert list(LogEntry.objects.order_by("pk").values_list("change_message", flat=True)) == [
        "Held: a wrong paper",
        "Released.",
        "Approved. Digests are planned within a minute.",
    ]


def test_an_edition_that_shows_nothing_is_not_approved(admin_client, edition):
    edition.entries.update(hidden=True)
    assert "shows no paper" in decide(admin_client, edition, "approve")
    edition.refresh_from_db()
    assert edition.state == "draft"


@pytest.mark.parametrize("what", ["approve", "hold", "release"])
def test_without_the_permission_nothing_is_decided(staff, edition, what):
    client = staff("view_edition", "change_edition")
    assert client.post(path_of("edition", what, edition.pk), {"reason": "x"}).status_code == 403
    assert "hold-reason" not in client.get(path_of("edition", "change", edition.pk)).content.decode()
    edition.refresh_from_db()
    assert (edition.state, edition.held) == ("draft", False)


def test_a_decision_is_a_post_with_a_token(admin_user, edition):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(admin_user)
    path = path_of("edition", "approve", edition.pk)
    assert strict.get(path).status_code == 405
    assert strict.post(path).status_code == 403


def test_without_the_permission_to_change_an_edition_is_only_shown(staff, edition):
    client = staff("view_edition")
    assert "<textarea" not in client.get(path_of("edition", "change", edition.pk)).content.decode()
    assert save(client, edition, A={"blurb": "No."}).status_code == 403
    assert staff_without(client, edition) == 403


def staff_without(client, edition):
    User.objects.get(username="ana").user_permissions.clear()
    return client.get(path_of("edition", "change", edition.pk)).status_code


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"day": TODAY + timedelta(days=1)}, "approves itself on 2026-03-21 at 06:00 UTC, in 23\xa0hours"),
        ({}, "waits for the sources"),
        ({"held": True}, "until it is released"),
        ({"state": "approved"}, "Readers see it"),
        ({"state": "closed"}, "stays as it is"),
    ],
)
def test_the_page_says_what_happens_next(admin_client, edition, fields, words):
    Edition.objects.update(**fields)
    assert words in admin_client.get(path_of("edition", "change", edition.pk)).content.decode()


def test_without_an_hour_the_edition_waits_for_an_editor(admin_client, edition, settings):
    settings.EDITION_APPROVE_AT = None
    assert "waits for an editor" in admin_client.get(path_of("edition", "change", edition.pk)).content.decode()
