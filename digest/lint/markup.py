"""L30x and L31x: the HTML of a mail as code."""

from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser

from digest.lint.findings import Severity
from digest.lint.mail import Mail
from digest.lint.rules import Fault, Needs, rule
from digest.lint.wording import brief

ERROR = Severity.ERROR
VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
FORBIDDEN = (
    *("script", "form", "input", "button", "select", "textarea", "iframe", "frame", "object", "embed"),
    *("applet", "link", "base", "audio", "video", "canvas", "svg", "math", "template", "marquee"),
)


@rule("L301", ERROR, "the HTML begins with <!DOCTYPE html>", "Write it before all else.", needs=Needs.HTML)
def doctype(mail: Mail) -> Iterator[Fault]:
    """Without it programs fall back to quirks."""
    if mail.page.doctype != "html":
        yield Fault("there is none" if mail.page.doctype is None else f"it is {brief(mail.page.doctype)}")


@rule(
    "L302",
    ERROR,
    "the HTML has no parse error",
    "Correct the markup there; escape < and & in texts.",
    "https://html.spec.whatwg.org/multipage/parsing.html#parse-errors",
    needs=Needs.HTML,
)
def no_parse_error(mail: Mail) -> Iterator[Fault]:
    """As justhtml tells them, with line and column. The missing doctype has a rule of its own."""
    for error in mail.page.errors:
        if "doctype" not in error:
            yield Fault(brief(error, 100), "HTML")


@rule(
    "L303",
    ERROR,
    "each element is closed, in order, and has no attribute twice",
    "Close the element; take out the end tag or the attribute that is too many.",
    "https://html.spec.whatwg.org/multipage/syntax.html#elements-2",
    needs=Needs.HTML,
)
def balanced(mail: Mail) -> Iterator[Fault]:
    """Stricter than HTML, where </p> may be left out: web mail puts a mail into a page of its own."""
    reader = _Balance()
    reader.feed(mail.html or "")
    reader.close()
    yield from reader.faults
    for name, line in reader.open:
        yield Fault(f"<{name}> is never closed", f"HTML, line {line}")


class _Balance(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, int]] = []
        self.faults: list[Fault] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line = self.getpos()[0]
        if tag not in VOID:
            self.open.append((tag, line))
        for name, number in Counter(name for name, _ in attrs).items():
            if number > 1:
                self.faults.append(Fault(f"<{tag}> has {number} attributes {name}", f"HTML, line {line}"))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1][0] == tag:
            self.open.pop()
        else:
            inner = f" inside <{self.open[-1][0]}>" if self.open else ""
            self.faults.append(Fault(f"</{tag}>{inner} closes nothing", f"HTML, line {self.getpos()[0]}"))


@rule(
    "L307",
    ERROR,
    "the HTML says that it is utf-8",
    'Write <meta charset="utf-8"> first in <head>.',
    "https://html.spec.whatwg.org/multipage/semantics.html#charset",
    needs=Needs.HTML,
)
def charset(mail: Mail) -> Iterator[Fault]:
    """Some programs hand the HTML on without its header."""
    said = [meta.attrs["charset"].lower() for meta in mail.page.named("meta") if "charset" in meta.attrs]
    if said != ["utf-8"]:
        yield Fault(f"it says {', '.join(said)}" if said else "it does not")


@rule(
    "L308",
    ERROR,
    "the viewport is as wide as the device and may be enlarged",
    'Write content="width=device-width, initial-scale=1", without maximum-scale and user-scalable.',
    "WCAG 2.2 criterion 1.4.4",
    needs=Needs.HTML,
)
def viewport(mail: Mail) -> Iterator[Fault]:
    """People enlarge mails with two fingers."""
    content = mail.page.meta("viewport").lower()
    if "width=device-width" not in content.replace(" ", ""):
        yield Fault(f"it is {brief(content)!r}", "<meta name=viewport>")
    for word in ("maximum-scale", "user-scalable"):
        if word in content:
            yield Fault(f"it says {word}", "<meta name=viewport>")


@rule(
    "L312",
    ERROR,
    "nothing runs, asks for input, or is loaded: no script, form, iframe, link, svg or the like",
    "Take the element out; link to a page that has it.",
    "https://developers.google.com/workspace/gmail/design/css",
    needs=Needs.HTML,
)
def nothing_active(mail: Mail) -> Iterator[Fault]:
    """Programs strip these, or take the mail for an attack."""
    for element in mail.page.named(*FORBIDDEN):
        yield Fault(f"there is a <{element.name}>", element.spot)
    for meta in mail.page.named("meta"):
        if meta.attrs.get("http-equiv", "").lower() == "refresh":
            yield Fault("there is a <meta http-equiv=refresh>", meta.spot)


@rule("L313", ERROR, "no element has an event handler", "Take out the on... attribute.", needs=Needs.HTML)
def no_handlers(mail: Mail) -> Iterator[Fault]:
    """Onclick and its like."""
    for element in mail.page.elements:
        for name in element.attrs:
            if name.startswith("on"):
                yield Fault(f"it has {brief(name)}", element.spot)


@rule(
    "L315",
    ERROR,
    "each id is there once",
    "Give the second one another id, or none.",
    "https://html.spec.whatwg.org/multipage/dom.html#the-id-attribute",
    needs=Needs.HTML,
)
def unique_ids(mail: Mail) -> Iterator[Fault]:
    """Links into the page."""
    counts = Counter(element.attrs["id"] for element in mail.page.elements if "id" in element.attrs)
    for name, number in counts.items():
        if number > 1:
            yield Fault(f"{number} elements have the id {brief(name)!r}")
