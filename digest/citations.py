"""References as BibTeX, RIS and CSL JSON, for programs that keep them. Pure.

BibTeX: "Tame the BeaST" (Markey 2009), sections 4 to 11; fields of arXiv: https://info.arxiv.org/help/hypertex/bibstyles.
RIS: the tags that https://en.wikipedia.org/wiki/RIS_(file_format) lists. CSL JSON: csl-data.json of
https://github.com/citation-style-language/schema.
"""

import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from urllib.parse import quote

from digest.latex import latex, preamble, uncut, unprintable

MEDIA_TYPES = {
    "bib": "application/x-bibtex; charset=utf-8",
    "ris": "application/x-research-info-systems; charset=utf-8",
    "json": "application/vnd.citationstyles.csl+json",
}
# Letters that are more than one with an accent: NFKD leaves them.
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"})
_SUFFIX = re.compile(r"(?:jr|sr|ii|iii|iv)\.?", re.IGNORECASE)
_GROUP = re.compile(r"\b(?:team|group|collaboration|consortium|contributors|labs?|project|and)\b", re.IGNORECASE)
_SMALL_WORDS = re.compile(
    r"an?|the|on|of|in|for|to|at|by|and|or|with|from|via|towards?|how|what|why|when|is|are|do|does|can"
)


# Outside of an entry: BibTeX and biber skip it.
_UNPRINTABLE = """\
% pdflatex cannot print these letters and prints a letter near them, or "?": {}
% XeLaTeX and LuaLaTeX print them as they are: use one of these with biber and a font that has the letters.
"""


@dataclass(frozen=True, slots=True)
class Reference:
    """One work. Texts may hold anything; "" and None where something is not known."""

    key: str  # names the work, whatever list it is in
    title: str
    authors: tuple[str, ...] = ()
    day: date | None = None
    arxiv_id: str = ""
    category: str = ""  # arXiv's, the primary one
    doi: str = ""
    url: str = ""
    note: str = ""


class Name(NamedTuple):
    """A person; or with nothing but ``family`` a group, or somebody whose names cannot be told apart."""

    family: str
    given: str = ""
    suffix: str = ""


def name_of(author: str) -> Name:
    """The parts of "Ana Ünal", "Ludwig van Beethoven", "Unal, Ana", "Ana Unal, Jr."; a group's name is one part.

    Small words before the family name are part of it, as BibTeX and most styles have it. Of a name in Chinese,
    Japanese or Korean letters nobody can tell by its look which part is which.
    """
    whole = _line(author)
    parts = [part.strip() for part in whole.split(",")]
    if _GROUP.search(whole) or not all(parts) or not _is_spelt_in_letters(whole):
        return Name(whole)
    if len(parts) == 1:
        words = whole.split()
        if len(words) > 2 and _SUFFIX.fullmatch(words[-1]):
            return _said_forwards(words[:-1], words[-1])
        return _said_forwards(words)
    if len(parts) == 2:
        return _said_forwards(parts[0].split(), parts[1]) if _SUFFIX.fullmatch(parts[1]) else Name(*parts)
    if len(parts) == 3 and _SUFFIX.fullmatch(parts[1]):
        return Name(parts[0], parts[2], parts[1])
    return Name(whole)


def _said_forwards(words: Sequence[str], suffix: str = "") -> Name:
    """Of a name with the family name last; "van" and "de la" before it are told by their small letters."""
    is_written_small = words[0].islower()
    small = (at for at, word in enumerate(words[:-1]) if at and word.islower() and word.isalpha())
    family = len(words) - 1 if is_written_small else next(small, len(words) - 1)
    return Name(" ".join(words[family:]), " ".join(words[:family]), suffix)


def keys_of(references: Iterable[Reference]) -> dict[str, str]:
    """Keys for citing, by the references' own: like "unal2026robot", and "unal2026robot-2" for another such work.

    Which of them has the bare one is decided by their own keys, wherever they are in the list.
    """
    alike: dict[str, set[str]] = defaultdict(set)
    for reference in references:
        alike[_bare_key(reference)].add(reference.key)
    return {
        own: f"{bare}-{number}" if number > 1 else bare
        for bare, owns in alike.items()
        for number, own in enumerate(sorted(owns), start=1)
    }


def bibtex(references: Sequence[Reference]) -> str:
    """A .bib file: preprints are @misc with arXiv's fields, what has a DOI alone is an @article.

    It compiles with BibTeX and pdflatex in any document, and is ASCII but for letters that these cannot print: of them
    a comment says so, and a preamble what is printed instead.
    """
    keys = keys_of(references)
    entries = "\n".join(_bibtex_entry(reference, keys[reference.key]) for reference in references)
    lines = preamble(entries)
    head = _UNPRINTABLE.format(" ".join(unprintable(entries))) if unprintable(entries) else ""
    if lines:
        head += "@preamble{{{}}}\n\n".format(" #\n  ".join(f'"{line} "' for line in lines))
    return head + entries


def ris(references: Iterable[Reference]) -> str:
    """A .ris file: a tag a line, CRLF, an empty line after each reference."""
    lines = (line for reference in references for line in (*_ris_tags(reference), ""))
    return "".join(f"{line}\r\n" for line in lines)


