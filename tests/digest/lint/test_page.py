from pathlib import Path

from digest.lint import RULES

PAGE = Path(__file__).resolve().parents[3] / "docs" / "linting.md"


def cell(text):
    """Escaped for a table of Markdown."""
    return text.replace("|", r"\|").replace("<", r"\<").replace("*", r"\*").replace("$", r"\$")


def row(rule):
    return f"| {rule.id} | {rule.severity} | {cell(rule.what)} | {cell(rule.remedy)} | {rule.source} |"


def test_the_page_has_every_rule_as_it_is():
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| L")]
    assert rows == [row(rule) for rule in RULES]
