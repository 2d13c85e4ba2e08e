"""What exists: works, each source's own record of them, their counts over time, and the runs that fetched them."""

from datetime import date, timedelta
from typing import Any, Self
from urllib.parse import quote

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from digest.addresses import linkable

_AS_IN_DOIS = "/:;()!$&'*+,=@"  # what stands for itself in a path (RFC 3986, 3.3), beside letters, digits and "-._~"


class PaperQuerySet(models.QuerySet["Paper"]):
    """Words for groups of papers."""

    def shown(self) -> Self:
        """Papers that may be in an edition or a mail: no twin of another, no row of the work withdrawn or hidden."""
        return self.filter(merged_into=None).exclude(work_is_gone("pk"))

    def new_between(self, after: date, until: date) -> Self:
        """Papers featured or announced later than ``after`` and not later than ``until``."""
        return self.filter(
            Q(featured_on__gt=after, featured_on__lte=until)
            | Q(featured_on=None, announced_on__gt=after, announced_on__lte=until)
        )


def work_is_gone(work: str) -> Exists:
    """Whether any row of a work is withdrawn or hidden by an editor; ``work`` is the outer column that names it."""
    gone = Paper.objects.filter(Q(withdrawn_at__isnull=False) | Q(hidden_at__isnull=False))
    # Two conditions and no OR of them: that would be a nested loop over all papers.
    return Exists(gone.filter(pk=OuterRef(work))) | Exists(gone.filter(merged_into=OuterRef(work)))  # type: ignore[return-value]


class Paper(models.Model):
    """One work, whichever sources and versions it came in. Four dates, since they differ by days."""

    class Origin(models.TextChoices):
        """Who wrote the sentences under the title. A mail says so."""

        ABSTRACT = "abstract", "Abstract"
        SUMMARY = "summary", "Summary"
        AI = "ai", "AI summary"
        EDITOR = "editor", "Editor"

    # "arxiv:2604.14268", "doi:10.1000/182", "title:<fingerprint>:2026" or "<source>:<its key>": see digest.identity.
    key = models.CharField(max_length=330)
    arxiv_id = models.CharField(max_length=32, null=True, blank=True)
    # Not unique: two parts of a work on arXiv can share their journal's DOI.
    doi = models.CharField(max_length=255, null=True, blank=True)
    fingerprint = models.CharField(max_length=40, blank=True, editable=False)
    title = models.CharField(max_length=500)
    authors = models.JSONField(default=list, blank=True)
    abstract = models.TextField(blank=True)
    blurb = models.TextField(blank=True, help_text="One to three sentences shown in mails.")
    blurb_origin = models.CharField(max_length=10, choices=Origin, default=Origin.ABSTRACT)
    categories = models.JSONField(default=list, blank=True, help_text="arXiv categories, the primary one first.")
    keywords = models.JSONField(default=list, blank=True)
    # Not URLField: the admin would make a link of whatever is in it, user information included.
    code_url = models.CharField(max_length=500, blank=True)
    project_url = models.CharField(max_length=500, blank=True)
    code_seen_at = models.DateTimeField(null=True, editable=False)  # when a source first said where the code is
    submitted_at = models.DateTimeField(null=True, blank=True)
    announced_on = models.DateField(null=True, blank=True)
    featured_on = models.DateField(null=True, blank=True, db_index=True)
    featured_at = models.DateTimeField(null=True, editable=False)  # when votes could begin, where the hour is known
    first_seen_at = models.DateTimeField()
    upvotes = models.PositiveIntegerField(default=0)
    comments = models.PositiveIntegerField(default=0)
    stars = models.PositiveIntegerField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_from = models.CharField(max_length=20, blank=True, editable=False)  # the source that says so
    # When arXiv was last asked whether it is withdrawn, and of which version: digest.filling.
    withdrawal_asked_at = models.DateTimeField(null=True, editable=False)
    withdrawal_asked_of = models.PositiveSmallIntegerField(null=True, editable=False)
    hidden_at = models.DateTimeField(null=True, blank=True)
    hidden_reason = models.CharField(max_length=200, blank=True)
    # Another row of the same work. Nothing is moved by a merge, so undoing it is clearing these: digest.merging.
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="twins")
    merged_at = models.DateTimeField(null=True, blank=True)
    merged_by = models.CharField(max_length=80, blank=True)
    stands_alone = models.BooleanField(
        default=False, help_text="An editor took it out of a merge: no source may redo it."
    )
    texts_from = models.CharField(max_length=20, blank=True, editable=False)  # the source of title, authors, abstract
    edited = models.JSONField(default=list, editable=False)  # fields that sources may not change any more

    objects = PaperQuerySet.as_manager()

    class Meta:
        # Not unique=True and db_index=True: on PostgreSQL Django would add a second index to each, for LIKE.
        constraints = [
            models.UniqueConstraint(fields=["key"], name="one_paper_per_key"),
            models.UniqueConstraint(fields=["arxiv_id"], name="one_paper_per_arxiv_id"),
        ]
        indexes = [
            models.Index(fields=["announced_on"], name="paper_announced", condition=Q(featured_on=None)),
            # Whole, not partial: of a long list of values PostgreSQL does not prove that the condition holds.
            models.Index(fields=["doi"], name="paper_doi"),
            # News of papers is looked for hourly.
            models.Index(fields=["code_seen_at"], name="paper_code_seen", condition=Q(code_seen_at__isnull=False)),
            models.Index(fields=["withdrawn_at"], name="paper_withdrawn", condition=Q(withdrawn_at__isnull=False)),
            models.Index(fields=["fingerprint"], name="paper_fingerprint"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """The paper's own page on this site."""
        return reverse("paper", args=[self.pk])

    @property
    def url(self) -> str:
        """The paper where it is published."""
        if self.arxiv_id:
            return linkable(f"https://arxiv.org/abs/{quote(self.arxiv_id)}")
        # A DOI may hold any printable sign: https://www.doi.org/doi-handbook/HTML/encoding-rules-for-urls.html
        of_doi = linkable(f"https://doi.org/{quote(self.doi, safe=_AS_IN_DOIS)}") if self.doi else ""
        return of_doi or self.project_link

    @property
    def pdf_url(self) -> str:
        """The PDF, where its address is known."""
        return linkable(f"https://arxiv.org/pdf/{quote(self.arxiv_id)}") if self.arxiv_id else ""

    @property
    def code_link(self) -> str:
        """The code's address if readers may be led there: rows are older than the rules, and have other doors too."""
        return linkable(self.code_url)

    @property
    def project_link(self) -> str:
        """The project page's address if readers may be led there."""
        return linkable(self.project_url)


class Sighting(models.Model):
    """One source's own record of a paper, kept whole: it can be read again without the network."""

    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="sightings")
    source = models.CharField(max_length=20)
    source_key = models.CharField(max_length=300)
    raw = models.JSONField(default=dict)
    content_hash = models.CharField(max_length=32, blank=True)  # equal: the record says what it said before
    day = models.DateField(null=True)  # the day that it first came for
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "source_key"], name="one_sighting_per_record")]

    def __str__(self) -> str:
        return f"{self.source} {self.source_key}"


