"""Every word of the readers' pages can be translated: shown by a pseudo-language, written from right to left."""

import ast
import io
import re
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation.template import templatize

from subscriptions import clock, consent, languages, letters, links, transfer
from subscriptions.models import ConsentEvent, SignupRequest
from tests.conftest import NOW, filled, make_paper, make_reader
from tests.pseudo import asked, pseudo, strays
from tests.subscriptions.readers_pages import behind_links, in_browser

pytestmark = pytest.mark.django_db
ROOT = Path(django_settings.BASE_DIR)
# What stands on a page and is no translator's: (pieces, reason).
DATA = (
    (("Daily Papers", "Daily Papers <papers@example.org>"), "the site's name and its sender"),
    (("·",), "between the links of the footer"),
    (("Robotics", "Robots.", "Speech", "Speech."), "names and descriptions of topics are the operator's rows"),
    (("protein folding", "crypto", "Ana Unal", "a", "x" * 81), "what readers typed"),
    (("the recipient was refused (550)",), "the answer of a mail server"),
    (("English", "UTC"), "languages and zones have names of their own"),
    (("Ana Exemplar", "Bo Sample"), "names"),
    (("BibTeX", "RIS", "CSL JSON"), "formats have names of their own"),
    (("study", "part", "robot", "something", "work"), "words of papers that were liked"),
    (("←", "→"), "arrows, which no screen reader reads"),
    (
        ("cs.RO", *(f"A robot study, part {n}" for n in range(154)), "We study something. It works.", "It works."),
        "texts and categories of papers",
    ),
)
TEMPLATES = [
    ROOT / "templates" / "base.html",
    *(ROOT / "templates").glob("[45]*.html"),
    *(ROOT / "templates" / "subscriptions").rglob("*.html"),
    *(ROOT / "templates" / "digest" / "includes").glob("*.html"),
    *(ROOT / "templates" / "digest" / name for name in ("day.html", "reader.html", "paper.html", "feedback.html")),
    *(ROOT / "templates" / "digest" / name for name in ("saved.html", "learned.html", "begin_anew.html")),
    *(ROOT / "templates" / "digest").glob("try_*.html"),
]
MODULES = [
    *(ROOT / "subscriptions" / "forms").glob("*.py"),
    *(ROOT / "subscriptions" / "views").glob("*.py"),
    ROOT / "subscriptions" / "consent.py",
    *(ROOT / "digest" / "views" / name for name in ("public.py", "reader.py", "tryout.py")),
    ROOT / "digest" / "models" / "feedback.py",
]


