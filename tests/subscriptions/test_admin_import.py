"""Readers from a file and into a file, in the admin."""

import csv
import logging
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from subscriptions import clock
from subscriptions.admin import files
from subscriptions.models import ConsentEvent, SignupRequest, Subscriber
from tests.conftest import NOW, make_reader

pytestmark = pytest.mark.django_db
HEADER = "email,consent_at,consent_where\n"
GOOD = HEADER + "secret1@example.org,2024-05-31T14:30:00Z,old list\nsecret2@example.org,,\n"
FAULTY = GOOD + "secret wrong,,\n"
IMPORT, EXPORT = (f"admin:subscriptions_subscriber_{what}" for what in ("import", "export"))


@pytest.fixture(autouse=True)
def stopped_clock(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)


def posted(client, content, **more):
    file = SimpleUploadedFile("secret-readers.csv", content.encode(), "text/csv")
    return client.post(reverse(IMPORT), {"file": file, **more})


def words_of(answer):
    return " ".join(answer.content.decode().split())


def checked(client, content):
    return posted(client, content).context["checked"]


def test_a_file_is_checked_first_and_then_imported(admin_client, admin_user):
    answer = posted(admin_client, GOOD)
    assert "1 new reader" in words_of(answer)
    assert "Import 2 rows" in words_of(answer)
    assert not Subscriber.objects.exists()
    done = posted(admin_client, GOOD, checked=answer.context["checked"])
    assert "Imported" in words_of(done)
    assert Subscriber.objects.get().email == "secret1@example.org"
    assert SignupRequest.objects.get().kind == "import"
    assert ConsentEvent.objects.filter(where=f"import by {admin_user.username}").exists()
    assert [entry.change_message for entry in LogEntry.objects.all()] == [
        "Imported from a file: 1 new reader, 1 asked to confirm."
    ]


def test_another_file_than_the_checked_one_is_refused_and_must_be_checked(admin_client):
    answer = posted(admin_client, GOOD + "other@example.org,,\n", checked=checked(admin_client, GOOD))
    assert answer.status_code == 422
    assert "another file" in words_of(answer)
    assert answer.context["checked"] == ""
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize("ticket", ["x", "x:y:z"])
def test_a_check_cannot_be_made_up(admin_client, ticket):
    assert posted(admin_client, GOOD, checked=ticket).status_code == 422
    assert not Subscriber.objects.exists()


def test_a_check_holds_for_an_hour(admin_client, monkeypatch):
    ticket = checked(admin_client, GOOD)
    monkeypatch.setattr(files, "CHECK_HOLDS", timedelta(seconds=-1))
    assert "more than an hour" in words_of(posted(admin_client, GOOD, checked=ticket))
    assert not Subscriber.objects.exists()


def test_faulty_rows_are_listed_and_the_second_step_leaves_them_out_and_says_so_before(admin_client):
    answer = posted(admin_client, FAULTY)
    for words in ("1 row with faults", "secret wrong", "Enter an email address", "without the faulty rows"):
        assert words in words_of(answer)
    posted(admin_client, FAULTY, checked=answer.context["checked"])
    assert Subscriber.objects.get().email == "secret1@example.org"


def test_a_check_of_a_file_without_faults_lets_no_fault_through_later(admin_client, robotics):
    content = "email,topics,consent_at,consent_where\nsecret1@example.org,robotics,2024-05-31,old list\n"
    ticket = checked(admin_client, content)
    robotics.delete()
    answer = posted(admin_client, content, checked=ticket)
    assert "1 row with faults" in words_of(answer)
    assert not Subscriber.objects.exists()


def test_where_nothing_can_be_imported_there_is_no_second_step(admin_client):
    make_reader("secret1")
    answer = posted(admin_client, HEADER + "secret1@example.org,,\n")
    assert "known already" in words_of(answer)
    assert answer.context["checked"] == ""


