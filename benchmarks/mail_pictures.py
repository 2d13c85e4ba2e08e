"""What a digest looks like: `python -m benchmarks.mail_pictures --out docs/img` writes the four pictures of the README.

The sample papers go the way of every day, into an edition and into one made-up reader's digest, in a database in
memory. Chromium shows it as a phone does, in light and in dark, as a wide window does, and the text part as it is.
No request leaves the machine. Exit code 1 where a picture is too heavy for a page of documentation.
"""

import argparse
import os
import shutil
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from html import escape
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rich.console import Console

from benchmarks.database import own_database

if TYPE_CHECKING:
    from django.core.mail import EmailMultiAlternatives

HEAVY = 250_000  # bytes
TOPICS = 4
# As the demo's, but with the address that a site of its own would have.
SETTINGS = {
    "SITE_URL": "https://papers.example.org",
    "POSTAL_ADDRESS": "Daily Papers, 1 Example Street, 12345 Example City",
    "FROM_EMAIL": "Daily Papers <papers@example.org>",
    "SOURCES": "sample",
    "FILL_IN": "false",
}
PLAIN = (
    '<!DOCTYPE html><html lang="en"><title>Text part</title>'
    '<body style="margin:0;padding:16px 20px;background:#fff;color:#222">'
    '<pre style="margin:0;font:14px/20px DejaVu Sans Mono,monospace">{}</pre>'
)


@dataclass(frozen=True)
class Picture:
    """One file: which part of the mail, on what screen. Sizes in CSS pixels."""

    name: str
    part: Literal["html", "text"]
    width: int
    height: int
    scale: int = 1
    scheme: Literal["light", "dark"] = "light"


PICTURES = (
    Picture("mail-phone-light.png", "html", 375, 720, scale=2),
    Picture("mail-phone-dark.png", "html", 375, 720, scale=2, scheme="dark"),
    Picture("mail-desktop.png", "html", 800, 1400),
    Picture("mail-text.png", "text", 760, 1000),
)


def main() -> int:
    """Build the mail, take the pictures, print their sizes."""
    options = arguments()
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not chromium:
        sys.exit("No Chromium was found: install the package chromium.")
    os.environ.update(SETTINGS)
    with own_database("sqlite"):
        mail = sample_digest()
        html, _ = mail.alternatives[0]
        content = {"html": str(html), "text": PLAIN.format(escape(str(mail.body)))}
    options.out.mkdir(parents=True, exist_ok=True)
    say = Console(highlight=False, soft_wrap=True).print
    say(f"Subject: {mail.subject}")
    sizes = take(content, options.out, chromium)
    for name, size in sizes.items():
        say(f"{options.out / name}: {size:,} bytes{', too heavy' if size >= HEAVY else ''}")
    return int(any(size >= HEAVY for size in sizes.values()))


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mail_pictures",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, required=True, help="the folder that the pictures go to")
    return parser.parse_args()


def sample_digest() -> "EmailMultiAlternatives":
    """The mail that a reader of four topics gets of the sample's last day."""
    from django.core.management import call_command  # noqa: PLC0415 - Django is set up by now, not at import

    from digest import approval, editions, fetching, planning  # noqa: PLC0415
    from digest.rendering import Shelf, digest_message  # noqa: PLC0415
    from digest.sources import sample  # noqa: PLC0415
    from subscriptions.models import Interest, Subscriber, Topic  # noqa: PLC0415

    call_command("load_topics", stdout=StringIO())
    last = sample.days()[-1]
    for day in sample.days():
        now = morning(day)
        fetching.collect("sample", day, now)
        if edition := editions.draft(day, now):
            approval.approve(edition, now, "pictures")
    reader = Subscriber.objects.create(
        email="reader@example.org",
        state=Subscriber.State.ACTIVE,
        hour=time(6, 30),
        created_at=morning(sample.days()[0]),
        confirmed_at=morning(sample.days()[0]),
    )
    topics = Topic.objects.order_by("position")[:TOPICS]
    Interest.objects.bulk_create(Interest(subscriber=reader, topic=topic) for topic in topics)
    reader.reschedule(morning(last))
    reader.save()
    digest = planning.plan_one(reader, morning(last))
    if digest is None or not digest.picks:
        sys.exit("The sample papers made no digest.")
    reader.refresh_from_db()
    return digest_message(digest, reader, Shelf.for_digests([digest]), now=morning(last))


def morning(day: date) -> datetime:
    """06:30 UTC, when the day's edition is long approved."""
    return datetime.combine(day, time(6, 30), UTC)


def take(content: dict[str, str], out: Path, chromium: str) -> dict[str, int]:
    """Write all pictures; their sizes in bytes."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - of the dev group

    sizes = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for picture in PICTURES:
            page = browser.new_page(
                viewport={"width": picture.width, "height": picture.height},
                device_scale_factor=picture.scale,
                color_scheme=picture.scheme,
            )
            page.route("**/*", lambda route: route.abort())
            page.set_content(content[picture.part])
            sizes[picture.name] = len(page.screenshot(path=out / picture.name))
            page.close()
        browser.close()
    return sizes


if __name__ == "__main__":
    sys.exit(main())
