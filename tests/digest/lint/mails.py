"""A digest and a letter that keep every rule, and the ways to break them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from quopri import encodestring

SITE = "https://papers.example.org"
OUT = f"{SITE}/u/7mQ2xK9pLw4Rz8TbN5vYc3HdJ/"
SETTINGS = f"{SITE}/r/Zk3Vt8Wq1Xn6Bm4Ls9Pd2Rf7G/preferences/"
SUBJECT = "Robots that learn to walk, and 1 more"
FILLER = "&#847;&zwnj;&nbsp;" * 25

STYLE = """@media (prefers-color-scheme: dark) {
.bg { background-color: #171614 !important; }
.card { background-color: #1f1d1a !important; }
.ink { color: #ece7dd !important; }
a { color: #f2a591 !important; }
.button { background-color: #f2a591 !important; }
.button a { color: #25100b !important; }
}
@media (max-width: 480px) {
.card { padding: 20px 16px !important; }
}"""

LINK = 'style="color:#8c1c13"'
HTML = f"""<!DOCTYPE html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{SUBJECT}</title>
<style>
{STYLE}
</style>
</head>
<body class="bg" style="margin:0;padding:0;background-color:#f4f0e7">
<div lang="en" dir="ltr" style="display:none;max-height:0;overflow:hidden;mso-hide:all">
Next: A map of all spoken languages (2 papers in all){FILLER}</div>
<div class="bg" lang="en" dir="ltr" style="background-color:#f4f0e7;padding:16px 8px">
<!--[if mso]><table role="presentation" width="600" align="center"><tr><td><![endif]-->
<table role="presentation" width="100%" style="width:100%;max-width:600px;margin:0 auto">
<tr>
<td class="card ink" style="padding:28px 32px;background-color:#fdfbf6;color:#1d1a16;
font-family:Helvetica,Arial,sans-serif;font-size:16px;line-height:24px">
<p style="margin:0 0 24px"><a href="{SITE}/days/2026-03-20/" {LINK}>Web version</a> &middot;
<a href="{OUT}" {LINK}>Unsubscribe</a></p>
<h1 style="margin:0;font-size:34px;line-height:40px">Daily Papers</h1>
<p style="margin:0">2 papers for Friday 20 March 2026.</p>
<h2 style="font-size:20px;line-height:26px">1. <a href="{SITE}/papers/1" dir="auto" {LINK}><img
 src="{SITE}/thumbnails/1.png" alt="" width="120" height="90">Robots that learn to walk</a></h2>
<p style="margin:0">Ana Exemplar, Bo Sample</p>
<p style="margin:0"><b>Abstract:</b> We let robots fall until they do not. It works.</p>
<p style="margin:0"><a href="https://arxiv.org/pdf/2603.00001" {LINK}>PDF of no. 1</a></p>
<h2 style="font-size:20px;line-height:26px">2. <a href="{SITE}/papers/2" dir="auto" {LINK}>A map of all
spoken languages</a></h2>
<p style="margin:0">Cy Instance</p>
<p style="margin:0"><b>Abstract:</b> We listen to seven thousand languages and draw them.</p>
<p style="margin:0"><a href="https://arxiv.org/pdf/2603.00002" {LINK}>PDF of no. 2</a></p>
<table role="presentation"><tr><td class="button" align="center" style="background-color:#8c1c13">
<a href="{SITE}/days/2026-03-20/" style="display:inline-block;padding:10px 24px;line-height:24px;color:#fffaf3;
text-decoration:none">See the whole list on the web</a></td></tr></table>
<p style="margin:0">You get this since you subscribed to Daily Papers.<br>
<a href="{SETTINGS}" {LINK}>Change topics</a> &middot; <a href="{OUT}" {LINK}>Unsubscribe</a><br>
Daily Papers, 1 Example Street, 12345 Example City<br>We do not track opens or clicks.</p>
</td>
</tr>
</table>
<!--[if mso]></td></tr></table><![endif]-->
</div>
</body>
</html>
"""

TEXT = f"""Web version: {SITE}/days/2026-03-20/
Unsubscribe: {OUT}

DAILY PAPERS

2 papers for Friday 20 March 2026.

1. Robots that learn to walk
Ana Exemplar, Bo Sample

Abstract: We let robots fall until they do not. It works.

Page of no. 1: {SITE}/papers/1
PDF of no. 1: https://arxiv.org/pdf/2603.00001

2. A map of all spoken languages
Cy Instance

Abstract: We listen to seven thousand languages and draw them.

Page of no. 2: {SITE}/papers/2
PDF of no. 2: https://arxiv.org/pdf/2603.00002

See the whole list on the web: {SITE}/days/2026-03-20/

You get this since you subscribed to Daily Papers.
Change topics:
{SETTINGS}
Unsubscribe: {OUT}

Daily Papers, 1 Example Street, 12345 Example City
We do not track opens or clicks.
"""

HEADERS = (
    ("Subject", SUBJECT),
    ("From", "Daily Papers <papers@example.org>"),
    ("To", "reader.four@example.net"),
    ("Date", "Fri, 20 Mar 2026 07:00:00 +0000"),
    ("Message-ID", "<digest-17@example.org>"),
    ("MIME-Version", "1.0"),
    ("Auto-Submitted", "auto-generated"),
    ("X-Auto-Response-Suppress", "All"),
)
LIST_HEADERS = (
    ("List-Id", "Daily Papers <digest.example.org>"),
    ("List-Unsubscribe", f"<{OUT}>"),
    ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ("List-Archive", f"<{SITE}/>"),
    ("Feedback-ID", "digest:daily:papers:dailypapers"),
)


@dataclass(frozen=True)
class Draft:
    """A message in the pieces that a fault changes."""

    headers: tuple[tuple[str, str], ...] = (*HEADERS, *LIST_HEADERS)
    text: str = TEXT
    html: str | None = HTML
    charset: str = "utf-8"
    after: Callable[[bytes], bytes] = field(default=lambda raw: raw)

    def raw(self):
        """As it goes over the wire."""
        head = "".join(f"{name}: {value}\r\n" for name, value in self.headers).encode("latin-1")
        if self.html is None:
            return self.after(head + self.part("plain", self.text))
        boundary = b"=====frontier====="
        parts = (self.part("plain", self.text), self.part("html", self.html))
        body = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary + b"--\r\n"
        kind = b'Content-Type: multipart/alternative; boundary="' + boundary + b'"\r\n\r\n'
        return self.after(head + kind + body)

    def part(self, kind, content):
        body = encodestring(content.encode(self.charset)).replace(b"\n", b"\r\n")
        fields = f"Content-Type: text/{kind}; charset={self.charset}\r\nContent-Transfer-Encoding: quoted-printable\r\n"
        return fields.encode() + b"\r\n" + body

    def having(self, **values):
        return replace(self, **values)


def _swap(whole, old, new, times=-1):
    assert old in whole, f"{old!r} is not in the good mail"
    return whole.replace(old, new, times)


def header(name, value):
    """With another value of one header."""
    return lambda draft: draft.having(headers=tuple((n, value if n == name else v) for n, v in draft.headers))


def added(name, value):
    """With one header more."""
    return lambda draft: draft.having(headers=(*draft.headers, (name, value)))


def without(name):
    """With one header less."""
    return lambda draft: draft.having(headers=tuple((n, v) for n, v in draft.headers if n != name))


def html(old, new, times=1):
    """With something else in the HTML."""
    return lambda draft: draft.having(html=_swap(draft.html, old, new, times))


def text(old, new, times=1):
    """With something else in the text."""
    return lambda draft: draft.having(text=_swap(draft.text, old, new, times))


def both(old, new):
    """With something else in both parts, everywhere."""
    return lambda draft: text(old, new, -1)(html(old, new, -1)(draft))


def octets(old, new):
    """With other octets in the finished message."""
    return lambda draft: draft.having(after=lambda raw: _swap(raw, old, new))


def then(*changes):
    """One change after the other."""

    def changed(draft):
        for change in changes:
            draft = change(draft)
        return draft

    return changed


def good_mail():
    """A digest of two papers that keeps every rule."""
    return Draft().raw()


def good_text_mail():
    """The same for a reader of text."""
    return Draft(html=None).raw()


def letter():
    """A letter in pieces."""
    link = f"{SITE}/c/8nR3yL1qMx5Sa9UcP6wZd4JeK/"
    subject = "Confirm your Daily Papers subscription"
    body = (
        f"To start it, open this page and press Confirm:\n{link}\n\n"
        "If you did not ask for this, do nothing: you will get no more email from us.\n\nDaily Papers\n"
    )
    start, rest = HTML.split('<p style="margin:0 0 24px">')
    end = rest[rest.index("</td>\n</tr>\n</table>\n<!--[if mso]>") :]
    page = (
        start.replace(SUBJECT, subject).replace(
            "Next: A map of all spoken languages (2 papers in all)",
            "Open the page and press Confirm: it works 72 hours.",
        )
        + '<h1 style="margin:0;font-size:34px;line-height:40px">Daily Papers</h1>\n'
        + '<p style="margin:0">To start it, open this page and press Confirm:\n'
        + f'<a href="{link}" {LINK}>Open the page to confirm</a></p>\n'
        + '<p style="margin:0">If you did not ask for this, do nothing: you will get no more email from us.</p>\n'
        + end
    )
    headers = tuple((n, subject if n == "Subject" else v) for n, v in HEADERS)
    return Draft(headers=headers, text=body, html=page)


def good_letter():
    """A letter that keeps every rule."""
    return letter().raw()
