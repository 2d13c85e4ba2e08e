from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from threading import Event
from time import sleep

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.urls import reverse

from digest import approval, preflight
from digest.lint import Finding, Severity
from digest.models import Edition, Paper
from subscriptions import clock
from subscriptions.tasks import alert
from tests.conftest import NOW, TODAY, make_edition, make_paper

pytestmark = pytest.mark.django_db
YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture(autouse=True)
def morning(settings, monkeypatch):
    """Everything is read, the hour has come, and the operators have an address."""
    settings.SOURCES = []
    settings.ADMINS = [("", "operator@example.net")]
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def linter(monkeypatch):
    """A linter of our own: ``linter(rule, says)`` adds a rule, ``says(raw)`` what it has against a mail, if anything."""
    rules: list[tuple] = []

    def lint(raw, *, trial):
        found = [(rule, severity, said) for rule, severity, says in rules if (said := says(raw))]
        return [Finding(rule, severity, said, f"Mend {rule}.") for rule, severity, said in found]

    def add(rule, says, severity=Severity.ERROR):
        rules.append((rule, severity, says))

    monkeypatch.setattr(preflight, "lint", lint)
    add.clear = rules.clear
    return add


def names(word):
    """A rule against mails that have this word."""
    return lambda raw: f"it says {word}" if word.encode() in raw else ""


def shown(edition):
    return list(edition.entries.shown().values_list("paper__title", flat=True))


def draft(*titles, day=TODAY, first=1):
    papers = [make_paper(n, title, day=day) for n, title in enumerate(titles, start=first)]
    return make_edition(papers, day, state="draft")


def test_a_paper_with_a_fault_of_its_own_is_left_out_with_the_reason_and_the_rest_goes(linter):
    linter("X701", names("Poison"))
    edition = draft("A fine study", "Poison", "Another fine study")
    assert approval.approve_due(NOW) == [edition]
    assert sorted(shown(edition)) == ["A fine study", "Another fine study"]
    left_out = edition.entries.get(hidden=True)
    assert (left_out.paper.title, left_out.hidden_reason) == ("Poison", "mail linter: X701 it says Poison")
    assert mail.outbox == []


def test_the_real_linter_leaves_out_a_title_that_turns_the_line_round_and_passes_ordinary_papers(settings):
    edition = draft("A fine study", "A study \u202eyduts A", "Another fine study")
    assert approval.approve_due(NOW) == [edition]
    reason = edition.entries.get(hidden=True).hidden_reason
    assert reason.startswith("mail linter: L705 there is U+202E (should be: there is no control of direction)")
    assert sorted(shown(edition)) == ["A fine study", "Another fine study"]


@pytest.mark.parametrize(
    "title",
    [
        *("Re:Form – Reducing Human Priors", "Measuring What Matters!! A Study", "TODO: Fix the Mess", "4D", "視覺"),
        *("CLIP-SAM-DINO-BERT", "Fill in the {{blank}}", "NaN: a value", "Ελληνικά", "מבוא לרובוטיקה"),
    ],
)
def test_no_title_that_people_give_to_papers_costs_a_paper_its_place(title):
    links = {"code_url": "https://github.com/x/release@v1.0).", "abstract": f"See (https://x.example/{'long/' * 20})."}
    edition = make_edition([make_paper(1, title, **links), make_paper(2)], state="draft")
    assert approval.approve(edition, NOW, "ana").left_out == []


def test_the_real_linter_holds_an_edition_whose_frame_has_a_fault(settings):
    settings.SITE_URL = "http://papers.example.org"
    edition = draft("A fine study")
    assert approval.approve_due(NOW) == []
    edition.refresh_from_db()
    assert edition.held
    assert edition.held_reason.startswith("mail linter: L")


def test_a_paper_that_cannot_be_rendered_is_left_out_alone(linter):
    edition = draft("A fine study", "Strange authors")
    Paper.objects.filter(title="Strange authors").update(authors=[None])
    assert approval.approve_due(NOW) == [edition]
    assert shown(edition) == ["A fine study"]
    assert edition.entries.get(hidden=True).hidden_reason == "mail linter: L000 the mail cannot be made: TypeError"


def test_a_paper_that_an_editor_shows_again_without_correcting_it_is_hidden_again_and_the_editor_is_told(
    linter, admin_client
):
    linter("X701", names("Poison"))
    edition = draft("A fine study", "Poison")
    edition.entries.filter(paper__title="Poison").update(hidden=False, hidden_reason="", pinned=True)
    page = admin_client.post(reverse("admin:digest_edition_approve", args=[edition.pk]), follow=True).content.decode()
    assert "Left out: “Poison”. mail linter: X701 it says Poison." in page
    edition.refresh_from_db()
    assert (edition.state, shown(edition)) == ("approved", ["A fine study"])


