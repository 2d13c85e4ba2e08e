from datetime import timedelta

import pytest
from django.urls import reverse

from digest.models import Digest
from subscriptions import clock, links
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper

pytestmark = pytest.mark.django_db


@pytest.fixture
def at_now(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)


def test_the_front_page_has_the_banner_the_form_and_todays_papers(client, at_now):
    make_edition([make_paper(214, "A robot study", authors=["Ana Exemplar"])])
    page = client.get("/").content.decode()
    for text in (
        "Get trending papers in your email inbox!",
        "Daily Papers",
        "A robot study",
        "Ana Exemplar",
        "214 upvotes",
    ):
        assert text in page
    assert f'action="{reverse("subscribe")}"' in page


def test_days_lead_to_each_other_and_a_draft_is_not_shown(client):
    yesterday, tomorrow = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
    make_edition([make_paper(1)], yesterday)
    make_edition([make_paper(2)])
    make_edition([make_paper(3)], tomorrow, state="draft")
    page = client.get(reverse("day", args=[TODAY])).content.decode()
    assert reverse("day", args=[yesterday]) in page
    assert reverse("day", args=[tomorrow]) not in page
    assert client.get(reverse("day", args=[tomorrow])).status_code == 404
    assert client.get("/days/2026-02-31/").status_code == 404


def test_an_empty_site_says_what_will_be_here(client):
    page = client.get("/")
    assert page.status_code == 200
    assert reverse("subscribe") in page.content.decode()


def test_hidden_and_withdrawn_papers_are_nowhere(client):
    shown, hidden, gone = (
        make_paper(1, "Shown one"),
        make_paper(2, "Hidden one"),
        make_paper(3, "Gone one", withdrawn_at=NOW),
    )
    make_edition([shown, hidden, gone]).entries.filter(paper=hidden).update(hidden=True)
    page = client.get("/").content.decode()
    assert "Shown one" in page
    assert "Hidden one" not in page
    assert "Gone one" not in page
    assert client.get(shown.get_absolute_url()).status_code == 200
    assert client.get(gone.get_absolute_url()).status_code == 404


def test_markup_in_a_paper_is_text_on_the_page(client):
    make_edition([make_paper(1, "<script>alert(1)</script>", abstract="<b onclick=x>")])
    page = client.get("/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_fifty_papers_cost_no_more_queries_than_five(client, django_assert_max_num_queries):
    make_edition([make_paper(n) for n in range(1, 51)])
    with django_assert_max_num_queries(8):
        client.get("/")


def test_every_page_has_a_policy_without_exceptions(client):
    policy = client.get("/")["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert client.get("/")["Referrer-Policy"] == "same-origin"


def test_a_reader_sees_the_next_digest_and_fourteen_days_with_reasons(client, confirmed, at_now):
    make_digest(confirmed, [make_paper(1)], state="accepted", day=TODAY - timedelta(days=1))
    make_digest(confirmed, [], state="skipped", reason="no match in your topics", day=TODAY - timedelta(days=2))
    make_digest(confirmed, [], state="failed", reason="older than fourteen days", day=TODAY - timedelta(days=15))
    page = client.get(reverse("reader", args=[links.manage_token(confirmed, NOW)]))
    text = page.content.decode()
    assert "no match in your topics" in text
    assert "no digest was due" in text
    assert "older than fourteen days" not in text
    assert confirmed.email not in text
    assert "no-store" in page["Cache-Control"]


def test_send_me_todays_now_plans_by_the_ordinary_path(
    client, confirmed, at_now, nudges, django_capture_on_commit_callbacks
):
    make_edition([make_paper(1)])
    path = reverse("send-now", args=[links.manage_token(confirmed, NOW)])
    assert client.get(path)["Location"] == reverse("reader", args=[path.split("/")[2]])
    assert not Digest.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(path)["Location"].endswith("?asked=planned")
    assert Digest.objects.get().state == "planned"
    assert ("digest.tasks.send_digests",) in nudges
    client.post(path)
    assert Digest.objects.count() == 1


def test_the_mailbox_is_for_the_demo_only_and_gives_no_other_file(client, settings, tmp_path):
    assert client.get("/mailbox/").status_code == 404
    settings.DEBUG, settings.EMAIL_FILE_PATH = True, tmp_path
    mail = b"Subject: Hi\nTo: a@example.org\nDate: Fri, 20 Mar 2026 07:00:00 +0000\nContent-Type: text/html\n\n<p>x</p>"
    (tmp_path / "digest-1-x.eml").write_bytes(mail)
    assert "Hi" in client.get("/mailbox/").content.decode()
    assert client.get("/mailbox/digest-1-x.eml/").status_code == 200
    shown = client.get("/mailbox/digest-1-x.eml/html/")
    assert "sandbox" in shown["Content-Security-Policy"]
    assert "script-src" not in shown["Content-Security-Policy"]
    assert client.get("/mailbox/..%2F..%2Fmanage.py/").status_code == 404


def test_health_says_what_is_wrong(client, settings):
    assert client.get("/healthz").json() == {"status": "ok"}
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["faults"][0].startswith("broker")
