from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission

from digest import editions
from digest.models import Paper, SourceRun
from tests.conftest import NOW, TODAY, make_paper
from tests.digest.test_admin import add, stopped_clock  # noqa: F401 - a fixture


def act(client, action, *papers, **values):
    """Press an action of the list of papers, as a browser does."""
    data = {"action": action, "_selected_action": [p.pk for p in papers], **values}
    return client.post("/admin/digest/paper/", data, follow=True)


def test_two_papers_are_merged_and_taken_apart_and_the_history_says_by_whom(admin_client):
    one, two = make_paper(1), make_paper(2, "The same study")
    assert "different arXiv ids" in act(admin_client, "merge", one, two).content.decode()
    assert not Paper.objects.exclude(merged_into=None).exists()
    answer = act(admin_client, "merge", one, two, reason="sent in twice")
    assert "One work now" in answer.content.decode()
    two.refresh_from_db()
    assert (two.merged_into, two.merged_by) == (one, "admin")
    page = admin_client.get(f"/admin/digest/paper/{one.pk}/change/").content.decode()
    assert "Stands also for" in page
    assert "The same study" in page
    page = admin_client.get(f"/admin/digest/paper/{two.pk}/change/").content.decode()
    assert "Merged into" in page
    assert LogEntry.objects.filter(object_id=two.pk, change_message__contains="Merged into").exists()
    assert "The same study" in admin_client.get("/admin/digest/paper/?merged=yes").content.decode()
    act(admin_client, "take_apart", one)
    two.refresh_from_db()
    assert two.merged_into is None


def test_one_paper_alone_cannot_be_merged_and_the_page_says_what_to_do(admin_client):
    assert "Choose at least two papers" in act(admin_client, "merge", make_paper(1)).content.decode()


def test_an_editor_overrules_a_withdrawal(admin_client):
    paper = make_paper(1, withdrawn_at=NOW)
    act(admin_client, "not_withdrawn", paper)
    paper.refresh_from_db()
    assert (paper.withdrawn_at, paper.edited) == (None, ["withdrawn_at"])


def test_who_may_only_look_merges_nothing(client, django_user_model):
    user = django_user_model.objects.create_user("looker", password="a-long-password", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_paper"))
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    act(client, "merge", make_paper(1), make_paper(2))
    assert not Paper.objects.exclude(merged_into=None).exists()


def test_a_paper_by_hand_is_recognised_by_its_title_first_author_and_year(admin_client):
    add(admin_client, title="Robots that fold shirts", authors="Ana Exemplar", featured_on="2026-03-20")
    known = Paper.objects.get()
    answer = add(
        admin_client, title="Robots That Fold Shirts!", authors="A. Exemplar", doi="10.1000/1", featured_on="2026-03-20"
    )
    assert f"/admin/digest/paper/{known.pk}/change/" in answer.content.decode()
    assert Paper.objects.count() == 1


def test_the_strip_shows_a_word_for_each_source_and_day(admin_client, settings):
    settings.SOURCES = ["huggingface", "arxiv_rss"]
    run = SourceRun.objects.create(
        source="huggingface",
        day=TODAY,
        state="stalled",
        reason="the list: still the papers of an earlier day",
        started_at=NOW,
        finished_at=NOW,
        received=7,
    )
    page = admin_client.get("/admin/digest/sourcerun/").content.decode()
    assert f'<a href="/admin/digest/sourcerun/{run.pk}/change/">stalled</a>' in page
    assert "7 papers" in page
    assert "still the papers of an earlier day" in page
    assert page.count("not read") == 13


def test_an_entry_says_in_words_what_its_score_is_made_of(admin_client):
    make_paper(12)
    edition = editions.draft(TODAY, NOW)
    page = admin_client.get(f"/admin/digest/edition/{edition.pk}/change/").content.decode()
    assert "12 upvotes" in page
    assert "= 2.56" in page
    page = admin_client.get(f"/admin/digest/paper/{Paper.objects.get().pk}/change/").content.decode()
    assert "Trend now: 12 upvotes" in page
