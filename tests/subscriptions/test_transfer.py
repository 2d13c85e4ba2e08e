"""Readers from a file and into a file."""

import csv
import io
import logging
from datetime import UTC, datetime, time

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from subscriptions import consent, letters, lifecycle, transfer
from subscriptions.addresses import address_hash
from subscriptions.consent import Origin
from subscriptions.interests import Interests
from subscriptions.models import ConsentEvent, Interest, SignupRequest, Subscriber, Suppression, Topic, Wording
from subscriptions.transfer import Outcome, cells
from tests.conftest import NOW, make_reader

pytestmark = pytest.mark.django_db
EVIDENCE = "2024-05-31T14:30:00Z,old list,One mail a day."
HEADER = "email,consent_at,consent_where,consent_wording"


def file_of(*lines, header=HEADER, end="\n", encoding="utf-8"):
    return io.BytesIO((end.join([header, *lines]) + end).encode(encoding))


def ran(file, **options):
    return transfer.import_file(file, NOW, "ana", **options)


def rows_in_all():
    return [model.objects.count() for model in (Subscriber, Interest, ConsentEvent, SignupRequest, Wording)]


def faults(report):
    return [(line.number, line.column) for line in report.lines if line.outcome is Outcome.FAULTY]


# --- Who comes in -------------------------------------------------------------------------------


def test_a_row_with_evidence_becomes_an_active_reader_with_what_it_chose(robotics, speech):
    header = "email,zone,hour,weekdays,paper_limit,only_my_topics,topics,muted_topics,phrases,authors,muted_words"
    line = "Ana@Example.org,Asia/Tokyo,7:30,mon tue,7,yes,robotics,speech,protein  folding|a \\| b,Bo Sample,crypto"
    report = ran(file_of(f"{line},{EVIDENCE}", header=f"{header},consent_at,consent_where,consent_wording"))
    reader = Subscriber.objects.active(NOW).get()
    assert report.done
    assert (reader.email, reader.zone, reader.hour, reader.weekdays) == (
        "ana@example.org",
        "Asia/Tokyo",
        time(7, 30),
        3,
    )
    assert (reader.paper_limit, reader.only_my_topics, reader.created_at) == (7, True, NOW)
    assert reader.confirmed_at == datetime(2024, 5, 31, 14, 30, tzinfo=UTC)
    assert reader.next_due_at == datetime(2026, 3, 22, 22, 30, tzinfo=UTC)  # Monday morning in Tokyo
    assert reader.email_hash == address_hash("ana@example.org")
    assert Interests.of(reader) == Interests(
        topics=(robotics.pk,),
        phrases=("protein folding", "a | b"),
        authors=("Bo Sample",),
        muted_topics=(speech.pk,),
        muted_words=("crypto",),
    )


def test_the_evidence_is_kept_with_its_own_time_and_words_and_so_is_who_imported():
    ran(file_of(f"a@example.org,{EVIDENCE}", f"b@example.org,{EVIDENCE}"))
    events = ConsentEvent.objects.filter(subscriber__email="a@example.org").values_list("kind", "at", "where")
    assert list(events) == [
        ("imported", datetime(2024, 5, 31, 14, 30, tzinfo=UTC), "old list"),
        ("imported", NOW, "import by ana"),
    ]
    assert Wording.objects.get().text == "One mail a day."
    assert set(ConsentEvent.objects.values_list("email_hash", flat=True)) == {
        address_hash("a@example.org"),
        address_hash("b@example.org"),
    }


def test_a_row_without_evidence_is_no_reader_until_its_owner_confirms_the_mail_that_the_guard_lets_through():
    report = ran(file_of("new@example.org", header="email"))
    assert report.counts == {Outcome.REQUEST: 1}
    request = SignupRequest.objects.get()
    assert (request.kind, request.email_hash) == ("import", address_hash("new@example.org"))
    assert not Subscriber.objects.exists()
    _, letter = letters.letter_for(request.pk, NOW)
    assert letter.to == ["new@example.org"]
    assert not Subscriber.objects.active(NOW).exists()
    request.refresh_from_db()
    lifecycle.confirm(request, NOW, Origin("confirm page"))
    assert Subscriber.objects.active(NOW).get().email == "new@example.org"