def test_a_corrected_paper_that_an_editor_shows_again_goes(linter):
    linter("X701", names("Poison"))
    edition = draft("Poison")
    with pytest.raises(approval.NotApproved, match=r"No paper of the edition of 2026-03-20 passes\. .* X701"):
        approval.approve(edition, NOW, "ana")
    Paper.objects.update(title="Mended")
    assert approval.approve(edition, NOW, "ana").left_out == []
    assert (edition.state, shown(edition)) == ("approved", ["Mended"])


def test_a_fault_of_the_frame_holds_the_edition_and_alerts_the_operators_once(linter, caplog):
    linter("X101", names("List-Id"))
    linter("X701", names("Poison"))
    edition = draft("A fine study", "Poison")
    assert approval.approve_due(NOW, alert=alert) == []
    edition.refresh_from_db()
    assert (edition.state, edition.held, edition.held_by) == ("draft", True, "linter")
    assert edition.held_reason == "mail linter: X101 it says List-Id"
    assert len(shown(edition)) == 2, "whose fault a paper's is can be told once the frame is sound"
    assert [record.levelname for record in caplog.records if "is held" in record.message] == ["ERROR"]
    [told] = mail.outbox
    assert told.to == ["operator@example.net"]
    assert "The edition of 2026-03-20 is held" in told.subject
    assert "Mend X101." in told.body
    assert approval.approve_due(NOW + timedelta(minutes=1), alert=alert) == []
    assert len(mail.outbox) == 1


def test_after_the_fault_is_mended_a_release_lets_the_edition_go(linter):
    linter("X101", names("List-Id"))
    edition = draft("A fine study")
    approval.approve_due(NOW, alert=alert)
    approval.release(edition)
    assert approval.approve_due(NOW, alert=alert) == []
    assert len(mail.outbox) == 2, "released without a correction: held and told again"
    linter.clear()
    approval.release(edition)
    assert approval.approve_due(NOW, alert=alert) == [edition]


def test_an_alert_that_cannot_leave_does_not_stop_the_worker(linter, settings, caplog):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    linter("X101", names("List-Id"))
    edition = draft("A fine study")
    assert approval.approve_due(NOW, alert=alert) == []
    edition.refresh_from_db()
    assert edition.held
    assert "the alert did not leave" in caplog.text


def test_by_hand_a_fault_of_the_frame_is_refused_with_words_and_remedy(linter, admin_client):
    linter("X101", names("List-Id"))
    linter("X701", names("Poison"))
    edition = draft("A fine study", "Poison")
    page = admin_client.post(reverse("admin:digest_edition_approve", args=[edition.pk]), follow=True).content.decode()
    assert "has faults that no paper brings. X101: it says List-Id. Mend X101." in page
    edition.refresh_from_db()
    assert (edition.state, edition.held, len(shown(edition))) == ("draft", False, 2)
    assert mail.outbox == []
    with pytest.raises(CommandError, match=r"X101: it says List-Id\. Mend X101\."):
        call_command("approve_edition", now=NOW)


def test_where_the_linter_is_wrong_an_operator_can_pass_it_by(linter):
    linter("X101", names("List-Id"))
    linter("X701", names("Poison"))
    edition = draft("A fine study", "Poison")
    call_command("approve_edition", now=NOW, unchecked=True, stdout=StringIO())
    edition.refresh_from_db()
    assert (edition.state, len(shown(edition))) == ("approved", 2)


def test_what_only_a_long_mail_has_is_a_fault_of_the_frame(linter):
    linter("X801", lambda raw: "it is too long" if len(raw) > 30_000 else "")
    edition = draft(*(f"Study number {n}" for n in range(25)))
    approval.approve_due(NOW)
    edition.refresh_from_db()
    assert edition.held_reason == "mail linter: X801 it is too long"
    assert len(shown(edition)) == 25, "no one paper makes a mail too long"


def test_the_longest_mail_is_of_the_longest_papers(linter):
    mails = []
    linter("X801", lambda raw: mails.append(raw.decode()))
    draft(*("Short" for _ in range(5)), *("A long study" * 4 for _ in range(20)))
    approval.approve_due(NOW)
    assert "20 papers" in mails[-1]
    assert "Short" not in mails[-1]


def test_a_paper_that_does_not_go_with_one_before_it_costs_its_own_place_only(linter):
    def twice(raw):
        """Three papers of one title, as links with the same words."""
        return "the same words twice" if raw.count(b"A study in three parts</a>") > 1 else ""

    linter("X802", twice)
    edition = draft(*["A fine study"] * 2, *["A study in three parts"] * 3)
    assert approval.approve_due(NOW) == [edition]
    assert sorted(shown(edition)) == ["A fine study", "A fine study", "A study in three parts"]
    assert set(edition.entries.filter(hidden=True).values_list("hidden_reason", flat=True)) == {
        "mail linter: X802 the same words twice"
    }


