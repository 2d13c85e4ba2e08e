"""Inline declarations and <style> blocks, as far as mails may use them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import tinycss2

DARK = re.compile(r"prefers-color-scheme\s*:\s*dark")
COMPOUND = re.compile(r"([a-z][\w-]*)?((?:[.#][\w-]+)*)", re.IGNORECASE)
LENGTH = re.compile(r"(-?(?:\d+(?:\.\d+)?|\.\d+))(px|em|rem|%|pt|)")
PER_UNIT = {"px": 1.0, "pt": 4 / 3, "rem": 16.0}


class Declared(NamedTuple):
    """Declarations: property -> value, both lower-case, the last one winning."""

    values: Mapping[str, str]
    important: frozenset[str]
    errors: tuple[str, ...]


class Styled(Protocol):
    """What a selector is held against."""

    name: str
    attrs: dict[str, str]

    @property
    def ancestors(self) -> "Iterable[Styled]": ...  # noqa: D102


@lru_cache(maxsize=4096)  # a mail says the same few dozen styles a thousand times
def declared(text: str) -> Declared:
    """The declarations of a style attribute."""
    return _declarations(tinycss2.parse_declaration_list(text, skip_comments=True, skip_whitespace=True))


def _declarations(nodes: Iterable[Any]) -> Declared:
    values: dict[str, str] = {}
    important = set()
    errors = []
    for node in nodes:
        if node.type != "declaration":
            errors.append(getattr(node, "message", f"a {node.type} among declarations"))
            continue
        values[node.lower_name] = tinycss2.serialize(node.value).strip().lower()
        if node.important:
            important.add(node.lower_name)
    return Declared(MappingProxyType(values), frozenset(important), tuple(errors))


def hides(values: Mapping[str, str]) -> bool:
    """Whether these declarations take an element out of sight."""
    gone = values.get("display") == "none" or values.get("visibility") in ("hidden", "collapse")
    squashed = "hidden" in values.get("overflow", "") and "0" in (_bare(values, "max-height"), _bare(values, "height"))
    faint = _bare(values, "opacity") == "0" or _bare(values, "font-size") == "0" or "mso-hide" in values
    return gone or squashed or faint


def _bare(values: Mapping[str, str], name: str) -> str:
    return re.sub(r"(?<=\d)(px|em|%|pt)$", "", values.get(name, ""))


def pixels(value: str, em: float = 16.0) -> float | None:
    """A length in px; None where it is none. ``em`` is the font size that em and % are relative to."""
    match = LENGTH.fullmatch(value.strip())
    if not match or (not match[2] and float(match[1])):
        return None
    number, unit = float(match[1]), match[2]
    if unit == "%":
        return number * em / 100
    return number * (em if unit == "em" else PER_UNIT.get(unit, 1.0))


def sides(values: Mapping[str, str], name: str) -> tuple[float, float]:
    """The top and bottom of padding or margin, in px."""
    given = [pixels(length) or 0.0 for length in values.get(name, "0").split()] or [0.0]
    top, bottom = given[0], given[2 if len(given) > 2 else 0]
    return (
        pixels(values.get(f"{name}-top", "")) or top,
        pixels(values.get(f"{name}-bottom", "")) or bottom,
    )


class Ruleset(NamedTuple):
    """One selector and what it declares."""

    selector: str
    declared: Declared

    @property
    def is_simple(self) -> bool:
        """Whether it is of elements, classes and ids only, one inside another."""
        return bool(self.selector) and all(COMPOUND.fullmatch(part) for part in self.selector.split())

    @property
    def weight(self) -> tuple[int, int, int]:
        """Specificity: ids, classes, elements."""
        compounds = self.selector.split()
        named = sum(part[:1] not in (".", "#") for part in compounds)
        return self.selector.count("#"), self.selector.count("."), named

    def fits(self, element: Styled) -> bool:
        """Whether it selects this element."""
        if not self.is_simple:
            return False
        *around, own = self.selector.split()
        if not _is(element, own):
            return False
        for outer in element.ancestors:
            if not around:
                break
            if _is(outer, around[-1]):
                around.pop()
        return not around


def _is(element: Styled, compound: str) -> bool:
    match = COMPOUND.fullmatch(compound)
    if not match or (match[1] and match[1].lower() != element.name):
        return False
    classes = element.attrs.get("class", "").split()
    marks = re.findall(r"[.#][\w-]+", match[2])
    return all(m[1:] in classes if m[0] == "." else element.attrs.get("id") == m[1:] for m in marks)


class MediaBlock(NamedTuple):
    """One @media block."""

    condition: str  # lower-case
    rulesets: tuple[Ruleset, ...]

    @property
    def is_dark(self) -> bool:
        """Whether it is for readers who asked for dark."""
        return bool(DARK.search(self.condition))


@dataclass(frozen=True, slots=True)
class Sheet:
    """What stands in <style>."""

    blocks: tuple[MediaBlock, ...]
    loose: tuple[str, ...]  # selectors outside of @media
    at_rules: tuple[str, ...]  # other than @media
    errors: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> "Sheet":
        """Parse a style sheet; what is broken is named in errors."""
        blocks, loose, at_rules, errors = [], [], [], []
        for node in tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True):
            if node.type == "at-rule" and node.lower_at_keyword == "media" and node.content is not None:
                inner = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
                errors += [n.message for n in inner if n.type == "error"]
                at_rules += [f"@{n.lower_at_keyword}" for n in inner if n.type == "at-rule"]
                rulesets = [r for n in inner if n.type == "qualified-rule" for r in _rulesets(n)]
                blocks.append(MediaBlock(tinycss2.serialize(node.prelude).strip().lower(), tuple(rulesets)))
            elif node.type == "at-rule":
                at_rules.append(f"@{node.lower_at_keyword}")
            elif node.type == "qualified-rule":
                loose.append(tinycss2.serialize(node.prelude).strip())
            else:
                errors.append(node.message)
        errors += [e for block in blocks for r in block.rulesets for e in r.declared.errors]
        return cls(tuple(blocks), tuple(loose), tuple(at_rules), tuple(errors))

    @property
    def dark(self) -> list[Ruleset]:
        """The rules for dark, the strongest last."""
        found = [r for block in self.blocks if block.is_dark for r in block.rulesets]
        return sorted(found, key=lambda r: r.weight)


def _rulesets(node: Any) -> list[Ruleset]:
    nodes = tinycss2.parse_declaration_list(node.content, skip_comments=True, skip_whitespace=True)
    values = _declarations(nodes)
    return [Ruleset(part.strip(), values) for part in tinycss2.serialize(node.prelude).split(",")]
