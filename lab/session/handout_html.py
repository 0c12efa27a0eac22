"""A handout as one page that needs nothing else: no script, no font, no picture from elsewhere."""

from __future__ import annotations

from html import escape

from markdown_it import MarkdownIt

_STYLE = """\
:root { color-scheme: light dark; --ink: #1c2127; --paper: #fff; --soft: #f2f4f7; --rule: #d5dae1; --mark: #0b5cad; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #dfe4ea; --paper: #14181d; --soft: #1f252c; --rule: #39424d; --mark: #7db4f0; }
}
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1, h2 { line-height: 1.25; }
h2 { margin-top: 2.5rem; padding-top: 1rem; border-top: 1px solid var(--rule); }
a, strong { color: var(--mark); }
code, pre { font: 0.9em/1.45 ui-monospace, monospace; background: var(--soft); border-radius: 4px; }
code { padding: 0.1em 0.3em; overflow-wrap: anywhere; }
pre { padding: 0.75rem 1rem; overflow-x: auto; }
pre code { padding: 0; background: none; font-size: 1em; overflow-wrap: normal; }
pre:has(> .language-sh) { border-left: 3px solid var(--mark); }
@media print {
  main { max-width: none; padding: 0; }
  pre { white-space: pre-wrap; border: 1px solid var(--rule); }
  h2, pre { break-after: avoid; break-inside: avoid; }
}
"""


def handout_page(title: str, markdown: str) -> str:
    """Return Markdown as an HTML page. HTML in the Markdown is shown, not taken."""
    body = MarkdownIt("commonmark", {"html": False}).disable("image").render(markdown)
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>
{_STYLE}</style>
</head>
<body>
<main>
{body}</main>
</body>
</html>
"""
