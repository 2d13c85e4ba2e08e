import re
import string
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.lint import RULES, Finding, Severity, lint, worst
from digest.lint.mail import Mail
from digest.lint.page import Page
from digest.lint.rules import SHOWN, Fault, rule
from digest.lint.styles import Ruleset, declared
from tests.digest.lint.faults import FAULTS
from tests.digest.lint.mails import (
    HTML,
    SITE,
    Draft,
    both,
    good_letter,
    good_mail,
    header,
    html,
    then,
    without,
)

GOOD = (good_mail(), good_letter())


def found(raw, **options):
    return {finding.rule for finding in lint(raw, **options)}


def broke(raw):
    """The rules that raised."""
    return [finding.said for finding in lint(raw) if "broke" in finding.said]


@given(st.binary(max_size=2000))
def test_it_never_raises_whatever_the_bytes(raw):
    assert not broke(raw)


HEADER_BITS = st.sampled_from(
    ["From", "To", "Subject", "Content-Type", "Date", "List-Unsubscribe", "Message-ID", "DKIM-Signature"]
)
VALUES = st.one_of(
    st.text(st.characters(max_codepoint=255), max_size=80),
    st.sampled_from(
        [
            "=?utf-8?b?abc?=",
            "=?utf-8?q?=?=",
            "multipart/mixed; boundary=",
            'multipart/alternative; boundary="x"',
            "text/html; charset=nonsense",
            "text/html; charset*=utf-8''%ff",
            "message/rfc822",
            "Mon, 99 Foo 2026 99:99:99 +9999",
            "<https://[/>",
            "a@[, b@@",
            "<@>",
        ]
    ),
)


@given(st.lists(st.tuples(HEADER_BITS, VALUES), max_size=6), st.text(max_size=200))
def test_it_never_raises_whatever_the_headers(fields, body):
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    assert not broke(f"{head}\r\n{body}".encode("utf-8", "surrogatepass"))


@given(st.sampled_from(GOOD), st.data())
def test_it_never_raises_whatever_is_done_to_a_good_mail(raw, data):
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(raw)))
        end = min(start + data.draw(st.integers(0, 60)), len(raw))
        raw = raw[:start] + data.draw(st.binary(max_size=12)) + raw[end:]
    assert not broke(raw)


TAGS = st.sampled_from(
    [
        "<a",
        "href='https://[x'>",
        "<a",
        "href='http://h:port/'>",
        "<img",
        "src>",
        "<table>",
        "</table>",
        "<td>",
        "<div",
        "style='color:'",
        ">",
        "<style>",
        "</style>",
        "@media{a{}}",
        "<!--[if",
        "<![endif]-->",
        "<p",
        "style='font-size:1e999px;line-height:.'>",
        "<h6>",
        "<svg>",
        "<math>",
        "<template>",
        "<html",
        "lang>",
        "</body>",
        "<select>",
        "<b",
        "id>",
        "&#0;",
        "&#xD800;",
        "<a",
        "style='padding:a",
        "b",
        "c",
        "d;background:red'>",
        "<font",
        "color=#12345>",
        "<td",
        "bgcolor=x",
        "background=y>",
        "<style>@media{",
        "((((",
        "rgb(",
    ]
)


@given(st.lists(st.one_of(TAGS, st.text(string.printable, max_size=8)), max_size=30))
def test_it_never_raises_whatever_the_html(pieces):
    page = "".join(pieces)
    assert not broke(Draft(html=page).raw())
    assert not broke(html("<h1", page + "<h1")(Draft()).raw())


@pytest.mark.parametrize("deep", ["<div>", "<b>", "<table><tr><td>", "<!--[if mso]><table>", "<style>("])
def test_it_never_raises_however_deep_the_html(deep):
    assert not broke(Draft(html=deep * 3000).raw())


def test_a_rule_that_breaks_is_an_error_and_the_others_go_on(monkeypatch):
    @rule("L999", Severity.WARNING, "", "")
    def broken(mail):
        raise RecursionError

    monkeypatch.setattr("digest.lint.RULES", (broken, *RULES))
    findings = lint(without("Date")(Draft()).raw())
    assert [(f.rule, f.severity, f.said) for f in findings] == [
        ("L100", Severity.ERROR, "L999 broke: RecursionError"),
        ("L101", Severity.ERROR, "0 Date fields"),
    ]


def test_it_says_the_same_of_the_same_mail():
    raw = then(without("Date"), html("<h1", "<h4>x</h4><h1"))(Draft()).raw()
    assert lint(raw) == lint(raw) != []


