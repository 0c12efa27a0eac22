"""The board's pages: made on the server, so that a browser only puts them in place. Every text is escaped here."""

from __future__ import annotations

import json
from html import escape

from markdown_it import MarkdownIt

from lab.session.talk.talk_views import BoardView

_CSS = """
:root { color-scheme: light dark; --ink: #10151c; --ground: #ffffff; --soft: #485462; --rule: #a9b6c5;
        --head: #0b4fae; --code: #0a4a86; --live: #0a6230; --replay: #6b1f96; }
@media (prefers-color-scheme: dark) { :root { --ink: #f4f7fa; --ground: #0a0e13; --soft: #aeb9c5; --rule: #3d4d60;
        --head: #5cb8ff; --code: #9fe0ff; --live: #63e691; --replay: #e2a6ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 70rem; padding: 0.5rem 1rem 3rem; color: var(--ink); background: var(--ground);
       font: 1.05rem/1.45 system-ui, sans-serif; }
header { display: flex; gap: 0.75rem; align-items: baseline; border-bottom: 1px solid var(--rule); padding: 0.4rem 0; }
header b { color: var(--live); } header b.replay { color: var(--replay); } header b.gone { color: var(--soft); }
header span { color: var(--soft); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
h1 { color: var(--head); font-size: 1.5rem; margin: 0.8rem 0 0.3rem; }
pre { overflow-x: auto; margin: 0.4rem 0; padding: 0.6rem; border: 1px solid var(--rule); border-radius: 0.4rem;
      color: var(--code); font: 0.95rem/1.4 ui-monospace, monospace; }
svg.pane { width: 100%; height: auto; border: 1px solid var(--rule); border-radius: 0.4rem; }
h2 { font-size: 1rem; color: var(--soft); margin: 1.2rem 0 0.2rem; }
li { list-style: none; } ol { padding: 0; margin: 0; } button { font: inherit; padding: 0.3rem 0.8rem; }
nav button { display: block; width: 100%; padding: 1.6rem; margin: 0.8rem 0; font-size: 1.6rem; }
"""

_WATCH = """
const put = (id, html) => { const at = document.getElementById(id); if (at.innerHTML !== html) at.innerHTML = html; };
const open = () => {
  const feed = new EventSource("events" + location.search);
  feed.onmessage = (event) => { const parts = JSON.parse(event.data); for (const id in parts) put(id, parts[id]); };
  feed.onerror = () => {
    put("badge", "<b class='gone'>no connection</b>");
    if (feed.readyState === EventSource.CLOSED) setTimeout(open, 2000);
  };
};
document.addEventListener("click", (event) => {
  const copied = event.target.closest("[data-copy]");
  if (copied) navigator.clipboard.writeText(copied.closest("li").querySelector("pre").textContent);
});
open();
"""

_PRESS = """
document.addEventListener("click", async (event) => {
  const action = event.target.dataset.action;
  if (!action) return;
  const answer = await fetch("press/" + action + location.search, { method: "POST" });
  document.getElementById("said").textContent = answer.ok ? "" : "the talk did not get it (" + answer.status + ")";
});
"""


def board_page(style: str, nonce: str) -> str:
    """Return the page that shows the talk; `style` is the CSS of its pictures."""
    body = (
        '<header><span id="badge"></span><span id="where"></span></header>'
        '<main><h1 id="title">One moment ...</h1><p id="text"></p><div id="command"></div><div id="picture"></div>'
        '<h2>Commands so far</h2><ol id="commands"></ol></main>'
    )
    return _page("swarmlab board", body, f"{_CSS}{style}", _WATCH, nonce)


def remote_page(style: str, nonce: str) -> str:
    """Return the page of the speaker's remote control."""
    body = (
        '<header><span id="badge"></span><span id="where"></span></header><h1 id="title"></h1>'
        '<nav><button data-action="next">Next</button><button data-action="back">Back</button>'
        '<button data-action="black">Black</button></nav><p id="said"></p>'
        '<div hidden><p id="text"></p><div id="command"></div><div id="picture"></div><ol id="commands"></ol></div>'
    )
    return _page("swarmlab remote", body, f"{_CSS}{style}", _WATCH + _PRESS, nonce)


def _page(title: str, body: str, style: str, script: str, nonce: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f'<title>{title}</title><style nonce="{nonce}">{style}</style></head><body>{body}'
        f'<script nonce="{nonce}">{script}</script></body></html>'
    )


def parts_of(view: BoardView | None) -> str:
    """Return what is on the page now, as JSON: HTML by the id of its place. None: no talk is being given."""
    if view is None:
        return json.dumps({"badge": "<b class='gone'>no talk now</b>"})
    badge = "<b>LIVE</b>" if view.live else "<b class='replay'>REPLAY</b>"
    parts = {"badge": badge, "where": escape(f"{view.place + 1}/{view.count} {view.talk}")}
    if view.black:
        parts |= dict.fromkeys(("title", "text", "command", "picture"), "")
    else:
        parts["title"] = escape(view.title)
        parts["text"] = MarkdownIt("js-default").renderInline(view.text)  # it lets no HTML through
        parts["command"] = f"<pre>{escape(view.command)}</pre>" if view.command else ""
        parts["picture"] = view.picture
    rows = (f"<li><pre>{escape(text)}</pre><button data-copy>copy</button></li>" for text in reversed(view.commands))
    parts["commands"] = "".join(rows)
    return json.dumps(parts)
