"""Writes what the documentation takes from docstrings: ``docs/api.md``, and the map of folders in CONTRIBUTING.

``make docs`` runs it; a test fails where what it would write differs from what is there.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path
from types import FunctionType
from typing import Any

from segmentation._shared.cached_property import cached_property

ROOT = Path(__file__).resolve().parents[1]
API = ROOT / "docs" / "api.md"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
BEGIN, END = "<!-- folders: begin -->\n", "<!-- folders: end -->"

API_HEAD = """\
# Every public name

What `import segmentation as seg` offers, written by `make docs` from the docstrings. [python.md](python.md) shows how
it is used; a name that begins with `_`, or is not here, may change from version to version.
"""

BESIDES = {
    "assets": "What runs and is seen in the browser: scripts, styles, pictures, the sample image.",
    "benchmarks": "Measures what docs/benchmarks.md says; the numbers of each run lie in `results/`.",
    "docs": "What there is to read; `decisions/` says why it is built as it is.",
    "examples": "Scripts in cells that show the library on the sample image.",
    "tests": "Mirrors the package; `browser/` drives a real Chromium, `support/` has what tests share.",
    "segmentation/web/store/migrations": "What leads from the tables of one version to those of the next.",
}
"""Folders whose purpose no docstring tells."""

SECTION = re.compile(r"^(Args|Attributes|Returns|Yields|Raises):$")
TITLES = {"Args": "Arguments"}


def folders() -> str:
    """The map of folders, each with its purpose: the first sentence of the package's docstring."""
    purposes = dict(BESIDES)
    for file in (ROOT / "segmentation").rglob("__init__.py"):
        purposes[str(file.parent.relative_to(ROOT))] = first_line(file)
    return "\n".join(f"- `{folder}/`: {purpose}" for folder, purpose in sorted(purposes.items())) + "\n"


def first_line(file: Path) -> str:
    """The first line of a module's docstring."""
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return as_markdown(docstring.splitlines()[0])


def api() -> str:
    """The reference of all public names, room by room."""
    parts, room = [API_HEAD], ""
    stub = (ROOT / "segmentation" / "__init__.pyi").read_text(encoding="utf-8")
    for module, name in re.findall(r"^from \.([\w.]+) import \w+ as (\w+)$", stub, re.MULTILINE):
        if "." not in module:  # the version
            continue
        package = module.split(".")[0]
        if package != room:
            room = package
            parts.append(f"## {room}\n\n{first_line(ROOT / 'segmentation' / room / '__init__.py')}\n")
        parts += entries(name, getattr(import_module("segmentation"), name))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts))


def entries(name: str, thing: Any) -> Iterator[str]:
    """A public name: its signature and docstring, and those of a class's public methods."""
    yield f"### {name}\n\n{signature(name, thing)}{body(thing)}"
    if not inspect.isclass(thing):
        return
    ours = [base for base in reversed(thing.__mro__) if base.__module__.startswith("segmentation.")]
    for member, value in {member: value for base in ours for member, value in vars(base).items()}.items():
        if member.startswith("_"):
            continue
        if isinstance(value, (FunctionType, classmethod, staticmethod)):
            bound = getattr(thing, member)
            yield f"#### {name}.{member}\n\n{signature(f'{name}.{member}', bound)}{body(bound)}"
        elif isinstance(value, (property, cached_property)):
            yield f"#### {name}.{member}\n\n{body(value)}"


class _Verbatim:
    """Shown as this text, without quotes."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def _parameter(one: inspect.Parameter) -> inspect.Parameter:
    """An argument whose type stands as in the source, and whose default is as short as it can be."""
    if isinstance(one.annotation, str):
        one = one.replace(annotation=_Verbatim(one.annotation))
    if is_dataclass(one.default) and one.default == type(one.default)():
        return one.replace(default=_Verbatim(f"{type(one.default).__name__}()"))
    if isinstance(one.default, FunctionType):
        return one.replace(default=_Verbatim("..."))
    return one


def signature(name: str, thing: Any) -> str:
    """A function's arguments, with their types, as a block of Python; nothing for exceptions."""
    if inspect.isclass(thing) and issubclass(thing, Exception):
        return ""
    found = inspect.signature(thing)
    parameters = [_parameter(one) for one in found.parameters.values() if one.name != "self"]
    result = found.return_annotation
    shown = found.replace(
        parameters=parameters,
        return_annotation=found.empty if result in (found.empty, None, "None") else _Verbatim(result),
    )
    text = f"{name}{shown}"
    if len(text) > 110:
        inside = ",\n    ".join(str(one) for one in _with_star(parameters))
        arrow = "" if shown.return_annotation is found.empty else f" -> {shown.return_annotation!r}"
        text = f"{name}(\n    {inside},\n){arrow}"
    return f"```\n{text}\n```\n\n"


def _with_star(parameters: list[inspect.Parameter]) -> Iterator[inspect.Parameter | str]:
    """The arguments, with the star after which they must be named."""
    starred = any(one.kind is one.VAR_POSITIONAL for one in parameters)
    for one in parameters:
        if one.kind is one.KEYWORD_ONLY and not starred:
            starred = True
            yield "*"
        yield one


def body(thing: Any) -> str:
    """A docstring as Markdown."""
    lines = (inspect.getdoc(thing) or "").splitlines()
    blocks: list[tuple[str, list[str]]] = [("", [])]
    for line in lines:
        section = SECTION.match(line)
        if section:
            blocks.append((section[1], []))
        else:
            blocks[-1][1].append(line)
    return "\n".join(_block(title, textwrap.dedent("\n".join(text)).strip()) for title, text in blocks) + "\n"


def _block(title: str, text: str) -> str:
    if not title:
        return as_markdown(text) + "\n"
    if title in ("Returns", "Yields"):
        return f"**{title}** {as_markdown(text)}\n"
    items = re.sub(r"^(\w[\w, .]*(?:,\n +\w[\w, .]*)*): ", _item, text, flags=re.MULTILINE)
    indented = re.sub(r"\n {4}(?=\S)", "\n  ", items)
    return f"**{TITLES.get(title, title)}**\n\n{as_markdown(indented)}\n"


def _item(found: re.Match[str]) -> str:
    return "- " + ", ".join(f"`{name.strip()}`" for name in found[1].split(",")) + ": "


def as_markdown(text: str) -> str:
    """A docstring's text, whose roles and literals become code."""
    text = re.sub(r":\w+:`~?(?:[\w.]+\.)?(\w+)`", r"`\1`", text)
    return re.sub(r"``([^`]+)``", r"`\1`", text)


def map_of(contributing: str) -> tuple[str, str, str]:
    """CONTRIBUTING in three parts: what is before the map of folders, the map, what is after it."""
    before, rest = contributing.split(BEGIN)
    there, after = rest.split(END)
    return before, there, after


def main() -> None:
    """Write both."""
    API.write_text(api(), encoding="utf-8")
    before, _, after = map_of(CONTRIBUTING.read_text(encoding="utf-8"))
    CONTRIBUTING.write_text(f"{before}{BEGIN}{folders()}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