@pytest.fixture(autouse=True)
def at_now(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def code():
    with pseudo("ar") as code:
        yield code


WALKED: list[tuple[dict[str, str], frozenset[str]]] = []


@pytest.fixture
def walked(request, monkeypatch, settings):
    """Every page by its name, as text, in the pseudo-language, and the messages they asked for. One walk for all."""
    if not WALKED:
        code = [request.getfixturevalue(name) for name in ("robotics", "speech", "nudges", "code")][-1]
        found = [*in_browser(code, monkeypatch, settings), *behind_links(code, monkeypatch)]
        pages = {name: page if isinstance(page, str) else page.content.decode() for name, page in found}
        WALKED.append((pages, frozenset(asked(code))))
    return WALKED[0]


def of_data():
    authors = ["Ana Exemplar, Bo Sample", *(f"Author {n}" for n in range(22))]
    joined = (", ".join(authors[1:21]), ", ".join(authors[1:22]), ", ".join(authors[21:23]))
    return [*(piece for pieces, _ in DATA for piece in pieces), *authors, *joined]


def without_lists_of_data(page):
    """Without the <select> of 400 zones of the IANA list, the masked addresses, and what readers typed."""
    page = re.sub(r'<select name="zone".*?</select>', "", page, flags=re.DOTALL)
    page = re.sub(r"<textarea.*?</textarea>", "", page, flags=re.DOTALL)
    return re.sub(r"\S\*\*\*@[\w.]+", "", page)


def test_every_visible_text_of_every_readers_page_is_a_translators(walked):
    pages, _ = walked
    found = {name: strays(without_lists_of_data(page), of_data()) for name, page in pages.items()}
    assert {name: left for name, left in found.items() if left} == {}
    assert [name for name, page in pages.items() if '<html lang="ar" dir="rtl">' not in page] == []
    assert len(pages) > 100


def messages_of(file):
    """The messages in one file, as makemessages would find them; formats of dates are no words."""
    if file.suffix == ".py":
        calls = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    else:
        # Django's own extraction: a call a message, other words blanked out.
        source = templatize(file.read_text(), str(file))
        found = re.findall(r"""(?:\w*gettext|_)\((?:u?'(?:[^'\\]|\\.)*'|u?"(?:[^"\\]|\\.)*"|[\s,]|count)+\)""", source)
        calls = [node for call in found for node in ast.walk(ast.parse(call)) if isinstance(node, ast.Call)]
    for call in calls:
        name = getattr(call.func, "id", "")
        texts = [node.value for node in call.args if isinstance(node, ast.Constant) and isinstance(node.value, str)]
        if name == "_" or "gettext" in name:
            yield from (
                texts[1 if name.lstrip("n").startswith("pgettext") else 0 :] if texts[:1] != ["date format"] else ()
            )


def test_no_message_of_a_readers_page_is_left_out_of_these_tests(walked):
    _, shown = walked
    missing = {
        f"{file.relative_to(ROOT)}: {message}"
        for file in [*TEMPLATES, *MODULES]
        for message in messages_of(file)
        if message not in shown
    }
    assert missing == set()


# --- Whose language -----------------------------------------------------------------------------


def language_of(answer):
    """What the page itself says, and what its header says."""
    (said,) = re.findall(r'<html lang="([\w-]+)" dir="(\w+)">', answer.content.decode())
    return *said, answer["Content-Language"]


def own_page(reader):
    return reverse("reader", args=[links.manage_token(reader, NOW)])


def test_with_english_only_every_browser_gets_english(client, confirmed):
    for path in (reverse("subscribe"), own_page(confirmed)):
        assert language_of(client.get(path, headers={"accept-language": "ar"})) == ("en", "ltr", "en")


def test_a_page_behind_a_link_is_in_its_readers_language_and_the_next_page_is_not(client, code):
    reader = make_reader("reader", language=code)
    assert language_of(client.get(own_page(reader))) == ("ar", "rtl", "ar")
    assert translation.get_language() == "en", "the thread goes on with the next request"
    assert language_of(client.get(reverse("subscribe"))) == ("en", "ltr", "en")


def test_a_page_behind_a_link_is_english_for_a_reader_who_wants_that_whatever_the_browser_says(client, code):
    answer = client.get(own_page(make_reader("reader", language="en")), headers={"accept-language": code})
    assert language_of(answer) == ("en", "ltr", "en")


def test_a_language_that_is_not_on_offer_any_more_gives_the_default(client):
    reader = make_reader("reader", language="xx")
    assert languages.of(reader) == "en"
    assert language_of(client.get(own_page(reader))) == ("en", "ltr", "en")


def test_a_language_from_left_to_right_is_written_so(client):
    with pseudo("de") as code:
        assert language_of(client.get(own_page(make_reader("reader", language=code)))) == ("de", "ltr", "de")


def test_saving_another_language_leads_to_a_page_in_it(client, code, nudges):
    reader = make_reader("reader")
    values = {"cadence": "daily", "days": range(7), "hour": "06:30", "zone": "UTC", "paper_limit": 10, "language": code}
    answer = client.post(reverse("preferences", args=[links.manage_token(reader, NOW)]), values, follow=True)
    assert language_of(answer) == ("ar", "rtl", "ar")


def test_titles_names_and_abstracts_stay_english_on_a_page_that_is_not(client, code):
    paper = make_paper(1, title="Folding of proteins", abstract="It folds.")
    page = client.get(paper.get_absolute_url(), headers={"accept-language": code}).content.decode()
    for element, text in (("h1", "Folding of proteins"), ("p", "It folds."), ("bdi", "Ana Exemplar, Bo Sample")):
        assert re.search(rf'<{element}\b[^>]* lang="en"[^>]*>{text}<', page), text


def test_dates_are_in_the_readers_language_and_zone(client, code):
    for language, words in (("en", "Digests go on from Friday 27 March 2026"), (code, "⟦Fríd")):
        reader = make_reader(f"in-{language}", language=language)
        page = client.get(reverse("pause", args=[links.manage_token(reader, NOW)])).content.decode()
        (hint,) = re.findall(r'id="id_length_0_hint">([^<]*)<', page)
        assert words in hint
        assert "2026" in hint


# --- What is kept of a consent ------------------------------------------------------------------


def visible(page):
    return " ".join(re.sub(r"<[^>]+>", "", page).split())


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_words_kept_with_a_confirmation_are_those_on_the_page(client, code, language, nudges):
    reader = make_reader("reader", state="pending", language=language)
    asked_for = letters.ask(SignupRequest.Kind.SIGN_UP, reader.email, NOW, subscriber=reader)
    path = links.confirm_path(asked_for, NOW)
    page = visible(client.get(path).content.decode())
    client.post(path)
    told = ConsentEvent.objects.get(kind=ConsentEvent.Kind.CONFIRMED).wording.text
    heading, _, text = told.partition(". ")
    assert heading in page
    assert text in page
    assert told.startswith("⟦") == (language == "ar")


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_words_of_the_form_are_kept_as_it_shows_them(client, code, language):
    page = visible(client.get(reverse("subscribe"), headers={"accept-language": language}).content.decode())
    with translation.override(language):
        assert consent.kept(consent.SIGN_UP).text in page
        assert consent.kept(consent.SIGN_UP).text.startswith("⟦") == (language == "ar")


def test_a_request_remembers_the_language_of_its_page(client, code, nudges):
    for language in ("en", code):
        path, values = reverse("subscribe"), filled(f"{language}@example.org")
        client.post(path, values, headers={"accept-language": language})
    assert list(SignupRequest.objects.order_by("pk").values_list("language", flat=True)) == ["en", "ar"]


def test_an_imported_request_has_the_language_of_its_row_and_not_of_who_imports(code):
    file = io.BytesIO(b"email,language\na@example.org,ar\nb@example.org,\n")
    with translation.override(code):
        transfer.import_file(file, NOW, "ana")
    assert list(SignupRequest.objects.order_by("pk").values_list("language", flat=True)) == ["ar", "en"]
