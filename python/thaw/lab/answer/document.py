"""A document of headings, paragraphs, tables and pictures: as Markdown with files beside it, and as one page
of HTML.

    document = Document("What a fresh connection costs", [Heading("Answer"), Paragraph("…"), Table(…)])
    document.write(pathlib.Path("docs/fresh-connection-cost"))

writes docs/fresh-connection-cost.md, docs/fresh-connection-cost.html, and a folder of that name with each
picture as SVG and each table as CSV.
"""

from __future__ import annotations

import csv
import html
import io
import pathlib
import re
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from thaw.lab.report.charts import COLOURS
from thaw.lab.report.style import html_document

_STYLE = "td{white-space:nowrap}.files{font-weight:400;margin-left:8px}a{color:var(--muted)}"


@dataclass(frozen=True)
class Heading:
    """A heading of the second level, or of the third."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """Plain text; `code` stands between backquotes."""

    text: str


@dataclass(frozen=True)
class Items:
    """A list; `code` stands between backquotes."""

    texts: Sequence[str]


@dataclass(frozen=True)
class Table:
    """Figures. `name` is the CSV file's; the first column has the names of the rows. `sweep`: the spec of
    that name, one of the document's files, says how they were measured.
    """

    name: str
    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    sweep: str = ""


@dataclass(frozen=True)
class Picture:
    """An SVG whose colours are variables of the report's style sheet. `text` says what it shows."""

    name: str
    text: str
    svg: str


Block = Heading | Paragraph | Items | Table | Picture


@dataclass(frozen=True)
class Document:
    """The document; `write` gives it its files.

    Attributes:
      specs: files beside it, by name: how its figures were measured.
    """

    title: str
    blocks: Sequence[Block] = field(default_factory=tuple)
    specs: Mapping[str, str] = field(default_factory=dict)

    def write(self, base: pathlib.Path) -> list[pathlib.Path]:
        """Writes the page in both forms and the files beside it. Returns their paths, the Markdown first.

        `base` is the path of both forms without their endings. OSError: it can't be written.
        """
        base.mkdir(parents=True, exist_ok=True)
        files = {base.with_name(f"{base.name}.md"): self.markdown(base.name)}
        files[base.with_name(f"{base.name}.html")] = self.html()
        files |= {base / name: text for name, text in self.specs.items()}
        for block in self.blocks:
            if isinstance(block, Table):
                files[base / f"{block.name}.csv"] = _csv(block)
            elif isinstance(block, Picture):
                files[base / f"{block.name}.svg"] = _standalone(block.svg)
        for path, text in files.items():
            path.write_text(text, encoding="utf-8")
        return list(files)

    def markdown(self, folder: str) -> str:
        """Returns the document as Markdown; its pictures and data are in `folder`."""
        parts = [f"# {self.title}"]
        for block in self.blocks:
            if isinstance(block, Heading):
                parts.append(f"{'#' * block.level} {block.text}")
            elif isinstance(block, Paragraph):
                parts.append(block.text)
            elif isinstance(block, Items):
                parts.append("\n".join(f"* {each}" for each in block.texts))
            elif isinstance(block, Picture):
                parts.append(f"![{block.text}]({folder}/{block.name}.svg)")
            else:
                parts.append(_markdown_table(block, folder, self.specs))
        return "\n\n".join(parts) + "\n"

    def html(self) -> str:
        """Returns the document as one page that asks the network for nothing."""
        blocks = [_html(each, self.specs) for each in self.blocks]
        body = "\n".join([f"<h1>{_text(self.title)}</h1>", *blocks])
        return html_document(_text(self.title), body, rules=_STYLE)


def _specs_of(table: Table, specs: Mapping[str, str]) -> dict[str, str]:
    """Returns the files among the specs that say how a table was measured, by the words of their links."""
    names = [name for name in specs if table.sweep and name.partition(".")[0] == table.sweep]
    return {f"spec {number}" if number > 1 else "spec": name for number, name in enumerate(names, start=1)}


def _markdown_table(table: Table, folder: str, specs: Mapping[str, str]) -> str:
    files = {"data": f"{table.name}.csv", **_specs_of(table, specs)}
    links = [f"[{word}]({folder}/{name})" for word, name in files.items()]
    lines = [
        f"{table.caption} ({', '.join(links)})",
        "",
        f"| {' | '.join(table.head)} |",
        f"| --- |{' ---: |' * (len(table.head) - 1)}",
        *(f"| {' | '.join(row)} |" for row in table.rows),
    ]
    return "\n".join(lines)


def _html(block: Block, specs: Mapping[str, str]) -> str:
    if isinstance(block, Heading):
        return f"<h{block.level}>{_text(block.text)}</h{block.level}>"
    if isinstance(block, Paragraph):
        return f"<p>{_with_code(block.text)}</p>"
    if isinstance(block, Items):
        return f"<ul>{''.join(f'<li>{_with_code(each)}</li>' for each in block.texts)}</ul>"
    if isinstance(block, Picture):
        return f"<p>{_text(block.text)}</p>\n<div class=wide><figure>{block.svg}</figure></div>"
    head = "".join(f"<th scope=col>{_text(each)}</th>" for each in block.head)
    rows = "\n".join(
        f"<tr><th scope=row>{_text(first)}</th>{''.join(f'<td>{_text(each)}</td>' for each in rest)}</tr>"
        for first, *rest in block.rows
    )
    return (
        f"<div class=wide><table><caption>{_with_code(block.caption)} {_links(block, specs)}</caption>\n"
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>"
    )


def _links(table: Table, specs: Mapping[str, str]) -> str:
    """Returns the files that stand beside the Markdown, inside the page."""
    files = {"data": (f"{table.name}.csv", "text/csv", _csv(table))}
    files |= {word: (name, "text/plain", specs[name]) for word, name in _specs_of(table, specs).items()}
    links = (
        f'<a download="{_text(name)}" href="data:{kind};charset=utf-8,{urllib.parse.quote(text)}">{word}</a>'
        for word, (name, kind, text) in files.items()
    )
    return f"<span class=files>{', '.join(links)}</span>"


def _text(text: str) -> str:
    return html.escape(text)


def _with_code(text: str) -> str:
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", _text(text))


def _csv(table: Table) -> str:
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n")
    writer.writerow(table.head)
    writer.writerows(table.rows)
    return made.getvalue()


def _standalone(svg: str) -> str:
    """Returns the picture for readers that have no style sheet: on light paper."""
    for name, (light, _) in COLOURS.items():
        svg = svg.replace(f"var(--{name})", light)
    paper = f"<rect width='100%' height='100%' fill='{COLOURS['paper'][0]}'/>"
    return re.sub(r"(<svg[^>]*>)", lambda found: found[1] + paper, svg, count=1)
