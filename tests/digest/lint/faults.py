"""Faults, each one change of a good mail: its name -> the rule that must find it, and the change."""

from base64 import b64encode

from tests.digest.lint.mails import (
    FILLER,
    LINK,
    OUT,
    SITE,
    SUBJECT,
    added,
    both,
    header,
    html,
    letter,
    octets,
    text,
    then,
    without,
)

H2 = "Robots that learn to walk</a></h2>"
TITLE = "Robots that learn to walk"
ABSTRACT = "We let robots fall until they do not."
PDF = "https://arxiv.org/pdf/2603.00001"
PREVIEW = "Next: A map of all spoken languages (2 papers in all)"
WIDE_WORD = "x" * 61


def subject(new):
    """Another subject, and the title with it."""
    return then(header("Subject", new), html(f"<title>{SUBJECT}", f"<title>{new}"))


def padded(size):
    """HTML that is larger by so many octets, in words that the text has too."""
    words = "<p>" + "It works. " * 50 + "</p>\n"
    more = words * (size // len(words) + 1)
    return then(html("<p", more + "<p"), text("DAILY PAPERS", "DAILY PAPERS\n" + "It works.\n" * (len(more) // 10)))


def encoded_html(size):
    """HTML of so many octets as it travels; letters that quoted-printable writes as nine."""
    return html("<p", "<p>" + "中 " * (size // 10) + "</p>\n<p")


HEADERS = {
    "nothing at all": ("L100", lambda draft: draft.having(after=lambda raw: b"")),
    "two subjects": ("L101", added("Subject", "Another one")),
    "no date": ("L101", without("Date")),
    "two reply-tos": ("L102", then(added("Reply-To", "a@example.org"), added("Reply-To", "b@example.org"))),
    "mime version 2": ("L103", header("MIME-Version", "2.0")),
    "date in words": ("L104", header("Date", "yesterday at noon")),
    "date without an offset": ("L104", header("Date", "Fri, 20 Mar 2026 07:00:00")),
    "message id without brackets": ("L105", header("Message-ID", "digest-17@example.org")),
    "message id of another domain": ("L105", header("Message-ID", "<digest-17@localhost.localdomain>")),
    "auto-submitted: no": ("L106", header("Auto-Submitted", "no")),
    "replies of exchange not suppressed": ("L107", without("X-Auto-Response-Suppress")),
    "precedence: first-class": ("L108", added("Precedence", "first-class")),
    "header line of 1,000 octets": ("L109", added("X-Long", "x" * 1000)),
    "header that is not folded": ("L110", added("X-Long", "word " * 20 + "word")),
    "raw utf-8 in a header": ("L111", header("From", "Daily Pap\u00e9rs <papers@example.org>")),
    "encoded-word of 100 characters": ("L112", header("Subject", f"=?utf-8?q?{'a' * 86}?=")),
    "encoded-word of no charset": ("L112", header("Subject", "=?nonsense?q?abc?=")),
    "line break in an encoded name": (
        "L113",
        header("From", "=?utf-8?q?Daily=0D=0ABcc=3A_x?= <papers@example.org>"),
    ),
    "line without a colon among headers": ("L113", octets(b"MIME-Version:", b"injected line\r\nMIME-Version:")),
    "two readers in To": ("L120", header("To", "a@example.net, b@example.net")),
    "a Cc": ("L121", added("Cc", "other@example.net")),
    "sender without a name": ("L127", header("From", "papers@example.org")),
    "two senders": ("L122", header("From", "A <a@example.org>, B <b@example.org>")),
    "noreply and no Reply-To": ("L123", header("From", "Daily Papers <noreply@example.org>")),
    "From of 330 octets": ("L124", header("From", f"{'Daily ' * 60}<papers@example.org>")),
    "local part of 65": ("L125", header("To", f"{'a' * 65}@example.net")),
    "domain with an underscore": ("L126", header("To", "a@ex_ample.net")),
}

LISTS = {
    "two https addresses to unsubscribe": ("L130", header("List-Unsubscribe", f"<{OUT}>, <{SITE}/other/>")),
    "unsubscribe without brackets": ("L130", header("List-Unsubscribe", OUT)),
    "one-click over http": ("L131", header("List-Unsubscribe", f"<{OUT.replace('https', 'http')}>")),
    "one-click in lower case": ("L132", header("List-Unsubscribe-Post", "list-unsubscribe=one-click")),
    "one-click on a letter": (
        "L133",
        lambda _: added("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")(letter()),
    ),
    "list id with an address of the web": ("L134", header("List-Id", "Daily <https://papers.example.org>")),
    "list id without a name": ("L134", header("List-Id", "<digest.example.org>")),
    "list id of 300 octets": ("L134", header("List-Id", f"Daily <{'a.' * 150}org>")),
    "no archive": ("L135", without("List-Archive")),
    "feedback id of three fields": ("L136", header("Feedback-ID", "daily:papers:dailypapers")),
    "sender id of four characters": ("L136", header("Feedback-ID", "a:b:c:four")),
    "row number in the feedback id": ("L137", header("Feedback-ID", "digest:4711:papers:dailypapers")),
    "reader in the feedback id": ("L137", header("Feedback-ID", "digest:reader.four:papers:dailypapers")),
    "signature without the list headers": (
        "L138",
        added("DKIM-Signature", "v=1; d=example.org; h=From:To:Subject:List-Unsubscribe; b=abc"),
    ),
    "signature of another domain": (
        "L139",
        added("DKIM-Signature", "v=1; d=example.com; h=List-Unsubscribe:List-Unsubscribe-Post; b=abc"),
    ),
}

MIME = {
    "html first": ("L201", lambda draft: draft.having(text="", html=draft.html, after=_swapped)),
    "mixed and not alternative": ("L201", octets(b"multipart/alternative", b"multipart/mixed")),
    "attachment": (
        "L202",
        octets(
            b"--=====frontier=====--",
            b"--=====frontier=====\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment\r\n\r\nx\r\n"
            b"--=====frontier=====--",
        ),
    ),
    "latin-1": ("L203", lambda draft: draft.having(charset="cp1252", html=None)),
    "8bit": ("L204", octets(b"Transfer-Encoding: quoted-printable", b"Transfer-Encoding: 8bit")),
    "8-bit octets in quoted-printable": ("L204", octets(b"Cy Instance", "Cy Inst\u00e4nce".encode())),
    "no utf-8": ("L205", octets(b"Cy Instance", b"Cy Inst=E4nce")),
    "body line of 1,000 octets": ("L206", octets(b"Cy Instance", b"Cy " + b"x" * 1000)),
    "cut before the last boundary": ("L207", octets(b"--=====frontier=====--", b"")),
    "empty text": ("L208", lambda draft: draft.having(text="\n")),
    "lone carriage return": ("L209", octets(b"Cy Instance", b"Cy\rInstance")),
}


def _swapped(raw):
    return raw.replace(b"text/plain", b"text/x").replace(b"text/html", b"text/plain").replace(b"text/x", b"text/html")


MARKUP = {
    "no doctype": ("L301", html("<!DOCTYPE html>\n", "")),
    "stray end tag": ("L302", html(H2, H2 + "</i>")),
    "div never closed": ("L303", html("<h1", "<div><h1")),
    "attribute twice": ("L303", html('<html lang="en"', '<html lang="en" lang="en"')),
    "html without lang": ("L304", html('<html lang="en" ', "<html ")),
    "content without dir": ("L305", html('<div class="bg" lang="en" dir="ltr"', '<div class="bg" lang="en"')),
    "title is not the subject": ("L306", html(f"<title>{SUBJECT}", "<title>Daily Papers")),
    "no charset": ("L307", html('<meta charset="utf-8">\n', "")),
    "viewport that cannot be enlarged": ("L308", html("initial-scale=1", "initial-scale=1, maximum-scale=1")),
    "two h1": ("L309", html("<h1", "<h1>Again</h1><h1")),
    "h1, then h3": ("L310", html(H2, H2 + "<h4>Deep</h4>")),
    "empty heading": ("L310", html(H2, H2 + "<h2></h2>")),
    "papers 1 and 3": ("L311", html("2. <a", "3. <a")),
    "script": ("L312", html("</body>", "<script>alert(1)</script></body>")),
    "form": ("L312", html("</body>", '<form action="/x" lang="en" dir="ltr"></form></body>')),
    "onclick": ("L313", html(f'href="{OUT}"', f'href="{OUT}" onclick="x()"')),
    "aria-hidden": ("L314", html("<h1", '<p aria-hidden="true">x</p><h1')),
    "hidden words": ("L314", html("<h1", '<p style="display:none">cheap watches</p><h1')),
    "id twice": ("L315", html("<h1", '<p id="a">a</p><p id="a">b</p><h1')),
    "layout table without a role": ("L320", html('<table role="presentation"><tr>', "<table><tr>")),
    "outlook's table without a role": ("L321", html('<!--[if mso]><table role="presentation"', "<!--[if mso]><table")),
    "ghost table never closed": ("L322", html("<!--[if mso]></td></tr></table><![endif]-->", "")),
    "no ghost table": (
        "L323",
        then(
            html('<!--[if mso]><table role="presentation" width="600" align="center"><tr><td><![endif]-->', ""),
            html("<!--[if mso]></td></tr></table><![endif]-->", ""),
        ),
    ),
    "data table": ("L324", html('<table role="presentation"><tr>', '<table role="presentation"><tr><th>Rank</th>')),
    "image without alt": ("L330", html('alt="" ', "")),
    "tracking pixel": ("L331", html('width="120" height="90"', 'width="1" height="1"')),
    "image without a height": ("L332", html(' height="90"', "")),
    "svg": ("L333", html("thumbnails/1.png", "thumbnails/1.svg")),
    "image as data": ("L333", html(f"{SITE}/thumbnails/1.png", "data:image/png;base64,AAAA")),
    "tall image": ("L334", html('height="90"', 'height="310"')),
}

STYLES = {
    "rule outside of @media": ("L401", html("<style>\n", "<style>\n.ink { color: #111111 }\n")),
    "font from elsewhere": ("L401", html("<style>\n", "<style>\n@import url(https://fonts.example.com/x);\n")),
    "media query of hover": ("L402", html("(max-width: 480px)", "(hover: hover)")),
    "attribute selector": ("L403", html(".button a {", "a[href] {")),
    "broken declaration": ("L404", html('<h1 style="', '<h1 style="color;')),
    "float": ("L405", html('<h1 style="', '<h1 style="float:left;')),
    "flex": ("L405", html('<h1 style="', '<h1 style="display:flex;')),
    "negative margin": ("L405", html('<h1 style="margin:0', '<h1 style="margin:0 -8px')),
    "background image": ("L406", html('<h1 style="', '<h1 style="background:url(https://x.example/a.png);')),
    "no color-scheme": ("L407", html('<meta name="color-scheme" content="light dark">', "")),
    "no dark block": ("L408", html("prefers-color-scheme: dark", "min-width: 2000px")),
    "white box": ("L409", html("background-color:#fdfbf6", "background-color:#ffffff")),
    "column of 900 px": ("L410", html("max-width:600px", "max-width:900px")),
    "fixed width": ("L411", html("width:100%;max-width:600px", "width:600px;max-width:600px")),
    "centred title": ("L412", html('<h1 style="', '<h1 style="text-align:center;')),
    "no generic font": ("L413", html("Helvetica,Arial,sans-serif", "Helvetica,Arial")),
    "low button": ("L414", html("padding:10px 24px", "padding:2px 24px")),
    "link without a line": ("L415", html(f'href="{OUT}" style="', f'href="{OUT}" style="text-decoration:none;')),
    "grey on cream": ("L420", html('<h1 style="', '<h1 style="color:#999999;')),
    "dark ink left in dark": ("L421", html(".ink { color: #ece7dd !important; }", "")),
    "dark colour without !important": ("L421", html("#ece7dd !important", "#ece7dd")),
    "grey that inverts to grey": ("L422", html('<h1 style="', '<h1 style="background-color:#1a1a1a;color:#8a8a8a;')),
    "button that does not stand out": (
        "L423",
        html(
            'td class="button" align="center" style="background-color:#8c1c13',
            'td class="button" align="center" style="background-color:#e9e2d2',
        ),
    ),
    "11 px": ("L424", html("<h1", '<p style="font-size:11px;line-height:16px">small print</p><h1')),
    "no line height": ("L425", html("font-size:16px;line-height:24px", "font-size:16px")),
}

INBOX = {
    "empty subject": ("L501", subject("")),
    "subject of 61": ("L502", subject("Robots that " + "really " * 8)),
    "subject of 55": ("L503", subject("Robots that learn to walk and to run and to swim, and more")),
    "date as subject": ("L504", subject("Daily Papers, 20 March 2026")),
    "false answer": ("L505", subject("Re: Robots that learn to walk")),
    "capitals": ("L505", subject("ROBOTS THAT LEARN TO WALK")),
    "two exclamation marks": ("L505", subject("Robots that learn to walk!!")),
    "emoji": ("L506", subject("Robots that =?utf-8?q?=F0=9F=9A=80?= fly")),
    "no preheader": ("L510", html(PREVIEW + FILLER, "")),
    "short preheader": ("L511", html(PREVIEW, "Two papers.")),
    "preheader repeats the subject": ("L512", html(PREVIEW, SUBJECT)),
    "view in browser": ("L513", html(PREVIEW, "Trouble reading this? View it in your browser now.")),
    "no filler": ("L514", html(FILLER, "")),
}

LINKS = {
    "path alone": ("L601", html(f"{SITE}/papers/2", "/papers/2")),
    "mailto": ("L601", html(f"{SITE}/papers/2", "mailto:papers@example.org")),
    "own link over http": ("L602", both(f"{SITE}/papers/2", f"http{SITE[5:]}/papers/2")),
    "other link over http": ("L603", both(PDF, PDF.replace("https", "http"))),
    "own link of 121 characters": ("L604", both(f"{SITE}/papers/2", f"{SITE}/papers/{'2' * 100}")),
    "other link of 501 characters": ("L605", both(PDF, PDF + "x" * 500)),
    "password in a link": ("L606", both(PDF, PDF.replace("//", "//me:secret@"))),
    "address in a link": ("L607", both(PDF, PDF + "?for=reader%40example.net")),
    "address in base64 in a link": ("L607", both(PDF, f"{PDF}/{b64encode(b'reader@example.net').decode()}")),
    "utm_source": ("L608", both(PDF, PDF + "?utm_source=digest")),
    "shortener": ("L609", both(PDF, "https://bit.ly/abc")),
    "token of 16": ("L610", both(OUT, f"{SITE}/u/7mQ2xK9pLw4Rz8Tb/")),
    "row number as the way out": (
        "L610",
        then(both(OUT, f"{SITE}/u/42/"), header("List-Unsubscribe", f"<{SITE}/u/42/>")),
    ),
    "token with signs": ("L610", both("Zk3Vt8Wq1Xn6Bm4Ls9Pd2Rf7G", "Zk3Vt8Wq1Xn6:Bm4Ls9Pd2Rf7G")),
    "false address shown": ("L611", html(">PDF of no. 1<", ">https://example.com/1<")),
    "link without words": ("L620", html(">PDF of no. 1<", "><")),
    "read more": ("L621", html(">PDF of no. 1<", ">Read more<")),
    "two PDFs of one name": ("L622", html("PDF of no. 2<", "PDF of no. 1<")),
    "unsubscribe without a link": ("L623", html(f'<a href="{OUT}" {LINK}>Unsubscribe</a>', "Unsubscribe", -1)),
    "unsubscribe far down": ("L624", text(f"Unsubscribe: {OUT}\n\nDAILY", "\nDAILY")),
    "unsubscribe at the top alone": ("L624", text(f"Unsubscribe: {OUT}\n\nDaily", "\nDaily")),
    "no postal address": ("L625", both("Daily Papers, 1 Example Street, 12345 Example City", "Daily Papers")),
}

TEXTS = {
    "variable of a template": ("L701", both(ABSTRACT, "{{ item.blurb }}")),
    "dict of python": ("L701", both(ABSTRACT, "{'paper': 4}")),
    "None": ("L702", both("Cy Instance", "None")),
    "twice escaped": ("L703", html(ABSTRACT, "Robots &amp;amp; legs")),
    "replacement character": ("L704", both(ABSTRACT, "We let robots \ufffd fall.")),
    "bell": ("L704", text(ABSTRACT, "We let robots \x07 fall.")),
    "right-to-left override": ("L705", both(ABSTRACT, "We let \u202estobor\u202c fall.")),
    "thoughts of a model": ("L706", then(html(ABSTRACT, "&lt;think&gt;What?"), text(ABSTRACT, "<think>What?"))),
    "tex": ("L707", both(ABSTRACT, r"It takes $O(n^2)$ falls.")),
    "command of tex": ("L707", both(ABSTRACT, r"\textit{Robots} fall.")),
    "tag as text": ("L708", then(html(ABSTRACT, "&lt;b&gt;Robots&lt;/b&gt;"), text(ABSTRACT, "<b>Robots</b>"))),
    "wrong charset": ("L709", both("Cy Instance", "Jos\u00c3\u00a9 Instance")),
    "word of 61": ("L710", both(TITLE, WIDE_WORD)),
    "title of 251": ("L711", html(TITLE + "</a>", "word " * 50 + "w</a>")),
    "whole abstract": ("L712", both(ABSTRACT, "It works. " * 61)),
    "title from right to left": (
        "L713",
        html('dir="auto" style="color:#8c1c13">A map of all\nspoken languages', f"{LINK}>\u05de\u05e4\u05d4"),
    ),
    "isolate that is not ended": ("L705", both(ABSTRACT, "We let \u2068robots fall.")),
    "end of no isolate": ("L705", both(ABSTRACT, "We let robots\u2069 fall.")),
    "override in an isolate": ("L705", both(ABSTRACT, "We let \u2068\u202erobots\u2069 fall.")),
    "words from right to left in a line": ("L715", text(ABSTRACT, "We let \u05de\u05e4\u05d4 fall, no. 3.")),
    "link as its own label": ("L714", text(f"PDF of no. 1: {PDF}", f"{PDF}: {PDF}")),
}

PLAIN = {
    "stub of a text": ("L801", html("<h1", f"<p>{'entirely different words than these ' * 20}</p><h1")),
    "text line of 79": ("L802", text(ABSTRACT, "x" * 79)),
    "link in the html alone": ("L803", text(f"PDF of no. 2: {PDF[:-1]}2\n", "")),
    "link in the text alone": ("L803", text(f"PDF of no. 2: {PDF[:-1]}2\n", f"PDF: {PDF[:-1]}2\nX: {SITE}/x\n")),
    "two empty lines": ("L804", text("DAILY PAPERS\n\n", "DAILY PAPERS\n\n\n")),
    "two links in a line": ("L805", text(f"{SITE}/papers/1\n", f"{SITE}/papers/1 ")),
    "link without a label": ("L805", text(f"PDF of no. 1: {PDF}", PDF)),
    "empty line at the start": ("L806", text("Web version", "\nWeb version")),
    "blank at the end of a line": ("L807", text("DAILY PAPERS", "DAILY PAPERS ")),
}

SIZES = {
    "html of 81,000": ("L901", padded(76_000)),
    "html of 103,000": ("L902", padded(100_000)),
    "encoded html of 96,000": ("L903", encoded_html(90_000)),
    "encoded html of 110,000": ("L904", encoded_html(102_000)),
    "way out below 100 KB": (
        "L905",
        then(html(f'<a href="{OUT}" {LINK}>Unsubscribe</a></p>\n<h1', "</p>\n<h1"), padded(101_000)),
    ),
}

FAULTS = {**HEADERS, **LISTS, **MIME, **MARKUP, **STYLES, **INBOX, **LINKS, **TEXTS, **PLAIN, **SIZES}
