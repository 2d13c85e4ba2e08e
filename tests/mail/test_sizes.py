"""No mail is so long that Gmail would clip it."""

import sys

import pytest

from tests.mail.cast import BY_SIZE, CAST
from tests.mail.checks.size import DECODED, ENCODED, size_faults, sizes

pytestmark = pytest.mark.mail


def test_every_mail_stays_below_the_size_at_which_gmail_clips(cast):
    sys.stdout.write(
        f"\n{'mail':<34} {'HTML':>8} {'encoded':>8} {'text':>8} {'all':>8}   limits: {DECODED:,} and {ENCODED:,}\n"
    )
    for name in CAST:
        mail = cast[name]
        decoded, encoded = sizes(mail)
        sys.stdout.write(f"{name:<34} {decoded:>8,} {encoded:>8,} {len(mail.text.encode()):>8,} {len(mail.raw):>8,}\n")
    assert {name: faults for name in CAST if (faults := size_faults(cast[name]))} == {}


def test_a_digest_costs_the_same_for_each_paper_more(cast):
    ten, twenty_five, fifty = (sizes(cast[name])[0] for name in BY_SIZE.values())
    assert (fifty - twenty_five) / 25 == pytest.approx((twenty_five - ten) / 15, rel=0.05)