def test_mails_of_weekly_readers_and_of_readers_of_text_are_looked_at_too(linter):
    seen = set()
    linter("X001", lambda raw: seen.add((b"text/html" in raw, b":weekly:" in raw)))
    draft("A fine study")
    approval.approve_due(NOW)
    assert seen == {(True, False), (True, True), (False, False)}


def test_warnings_stop_nothing_and_stand_in_the_verdict(linter):
    linter("X501", names("List-Id"), Severity.WARNING)
    linter("X702", names("Odd"), Severity.WARNING)
    edition = draft("A fine study", "Odd")
    verdict = approval.approve(edition, NOW, "ana")
    assert edition.state == "approved"
    assert [(title, finding.rule) for title, finding in verdict.warnings] == [("", "X501"), ("Odd", "X702")]


def test_where_every_paper_would_be_left_out_the_edition_is_held_as_for_a_fault_of_the_frame(linter):
    linter("X701", names("Poison"))
    edition = draft("Poison", "More Poison")
    assert approval.approve_due(NOW, alert=alert) == []
    edition.refresh_from_db()
    assert (edition.state, edition.held_by, len(shown(edition))) == ("draft", "linter", 2)
    assert edition.held_reason.startswith("every paper would be left out.")
    assert "No paper of the edition of 2026-03-20 passes" in mail.outbox[0].body


def test_the_operators_are_told_which_papers_were_left_out(linter):
    linter("X701", names("Poison"))
    edition = draft("A fine study", "Poison")
    assert approval.approve_due(NOW, alert=alert) == [edition]
    assert "1 papers are left out of the edition of 2026-03-20" in mail.outbox[0].subject
    assert "Poison: mail linter: X701" in mail.outbox[0].body


def test_what_the_linter_held_an_operator_can_send_without_a_race_against_the_worker(linter):
    linter("X101", names("List-Id"))
    edition = draft("A fine study")
    approval.approve_due(NOW)
    edition.refresh_from_db()
    with pytest.raises(approval.NotApproved, match="is held"):
        approval.approve(edition, NOW, "ana")
    approval.approve(edition, NOW, "ana", unchecked=True)
    edition.refresh_from_db()
    assert (edition.state, edition.held, edition.held_reason) == ("approved", False, "")


def test_what_an_editor_holds_is_not_sent_by_passing_the_linter_by(linter):
    edition = draft("A fine study")
    approval.hold(edition, "Wait.", "ana")
    edition.refresh_from_db()
    with pytest.raises(approval.NotApproved, match="is held: Wait"):
        approval.approve(edition, NOW, "bo", unchecked=True)


def test_a_check_that_ends_late_hides_nothing_of_what_was_approved_meanwhile(linter):
    edition = draft("A fine study", "Poison")

    def approved_meanwhile(raw):
        Edition.objects.filter(pk=edition.pk).update(state="approved", approved_by="ana")
        return names("Poison")(raw)

    linter("X701", approved_meanwhile)
    approval.approve_due(NOW)
    edition.refresh_from_db()
    assert (edition.state, edition.approved_by, len(shown(edition))) == ("approved", "ana", 2)


def test_what_looks_like_a_template_in_a_papers_own_words_is_for_people_to_look_at():
    paper = make_paper(1, "Fill in the {{blank}}: prompts for models", abstract="It says {'role': 'user'}, &amp; more.")
    edition = make_edition([paper, make_paper(2)], state="draft", standing_on=[])
    verdict = approval.approve(edition, NOW, "ana")
    assert verdict.left_out == []
    assert {"L701", "L703"} <= {finding.rule for _, finding in verdict.warnings}
    assert edition.state == "approved"


def test_an_editor_who_writes_a_fault_into_an_approved_edition_is_told_at_once(linter, admin_client):
    linter("X701", names("Poison"))
    edition = make_edition([make_paper(1, "A fine study"), make_paper(2)])
    entry = edition.entries.first()
    row = {name: getattr(entry, name) for name in ("position", "hidden_reason")}
    initial = {f"initial-entry-{entry.pk}-{name}": value for name, value in {**row, "blurb": ""}.items()}
    values = {f"entry-{entry.pk}-{name}": value for name, value in {**row, "blurb": "It is Poison."}.items()}
    answer = admin_client.post(
        reverse("admin:digest_edition_change", args=[edition.pk]), {**initial, **values}, follow=True
    )
    assert "Saved: 1 changes." in answer.content.decode()
    assert "mail linter: X701 it says Poison. Correct or hide it" in answer.content.decode()


