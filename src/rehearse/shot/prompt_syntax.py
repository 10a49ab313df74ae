"""The syntax that other tools give a prompt: weights, LoRAs, wildcards, options.

No model here reads any of it: its characters would be encoded as if they were words. What is found is told,
with what to do instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_LONGEST_PIECE = 40


@dataclass(frozen=True, slots=True)
class Foreign:
    """A piece of a prompt in another tool's syntax.

    start, end: its place in the text. piece: its characters. plain: what stands there without the syntax.
    kind: what it is, in the plural ("weights"). remedy: what to do instead.
    """

    start: int
    end: int
    piece: str
    plain: str
    kind: str
    remedy: str


Plain = Callable[[re.Match[str]], str]


def _inside(found: re.Match[str]) -> str:
    return found["in"].strip()


def _nothing(found: re.Match[str]) -> str:
    return ""


def _first(found: re.Match[str]) -> str:
    return found["in"].split("|")[0].strip()


_LORA = (
    'put the file into a folder with a rehearse.json that says "base" and "loras": [{"file": '
    '"NAME.safetensors", "scale": 0.8}], and give that folder as the model'
)
_STRESS = "leave the marks out (guidance strengthens the whole prompt)"
_ONE = "write one of them, and make a take for each"
_OPTIONS = "set the negative prompt, seed, steps, guidance and size by their own options"

# Brackets and colons, those of Chinese and Japanese keyboards too.
_OPEN = r"({\[\uff08\uff5b\uff3b"
_CLOSE = r")}\]\uff09\uff5d\uff3d"
_WITHIN = rf"[^{_OPEN}{_CLOSE}:\uff1a]"

# The longer forms first: what one has taken is no longer looked at by those below.
_RULES: tuple[tuple[str, str, Plain, str], ...] = (
    (
        r"(?ims)^[^\S\n]*(?:negative prompt[^\S\n]*:|steps[^\S\n]*:[^\S\n]*\d+[^\S\n]*,).*",
        "settings of other tools", _nothing, _OPTIONS,
    ),
    (r"<\s*(?:lora|lyco|lokr|loha|locon)\s*:[^<>]*>", "LoRAs", _nothing, _LORA),
    (r"<\s*(?:hypernet|embedding)\s*:[^<>]*>", "textual inversions", _nothing, "leave them out"),
    (r"\bembedding:[\w./\\-]+(?::\d*\.?\d+)?", "textual inversions", _nothing, "leave them out"),
    (r"</?[A-Za-z][\w-]*>", "textual inversions", _nothing, "leave them out"),
    (r"<\|[^<>|]*\|>", "marks of a text encoder", _nothing, "leave them out"),
    (r"<[A-Za-z]\w*:[^<>]*>", "commands of other tools", _nothing, "leave them out"),
    (
        r"\(\s*\"[^\"]*\"(?:\s*,\s*\"[^\"]*\")+\s*\)\.(?:blend|and)\([^)]*\)",
        "blends of prompts", _nothing, "write one prompt; takes are mixed with rehearse take fork --blend",
    ),
    (
        r"(?<!\w)\"?\d+\"?\s*:\s*\"[^\"]*\"", "prompts by frame", _nothing,
        "write one prompt, and give what moves a path or a motion",
    ),
    (r"\[(?P<in>[^\[\]:|]*):[^\[\]:|]*:\s*\d*\.?\d+\s*\]", "prompts by step", _inside, "write one of them"),
    (r"\[(?P<in>[^\[\]|]*)\|[^\[\]]*\]", "alternatives", _first, _ONE),
    (r"\{(?P<in>[^{}|]*\|[^{}]*)\}", "wildcards", _first, _ONE),
    (r"(?<!\w)__[\w*/-]+__(?!\w)", "wildcards", _nothing, "write the words, and make a take for each"),
    (
        rf"(?<![{_OPEN}])[{_OPEN}]{{1,9}}(?P<in>{_WITHIN}*(?::{_WITHIN}*){{0,3}})[:\uff1a]\s*"
        rf"[+-]?\d*[.,]?\d+\s*[{_CLOSE}]+",
        "weights", _inside, _STRESS,
    ),
    (  # one that is not closed
        rf"[{_OPEN}](?P<in>{_WITHIN}*)[:\uff1a]\s*[+-]?\d*\.\d+(?=[\s,]|$)", "weights", _inside, _STRESS,
    ),
    (r"\((?P<in>[^()]*)\)(?:\d*\.\d+|[+-]+(?!\w))", "weights", _inside, _STRESS),
    (r"(?<!\()\({2,}(?P<in>[^()]*)\){2,}", "weights", _inside, _STRESS),
    (r"(?<!\{)\{{2,}(?P<in>[^{}]*)\}{2,}", "weights", _inside, _STRESS),
    (r"(?<!\[)\[+(?P<in>[^\[\]]*)\]+", "weights", _inside, _STRESS),
    (r"\{(?P<in>[^{}]*)\}", "weights", _inside, _STRESS),
    # One pair of parentheses is plain English, unless it holds all between two commas.
    (r"(?:(?<=,)|(?<=^))\s*\((?P<in>[^()]*)\)\s*(?=,|$)", "weights", _inside, _STRESS),
    (r"\b(?P<in>[A-Za-z]{2,})(?:\+{1,}|-{2,})(?=[\s,.]|$)", "weights", _inside, _STRESS),
    (r"::\s*-?\d*\.?\d*", "weights", _nothing, _STRESS),
    (r"(?:(?<=\s)|^)--[a-z]+(?:\s+[\d.:]+)?", "options", _nothing, _OPTIONS),
    (
        r"\b(?:BREAK|AND|ADDCOMM|ADDBASE|ADDCOL|ADDROW)\b", "joints of prompts", _nothing,
        "write one text; give places by paths and masks",
    ),
    (r"(?m)^[^\S\n]*(?:#|//).*|(?<=\s)#\s.*|/\*.*?\*/", "comments", _nothing, "leave them out"),
    (r"\\(?P<in>[()\[\]{}])", "backslashes", _inside, "leave them out"),
)  # fmt: skip
_READ = tuple((re.compile(pattern), kind, plain, remedy) for pattern, kind, plain, remedy in _RULES)


def foreign_syntax(text: str) -> tuple[Foreign, ...]:
    """The pieces of a prompt that are another tool's syntax, in order of place; empty for plain words."""
    return tuple(sorted(_found(text), key=lambda piece: piece.start))


