import re
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.urls import get_resolver, reverse
from hypothesis import given
from hypothesis import strategies as st

from digest.views.appearance import Look, as_seen
from subscriptions import clock, links
from subscriptions.models import Subscriber
from subscriptions.tokens import Purpose
from tests.conftest import NOW, TODAY, make_digest, make_edition, make_paper, make_reader

POLICY = {
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    "img-src 'self'",
    "frame-ancestors 'self'",
    "sandbox allow-popups allow-popups-to-escape-sandbox",
}
ARCHIVE = "/days/2026-03-20/mail/"


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


@pytest.fixture
def edition(db, robotics):
    """Twelve papers of today."""
    return make_edition([make_paper(n, f"Robot study number {n}") for n in range(1, 13)])


@pytest.fixture
def mailbox(settings, tmp_path):
    """A folder of mails as the demo has it; gives what writes one."""
    settings.DEBUG, settings.EMAIL_FILE_PATH = True, tmp_path

    def write(html="<p>Hello</p>", name="digest-1-x.eml"):
        head = b"Subject: Hi\nTo: a@example.org\nDate: Fri, 20 Mar 2026 07:00:00 +0000\nMIME-Version: 1.0\n"
        (tmp_path / name).write_bytes(head + b"Content-Type: text/html; charset=utf-8\n\n" + html.encode())
        return reverse("letter", args=[name])

    return write


def page_of(client, path, **query):
    answer = client.get(path, query)
    assert answer.status_code == 200
    return answer.content.decode()


def admin(name, *args):
    return reverse(f"admin:digest_{name}", args=args)


# --- How a client shows it ------------------------------------------------------------------------

DARK = "@media (prefers-color-scheme: dark) { p { color: #fff } }"
PAGE = (
    '<html><head><meta name="color-scheme" content="light dark">'
    f"<style>{DARK} @media (max-width: 480px) {{ p {{ margin: 0 }} }}</style></head>"
    '<body><p style="color:#000">Hi <img src="a.png" alt="a &lt;b&gt; &amp; c"></p></body></html>'
)
OF_OURS = '<base target="_blank">'


@pytest.mark.parametrize(
    ("scheme", "query", "meta"),
    [("light", "not all", "light"), ("dark", "all", "dark"), ("forced", "not all", "light")],
)
def test_the_mails_own_dark_colours_hold_where_dark_is_asked_for_and_nowhere_else(scheme, query, meta):
    seen = as_seen(PAGE, Look(scheme))
    assert f"@media {query} {{ p {{ color: #fff }} }}" in seen
    assert f'<meta name="color-scheme" content="{meta}">' in seen
    assert "prefers-color-scheme" not in seen
    assert "@media (max-width: 480px)" in seen
    assert ("filter: invert(1)" in seen) == (scheme == "forced")


def test_a_media_query_with_more_conditions_keeps_the_others():
    html = "<style>@media screen and (prefers-color-scheme:dark) and (max-width: 9px){} @media (prefers-color-scheme: light){}</style>"
    assert "@media screen and (max-width: 9px) {}" in as_seen(html, Look("dark"))
    assert "@media not all {}" in as_seen(html, Look("dark"))
    assert "@media all {}" in as_seen(html, Look("light"))


def test_without_images_their_words_are_shown_and_nothing_else_changes():
    seen = as_seen(PAGE, Look(images=False))
    assert "Hi a &lt;b&gt; &amp; c</p>" in seen
    assert "<img" not in seen
    assert seen.replace("a &lt;b&gt; &amp; c", "") == as_seen(PAGE, Look()).replace(
        '<img src="a.png" alt="a &lt;b&gt; &amp; c">', ""
    )


@pytest.mark.parametrize("tag", ["<img src=x>", "<IMG\nalt=''>", '<img alt title="a > b">'])
def test_an_image_without_words_leaves_nothing(tag):
    assert as_seen(f"<p>{tag}</p>", Look(images=False)) == "<p></p>"


def test_a_client_that_drops_the_style_sheet_keeps_inline_styles():
    seen = as_seen(PAGE, Look(styles=False))
    assert "<style" not in seen
    assert 'style="color:#000"' in seen


def test_a_light_mail_is_shown_as_it_was_sent_but_for_its_colour_scheme_and_where_links_open():
    restored = as_seen(PAGE, Look()).replace(OF_OURS, "").replace("@media not all {", DARK.partition("{")[0] + "{")
    assert restored == PAGE.replace('content="light dark"', 'content="light"')