@pytest.mark.parametrize(
    ("content", "says"), [("", "first row is empty"), ("mail\nx\n", "Unknown columns"), ('email\n"x\n', "double quote")]
)
def test_what_is_no_list_of_readers_says_what_to_do(admin_client, content, says):
    answer = posted(admin_client, content)
    assert answer.status_code == 422
    assert says in words_of(answer)


def test_no_file_and_too_large_a_file_say_what_to_do(admin_client, monkeypatch):
    assert "Choose a file" in words_of(admin_client.post(reverse(IMPORT)))
    monkeypatch.setattr(files, "LARGEST", 10)
    assert "import_subscribers" in words_of(posted(admin_client, GOOD))


@pytest.mark.parametrize("content", [GOOD, FAULTY])
def test_no_address_reaches_the_cache_the_session_the_log_entries_or_the_logs(admin_client, caplog, content):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("django.db.backends").setLevel(logging.INFO)  # what the database is told is no log of ours
    posted(admin_client, content, checked=checked(admin_client, content))
    assert Subscriber.objects.exists()
    sessions = [session.get_decoded() for session in Session.objects.all()]
    for place in (sessions, list(LogEntry.objects.values()), cache._cache, admin_client.cookies):
        assert "secret" not in str(place)
    assert "secret" not in caplog.text


def test_a_cell_is_text_and_never_markup(admin_client):
    page = posted(admin_client, HEADER + "<script>alert(1)</script>,,\n").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def logged_in(client, *codenames):
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)


def test_import_and_export_each_need_their_permission(client):
    logged_in(client, "view_subscriber", "change_subscriber")
    for name in (IMPORT, EXPORT):
        assert client.get(reverse(name)).status_code == 403
        assert client.post(reverse(name)).status_code == 403
        assert reverse(name) not in client.get(reverse("admin:subscriptions_subscriber_changelist")).content.decode()


def test_the_list_links_to_both_for_those_who_may(client):
    logged_in(client, "view_subscriber", "import_subscriber", "export_subscriber")
    page = client.get(reverse("admin:subscriptions_subscriber_changelist")).content.decode()
    for name in (IMPORT, EXPORT):
        assert reverse(name) in page
        assert client.get(reverse(name)).status_code == 200


def test_an_export_is_a_post_that_is_written_down(admin_client):
    make_reader("a")
    make_reader("left", state="unsubscribed")
    assert admin_client.get(reverse(EXPORT))["Content-Type"].startswith("text/html")
    assert not LogEntry.objects.exists()
    for data, names in (({}, ["a"]), ({"everybody": "yes"}, ["a", "left"])):
        answer = admin_client.post(reverse(EXPORT), data)
        assert answer["Content-Disposition"] == 'attachment; filename="readers-2026-03-20.csv"'
        text = b"".join(answer.streaming_content).decode("utf-8-sig")
        assert [row["email"] for row in csv.DictReader(text.splitlines())] == [f"{name}@example.org" for name in names]
    assert sorted(LogEntry.objects.values_list("change_message", flat=True)) == [
        "Exported everybody.",
        "Exported the active readers.",
    ]


def test_an_exported_file_can_be_imported_as_it_is(admin_client):
    reader = make_reader("a")
    ConsentEvent.objects.create(subscriber=reader, email_hash=reader.email_hash, kind="confirmed", at=NOW, where="form")
    content = b"".join(admin_client.post(reverse(EXPORT)).streaming_content).decode()
    assert "1 known already" in words_of(posted(admin_client, content.replace(NOW.date().isoformat(), "2026-03-19")))


def test_the_page_asks_the_same_number_of_queries_for_2_and_for_40_rows(admin_client):
    def queries(number):
        lines = [f"reader{n}@example.org,2024-05-31,old list" for n in range(number)]
        with CaptureQueriesContext(connection) as seen:
            posted(admin_client, HEADER + "\n".join(lines))
        return len(seen.captured_queries)

    assert queries(2) == queries(40)