def without_syntax(text: str) -> str:
    """The prompt in plain words: every piece of syntax replaced by what stands inside it."""
    for _ in range(8):  # marks inside marks
        pieces = foreign_syntax(text)
        if not pieces:
            break
        for piece in reversed(pieces):
            text = text[: piece.start] + piece.plain + text[piece.end :]
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"\s+,", ",", text)
    return re.sub(r"(?:,\s*){2,}", ", ", text).strip(" ,")


def told(text: str) -> Iterator[str]:
    """One sentence, without a capital and a full stop, for each kind of syntax in a prompt."""
    kinds: dict[str, list[Foreign]] = {}
    for piece in foreign_syntax(text):
        kinds.setdefault(piece.kind, []).append(piece)
    for kind, pieces in kinds.items():
        shown = list(dict.fromkeys(_short(piece.piece) for piece in pieces))
        more = f" and {len(shown) - 2} more" if len(shown) > 2 else ""
        quoted = ", ".join(f"“{piece}”" for piece in shown[:2])
        yield f"{quoted}{more}: {kind} are not read here, and count as words; {pieces[0].remedy}"


def _found(text: str) -> Iterator[Foreign]:
    rest = text
    shouted = text.upper() == text
    for pattern, kind, plain, remedy in _READ:
        if kind == "joints of prompts" and shouted:
            continue  # a prompt in capitals
        for found in pattern.finditer(rest):
            start, end = found.span()
            lead = len(found.group()) - len(found.group().lstrip())
            start, end = start + lead, start + len(found.group().rstrip())
            if start >= end or "\0" in rest[start:end]:
                continue  # what stands around a piece is looked at when that is out
            yield Foreign(start, end, text[start:end], plain(found), kind, remedy)
            rest = rest[:start] + "\0" * (end - start) + rest[end:]


def _short(piece: str) -> str:
    line = " ".join(piece.split())
    return line if len(line) <= _LONGEST_PIECE else line[: _LONGEST_PIECE - 1] + "…"
