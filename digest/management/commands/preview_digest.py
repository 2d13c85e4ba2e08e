import tempfile
import webbrowser
from argparse import ArgumentTypeError
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from digest import preview
from digest.management.stage import StageCommand, iso_day
from digest.models import Edition
from digest.preflight import linted
from digest.preview import PAPERS, Preview, Profile
from digest.views.mail import SIZE_LIMIT, sizes
from subscriptions.addresses import address_hash, clean
from subscriptions.models import Subscriber, Topic


def positive(text: str) -> int:
    """A number of papers."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no number of papers; write 10")
    return int(text)


class Command(StageCommand):
    help = (
        "What digest would this reader get? Writes preview.eml, preview.html and preview.txt, says why each paper is "
        "in it and what the linter finds. Stores and sends nothing; the links in it open nobody's pages. "
        "Exit code 1 where this reader gets no mail, with the reason."
    )
    takes_day = False

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose digest, of what, and where to."""
        super().add_arguments(parser)
        who = parser.add_argument_group("whose digest: a saved reader's, or that of somebody new")
        who.add_argument(
            "--reader", metavar="ID_OR_ADDRESS", help="a saved reader; the options below do not count then"
        )
        who.add_argument("--topics", metavar="A,B", default="", help="topics by their short names, comma-separated")
        who.add_argument("--phrase", action="append", default=[], help="a keyword of the reader's own; repeatable")
        who.add_argument("--author", action="append", default=[], help="an author whom the reader follows; repeatable")
        who.add_argument("--weekly", action="store_true", help="a weekly digest")
        who.add_argument("--papers", type=positive, default=PAPERS, metavar="N", help="at most (default %(default)s)")
        who.add_argument("--text-only", action="store_true", help="no HTML part")
        who.add_argument("--language", choices=[code for code, _ in settings.LANGUAGES], default=settings.LANGUAGE_CODE)
        parser.add_argument(
            "--edition", type=iso_day, metavar="DAY", help="of the edition of this day, also a draft (default: now's)"
        )
        parser.add_argument("--out", type=Path, metavar="FOLDER", help="where to write (default: a temporary folder)")
        parser.add_argument("--open", action="store_true", help="open the HTML in the browser")

    def handle(self, *args: Any, **options: Any) -> None:
        """Choose, render, write, tell."""
        found = self.preview(options, self.now(options))
        if found.note:
            self.stdout.write(found.note)
        if found.reason:
            raise CommandError(f"No mail for this reader: {found.reason}.")
        folder = options["out"] or Path(tempfile.mkdtemp(prefix="preview-"))
        try:
            page = self.write_files(found, folder)
        except OSError as error:
            raise CommandError(f"{folder} cannot be written ({error.strerror}). Give another folder: --out") from error
        self.tell(found)
        self.stdout.write(f"Written to {folder}")
        if options["open"]:
            webbrowser.open(page.resolve().as_uri())

    def preview(self, options: dict[str, Any], now: datetime) -> Preview:
        """Of the reader and edition that the options name. Raises CommandError where there is none."""
        edition = None
        if day := options["edition"]:
            edition = Edition.objects.filter(day=day).first()
            if edition is None:
                raise CommandError(f"There is no edition of {day}. Run: manage.py draft_edition --day {day}")
        if options["reader"]:
            return preview.for_reader(self.reader(options["reader"]), now, edition)
        profile = Profile(
            topics=self.topics(options["topics"]),
            phrases=tuple(options["phrase"]),
            authors=tuple(options["author"]),
            weekly=options["weekly"],
            papers=options["papers"],
            text_only=options["text_only"],
            language=options["language"],
        )
        return preview.for_profile(profile, now, edition)

    def reader(self, named: str) -> Subscriber:
        """By number or whole address."""
        try:
            by = {"pk": int(named)} if named.isdigit() else {"email_hash": address_hash(clean(named))}
            found = Subscriber.objects.filter(**by).first()
        except (ValueError, OverflowError):
            found = None
        if found is None:
            raise CommandError("There is no such reader. Give a number or a whole address; the admin lists readers.")
        return found

    def topics(self, named: str) -> tuple[int, ...]:
        """Their ids, in the order given."""
        slugs = [slug for part in named.split(",") if (slug := part.strip())]
        known = dict(Topic.objects.values_list("slug", "pk"))
        if unknown := [slug for slug in slugs if slug not in known]:
            raise CommandError(f"No topic {', '.join(unknown)}. There are: {', '.join(sorted(known)) or 'none'}")
        return tuple(known[slug] for slug in slugs)

    def write_files(self, found: Preview, folder: Path) -> Path:
        """The three files; the one to look at."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "preview.eml").write_bytes(found.raw)
        text = folder / "preview.txt"
        text.write_text(found.mail.text, encoding="utf-8")
        html = folder / "preview.html"
        html.unlink(missing_ok=True)  # of an earlier run: a reader of text has none
        if found.mail.html is None:
            return text
        html.write_text(found.mail.html, encoding="utf-8")
        return html

    def tell(self, found: Preview) -> None:
        """What the inbox shows, why each paper is in it, the sizes, and the linter's verdict."""
        mail, size = found.mail, sizes(found.mail)
        self.stdout.write(f"Subject:   {mail.value('Subject')}")
        self.stdout.write(f"Preheader: {mail.page.preview or '(none)'}")
        self.stdout.write(f"{len(found.items)} papers:")
        for item in found.items:
            self.stdout.write(f"{item.number:4}. {item.paper.title}")
            self.stdout.write(f"      {'; '.join(item.reasons) or 'popular: no interest of this reader brought it'}")
        html = f"{size['decoded']} KB of {SIZE_LIMIT}, {size['encoded']} KB as encoded" if size["decoded"] else "none"
        self.stdout.write(f"HTML: {html}. The whole mail: {size['whole']} KB.")
        findings = linted(found.raw)
        for finding in findings:
            where = f" ({finding.where})" if finding.where else ""
            self.stdout.write(f"{finding.severity} {finding.rule}: {finding.said}{where}. {finding.remedy}")
        if not findings:
            self.stdout.write("The linter finds nothing.")
