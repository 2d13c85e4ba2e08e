"""Every regular expression of the product, how it is used, and strings on which a bad one takes for ever."""

import ast
import importlib
import pkgutil
import re
import signal
import string
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import islice, product
from pathlib import Path
from re import _constants as codes
from re import _parser as parser
from time import process_time
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("config", "digest", "subscriptions")
FUNCTIONS = frozenset({"compile", "search", "match", "fullmatch", "split", "findall", "finditer", "sub", "subn"})
ANYWHERE = frozenset({"search", "split", "findall", "finditer", "sub", "subn"})


@dataclass(frozen=True)
class Found:
    """One pattern: where it stands, and the ways in which it is asked ("search" stands for all that look anywhere)."""

    where: str
    pattern: re.Pattern
    ways: frozenset[str]


@dataclass(frozen=True)
class Unread:
    """A pattern that is put together while the code runs."""

    where: str
    source: str


# --- finding them ------------------------------------------------------------------------------------------------------


def modules() -> Iterator[tuple[str, ast.Module]]:
    """All modules of the product with their syntax, but for migrations."""
    for package in PACKAGES:
        for info in pkgutil.walk_packages([str(ROOT / package)], f"{package}."):
            if ".migrations" not in info.name:
                path = Path(*info.name.split("."))
                file = ROOT / (path / "__init__.py" if info.ispkg else path.with_suffix(".py"))
                yield info.name, ast.parse(file.read_text("utf-8"))


@cache
def found() -> tuple[tuple[Found, ...], tuple[Unread, ...]]:
    """Compiled ones of modules and classes, and those that stand in functions; and those that cannot be read."""
    trees = dict(modules())
    uses = _uses(trees)
    compiled, known = [], set()
    for name in trees:
        for where, pattern in _compiled(name, importlib.import_module(name)):
            if (id(pattern), where.rpartition(".")[2]) not in known:  # an import of it elsewhere is the same object
                known.add((id(pattern), where.rpartition(".")[2]))
                ways = uses.get(where.rpartition(".")[2].partition("[")[0]) or {"search", "match", "fullmatch"}
                compiled.append(Found(where, pattern, frozenset(ways)))
    unread = []
    for name, tree in trees.items():
        for call, function in _calls(tree):
            where = f"{name}:{call.func.attr}:{ast.unparse(call.args[0])[:60]}"
            constant = call.args[0].value if isinstance(call.args[0], ast.Constant) else None
            if constant is not None:
                pattern = re.compile(constant, _flags(call))
                compiled.append(Found(where, pattern, frozenset({_way(call.func.attr)})))
            elif function:
                unread.append(Unread(f"{name}.{function}", ast.unparse(call.args[0])))
    return tuple(compiled), tuple(unread)


def _compiled(name: str, module: Any) -> Iterator[tuple[str, re.Pattern]]:
    for key, value in vars(module).items():
        yield from _within(f"{name}.{key}", value, name)


def _within(where: str, value: Any, module: str) -> Iterator[tuple[str, re.Pattern]]:
    if isinstance(value, re.Pattern):
        yield where, value
    elif isinstance(value, type) and value.__module__ == module:
        for key, inner in vars(value).items():
            yield from _within(f"{where}.{key}", inner, module) if not isinstance(inner, type) else ()
    elif isinstance(value, dict | list | tuple | frozenset | set) and len(value) < 500:
        for inner in [*value, *(value.values() if isinstance(value, dict) else ())]:
            if isinstance(inner, re.Pattern | tuple | list):
                yield from _within(f"{where}[]", inner, module)


def _calls(tree: ast.Module) -> Iterator[tuple[ast.Call, str]]:
    """Calls of ``re.`` with a pattern, and the function in which each stands ("" at the top: compiled there)."""

    def walk(node: ast.AST, function: str) -> Iterator[tuple[ast.Call, str]]:
        for child in ast.iter_child_nodes(node):
            inside = child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function
            if isinstance(child, ast.Call) and _is_re(child) and (function or child.func.attr != "compile"):
                yield child, function
            yield from walk(child, inside)

    return walk(tree, "")


def _is_re(call: ast.Call) -> bool:
    function = call.func
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "re"
        and function.attr in FUNCTIONS
        and bool(call.args)
    )


def _flags(call: ast.Call) -> int:
    words = " ".join(ast.unparse(part) for part in [*call.args[1:], *(word.value for word in call.keywords)])
    return sum(getattr(re, name) for name in ("IGNORECASE", "DOTALL", "MULTILINE", "ASCII") if f"re.{name}" in words)


