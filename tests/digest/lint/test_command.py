import io
import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from digest.lint import RULES
from tests.digest.lint.mails import SITE, Draft, both, good_letter, good_mail, html, without


def run(*arguments):
    """(exit code, output)."""
    out = io.StringIO()
    try:
        call_command("lint_mail", *map(str, arguments), stdout=out)
    except SystemExit as end:
        return end.code, out.getvalue()
    return 0, out.getvalue()


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "good.eml"
    path.write_bytes(good_mail())
    return path


@pytest.fixture
def warned(tmp_path):
    path = tmp_path / "warned.eml"
    path.write_bytes(html("Helvetica,Arial,sans-serif", "Arial")(Draft()).raw())
    return path


@pytest.fixture
def bad(tmp_path):
    path = tmp_path / "bad.eml"
    path.write_bytes(without("Date")(Draft()).raw())
    return path


def test_a_good_mail_passes(good):
    code, out = run(good, "--strict")
    assert code == 0
    assert "1 mail: 0 errors, 0 warnings" in out


def test_an_error_fails_and_says_what_to_do(bad):
    code, out = run(bad)
    assert code == 1
    assert "L101" in out
    assert "1 mail: 1 error, 0 warnings" in out


def test_a_warning_fails_where_it_is_asked_to(warned):
    assert run(warned)[0] == 0
    assert run(warned, "--strict")[0] == 1


def test_a_folder_is_all_its_mails(good, warned, bad, tmp_path):
    (tmp_path / "notes.txt").write_text("no mail")
    code, out = run(tmp_path)
    assert code == 1
    assert "3 mails: 1 error, 1 warning" in out


def test_json_is_the_findings_of_each_mail(good, bad):
    code, out = run(good, bad, "--json")
    assert code == 1
    said = json.loads(out)
    assert said[str(good)] == []
    assert [(f["rule"], f["severity"], f["where"]) for f in said[str(bad)]] == [("L101", "error", "Date")]


def test_a_trial_installation_is_warned(tmp_path):
    path = tmp_path / "trial.eml"
    path.write_bytes(
        both(SITE, "http://127.0.0.1:8000")(Draft()).raw().replace(SITE.encode(), b"http://127.0.0.1:8000")
    )
    assert run(path)[0] == 1
    assert run(path, "--trial")[0] == 0


def test_a_mail_comes_by_stdin(monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(good_letter())))
    code, out = run("-")
    assert code == 0
    assert "stdin: nothing to say" in out


@pytest.mark.parametrize("name", ["missing.eml", "empty"])
def test_a_mail_that_is_not_there_is_named(name, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(CommandError) as error:
        run(tmp_path / name)
    assert error.value.returncode == 2
    assert name in str(error.value)


def test_no_mail_at_all_is_a_wrong_call():
    with pytest.raises(CommandError) as error:
        run()
    assert error.value.returncode == 2


def test_it_prints_its_rules():
    code, out = run("--rules", "--json")
    assert code == 0
    assert [rule["id"] for rule in json.loads(out)] == [rule.id for rule in RULES]
    assert f"{len(RULES)} rules" in run("--rules")[1]


def test_the_linter_needs_no_django_no_network_and_no_clock():
    needs = (
        "import sys, digest.lint as l; l.lint(b'Subject: x\\n\\n<p>');"
        "print([m for m in ('django', 'httpx', 'celery', 'socketserver', 'requests') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", needs], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
