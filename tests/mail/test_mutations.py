"""How much the suite sees: faults are put into a good mail, and each must be found by the linter or by another check."""

import sys
from collections import Counter
from collections.abc import Callable
from functools import cache, partial

import pytest

from digest.lint import lint
from tests.e2e.conftest import IN_CHROMIUM
from tests.mail.checks import node
from tests.mail.checks.accessibility import axe_faults
from tests.mail.checks.layout import layout_faults
from tests.mail.checks.links import link_target_faults
from tests.mail.checks.parity import parity_faults, visible_words
from tests.mail.checks.residue import residue_faults
from tests.mail.checks.size import size_faults
from tests.mail.faults import FAULTS, untouched
from tests.mail.mail import Mail

pytestmark = [*IN_CHROMIUM, pytest.mark.mail]
GOOD = "three papers and news"
Check = Callable[[Mail], list[str]]


def kinds(found: list[str]) -> Counter:
    """How often each rule spoke, whatever the figures."""
    return Counter(fault.partition(":")[0] for fault in found)


def linted(mail: Mail) -> list[str]:
    return [f"{finding.rule}: {finding.said}" for finding in lint(mail.raw, trial=False)]


def checks(page, mails: dict[str, Mail]) -> dict[str, Check]:
    """The other checks by name, the cheap ones first."""
    found: dict[str, Check] = {"size": size_faults, "residue": residue_faults, "links": link_target_faults}
    if not node.missing():
        said = node.reports({name: mail.html for name, mail in mails.items()})
        found["html-validate"] = lambda mail: said.validity[mail.name]
        found["caniemail"] = lambda mail: node.feature_faults(said.features[mail.name])
    way_out = mails["good"].unsubscribe_url
    # Many faults are not in the HTML, and a browser is slow.
    words = cache(partial(visible_words, page))
    layout, axe = cache(partial(layout_faults, page, unsubscribe_url=way_out)), cache(partial(axe_faults, page))
    found["parity"] = lambda mail: parity_faults(mail, words(mail.html))
    found["layout"] = lambda mail: layout(mail.html)
    found["axe"] = lambda mail: axe(mail.html)
    return found


def test_every_seeded_fault_is_found(page, cast):
    good = cast[GOOD]
    mails = {"good": Mail("good", untouched(good).raw)}
    for name, change in FAULTS.items():
        mails[name] = Mail(name, change(good).raw)
        assert mails[name].raw != mails["good"].raw, f"{name}: the change found nothing to change in the templates"
    others = checks(page, mails)
    usual = {name: kinds(check(mails["good"])) for name, check in {"linter": linted, **others}.items()}

    rows = []
    for name in FAULTS:
        mail = mails[name]
        by_linter = kinds(linted(mail)) - usual["linter"]
        by_rest = next((who for who, check in others.items() if kinds(_asked(check, mail)) - usual[who]), "")
        rows.append((name, " ".join(sorted(by_linter)), by_rest))
    missed = [name for name, by_linter, by_rest in rows if not by_linter and not by_rest]
    width = max(map(len, FAULTS))
    sys.stdout.write(
        "\n" + "".join(f"{name:<{width}}  {linter or '-':<20} {rest or '-'}\n" for name, linter, rest in rows)
    )
    sys.stdout.write(
        f"faults seeded {len(rows)}, found by the linter {sum(bool(linter) for _, linter, _ in rows)}, "
        f"by the rest of the suite {sum(bool(rest) for *_, rest in rows)}, by nobody {len(missed)}\n"
    )
    assert missed == []


def _asked(check: Check, mail: Mail) -> list[str]:
    """What a check says; one that cannot read the mail has found a fault."""
    try:
        return check(mail)
    except Exception as error:
        return [f"{type(error).__name__}: {error}"]
