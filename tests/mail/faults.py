"""What a careless editor of the templates, or of the builder of mails, would do: each as a change to one mail."""

import re
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage

from tests.mail.mail import Mail

# Headers that are not touched stay as they were folded.
AS_IT_WAS = policy.default.clone(refold_source="none")
Change = Callable[[Mail], Mail]


def in_html(pattern: str, by: str, count: int = 0) -> Change:
    """Each match in the HTML part (the first ``count`` of them) becomes ``by``."""
    return lambda mail: _with(mail, html=re.sub(pattern, by, mail.html, count=count, flags=re.DOTALL | re.IGNORECASE))


def in_text(change: Callable[[str], str]) -> Change:
    """The text part becomes what ``change`` makes of it."""
    return lambda mail: _with(mail, text=change(mail.text))


def in_both(pattern: str, by: str | Callable[[Mail], str]) -> Change:
    """Each match in either part becomes ``by``, as it is: what a fault of the builder does."""

    def change(mail: Mail) -> Mail:
        words = by if isinstance(by, str) else by(mail)
        html, text = (re.sub(pattern, lambda _: words, part) for part in (mail.html, mail.text))
        return _with(mail, html=html, text=text)

    return change


def in_mime(change: Callable[[EmailMessage], None]) -> Change:
    """The message is changed in place."""

    def changed(mail: Mail) -> Mail:
        message = _message(mail)
        change(message)
        return Mail(mail.name, message.as_bytes())

    return changed


def header(name: str, value: str | None) -> Change:
    """A header has another value, or is not there."""

    def change(message: EmailMessage) -> None:
        del message[name]
        if value is not None:
            message[name] = value

    return in_mime(change)


def untouched(mail: Mail) -> Mail:
    """Taken apart and put together like the faulty ones, without a fault."""
    return _with(mail)


def _message(mail: Mail) -> EmailMessage:
    return message_from_bytes(mail.raw, policy=AS_IT_WAS)


def _with(mail: Mail, *, html: str | None = None, text: str | None = None) -> Mail:
    message = _message(mail)
    for kind, now, then in (("html", html, mail.html), ("plain", text, mail.text)):
        content = then if now is None else now
        message.get_body((kind,)).set_content(content, subtype=kind, charset="utf-8", cte="quoted-printable")
    return Mail(mail.name, message.as_bytes())


def _swap(message: EmailMessage) -> None:
    message.get_payload().reverse()


def _8bit(message: EmailMessage) -> None:
    part = message.get_body(("html",))
    part.set_content(part.get_content(), subtype="html", charset="utf-8", cte="8bit")


def _mixed(message: EmailMessage) -> None:
    message.set_type("multipart/mixed")


def _attachment(message: EmailMessage) -> None:
    message.make_mixed()
    message.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="papers.pdf")


def _twice(name: str) -> Change:
    def change(message: EmailMessage) -> None:
        message._headers.append((name, str(message[name]).replace("papers.", "other.")))

    return in_mime(change)


