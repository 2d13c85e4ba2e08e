"""Whoever looks at the admin changes nothing: every page of it, and the database before and after."""

import pytest
from django.contrib import admin
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from digest import feedback, profiles
from subscriptions import letters, privacy
from subscriptions.models import Breaker, Budget, MailEvent, SignupRequest, Subscriber, Suppression
from tests.conftest import NOW, make_digest, make_edition, make_paper, make_reader
from tests.subscriptions.doors import everything, take_clock

pytestmark = [pytest.mark.django_db, pytest.mark.long]


@pytest.fixture
def world(robotics, monkeypatch, nudges):
    """A row of every kind that the admin lists, as far as a test can make one."""
    take_clock(monkeypatch, NOW)
    reader = make_reader("reader", robotics)
    papers = [make_paper(n) for n in range(1, 4)]
    edition = make_edition(papers)
    make_digest(reader, papers, state="uncertain")
    make_digest(make_reader("other"), papers, state="accepted", day=NOW.date())
    feedback.say(reader.pk, papers[0], "more", NOW)
    letters.ask(SignupRequest.Kind.LINK, reader.email, NOW, subscriber=reader)
    Suppression.objects.create(email_hash=reader.email_hash, reason="complaint", created_at=NOW)
    Budget.objects.create(kind="site", key="", minute=NOW, granted=1)
    Breaker.objects.create(is_open=True, opened_at=NOW, reason="nobody confirms")
    MailEvent.objects.create(
        esp="Postmark", kind="bounced", received_at=NOW, dedupe_key="1", at=NOW, email_hash=reader.email_hash
    )
    profiles.renew(NOW, force=True)
    return reader, edition


def sessions():
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM django_session ORDER BY session_key")
        return cursor.fetchall()


def admin_pages():
    """The path of every page of the admin: of lists and forms, and of our own views, for each row that there is."""
    rows = {model: list(model._default_manager.values_list("pk", flat=True)[:2]) for model in admin.site._registry}
    yield from (reverse("admin:app_list", args=[label]) for label in {model._meta.app_label for model in rows})
    for pattern in get_resolver().url_patterns[0].url_patterns:
        if isinstance(pattern, URLPattern):
            if pattern.name and not pattern.pattern.converters and pattern.name not in {"logout", "app_list"}:
                yield reverse(f"admin:{pattern.name}")
            continue
        for own in pattern.url_patterns:
            model = next(
                (m for m in rows if str(pattern.pattern) == f"{m._meta.app_label}/{m._meta.model_name}/"), None
            )
            names = list(own.pattern.converters)
            if own.name is None or model is None:
                continue
            for pk in rows[model] if names else [None]:
                yield reverse(f"admin:{own.name}", args=[pk] if names else [])


def test_no_page_of_the_admin_writes_a_row_when_it_is_looked_at(admin_client, world):
    admin_client.raise_request_exception = False
    admin_client.get("/admin/")
    before, at_login = everything(), sessions()
    last_login = User.objects.get().last_login
    walked = []
    for path in list(admin_pages()):
        for query in ("", "?q=reader+1", "?o=1&p=0", "?e=1"):
            answer = admin_client.get(path + query)
            assert answer.status_code < 500, path
            walked.append((path, answer.status_code))
            assert everything() == before, path + query
            assert sessions() == at_login, path + query
    assert sum(status == 200 for _, status in walked) > 100
    assert User.objects.get().last_login == last_login
    for path in {path for path, _ in walked}:
        Client().get(path)
    assert everything() == before
    assert sessions() == at_login


def test_the_one_page_that_notes_who_looked_says_so_before_and_after(admin_client, world):
    reader, edition = world
    asked = admin_client.get(reverse("admin:digest_edition_preview", args=[edition.pk])).content.decode()
    assert "It is noted in the reader’s history." in asked
    before = everything()
    shown = admin_client.get(reverse("admin:digest_edition_mail", args=[edition.pk]), {"reader": reader.pk})
    assert "That you looked is noted in the reader’s history." in shown.content.decode()
    after = everything()
    assert {table for table in after if after[table] != before[table]} == {"django_admin_log"}
    shown = admin_client.get(reverse("admin:digest_edition_mail", args=[edition.pk]), {"papers": "5"})
    assert "noted" not in shown.content.decode()


def test_what_editors_did_with_a_reader_goes_with_the_reader(admin_client, world):
    reader, edition = world
    other = Subscriber.objects.exclude(pk=reader.pk).get()
    for one in (reader, other):
        admin_client.get(reverse("admin:digest_edition_mail", args=[edition.pk]), {"reader": one.pk})
    LogEntry.objects.log_actions(User.objects.get().pk, [edition], 2, "Held.")
    assert LogEntry.objects.count() == 3
    assert privacy.erase(reader.pk, NOW)
    assert sorted(LogEntry.objects.values_list("object_repr", flat=True)) == sorted([str(edition), str(other)])
    assert not any(f"reader {reader.pk}'" in row for rows in everything().values() for row in rows)


def test_that_a_reader_was_erased_by_an_editor_stays_by_number(admin_client, world):
    reader, _ = world
    path = reverse("admin:subscriptions_subscriber_changelist")
    answer = admin_client.post(path, {"action": "erase", "_selected_action": reader.pk, "sure": "1"})
    assert answer.status_code == 302
    assert not Subscriber.objects.filter(pk=reader.pk).exists()
    entry = LogEntry.objects.get()
    assert (entry.action_flag, entry.object_repr, entry.change_message) == (DELETION, f"reader {reader.pk}", "Erased.")