def test_importing_twice_adds_nobody_and_asks_nobody_again():
    lines = (f"a@example.org,{EVIDENCE}", "b@example.org,,,")
    ran(file_of(*lines))
    before = rows_in_all()
    assert ran(file_of(*lines)).counts == {Outcome.KNOWN: 1, Outcome.ASKED: 1}
    assert rows_in_all() == before


@pytest.mark.parametrize("state", ["pending", "active", "unsubscribed"])
@pytest.mark.parametrize("evidence", [EVIDENCE, ",,"])
def test_a_known_reader_stays_as_it_is_whatever_the_file_says(state, evidence):
    before = Subscriber.objects.values().get(pk=make_reader("known", state=state).pk)
    assert ran(file_of(f"known@example.org,{evidence}")).counts == {Outcome.KNOWN: 1}
    assert Subscriber.objects.values().get() == before
    assert rows_in_all() == [1, 0, 0, 0, 0]


@pytest.mark.parametrize("reason", Suppression.Reason.values)
@pytest.mark.parametrize("evidence", [EVIDENCE, ",,"])
def test_a_suppressed_address_stays_out_and_the_report_says_why(reason, evidence):
    Suppression.objects.create(email_hash=address_hash("no@example.org"), reason=reason, created_at=NOW)
    report = ran(file_of(f"No@example.org,{evidence}"))
    assert [line.message for line in report.lines] == [f"suppressed: {reason}"]
    assert rows_in_all() == [0, 0, 0, 0, 0]


def test_an_erased_reader_is_not_brought_back():
    lifecycle.ask_erase(make_reader("gone"), NOW, Origin("test"))
    assert ran(file_of(f"gone@example.org,{EVIDENCE}")).counts == {Outcome.SUPPRESSED: 1}
    assert not Subscriber.objects.exists()


def test_a_lifted_suppression_stops_nobody():
    key = address_hash("back@example.org")
    Suppression.objects.create(email_hash=key, reason="bounce", created_at=NOW, lifted_at=NOW)
    assert ran(file_of(f"back@example.org,{EVIDENCE}")).counts == {Outcome.READER: 1}


def test_nobody_reads_at_an_address_of_a_function():
    assert ran(file_of(f"postmaster@example.org,{EVIDENCE}")).counts == {Outcome.ROLE: 1}


# --- What is wrong in the file ------------------------------------------------------------------


def test_one_faulty_row_and_nothing_at_all_is_imported_but_every_fault_is_told():
    lines = [f"ok{n}@example.org,{EVIDENCE}" for n in range(3)]
    report = ran(file_of(*lines, "not an address,x,,", f"OK1@example.org,{EVIDENCE}"))
    assert not report.done
    assert faults(report) == [(5, "email"), (5, "consent_at"), (5, "consent_where"), (6, "email")]
    assert "row 3" in report.lines[-1].message
    assert rows_in_all() == [0, 0, 0, 0, 0]


def test_a_fault_behind_many_good_rows_undoes_them_also_without_a_check_before(monkeypatch):
    monkeypatch.setattr("subscriptions.transfer.importing.CHUNK", 2)
    file = file_of(*(f"ok{n}@example.org,{EVIDENCE}" for n in range(5)), ",,,x")
    report = transfer.import_rows(transfer.read(file, transfer.Known({}, NOW)), NOW, "ana")
    assert (report.done, report.counts) == (False, {Outcome.READER: 5, Outcome.FAULTY: 1})
    assert rows_in_all() == [0, 0, 0, 0, 0]


def test_faulty_rows_can_be_left_out():
    lines = (f"a@example.org,{EVIDENCE}", "wrong,,,", f"b@example.org,{EVIDENCE}")
    report = ran(file_of(*lines), skip_faulty=True)
    assert (report.done, faults(report)) == (True, [(3, "email")])
    assert Subscriber.objects.count() == 2


