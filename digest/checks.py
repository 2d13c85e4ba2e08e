"""System checks of what papers are read from."""

import re
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from digest.sources import SOURCES
from digest.sources.arxiv import WHOLE_ARCHIVES

_CATEGORY = re.compile(r"[a-z][a-z-]*(?:\.[A-Za-z-]+)?")


@register
def sources_are_known(**_: Any) -> Sequence[CheckMessage]:
    """E013: a source that the registry does not have, or none at all."""
    unknown = [name for name in settings.SOURCES if name not in SOURCES]
    if settings.SOURCES and not unknown:
        return []
    said = f"SOURCES names {', '.join(unknown)}." if unknown else "SOURCES is empty."
    return [Error(said, hint=f"There are: {', '.join(sorted(SOURCES))}.", id="daily_papers.E013")]


@register
def categories_are_categories(**_: Any) -> Sequence[CheckMessage]:
    """E014: a whole archive. Its feed is cut at 2,000 items, and the new papers are lost first."""
    wrong = [name for name in settings.ARXIV_CATEGORIES if name in WHOLE_ARCHIVES or not _CATEGORY.fullmatch(name)]
    if settings.ARXIV_CATEGORIES and not wrong:
        return []
    said = f"ARXIV_CATEGORIES holds {', '.join(wrong)}." if wrong else "ARXIV_CATEGORIES is empty."
    hint = "Name categories, like cs.CL,stat.ML,quant-ph: https://arxiv.org/category_taxonomy"
    return [Error(said, hint=hint, id="daily_papers.E014")]