@given(alt=st.text(), more=st.text(alphabet=st.characters(exclude_characters='<>"')))
def test_no_alternative_text_becomes_markup(alt, more):
    quoted = alt.replace("&", "&amp;").replace('"', "&quot;").replace("\r", "&#13;").replace("\0", "")
    seen = as_seen(f'<p><img title="{more}" alt="{quoted}"></p>', Look(images=False))
    tags = []

    class _Tags(HTMLParser):
        def handle_starttag(self, tag, attrs):
            tags.append(tag)

    _Tags().feed(seen)
    assert tags == ["p"]
    assert unescape(seen.removeprefix("<p>").removesuffix("</p>")).split() == unescape(quoted).split()


@given(html=st.text(), scheme=st.sampled_from(["light", "dark", "forced"]), images=st.booleans(), styles=st.booleans())
def test_any_html_can_be_shown_in_any_way(html, scheme, images, styles):
    assert isinstance(as_seen(html, Look(scheme, images=images, styles=styles)), str)


# --- The page -------------------------------------------------------------------------------------


def frame_of(page):
    return unescape(re.search(r'<iframe[^>]* src="([^"]+)"', page)[1])


def test_the_controls_are_links_that_keep_what_else_was_chosen(client, mailbox, db):
    path = mailbox(PAGE)
    page = page_of(client, path, scheme="dark", images="off")
    assert frame_of(page) == f"{path}html/?scheme=dark&images=off"
    assert 'href="?scheme=dark&amp;images=off&amp;width=375"' in page
    assert 'href="?scheme=light&amp;images=off"' in page
    framed = page_of(client, frame_of(page))
    assert "@media all {" in framed
    assert "<img" not in framed
    assert 'class="narrow"' in page_of(client, path, width="375")
    assert "<script" not in page
    assert "<form" not in page


@pytest.mark.parametrize("name", ["part", "width", "scheme", "images", "styles"])
def test_nonsense_in_the_address_shows_the_mail_as_without_it(client, mailbox, db, name):
    path = mailbox(PAGE)
    assert frame_of(page_of(client, path, **{name: "<nonsense>"})).startswith(f"{path}html/?")
    assert page_of(client, f"{path}html/", **{name: "<nonsense>"}) == page_of(client, f"{path}html/")


def test_the_text_part_the_headers_the_sizes_and_the_verdict_are_on_the_page(client, edition):
    page = page_of(client, ARCHIVE)
    assert re.search(r"HTML part: [\d.]+ KB of 80, [\d.]+ KB as encoded\.\s+The whole mail: [\d.]+ KB", page)
    assert "2. Robot study number 2" in page_of(client, ARCHIVE, part="text")
    assert "List-Unsubscribe-Post" in page_of(client, ARCHIVE, part="headers")
    assert "What the linter says" in page_of(client, ARCHIVE, part="checks")
    assert "<iframe" not in page_of(client, ARCHIVE, part="text")


def test_the_verdict_is_the_linters(client, mailbox, db):
    page = page_of(client, mailbox("<p>unfinished {{ name }}</p>"), part="checks")
    assert "Errors" in page
    assert re.search(r"<strong>L\d+</strong>", page)


def test_a_mail_without_html_shows_its_text(client, mailbox, settings, db):
    (settings.EMAIL_FILE_PATH / "text.eml").write_bytes(b"Subject: Hi\nContent-Type: text/plain\n\nJust text.\n")
    page = page_of(client, "/mailbox/text.eml/")
    assert "Just text." in page
    assert "<iframe" not in page
    assert client.get("/mailbox/text.eml/html/").status_code == 404


@pytest.mark.parametrize("raw", [b"", b"\n", b"\xff\xfe", b"Content-Type: multipart/mixed; boundary=x\n\n--x"])
def test_a_broken_mail_is_shown_as_far_as_it_can_be_read(client, mailbox, settings, db, raw):
    (settings.EMAIL_FILE_PATH / "broken.eml").write_bytes(raw)
    assert client.get("/mailbox/").status_code == 200
    for part in ("html", "text", "headers", "checks"):
        assert client.get("/mailbox/broken.eml/", {"part": part}).status_code == 200


# --- The policy -----------------------------------------------------------------------------------


def policy_of(answer):
    return {line.strip() for line in answer["Content-Security-Policy"].split(";") if line.strip()}


def html_views(edition, digest, mailbox):
    mailbox(PAGE)
    return {
        "letter-html": reverse("letter-html", args=["digest-1-x.eml"]),
        "day-mail-html": reverse("day-mail-html", args=[edition.day]),
        "digest_digest_preview": admin("digest_preview", digest.pk),
        "digest_edition_mail_html": admin("edition_mail_html", edition.pk),
    }