class Signal(models.Model):
    """A paper's counts at one hour (UTC); none for an hour in which they stayed as they were."""

    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="signals")
    hour = models.DateTimeField()
    upvotes = models.PositiveIntegerField(default=0)
    comments = models.PositiveIntegerField(default=0)
    stars = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["paper", "hour"], name="one_signal_per_hour")]

    def __str__(self) -> str:
        return f"{self.upvotes} upvotes at {self.hour:%Y-%m-%d %H:%M}"


class ArrayLength(models.Func):
    """How many items a JSON list has, without reading it."""

    function = "JSON_ARRAY_LENGTH"
    output_field = models.IntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """JSONField is jsonb there."""
        return self.as_sql(compiler, connection, function="JSONB_ARRAY_LENGTH", **context)


class SourceRunQuerySet(models.QuerySet["SourceRun"]):
    """Words for groups of runs."""

    def without_rejected(self) -> Self:
        """With the number of refused records, ``refused``, instead of the records, which can be long."""
        return self.defer("rejected").annotate(refused=ArrayLength("rejected"))


class SourceRun(models.Model):
    """One reading of one source for one day: what came, what was refused and why."""

    class State(models.TextChoices):
        RUNNING = "running"
        FRESH = "fresh"
        WAITING = "waiting"
        PARTIAL = "partial"
        QUIET = "quiet"
        STALLED = "stalled"
        FAILED = "failed"

    source = models.CharField(max_length=20)
    day = models.DateField()
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    reason = models.CharField(max_length=300, blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    by = models.CharField(max_length=80, blank=True)
    retry_at = models.DateTimeField(null=True, help_text="The source asked to be left alone until then.")
    received = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    rejected = models.JSONField(default=list, help_text="The records that could not be read, each with its reason.")

    objects = SourceRunQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["source", "day", "-started_at"], name="source_runs_of_a_day")]

    def __str__(self) -> str:
        return f"{self.source} {self.day}: {self.state}"

    @property
    def took(self) -> timedelta | None:
        """How long it ran; None while it runs."""
        return self.finished_at - self.started_at if self.finished_at else None