def _half(text: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(lines[: len(lines) // 2])


def _without_last(text: str, words: str) -> str:
    before, _, after = text.rpartition(words)
    return before + after.partition("\n")[2].partition("\n")[2]  # the words' line and the address below them


END_OF_BODY = r"</body>"
FAULTS: dict[str, Change] = {
    # The frame
    "no lang on the content": in_html(r"(<div\b[^>]*?) lang=\"\w+\"", r"\1"),
    "no dir on the content": in_html(r"(<div\b[^>]*?) dir=\"\w+\"", r"\1"),
    "no lang on <html>": in_html(r"(<html\b[^>]*?) lang=\"\w+\"", r"\1"),
    "an unknown lang": in_html(r"lang=\"en\"", 'lang="english"'),
    "no role on the tables": in_html(r' role="presentation"', ""),
    "no role on Outlook's table": in_html(r"(\[if mso\]><table) role=\"presentation\"", r"\1"),
    "no doctype": in_html(r"<!DOCTYPE html>\s*", ""),
    "no charset": in_html(r"<meta charset=\"utf-8\">", ""),
    "an empty title": in_html(r"<title>.*?</title>", "<title></title>"),
    "another title than the subject": in_html(r"<title>.*?</title>", "<title>Newsletter</title>"),
    "zooming forbidden": in_html(r"initial-scale=1", "initial-scale=1, maximum-scale=1"),
    "no color-scheme": in_html(r'<meta name="(supported-)?color-schemes?"[^>]*>', ""),
    "no dark colours": in_html(r"@media \(prefers-color-scheme: dark\) \{.*?\}\s*\}", ""),
    "a class without its dark colour": in_html(r"\.soft \{[^}]*\}", ""),
    "a dark background that is not set": in_html(r"\.card \{ background-color[^}]*\}", ""),
    # Structure
    "h3 instead of h2": in_html(r"(</?)h2\b", r"\1h3"),
    "no h1": in_html(r"(</?)h1\b", r"\1p"),
    "two h1": in_html(r"(</?)h2\b", r"\1h1", 2),
    "an empty heading": in_html(r"<h2\b", "<h2></h2><h2", 1),
    "an unclosed paragraph": in_html(r"</p>", "", 1),
    "a cell without its row": in_html(r"</tr>\s*</table>", "</table>", 1),
    "an id twice": in_html(r"<h2\b", '<h2 id="paper"'),
    # Links
    "a link that says here": in_html(r">PDF of no. 2<", ">here<"),
    "one text for two targets": in_html(r">PDF of no. 2<", ">PDF of no. 1<"),
    "a link without words": in_html(r">PDF of no. 2<", "><"),
    "a link over http": in_html(r'href="https://arxiv', 'href="http://arxiv', 1),
    "a relative link": in_html(r'href="https://papers.example.org/', 'href="/', 1),
    "a link with tracking": in_html(
        r'(href="https://arxiv[^"]*)', r"\1?utm_source=daily&amp;utm_campaign=" + "x" * 100
    ),
    "a link with the reader's address": in_html(r'(href="https://papers[^"]*)', r"\1?email=reader@example.org", 1),
    "links told apart by colour only": in_html(r'(<a\b[^>]*style=")(color)', r"\1text-decoration:none;\2"),
    "no unsubscribe link": in_html(r"<a\b[^>]*>Unsubscribe</a>", ""),
    "an unsubscribe link that cannot be seen": in_html(
        r'style="([^"]*)">Unsubscribe</a>', r'style="\1;visibility:hidden">Unsubscribe</a>'
    ),
    # Looks
    "grey text": in_html("#5b544a", "#a09a90"),
    "tiny text": in_html("font-size:14px", "font-size:11px", 1),
    "a wide table": in_html(r"max-width:600px", "min-width:700px"),
    "a low button": in_html(r"padding:1\dpx 2\dpx", "padding:2px 24px"),
    "a line that cannot break": in_html(r"(</h2>)", f"<span style='white-space:nowrap'>{'Wide ' * 30}</span>\\1", 1),
    "display:flex": in_html(r'(class="card ink"[^>]*style=")', r"\1display:flex;"),
    "a width that stands in <style> only": in_html(
        r"(<style>)(.*?)max-width:600px", r"\1table { max-width: 600px }\2", 1
    ),
    "an imported font": in_html("<style>", "<style>@import url(https://fonts.example.org/css);", 1),
    # What does not belong into a mail
    "a script": in_html(END_OF_BODY, "<script>track()</script></body>"),
    "a form": in_html(END_OF_BODY, '<form action="https://papers.example.org/"><button>Vote</button></form></body>'),
    "a frame": in_html(END_OF_BODY, '<iframe src="https://papers.example.org/" title="Papers"></iframe></body>'),
    "a stylesheet": in_html("</head>", '<link rel="stylesheet" href="https://papers.example.org/m.css"></head>'),
    "a tracking pixel": in_html(
        END_OF_BODY, '<img src="https://papers.example.org/o.gif" width="1" height="1" alt=""></body>'
    ),
    "a picture without alt": in_html(r"<h1", '<img src="https://papers.example.org/logo.png" width="90"><h1'),
    "a picture wider than the screen": in_html(
        r"<h1", '<img src="https://papers.example.org/logo.png" alt="Daily Papers"><h1'
    ),
    "a picture drawn in SVG": in_html(r"<h1", '<svg width="20" height="20"><circle r="9"/></svg><h1'),
    "90 KB of comments": in_html(END_OF_BODY, f"<!-- {'spam and eggs ' * 6500} --></body>"),
    # Words
    "a tag of the template": in_html(r"</h1>", " {{ item.facts }}</h1>", 1),
    "an endblock of the template": in_html(r"</h1>", " {% endif %}</h1>", 1),
    "None for a fact": in_html(r"(</h2>)", r"\1<p>None upvotes</p>", 1),
    "a number that is escaped twice": in_html(r"(</h2>)", r"\1<p>Q&amp;amp;A</p>", 1),
    "no preheader": in_html(r"<div[^>]*display:none.*?</div>", "", 1),
    "a preheader that says View in browser": in_html(
        r"(<div[^>]*display:none[^>]*>).*?</div>", r"\1View in browser</div>", 1
    ),
    # Said by the text part only
    "no word of why the mail comes": in_html(r"You get this because[^<]*<br>\s*", ""),
    "no word of the sources": in_html(r"<br>\s*Sources:[^<]*", ""),
    "no authors": in_html(r"<p[^>]*>\s*Ana Exemplar, Bo Sample</p>", ""),
    "no label on the abstracts": in_html(r"<b>Abstract:</b>", ""),
    "no next digest": in_html(r"Your next digest:[^<]*<br>\s*", ""),
    "no news in the HTML": in_html(r"It has been withdrawn[^<]*", ""),
    # Not what it says
    "a title that is cut off": in_html(r'<h2 style="', '<h2 style="max-height:20px;overflow:hidden;', 1),
    "a title on one line": in_html(r'<h2 style="', '<h2 style="white-space:nowrap;overflow:hidden;max-width:200px;', 1),
    "PDFs exchanged": in_html(r"(/pdf/2603\.00001)(.*?)(/pdf/2603\.00002)", r"\3\2\1"),
    "30 papers for 3": in_both(r"\b3 papers for", "30 papers for"),
    "links to staging": in_both(r"https://papers\.example\.org/", "https://staging.example.net/"),
    "pages on localhost": in_both(r"https://papers\.example\.org/papers/", "https://localhost/papers/"),
    "topics that unsubscribe": in_both(
        r"https://papers\.example\.org/r/\w+/preferences/", lambda mail: mail.unsubscribe_url
    ),
    # Left by Python and by the templates
    "a Decimal": in_both(r"\b3 upvotes", "Decimal('3.0') upvotes"),
    "a datetime": in_both("1 March 2026", "datetime.datetime(2026, 3, 1, 7, 0)"),
    "a placeholder": in_both(r"Why you got this: [^\n<]*", "Why you got this: {reasons}"),
    "empty parentheses": in_both(r"\(it names[^)]*\)", "()"),
    "a separator at the end": in_html(r"(Save no. 2</a>)", r"\1&nbsp;&nbsp;·&nbsp;\n"),
    # The text part
    "no news in the text": in_text(lambda text: re.sub(r"It has (been|taken)[^\n]*\n", "", text)),
    "no heading over the news": in_text(lambda text: text.replace("News of papers you have\n\n", "")),
    "a text part cut in half": in_text(_half),
    "a text stub": in_text(lambda text: "Please use a mail program that shows HTML.\n"),
    "no unsubscribe at the end of the text": in_text(lambda text: _without_last(text, "Unsubscribe:")),
    "no unsubscribe at the head of the text": in_text(lambda text: "".join(text.partition("Unsubscribe:")[::2])),
    "a long line": in_text(lambda text: text.replace("\n", " word" * 30 + "\n", 1)),
    "tags in the text": in_text(lambda text: text.replace("Abstract:", "<b>Abstract:</b>")),
    "entities in the text": in_text(lambda text: text.replace(" and ", " &amp; ")),
    "many empty lines": in_text(lambda text: text.replace("\n\n", "\n\n\n\n")),
    "a link that the text lacks": in_text(lambda text: re.sub(r"PDF of no. 1:\s+\S+\n", "", text)),
    "a tag of the template in the text": in_text(lambda text: text + "{{ sender }}\n"),
    # MIME and headers
    "the parts in the wrong order": in_mime(_swap),
    "8bit": in_mime(_8bit),
    "no alternative": in_mime(_mixed),
    "an attachment": in_mime(_attachment),
    "two List-Unsubscribe": _twice("List-Unsubscribe"),
    "two recipients": header("To", "reader@example.org, other@example.org"),
    "no List-Unsubscribe-Post": header("List-Unsubscribe-Post", None),
    "List-Unsubscribe by mail only": header("List-Unsubscribe", "<mailto:leave@example.org>"),
    "List-Unsubscribe over http": header("List-Unsubscribe", "<http://papers.example.org/u/x/>"),
    "no List-Id": header("List-Id", None),
    "no Date": header("Date", None),
    "no Message-ID": header("Message-ID", None),
    "a Message-ID of another domain": header("Message-ID", "<digest-1@localhost>"),
    "no Auto-Submitted": header("Auto-Submitted", None),
    "no From": header("From", None),
    "a subject of 80 characters": header("Subject", "Learning to grasp from few demonstrations and " + "more " * 7),
    "an empty subject": header("Subject", ""),
    "a subject in capitals": header("Subject", "TRENDING PAPERS OF TODAY"),
    "a subject that is an answer": header("Subject", "Re: Learning to grasp"),
    "a subject with a tag of the template": header("Subject", "{{ short_title }}, and 9 more"),
}
