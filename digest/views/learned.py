"""What a reader's digests have learned, and how to take it back: one word, or all of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from digest import feedback, profiles, saved
from digest.models import Feedback, Paper
from digest.views.feedback import work_or_404
from digest.views.saved import number_of
from subscriptions import clock, languages
from subscriptions.parameters import reads
from subscriptions.views.pages import own_page, reader_of, see_other, token_page

Verb = Feedback.Verb


@dataclass(frozen=True, slots=True)
class Lesson:
    """One paper that teaches. It has no title where an editor hid it: the word can be taken back all the same."""

    number: int
    verb: Verb
    paper: Paper | None


@dataclass(frozen=True, slots=True)
class Taste:
    """Papers that resemble each other, and what stands out in them."""

    words: str
    lessons: list[Lesson]


@reads("forgot", "paper", "anew")
@token_page
@require_http_methods(["GET", "HEAD", "POST"])
@own_page
def learned(request: HttpRequest, token: str) -> HttpResponse:
    """All that teaches now. POST takes one word back, or says it again."""
    reader = reader_of(token)
    if request.method == "POST":
        return see_other(request.path + _changed(request, reader.pk))
    words = feedback.words_that_teach([reader.pk]).get(reader.pk, {})
    teaching = feedback.lessons_of(words)
    lessons = _lessons(words, [*teaching.liked, *teaching.disliked])
    tastes = _tastes(reader.pk, lessons)
    grouped = {lesson.number for taste in tastes for lesson in taste.lessons}
    context = {
        "subscriber": reader,
        "token": token,
        "tastes": tastes,
        "liked": [lessons[work] for work in teaching.liked if work not in grouped],
        "disliked": [lessons[work] for work in teaching.disliked],
        "most": feedback.MOST_LESSONS,
        "forgotten": _forgotten(request, words),
        "anew": "anew" in request.GET and not words,
    }
    return render(request, "digest/learned.html", context)


@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def begin_anew(request: HttpRequest, token: str) -> HttpResponse:
    """Asks once; the button forgets. Pressed twice it has nothing left to forget."""
    reader = reader_of(token)
    if request.method == "POST":
        feedback.begin_anew(reader.pk)
        return see_other(reverse("learned", args=[token]) + "?anew=1")
    return render(request, "digest/begin_anew.html", {"subscriber": reader, "token": token})


def _lessons(words: Mapping[int, str], works: Iterable[int]) -> dict[int, Lesson]:
    papers = saved.nameable().in_bulk(list(works))
    return {work: Lesson(work, Verb(words[work]), papers.get(work)) for work in works}


def _tastes(reader: int, lessons: Mapping[int, Lesson]) -> list[Taste]:
    """Those that can be told in words. A word that came between two readings is not in ``lessons`` yet."""
    found = [(taste, [lessons[p.pk] for p in taste.papers if p.pk in lessons]) for taste in profiles.learned_by(reader)]
    return [Taste(languages.listed(taste.words), own) for taste, own in found if taste.words and own]


def _changed(request: HttpRequest, reader: int) -> str:
    """Do what the button says: its name is a word, its value a paper. What the page is asked for then, as a query."""
    verb = next((verb for verb in Verb if verb in request.POST), None)
    if verb is None:
        raise Http404("The form says nothing of a paper.")
    work = work_or_404(number_of(request.POST[verb]))
    again = "again" in request.POST
    if verb == Verb.SAVE:
        feedback.let_teach(reader, work, again)
    elif again:
        feedback.say(reader, work, verb, clock.now())
    else:
        feedback.undo(reader, work, verb)
    return "" if again else f"?forgot={verb}&paper={work.pk}"


def _forgotten(request: HttpRequest, words: Mapping[int, str]) -> Lesson | None:
    """The word that was just taken back, for "Undo": none that is there, or that another one took the place of."""
    verb, number = request.GET.get("forgot", ""), number_of(request.GET.get("paper"))
    if verb not in Verb or words.get(number) == verb:
        return None
    paper = saved.nameable().filter(pk=number).first()
    return Lesson(number, Verb(verb), paper) if paper else None