def test_errors_come_first():
    change = then(html("max-width:600px", "max-width:900px"), html("Helvetica,Arial,sans-serif", "Arial"))
    findings = lint(then(change, header("Subject", "x" * 55))(Draft()).raw())
    severities = [finding.severity for finding in findings]
    assert severities == sorted(severities, key=[Severity.ERROR, Severity.WARNING].index)
    assert set(severities) == {Severity.ERROR, Severity.WARNING}


def test_the_worst_of_findings():
    error = Finding("L1", Severity.ERROR, "", "")
    warning = Finding("L2", Severity.WARNING, "", "")
    assert worst([warning, error]) is Severity.ERROR
    assert worst([warning]) is Severity.WARNING
    assert worst([]) is None


def test_one_fault_in_many_places_is_told_a_few_times_and_then_counted():
    @rule("L999", Severity.WARNING, "what", "remedy")
    def many(mail):
        return [Fault(f"place {n}") for n in range(50)]

    findings = list(many.findings(Mail(good_mail())))
    assert len(findings) == SHOWN + 1
    assert findings[-1].said == f"and {50 - SHOWN} more like these"


def test_files_with_lf_and_with_crlf_are_the_same_mail():
    large = FAULTS["encoded html of 96,000"][1](Draft()).raw()
    assert "L903" in found(large)
    part = Mail(large).html_part
    assert part.wire_size == len(part.body) == Mail(large.replace(b"\r\n", b"\n")).html_part.wire_size
    for raw in (*GOOD, large):
        assert lint(raw.replace(b"\r\n", b"\n")) == lint(raw)


def test_an_installation_to_try_it_out_has_no_https():
    draft = both(SITE, "http://127.0.0.1:8000")(Draft())
    for name in ("List-Unsubscribe", "List-Archive"):
        value = dict(draft.headers)[name].replace(SITE, "http://127.0.0.1:8000")
        draft = header(name, value)(draft)
    assert worst(lint(draft.raw())) is Severity.ERROR
    trial = lint(draft.raw(), trial=True)
    assert {finding.rule for finding in trial} == {"L131", "L602"}
    assert worst(trial) is Severity.WARNING


@pytest.mark.parametrize(
    ("shown", "rule_id"),
    [
        ("Let&#39;s &lt;reason&gt; about vectors: a &lt; b", None),
        ("It costs $5, not $6, and 100% of {robots} agree.", None),
        ("None of them fell; null results &amp; R&amp;D count.", None),
        ("Nvidia&#39;s GPT-4o: “a study” — naïve, β = 0.5, 中文, 🚀", None),
        ("Energy in \\alpha units", "L707"),
        ("Andr&amp;eacute;", None),
    ],
)
def test_what_papers_say_is_no_fault_by_itself(shown, rule_id):
    draft = html("We let robots fall until they do not.", shown)(Draft())
    draft = draft.having(text=draft.text.replace("We let robots fall until they do not.", unescape(shown)))
    assert found(draft.raw()) == ({rule_id} if rule_id else set())


@pytest.mark.parametrize("colour", ["#8c1c13", "rgb(140, 28, 19)", "hsl(4, 76%, 31%)", "darkred", "rgba(140,28,19,1)"])
def test_it_reads_colours_in_all_their_spellings(colour):
    assert found(html("color:#8c1c13", f"color:{colour}")(Draft()).raw()) == set()


@pytest.mark.parametrize(
    ("ink", "paper", "passes"),
    [("#767676", "#fefefe", True), ("#777777", "#fefefe", False), ("rgba(0,0,0,.4)", "#fefefe", False)],
)
def test_contrast_is_that_of_wcag(ink, paper, passes):
    raw = html("<h1", f'<p style="background-color:{paper};color:{ink}">seven</p><h1')(Draft())
    raw = raw.having(text=raw.text.replace("DAILY PAPERS", "DAILY PAPERS\nseven"))
    assert ("L420" in found(raw.raw())) is not passes


@pytest.mark.parametrize(
    ("selector", "fits"),
    [
        ("a", True),
        (".button a", True),
        ("table .button a", True),
        ("td table a", True),
        ("p a", False),
        ("a table", False),
        ("table table table a", False),
        ("td.card a", True),
        ("td.card.ink", False),
        ("#no a", False),
        ("a:hover", False),
        ("td > a", False),
    ],
)
def test_selectors_fit_as_in_a_browser(selector, fits):
    button = next(link for link in Page(HTML).links if "whole list" in link.text)
    assert Ruleset(selector, declared("color:red")).fits(button.element) is fits


def test_ids_are_unique_and_every_rule_says_what_to_do():
    assert len({rule.id for rule in RULES}) == len(RULES)
    for made in RULES:
        assert re.fullmatch(r"L[1-9]\d\d", made.id)
        assert made.what
        assert made.remedy
        assert made.source
        assert "\n" not in made.what + made.remedy + made.source
    assert [made.id for made in RULES] == sorted(made.id for made in RULES)