def test_days_are_approved_together_or_wait_together(linter):
    older, newer = draft("Older", day=YESTERDAY), draft("Newer", first=2)

    def meddle(raw):
        """An editor writes a blurb while the last mail is looked at."""
        if b"Newer" in raw and not newer.entries.filter(blurb="Read it.").exists():
            newer.entries.update(blurb="Read it.")
        return ""

    linter("X001", meddle)
    assert approval.approve_due(NOW) == []
    assert set(Edition.objects.values_list("state", flat=True)) == {"draft"}
    assert approval.approve_due(NOW) == [older, newer]


def test_a_faulty_blurb_that_comes_while_the_mail_is_looked_at_does_not_slip_through(linter):
    edition = draft("A fine study")

    def meddle(raw):
        edition.entries.filter(blurb="").update(blurb="Poison")
        return ""

    linter("X001", meddle)
    with pytest.raises(approval.NotApproved, match="changed while its mail was checked"):
        approval.approve(edition, NOW, "ana")
    edition.refresh_from_db()
    assert edition.state == "draft"


def test_a_paper_that_is_corrected_while_it_is_looked_at_is_not_hidden(linter):
    edition = draft("A fine study", "Another")
    edition.entries.filter(position=2).update(blurb="Poison")

    def meddle(raw):
        if b"Poison" not in raw:
            return ""
        edition.entries.filter(position=2).update(blurb="Mended.")
        return "it says Poison"

    linter("X701", meddle)
    with pytest.raises(approval.NotApproved, match="Approve it again"):
        approval.approve(edition, NOW, "ana")
    assert not edition.entries.filter(hidden=True).exists()


def test_an_edition_that_is_held_while_its_mail_is_looked_at_is_not_approved(linter):
    edition = draft("A fine study")
    linter("X001", lambda raw: approval.hold(edition, "wait", "ana"))
    assert approval.approve_due(NOW) == []
    edition.refresh_from_db()
    assert (edition.state, edition.held_by) == ("draft", "ana")


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_mails_are_rendered_and_linted(linter):
    open_ones = []
    linter("X001", lambda raw: open_ones.append(connection.in_atomic_block))
    edition = draft("A fine study")
    assert approval.approve_due(NOW) == [edition]
    assert set(open_ones) == {False}


@pytest.mark.parametrize("debug", [True, False])
def test_a_trial_installation_is_linted_as_one(monkeypatch, settings, debug):
    settings.DEBUG = debug
    trials = []

    def lint(raw, *, trial):
        trials.append(trial)
        return []

    monkeypatch.setattr(preflight, "lint", lint)
    approval.approve(draft("A fine study"), NOW, "ana")
    assert set(trials) == {debug}


def test_the_page_of_the_check_says_what_the_approval_would_do_and_changes_nothing(linter, admin_client):
    linter("X701", names("Poison"))
    linter("X702", names("Odd"), Severity.WARNING)
    edition = draft("A fine study", "Poison", "Odd")
    page = admin_client.get(reverse("admin:digest_edition_check", args=[edition.pk])).content.decode()
    assert "left out when it is approved" in page
    assert "it says Poison. Mend X701." in page
    assert "Odd: <strong>X702</strong> it says Odd." in page
    assert "Subject: " in page
    assert "KB of HTML (of 80)" in page
    assert len(shown(edition)) == 3
    assert "style=" not in page


def test_the_check_is_for_those_who_may_view_editions(client):
    edition = draft("A fine study")
    path = reverse("admin:digest_edition_check", args=[edition.pk])
    assert client.get(path).status_code == 302
    client.force_login(User.objects.create_user("ana", is_staff=True))
    assert client.get(path).status_code == 403


def wait_for_who_waits_for_us():
    """On PostgreSQL, until another connection waits for a row that this one holds."""
    for _ in range(3_000):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))")
            if cursor.fetchone():
                return
        sleep(0.02)


@pytest.mark.django_db(transaction=True)
def test_what_an_editor_saves_while_the_edition_is_approved_does_not_slip_through(monkeypatch):
    """The save ends after the check and before the swap; on PostgreSQL while the swap waits for the row."""
    edition, together = draft("A fine study"), connection.vendor == "postgresql"
    saving, checked = Event(), Event()

    def editor():
        with transaction.atomic():
            Edition.objects.select_for_update().get(pk=edition.pk)
            edition.entries.update(blurb="Not looked at.")
            saving.set()
            if together:
                checked.wait(60)
                wait_for_who_waits_for_us()
        if together:
            connection.close()

    def check(*_args):
        verdict = preflight.Verdict(passed=preflight.shown_in(edition))
        checked.set()
        if not together:
            editor()
        return verdict

    monkeypatch.setattr(preflight, "check", check)
    with ThreadPoolExecutor(1) as pool:
        saved = pool.submit(editor) if together else None
        assert not saved or saving.wait(60)
        with pytest.raises(approval.NotApproved, match="changed while its mail was checked"):
            approval.approve(edition, NOW, "ana")
        assert saved is None or saved.result() is None
    assert Edition.objects.get().state == "draft"