def csl_json(references: Sequence[Reference]) -> str:
    """A CSL JSON file, a list of items; their ids are the keys that the .bib file has."""
    keys = keys_of(references)
    return json.dumps([_csl_item(one, keys[one.key]) for one in references], ensure_ascii=False, indent=2) + "\n"


def _bibtex_entry(reference: Reference, key: str) -> str:
    kind = "article" if reference.doi and not reference.arxiv_id else "misc"
    day = reference.day
    fields = {
        "title": " ".join(_kept_as_it_is(word) for word in _line(reference.title).split()),
        "author": " and ".join(_bibtex_name(name_of(author)) for author in _named(reference.authors)),
        "year": str(day.year) if day else "",
        "eprint": _verbatim(reference.arxiv_id),
        "archivePrefix": "arXiv" if reference.arxiv_id else "",
        "primaryClass": _tex(reference.category) if reference.arxiv_id else "",
        "doi": _verbatim(reference.doi),
        "url": _verbatim(reference.url),
        "note": _tex(reference.note),
    }
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
    return f"@{kind}{{{key},\n{lines}}}\n"


def _kept_as_it_is(word: str) -> str:
    """A word of a title. Styles write titles small; a word with a capital or a digit inside would be another."""
    inside = any(letter.isupper() or letter.isdigit() for letter in word[1:])
    return f"{{{_tex(word)}}}" if inside else _tex(word)


def _bibtex_name(name: Name) -> str:
    if not name.given:
        written = _tex(name.family)
        return f"{{{written}}}" if written.isascii() else uncut(written)
    return ", ".join(
        " ".join(uncut(word) for word in _tex(part).split(" "))
        for part in (name.family, name.suffix, name.given)
        if part
    )


def _ris_tags(reference: Reference) -> Iterator[str]:
    kind = "UNPB" if reference.arxiv_id else "JOUR" if reference.doi else "GEN"
    day = reference.day
    yield f"TY  - {kind}"
    yield f"TI  - {_line(reference.title)}"
    for author in _named(reference.authors):
        name = name_of(author)
        yield f"AU  - {', '.join(part for part in (name.family, name.given, name.suffix) if part)}"
    told = {
        "PY": str(day.year) if day else "",
        "DA": f"{day:%Y/%m/%d}" if day else "",
        "PB": "arXiv" if reference.arxiv_id else "",
        "AN": f"arXiv:{reference.arxiv_id}" if reference.arxiv_id else "",
        "DO": reference.doi,
        "UR": reference.url,
        "N1": reference.note,
    }
    for tag, value in told.items():
        if value:
            yield f"{tag}  - {_line(value)}"
    yield "ER  - "


def _csl_item(reference: Reference, key: str) -> Mapping[str, Any]:
    day = reference.day
    item = {
        "id": key,
        "type": "article-journal" if reference.doi and not reference.arxiv_id else "article",
        "title": _line(reference.title),
        "author": [_csl_name(name_of(author)) for author in _named(reference.authors)],
        "issued": {"date-parts": [[day.year, day.month, day.day]]} if day else None,
        "publisher": "arXiv" if reference.arxiv_id else "",
        "number": f"arXiv:{reference.arxiv_id}" if reference.arxiv_id else "",
        "DOI": reference.doi,
        "URL": reference.url,
        "note": reference.note,
    }
    return {name: value for name, value in item.items() if value}


def _csl_name(name: Name) -> Mapping[str, str]:
    if not name.given:
        return {"literal": name.family}
    return {part: value for part, value in name._asdict().items() if value}


def _bare_key(reference: Reference) -> str:
    family = "".join(_words(name_of(author).family for author in _named(reference.authors)[:1])) or "anon"
    words = _words([reference.title])
    telling = [word for word in words if not _SMALL_WORDS.fullmatch(word)] or words
    return f"{family}{reference.day.year if reference.day else ''}{''.join(telling[:1])}"


def _words(texts: Iterable[str]) -> list[str]:
    """In the letters and digits of ASCII, which every program takes in a key."""
    folded = unicodedata.normalize("NFKD", " ".join(texts).casefold().translate(_LETTERS))
    return re.findall(r"[a-z0-9]+", "".join(sign for sign in folded if not unicodedata.combining(sign)))


def _named(authors: Iterable[str]) -> list[str]:
    """Those in which there is a name: sources know an author ":"."""
    return [author for author in authors if any(sign.isalnum() for sign in author)]


def _is_spelt_in_letters(name: str) -> bool:
    """Whether it is written in an alphabet, in which a person's given name comes first and a space after it."""
    return not any(unicodedata.name(sign, "").startswith(("CJK", "HIRAGANA", "KATAKANA", "HANGUL")) for sign in name)


def _tex(text: str) -> str:
    return latex(_line(text))


def _verbatim(text: str) -> str:
    """Of fields that styles hand to TeX as they are: what an address cannot hold as an address says it."""
    return "".join(sign if sign.isascii() and sign not in "\\{}" else quote(sign) for sign in _line(text))


def _line(text: str) -> str:
    """In one line, and without what no text can hold: control characters and halves of surrogate pairs."""
    kept = (sign for sign in text if sign.isspace() or unicodedata.category(sign) not in {"Cc", "Cs"})
    return " ".join("".join(kept).split())
