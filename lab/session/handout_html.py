"""A handout as one page that needs nothing else: no script, no font, no picture from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

from lab.session.course_handout import anchors

PICTURE = "picture"
"""The language of a block of code in whose place a picture comes; the block is the picture's name."""

_STYLE = """\
:root { color-scheme: light dark; --ink: #1c2127; --paper: #fff; --soft: #f2f4f7; --rule: #d5dae1; --mark: #0b5cad; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #dfe4ea; --paper: #14181d; --soft: #1f252c; --rule: #39424d; --mark: #7db4f0; }
}
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1, h2, h3 { line-height: 1.25; }
h2 { margin-top: 2.5rem; padding-top: 1rem; border-top: 1px solid var(--rule); }
h3 { margin-top: 2rem; }
a, strong { color: var(--mark); }
code, pre { font: 0.9em/1.45 ui-monospace, monospace; background: var(--soft); border-radius: 4px; }
code { padding: 0.1em 0.3em; overflow-wrap: anywhere; }
pre { padding: 0.75rem 1rem; overflow-x: auto; }
pre code { padding: 0; background: none; font-size: 1em; overflow-wrap: normal; }
pre:has(> .language-sh) { border-left: 3px solid var(--mark); }
svg { display: block; width: 100%; height: auto; border: 1px solid var(--rule); border-radius: 4px; }
@media print {
  main { max-width: none; padding: 0; }
  pre { white-space: pre-wrap; border: 1px solid var(--rule); }
  h2, h3, pre, svg { break-after: avoid; break-inside: avoid; }
}
"""


def handout_page(title: str, markdown: str, *, pictures: Mapping[str, str] | None = None, style: str = "") -> str:
    """Return Markdown as an HTML page. HTML in the Markdown is shown, not taken; `pictures` (SVG, by name) come in the
    place of blocks of code in the language `PICTURE`, and `style` is what they need of CSS."""
    reader = MarkdownIt("commonmark", {"html": False}).disable("image")
    tokens = reader.parse(markdown)
    _name_headings(tokens)
    for token in tokens:
        if token.type == "fence" and token.info == PICTURE and token.content.strip() in (pictures or {}):
            token.type, token.content = "html_block", (pictures or {})[token.content.strip()] + "\n"
    body = reader.renderer.render(tokens, reader.options, {})
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>
{_STYLE}{style}</style>
</head>
<body>
<main>
{body}</main>
</body>
</html>
"""


def _name_headings(tokens: list[Token]) -> None:
    """Name the headings of the second level, so that contents can lead to them."""
    found = [
        (token, "".join(child.content for child in after.children or ()))
        for token, after in pairwise(tokens)
        if token.type == "heading_open" and token.tag == "h2"
    ]
    for (token, _), name in zip(found, anchors([text for _, text in found]), strict=True):
        token.attrSet("id", name)