def _way(function: str) -> str:
    return "search" if function in ANYWHERE or function == "compile" else function


def _uses(trees: dict[str, ast.Module]) -> dict[str, set[str]]:
    """Name -> the ways in which something of that name is asked anywhere in the product."""
    uses: dict[str, set[str]] = {}
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in FUNCTIONS:
                of = node.value
                name = of.id if isinstance(of, ast.Name) else of.attr if isinstance(of, ast.Attribute) else ""
                uses.setdefault(name, set()).add(_way(node.attr))
    return uses


# --- strings that pump -------------------------------------------------------------------------------------------------

COMMON = "aA0 .-_<>(\"'\n\t@/&;:=,{[$\\`^~*é\u0301\u200d"
REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)
ENDINGS = ("", "\x00", "!", "\n", "a")


def shapes(pattern: re.Pattern, most: int = 100) -> Iterator[tuple[str, str, str]]:
    """Triples of what comes first, what is repeated, and what comes last, from the pattern's own parts."""
    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    tree = parser.parse(text, pattern.flags & ~re.UNICODE if isinstance(pattern.pattern, bytes) else pattern.flags)
    pumps: dict[tuple[str, str], None] = {}
    for before, body in _repeats(list(tree), [""]):
        for one, way in product(before[:2], body[:4]):
            if way:
                pumps[one, way] = None
                pumps["", way] = None
                pumps["", one + way] = None
    beginnings = ["".join(_samples([node])[0] for node in list(tree)[:end]) for end in range(1, len(list(tree)) + 1)]
    for beginning in beginnings:
        if beginning:
            pumps["", beginning] = None
    signs = dict.fromkeys([*_literals(tree), *COMMON])
    for sign in islice(signs, 40):
        pumps["", sign] = None
        if beginnings and beginnings[0] and beginnings[0] != sign:
            pumps[beginnings[0], sign] = None
    for (before, body), after in islice(product(pumps, ENDINGS[:2]), most):
        yield before, body, after
    for (before, body), after in islice(product(pumps, ENDINGS[2:]), most // 2):
        yield before, body, after


def _repeats(nodes: list[Any], before: list[str]) -> Iterator[tuple[list[str], list[str]]]:
    """Each repetition within: ways to get there, and ways to go once around."""
    for at, (code, value) in enumerate(nodes):
        here = [one + two for one in before[:2] for two in _samples(nodes[:at])[:2]]
        if code in REPEATS:
            yield here, _samples(list(value[2]))
            yield from _repeats(list(value[2]), here)
        elif code is codes.SUBPATTERN:
            yield from _repeats(list(value[3]), here)
        elif code is codes.ATOMIC_GROUP:
            yield from _repeats(list(value), here)
        elif code is codes.BRANCH:
            for branch in value[1]:
                yield from _repeats(list(branch), here)
        elif code in (codes.ASSERT, codes.ASSERT_NOT):
            yield from _repeats(list(value[1]), here)


def _samples(nodes: list[Any]) -> list[str]:
    """A few texts that these nodes match."""
    parts: list[list[str]] = []
    for code, value in nodes:
        found = _sample(code, value)
        if found:
            parts.append(found)
    whole = ["".join(choice) for choice in islice(product(*(part[:3] for part in parts)), 6)]
    return whole or [""]


def _sample(code: Any, value: Any) -> list[str]:
    if code is codes.LITERAL:
        return [chr(value)]
    if code in (codes.NOT_LITERAL, codes.ANY):
        return [sign for sign in ("a", " ", "0", "<") if code is codes.ANY or ord(sign) != value]
    if code is codes.IN:
        return _members(value)
    if code in REPEATS:
        least, inner = value[0], _samples(list(value[2]))
        return [one * max(least, 1) for one in inner] if least else [*inner, ""]
    if code is codes.SUBPATTERN:
        return _samples(list(value[3]))
    if code is codes.ATOMIC_GROUP:
        return _samples(list(value))
    if code is codes.BRANCH:
        return [text for branch in value[1] for text in _samples(list(branch))[:2]]
    return []


def _members(items: list[Any]) -> list[str]:
    """Some characters of a class."""
    inside = re.compile(f"[{re.escape('')}]" if not items else _class_of(items))
    return [sign for sign in dict.fromkeys([*COMMON, *string.printable, "“", "ß", "中"]) if inside.match(sign)][:5] or [
        chr(value if code is codes.LITERAL else value[0])
        for code, value in items
        if code in (codes.LITERAL, codes.RANGE)
    ][:3]


def _class_of(items: list[Any]) -> str:
    names = {
        codes.CATEGORY_DIGIT: r"\d",
        codes.CATEGORY_NOT_DIGIT: r"\D",
        codes.CATEGORY_SPACE: r"\s",
        codes.CATEGORY_NOT_SPACE: r"\S",
        codes.CATEGORY_WORD: r"\w",
        codes.CATEGORY_NOT_WORD: r"\W",
    }
    text = ""
    for code, value in items:
        if code is codes.NEGATE:
            text += "^"
        elif code is codes.LITERAL:
            text += re.escape(chr(value))
        elif code is codes.RANGE:
            text += f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
        elif code is codes.CATEGORY:
            text += names[value]
    return f"[{text}]"


def _literals(nodes: Any) -> Iterator[str]:
    for code, value in nodes:
        if code is codes.LITERAL:
            yield chr(value)
        elif code is codes.IN:
            yield from _members(value)
        elif code in REPEATS:
            yield from _literals(value[2])
        elif code is codes.SUBPATTERN:
            yield from _literals(value[3])
        elif code is codes.ATOMIC_GROUP:
            yield from _literals(value)
        elif code is codes.BRANCH:
            for branch in value[1]:
                yield from _literals(branch)
        elif code in (codes.ASSERT, codes.ASSERT_NOT):
            yield from _literals(value[1])


# --- judging -----------------------------------------------------------------------------------------------------------

SIZES = (1_000, 4_000, 16_000)
UNNOTICED = 0.012  # s of CPU time, three ticks of a coarse clock; squares of 16,000 cost more
GROWTH = 9  # for four times the length: linear is 4, quadratic 16
ROUNDS = 5
KILL = 2.0  # s of CPU time


class TooLong(Exception):  # noqa: N818 - no error of ours
    """It was stopped."""


@contextmanager
def stopped_after(seconds: float) -> Iterator[None]:
    """Raise TooLong after so much CPU time; Python's matcher looks for signals while it goes back."""

    def stop(*_: object) -> None:
        raise TooLong

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def cost(work: Callable[[Any], Any], text: Any, least: float = 0.0) -> float:
    """CPU seconds of one call: the mean of as many as take ``least``; infinite where it had to be stopped."""
    calls, begun = 0, process_time()
    try:
        with stopped_after(KILL + least):
            while not calls or process_time() - begun < least:
                work(text)
                calls += 1
    except TooLong:
        return float("inf")
    return (process_time() - begun) / calls


def worst(work: Callable[[Any], Any], make: Callable[[int], Any], sizes: tuple[int, ...] = SIZES) -> tuple[float, str]:
    """CPU seconds at the greatest size that was tried, and what is wrong ("" where the time is linear)."""
    spent = 0.0
    for size in sizes:
        spent = cost(work, make(size))
        if spent <= UNNOTICED:
            continue
        if spent == float("inf"):
            return spent, f"more than {KILL} s for {size}"
        # Longer, against the clock's ticks, and again, against neighbours that had the caches.
        pairs: list[tuple[float, float]] = []
        while len(pairs) < ROUNDS and not any(spent <= GROWTH * before for before, spent in pairs):
            pairs.append((cost(work, make(size // 4), 0.06), cost(work, make(size), 0.06)))
        before, spent = min(pairs, key=lambda pair: pair[1] / pair[0])
        if spent > GROWTH * before:
            return spent, f"{before:.5f} s for {size // 4}, {spent:.5f} s for {size}"
    return spent, ""


def asked(pattern: re.Pattern, way: str) -> Callable[[Any], Any]:
    """The pattern as it is used; what looks anywhere goes through the whole text."""
    return (
        (lambda text: pattern.sub("", text))
        if way == "search" and not isinstance(pattern.pattern, bytes)
        else ((lambda text: pattern.sub(b"", text)) if way == "search" else getattr(pattern, way))
    )


def filled(pattern: re.Pattern, shape: tuple[str, str, str]) -> Callable[[int], Any]:
    """The text of a length, or nearly, by such a shape."""
    before, body, after = shape

    def make(size: int) -> Any:
        text = before + body * max(1, size // len(body)) + after
        return text.encode("latin-1", "replace") if isinstance(pattern.pattern, bytes) else text

    return make
