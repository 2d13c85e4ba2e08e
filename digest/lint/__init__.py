"""The mail linter: one message as bytes -> what is wrong with it. Pure: no Django, network, clock or file.

``lint(raw)`` for the rules see docs/linting.md or ``python manage.py lint_mail --rules``.
"""

from collections.abc import Iterable

from digest.lint import (
    addresses,
    anchors,
    boxes,
    contrast,
    css,
    headers,
    images,
    inbox,
    links,
    lists,
    markup,
    mime,
    outline,
    plain,
    size,
    tables,
    texts,
)
from digest.lint.findings import Finding, Severity
from digest.lint.mail import Mail
from digest.lint.rules import Rule

__all__ = ["RULES", "Finding", "Rule", "Severity", "in_words", "lint", "worst"]

_MODULES = (
    *(headers, addresses, lists, mime, markup, outline, tables, images, css, boxes, contrast),
    *(inbox, links, anchors, texts, plain, size),
)
RULES: tuple[Rule, ...] = tuple(
    sorted(
        (found for module in _MODULES for found in vars(module).values() if isinstance(found, Rule)), key=lambda r: r.id
    )
)
_WHAT = {rule.id: rule.what for rule in RULES}
_UNREAD = "Look at the message in an editor; if it is in order, the linter is at fault: report it."


def lint(raw: bytes, *, trial: bool = False) -> list[Finding]:
    """What is wrong with a message as it goes over the wire (RFC 5322), errors first, each in the order of the rules.

    It is a digest where it has a List-Id or List-Unsubscribe, else a letter. ``trial``: an installation to try it
    out, without https; links that are not https are then warnings. Raises nothing: what a parser breaks on is an error.
    """
    mail = Mail(raw, trial=trial)
    found = [finding for rule in RULES for finding in _findings(rule, mail)]
    return sorted(found, key=lambda finding: finding.severity is not Severity.ERROR)


def in_words(finding: Finding) -> str:
    """What is there, and the promise of its rule that it breaks."""
    return f"{finding.said} (should be: {_WHAT[finding.rule]})" if finding.rule in _WHAT else finding.said


def worst(findings: Iterable[Finding]) -> Severity | None:
    """The worst severity among them; None where there is no finding."""
    severities = {finding.severity for finding in findings}
    return next((severity for severity in Severity if severity in severities), None)


def _findings(rule: Rule, mail: Mail) -> list[Finding]:
    """Parsers of mail break in ways that nobody can list; a mail that breaks one must not be sent, nor stop a send."""
    try:
        return list(rule.findings(mail))
    except Exception as error:
        return [Finding("L100", Severity.ERROR, f"{rule.id} broke: {type(error).__name__}", _UNREAD)]