def test_the_html_part_is_framed_by_our_own_pages_under_a_policy_of_its_own(admin_client, edition, confirmed, mailbox):
    digest = make_digest(confirmed, [edition.entries.first().paper])
    for path in html_views(edition, digest, mailbox).values():
        answer = admin_client.get(path)
        assert policy_of(answer) == POLICY, path
        assert answer["X-Frame-Options"] == "SAMEORIGIN"
        assert answer["X-Robots-Tag"] == "noindex"


def test_nothing_else_can_be_framed(admin_client, edition, confirmed, mailbox):
    digest = make_digest(confirmed, [edition.entries.first().paper])
    pages = [
        *(reverse(name, args=args) for name, args in (("today", []), ("mailbox", []), ("day", [TODAY]))),
        mailbox(PAGE),
        ARCHIVE,
        admin("digest_mail", digest.pk),
        admin("edition_mail", edition.pk),
        admin("edition_preview", edition.pk),
        admin("edition_check", edition.pk),
        admin("edition_change", edition.pk),
    ]
    for path in pages:
        answer = admin_client.get(path)
        assert answer.status_code == 200, path
        assert "frame-ancestors 'none'" in policy_of(answer), path
        assert not any("unsafe" in line for line in policy_of(answer)), path
        assert answer["X-Frame-Options"] == "DENY", path
        assert " style=" not in answer.content.decode(), path
    framed = {name for name in get_resolver().reverse_dict if isinstance(name, str) and name.endswith("-html")}
    assert framed == {"letter-html", "day-mail-html"}


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_a_mail_can_only_be_looked_at(admin_client, edition, confirmed, mailbox, method):
    digest = make_digest(confirmed, [edition.entries.first().paper])
    for path in (*html_views(edition, digest, mailbox).values(), ARCHIVE, admin("edition_mail", edition.pk)):
        assert getattr(admin_client, method)(path).status_code == 405, path


# --- The archive ----------------------------------------------------------------------------------


def test_a_published_day_leads_to_its_mail_and_back(client, edition):
    assert f'<a href="{ARCHIVE}">See this day as the mail</a>' in page_of(client, "/days/2026-03-20/")
    answer = client.get(ARCHIVE)
    assert f'<link rel="canonical" href="{ARCHIVE}">' in answer.content.decode()
    assert "public" in answer["Cache-Control"]
    assert "Cookie" not in answer.get("Vary", "")
    assert not answer.cookies
    assert 'href="/days/2026-03-20/"' in answer.content.decode()


def test_the_archived_mail_shows_what_a_new_reader_without_topics_gets(client, edition):
    page = page_of(client, f"{ARCHIVE}html/")
    assert [n for n in range(1, 13) if f"Robot study number {n}</a>" in page] == list(range(1, 11))


@pytest.mark.parametrize("path", [ARCHIVE, f"{ARCHIVE}html/", "/days/2020-01-01/mail/", "/days/2020-01-01/mail/html/"])
def test_a_draft_and_a_day_without_an_edition_have_no_mail(client, edition, path):
    edition.state = "draft"
    edition.save()
    assert client.get(path).status_code == 404


def test_a_day_whose_papers_are_all_hidden_has_no_mail(client, edition):
    edition.entries.update(hidden=True)
    assert client.get(ARCHIVE).status_code == 404
    assert "as the mail" not in page_of(client, "/days/2026-03-20/")


def test_the_archive_names_no_reader(client, edition, robotics):
    readers = [make_reader(f"reader{n}", robotics) for n in range(3)]
    make_digest(readers[0], [edition.entries.first().paper], "accepted")
    shown = "".join(page_of(client, ARCHIVE, part=part) for part in ("html", "text", "headers", "checks"))
    shown += page_of(client, f"{ARCHIVE}html/")
    assert not any(reader.email in shown for reader in readers)
    addresses = set(re.findall(r"[\w.+-]+@[\w.-]+\w", shown)) - {"reader@example.org", "papers@example.org"}
    assert all(re.fullmatch(r"digest-0\.[0-9a-f]{16}@example\.org", one) for one in addresses)
    tokens = set(re.findall(r"/(?:r|u|f|m|p)/(\w{20,})/", shown)) | set(re.findall(r"\b0\w{27,}\b", shown))
    assert tokens
    ids = {read.id for token in tokens for purpose in Purpose if (read := links.read(purpose, token, NOW))}
    assert ids == {0}
    assert not Subscriber.objects.filter(pk=0).exists()


# --- The editors' previews ------------------------------------------------------------------------