def test_a_dry_run_says_the_same_and_writes_nothing():
    lines = (f"a@example.org,{EVIDENCE}", "b@example.org,,,", f"known@example.org,{EVIDENCE}")
    make_reader("known")
    before = rows_in_all()
    with CaptureQueriesContext(connection) as seen:
        tried = ran(file_of(*lines), dry_run=True)
    assert all(query["sql"].startswith("SELECT") for query in seen.captured_queries)
    assert rows_in_all() == before
    assert (tried.done, tried.counts) == (False, ran(file_of(*lines)).counts)


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("email", "Ana <ana@example.org>"),
        ("state", "confirmed"),
        ("zone", "Berlin"),
        ("hour", "half past seven"),
        ("hour", "25:00"),
        ("weekdays", "mon funday"),
        ("paper_limit", "0"),
        ("paper_limit", "-5"),
        ("only_my_topics", "perhaps"),
        ("text_only", "2"),
        ("language", "xx"),
        ("paused_until", "next week"),
        ("topics", "robotics cooking"),
        ("muted_topics", "cooking"),
        ("phrases", "x" * 81),
        ("authors", "|".join(f"Author {n}" for n in range(51))),
        ("muted_words", "a"),
        ("consent_at", "31.5.2024"),
        ("consent_at", "2026-03-20T07:00:00Z"),
        ("consent_at", "0001-01-01T00:00+14:00"),
        ("consent_where", "x" * 81),
        ("consent_where", "import by ana"),
        ("consent_wording", "nul\0"),
    ],
)
def test_a_wrong_cell_is_named_with_its_row_and_column(robotics, column, cell):
    values = {"email": "a@example.org", "consent_at": "2024-05-31", "consent_where": "old list", column: cell}
    file = io.StringIO()
    csv.writer(file).writerows([values, values.values()])
    report = ran(io.BytesIO(file.getvalue().encode()))
    assert faults(report) == [(2, column)]
    assert report.lines[0].message
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize("evidence", ["2024-05-31,,", ",old list,", ",,One mail a day."])
def test_half_an_evidence_is_a_fault_and_no_guess(evidence):
    assert ran(file_of(f"a@example.org,{evidence}")).faulty == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "first row is empty"),
        (b"\n", "first row is empty"),
        (b"mail,name\na@example.org,Ana\n", '"mail", "name"'),
        (b"zone\nUTC\n", '"email" is missing'),
        (b"email,zone,Email\na@example.org,UTC,a@example.org\n", "twice: email"),
        (b"email,zone\na@example.org\n", "Row 2 has 1 cells"),
        (b"email,zone\na@example.org,UTC,x\n", "Row 2 has 3 cells"),
        (b'email\na@example.org\n"b@example.org\nc@example.org\n', "Row 3 cannot be read"),
        ("email,authors\na@example.org,Müller\n".encode("latin-1"), "not UTF-8"),
        (b"PK\x03\x04\x14\x00\x08", "Unknown columns"),
    ],
)
def test_what_is_no_list_of_readers_is_refused_whole_with_what_to_do(content, says):
    for skip_faulty in (False, True):
        with pytest.raises(transfer.Unreadable, match=says):
            ran(io.BytesIO(content), skip_faulty=skip_faulty)
    assert rows_in_all() == [0, 0, 0, 0, 0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("mark", [",", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_files_of_spreadsheets_are_read(encoding, mark, end):
    lines = [line.replace(",", mark) for line in (" Email ,AUTHORS", "a@example.org,Jörg Müller", "", ",")]
    assert ran(file_of(*lines[1:], header=lines[0], end=end, encoding=encoding)).counts == {Outcome.REQUEST: 1}


@pytest.mark.parametrize("cell", ["yes", "no", "", "2", "nonsense"])
def test_a_column_of_an_earlier_version_is_accepted_and_ignored(cell):
    line = f"a@example.org,{cell},{EVIDENCE}"
    report = ran(file_of(line, header="email,images,consent_at,consent_where,consent_wording"))
    assert (report.done, report.counts) == (True, {Outcome.READER: 1})
    assert "images" not in next(iter(transfer.export(NOW)))


def test_addresses_reach_no_log(caplog):
    caplog.set_level(logging.DEBUG, "subscriptions")
    ran(file_of(f"a@example.org,{EVIDENCE}", "b@example.org,,,"))
    assert "import by ana: 1 new reader, 1 asked to confirm" in caplog.text
    assert "@" not in caplog.text


def test_the_number_of_queries_grows_with_chunks_and_not_with_rows():
    def queries(number, name):
        lines = [f"{name}{n}@example.org,{EVIDENCE}" for n in range(number)]
        asked = [f"{name}-asked{n}@example.org,,," for n in range(number)]
        with CaptureQueriesContext(connection) as seen:
            ran(file_of(*lines, *asked))
        return len(seen.captured_queries)

    queries(1, "first")  # the wording is there from now on
    assert queries(2, "few") == queries(20, "many") <= 16


# --- Out and in again ---------------------------------------------------------------------------


def everything():
    """All that the file carries, without numbers and the time of the import."""
    names = ("email", "zone", "hour", "weekdays", "paper_limit", "only_my_topics", "text_only", "language")
    return {
        reader.email: (
            [getattr(reader, name) for name in names],
            reader.paused_until,
            reader.confirmed_at,
            Interests.of(reader),
        )
        for reader in Subscriber.objects.order_by("pk")
    }


def evidence():
    rows = ConsentEvent.objects.exclude(where__startswith="import by ").order_by("pk")
    return list(rows.values_list("email_hash", "at", "where", "wording"))


def test_what_was_exported_comes_back_the_same_into_an_empty_database(robotics, speech):
    agreed = datetime(2025, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    plain = make_reader("plain")
    odd = make_reader(
        "+odd=1", zone="Pacific/Apia", hour=time(23, 59), weekdays=0b1010000, paper_limit=13, only_my_topics=True,
        text_only=True, paused_until=datetime(2026, 4, 1, 5, tzinfo=UTC),
    )  # fmt: skip
    never = make_reader("never", weekdays=0)
    rich = Interests(
        (robotics.pk,), ("=cmd|' /C calc'!A0", "a\\b|c", "'=x", "+1", 'ein, "zwei"'), ("@ana",), (speech.pk,), ("-x",)
    )
    Interest.objects.bulk_create(rich.rows(odd))
    for reader, wording in ((plain, consent.CONFIRM), (odd, '=two\n"lines"; and, more '), (never, "")):
        consent.note(reader, ConsentEvent.Kind.CONFIRMED, agreed, Origin("-form"), wording)
    Subscriber.objects.update(confirmed_at=agreed)
    before, told = everything(), evidence()
    file = io.BytesIO("".join(transfer.export_file(NOW)).encode())
    assert file.getvalue().startswith(b"\xef\xbb\xbfemail,"), "by which spreadsheets know UTF-8"
    models = (SignupRequest, Interest, Subscriber)
    ConsentEvent.objects.all().forget()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM subscriptions_consentevent")
    for model in models:
        model.objects.all().delete()
    assert ran(file).counts == {Outcome.READER: 3}
    assert everything() == before
    assert evidence() == told
    assert "".join(transfer.export_file(NOW)).encode() == file.getvalue()


def test_no_cell_of_an_export_begins_a_formula(robotics):
    reader = make_reader("=calc")
    own = Interests(phrases=("=1+1", "+x", "-x"), authors=("@x", "y"), muted_words=("\tx",))
    Interest.objects.bulk_create(own.rows(reader))
    consent.note(reader, ConsentEvent.Kind.CONFIRMED, NOW, Origin("=form"), "=words")
    _, record = csv.reader(transfer.export(NOW))
    assert not [cell for cell in record if cell[:1] in {"=", "+", "-", "@", "\t", "\r"}]
    assert "'=words" in record


@given(st.text())
def test_the_guard_against_formulas_loses_nothing(text):
    assert cells.unguarded(cells.guarded(text)) == text
    assert cells.guarded(text)[:1] not in {"=", "+", "-", "@", "\t", "\r"}


@given(st.lists(st.text("ab|\\ '=", min_size=2, max_size=9).map(lambda text: f"x{text}y"), max_size=5, unique=True))
def test_texts_between_bars_lose_nothing(texts):
    own = list(dict.fromkeys(" ".join(text.split()) for text in texts))
    assert list(cells.texts(cells.texts_cell(own))) == own


@given(st.integers(0, 127))
def test_days_lose_nothing(mask):
    assert cells.weekdays(cells.weekdays_cell(mask)) == mask


def test_an_export_holds_who_gets_digests_and_who_pauses_but_not_those_who_said_no(suppressed, unconfirmed):
    make_reader("left", state="unsubscribed")
    make_reader("paused", paused_until=datetime(2026, 5, 1, tzinfo=UTC))
    make_reader("active")
    make_reader("erasing", state="unsubscribed", erase_asked_at=NOW)
    names = [record["email"].partition("@")[0] for record in csv.DictReader(transfer.export(NOW))]
    assert names == ["paused", "active"]
    states = {r["email"].partition("@")[0]: r["state"] for r in csv.DictReader(transfer.export(NOW, everybody=True))}
    assert states == {
        "suppressed": "suppressed",
        "unconfirmed": "pending",
        "left": "unsubscribed",
        "paused": "active",
        "active": "active",
    }


def test_who_had_left_or_never_confirmed_does_not_come_back_by_an_export_of_everybody():
    for state in ("unsubscribed", "pending", "suppressed"):
        file = file_of(f"{state}@example.org,{state},{EVIDENCE}", header=HEADER.replace(",", ",state,", 1))
        assert ran(file).counts == {Outcome.LEFT_OUT: 1}
    assert rows_in_all() == [0, 0, 0, 0, 0]


def test_the_number_of_queries_of_an_export_grows_with_pages_and_not_with_readers(robotics):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            lines = list(transfer.export(NOW, everybody=True))
        return len(seen.captured_queries), len(lines)

    make_reader("first", robotics)
    few, _ = queries()
    for n in range(30):
        consent.note(make_reader(f"reader{n}", robotics), ConsentEvent.Kind.CONFIRMED, NOW, Origin("form"), "words")
    assert queries() == (few, 32)


def test_an_export_goes_page_by_page(monkeypatch):
    monkeypatch.setattr("subscriptions.transfer.exporting.PAGE", 2)
    names = [make_reader(f"reader{n}").email for n in range(5)]
    assert [record["email"] for record in csv.DictReader(transfer.export(NOW))] == names


# --- By hand ------------------------------------------------------------------------------------


def run(name, *arguments):
    call_command(name, "--now", NOW.isoformat(), *arguments)


@pytest.fixture
def saved(tmp_path):
    def save(*lines):
        path = tmp_path / "readers.csv"
        path.write_bytes(file_of(*lines).getvalue())
        return str(path)

    return save


def test_the_command_imports_and_notes_by_whom(saved, capsys):
    run("import_subscribers", saved(f"a@example.org,{EVIDENCE}"), "--by", "ops")
    assert "Imported: 1 new reader." in capsys.readouterr().out
    assert ConsentEvent.objects.filter(where="import by ops").exists()


def test_the_command_lists_faults_and_ends_with_1(saved, capsys):
    path = saved(f"a@example.org,{EVIDENCE}", "[red]wrong\x1b[2J,,,")
    for option in ([], ["--dry-run"]):
        with pytest.raises(CommandError, match="Faulty rows: 1") as caught:
            run("import_subscribers", path, *option)
        assert caught.value.returncode == 1
        out = capsys.readouterr().out
        assert "[red]wrong?[2J" in out
        assert "\x1b[2J" not in out
    assert not Subscriber.objects.exists()
    run("import_subscribers", path, "--skip-faulty")
    assert Subscriber.objects.count() == 1


def test_a_dry_run_by_hand_says_what_would_be(saved, capsys):
    run("import_subscribers", saved(f"a@example.org,{EVIDENCE}"), "--dry-run")
    assert "Would be imported: 1 new reader." in capsys.readouterr().out
    assert not Subscriber.objects.exists()


def test_a_file_that_is_not_there_or_unreadable_is_a_clear_line(tmp_path):
    with pytest.raises(CommandError, match="cannot be opened: No such file"):
        run("import_subscribers", str(tmp_path / "missing.csv"))
    (tmp_path / "odd.csv").write_text("mail\n")
    with pytest.raises(CommandError, match="Unknown columns"):
        run("import_subscribers", str(tmp_path / "odd.csv"))


def without_mark(text):
    """The lines of an export that begins with the mark of UTF-8, as every one does."""
    assert text.startswith("\ufeffemail,")
    return text.removeprefix("\ufeff").splitlines()


def test_the_command_exports_to_stdout_or_to_a_file_of_ones_own(tmp_path, capsys):
    make_reader("a")
    make_reader("left", state="unsubscribed")
    run("export_subscribers", "--all")
    assert [r["email"] for r in csv.DictReader(without_mark(capsys.readouterr().out))] == [
        "a@example.org",
        "left@example.org",
    ]
    path = tmp_path / "out.csv"
    path.write_text("old")
    run("export_subscribers", str(path))
    assert "out.csv: 1." in capsys.readouterr().out
    assert path.stat().st_mode & 0o777 == 0o600
    assert [r["email"] for r in csv.DictReader(without_mark(path.read_text()))] == ["a@example.org"]
    assert [file.name for file in tmp_path.iterdir()] == ["out.csv"]
    with pytest.raises(CommandError, match="cannot be written"):
        run("export_subscribers", str(tmp_path / "no" / "out.csv"))


def test_a_reader_is_erased_by_number_or_by_an_address_on_stdin(monkeypatch, capsys):
    first, second = make_reader("first"), make_reader("second")
    run("erase_subscriber", str(first.pk))
    monkeypatch.setattr("sys.stdin", io.StringIO("Second@example.org\n"))
    run("erase_subscriber")
    assert not Subscriber.objects.exists()
    assert capsys.readouterr().out.splitlines() == [f"Erased: reader {first.pk}.", f"Erased: reader {second.pk}."]
    assert Suppression.objects.filter(reason="erased").count() == 2
    assert set(ConsentEvent.objects.values_list("kind", flat=True)) == {"withdrawn", "erased"}
    assert not ConsentEvent.objects.exclude(subscriber=None).exists()


def test_erasing_nobody_is_a_clear_line(monkeypatch):
    with pytest.raises(CommandError, match="no such reader"):
        run("erase_subscriber", "17")
    for typed in ("nobody@example.org\n", "x\n", ""):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        with pytest.raises(CommandError, match="Nothing was erased"):
            run("erase_subscriber")


def test_two_imports_at_once_make_no_reader_twice(monkeypatch):
    """The second one saw nobody, and the first was quicker: nothing of the second stays."""
    file = file_of(f"a@example.org,{EVIDENCE}", f"b@example.org,{EVIDENCE}")
    monkeypatch.setattr("subscriptions.transfer.importing._in_database", lambda *_: (set(), set(), {}))
    make_reader("b")
    with pytest.raises(transfer.Collided, match="again"):
        ran(file)
    assert Subscriber.objects.get().email == "b@example.org"


def test_topics_that_are_not_offered_any_more_can_be_imported():
    Topic.objects.create(slug="old", name="Old", description="Old.", offered=False)
    ran(file_of(f"a@example.org,old,{EVIDENCE}", header=HEADER.replace(",", ",topics,", 1)))
    assert Interest.objects.get().topic.slug == "old"
