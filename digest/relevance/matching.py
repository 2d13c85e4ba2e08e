"""What is matched, and a match that says why. Pure."""

from dataclasses import dataclass
from typing import Literal

# Relevance is a sum of these, where they apply, and of the cosine (0 to 1). docs/evaluation.md says what was measured.
CATEGORY_WEIGHT, NAMED_WEIGHT, AUTHOR_WEIGHT = 1.0, 1.0, 4.0
SPELLED_WEIGHT = 0.2  # the very form that the interest has: who asks for "LLMs" gets them before language models
TITLE_WEIGHT = 0.001  # settles ties only: more of it made the order worse
SHOWN_TERMS = 3


@dataclass(frozen=True)
class PaperText:
    """What matching reads of a paper."""

    id: int
    title: str
    text: str = ""
    categories: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TopicTerms:
    """What matching reads of a topic. A category or one term is enough; the rest is for order and for TF-IDF."""

    id: int
    name: str
    categories: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """Why a paper belongs to an interest: the words found, the category shared, and how much that weighs (> 0).

    ``name`` is a topic's name, or the reader's own words; then ``topic`` is 0 and ``kind`` says what they are.
    ``terms`` are in the paper's own form. ``paper`` is for "like" only: the liked paper that this one resembles most.
    """

    topic: int
    name: str
    score: float
    terms: tuple[str, ...] = ()
    category: str = ""
    kind: Literal["topic", "phrase", "author", "like"] = "topic"
    paper: int = 0

    @property
    def why(self) -> str:
        """The evidence in words: 'names "diffusion model"' or 'is listed in cs.RO'."""
        if self.terms:
            return "names " + ", ".join(f'"{term}"' for term in self.terms[:SHOWN_TERMS])
        if self.category:
            return f"is listed in {self.category}"
        return f"is by {self.name}" if self.kind == "author" else "tells of the same"