def test_the_mail_of_a_digest_is_shown_as_its_reader_gets_it_without_the_reader(admin_client, edition):
    paper = edition.entries.first().paper
    digest = make_digest(make_reader("secret"), [paper])
    for part in ("html", "text", "headers", "checks"):
        page = page_of(admin_client, admin("digest_mail", digest.pk), part=part)
        assert "secret" not in page
    assert paper.title in page_of(admin_client, frame_of(page_of(admin_client, admin("digest_mail", digest.pk))))


def test_a_reader_of_text_has_a_text_preview(admin_client, edition):
    digest = make_digest(make_reader("a", text_only=True), [edition.entries.first().paper])
    assert "Robot study number 1" in page_of(admin_client, admin("digest_mail", digest.pk))
    assert admin_client.get(admin("digest_preview", digest.pk)).status_code == 404
    assert "gets the text part only" in page_of(admin_client, admin("digest_change", digest.pk))


def test_an_edition_is_previewed_for_a_profile(admin_client, edition, speech):
    talk = make_paper(50, "Speech recognition at night", categories=["eess.AS"])
    edition.entries.create(paper=talk, position=13)
    path = admin("edition_mail", edition.pk)
    generic = page_of(admin_client, path)
    assert "Speech recognition at night" not in page_of(admin_client, frame_of(generic))
    chosen = page_of(admin_client, path, topics="speech", weekly="on", papers="5", text_only="on")
    assert "Speech recognition at night" in chosen
    assert "<iframe" not in chosen
    back = unescape(re.search(r'href="([^"]*preview/[^"]*)"', chosen)[1])
    form = page_of(admin_client, back)
    assert re.search(r'value="speech"[^>]*checked', form)
    assert re.search(r'name="weekly"[^>]*checked', form)


def test_the_form_has_a_label_for_each_choice_and_says_what_is_wrong(admin_client, edition):
    form = page_of(admin_client, admin("edition_preview", edition.pk))
    for name in ("phrase", "author", "weekly", "text_only", "papers", "language", "reader"):
        assert f'for="id_{name}"' in form
    assert "<legend>Topics</legend>" in form
    path = admin("edition_mail", edition.pk)
    for name, value in (("reader", "many"), ("reader", "0"), ("papers", "7"), ("topics", "cooking")):
        assert "errorlist" in page_of(admin_client, path, **{name: value})
    assert "There is no reader 999" in page_of(admin_client, path, reader="999")
    assert admin_client.get(admin("edition_mail_html", edition.pk), {"reader": "999"}).status_code == 404


def test_a_preview_without_a_paper_says_why(admin_client, edition):
    edition.entries.update(hidden=True)
    assert "No mail: no new papers." in page_of(admin_client, admin("edition_mail", edition.pk))


def test_a_real_reader_is_previewed_with_the_permission_only_and_leaves_one_entry_in_the_log(staff, edition):
    reader = make_reader("secret", text_only=False)
    client = staff("view_edition")
    pages = [admin("edition_mail", edition.pk), admin("edition_mail_html", edition.pk)]
    for path in pages:
        assert client.get(path).status_code == 200
        assert client.get(path, {"reader": reader.pk}).status_code == 403
    assert not LogEntry.objects.exists()
    User.objects.get().user_permissions.add(Permission.objects.get(codename="view_subscriber"))
    for path in (*pages, *pages):
        assert "secret" not in page_of(client, path, reader=reader.pk)
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.change_message) == (
        str(reader.pk),
        "Previewed the edition of 2026-03-20 as this reader.",
    )
    assert "secret" not in entry.object_repr


def test_the_previews_are_for_those_who_may_view_editions(client, staff, edition):
    paths = [admin(name, edition.pk) for name in ("edition_mail", "edition_mail_html", "edition_preview")]
    for path in paths:
        assert client.get(path).status_code == 302
    client = staff("view_digest")
    for path in paths:
        assert client.get(path).status_code == 403
    assert client.get(admin("edition_mail", 999)).status_code == 404


def test_the_mail_of_a_digest_is_for_those_who_may_view_digests(client, staff, edition, confirmed):
    digest = make_digest(confirmed, [edition.entries.first().paper])
    paths = [admin("digest_mail", digest.pk), admin("digest_preview", digest.pk)]
    for path in paths:
        assert client.get(path).status_code == 302
    client = staff("view_edition")
    for path in paths:
        assert client.get(path).status_code == 403


def test_a_draft_of_tomorrow_can_be_previewed(admin_client, robotics):
    day = TODAY + timedelta(days=1)
    draft = make_edition([make_paper(1, "Tomorrow's robot", day=day)], day, state="draft")
    page = page_of(admin_client, admin("edition_mail_html", draft.pk))
    assert "Tomorrow" in page
    assert "21 March" in page
