"""A recorded run as one page that needs nothing else: the time to scrub, the panes to choose, the lesson beside it."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from html import escape
from typing import Any

from markdown_it import MarkdownIt

_STYLE = """
:root { color-scheme: light dark; --ink: #10151c; --ground: #ffffff; --soft: #485462; --rule: #a9b6c5; --head: #0b4fae;
        --code: #0a4a86; --good: #0a6230; --bad: #a8001c; --replay: #6b1f96; --panel: #f0f3f7; }
@media (prefers-color-scheme: dark) { :root { --ink: #f4f7fa; --ground: #0a0e13; --soft: #aeb9c5; --rule: #3d4d60;
        --head: #5cb8ff; --code: #9fe0ff; --good: #63e691; --bad: #ff8080; --replay: #e2a6ff; --panel: #161d26; } }
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: var(--ground); font: 1rem/1.5 system-ui, sans-serif; }
header { position: sticky; top: 0; z-index: 1; background: var(--ground); border-bottom: 1px solid var(--rule);
         padding: 0.5rem 1rem; }
header b { color: var(--replay); } header h1 { display: inline; font-size: 1.05rem; margin: 0 0.6rem; }
#bar { display: flex; gap: 0.6rem; align-items: center; }
#time { flex: 1; min-width: 6rem; } #clock { font: 0.95rem ui-monospace, monospace; min-width: 7.5rem; }
#marks { position: relative; height: 0.7rem; margin: 0 8.5rem 0 5.6rem; }
#marks button { position: absolute; width: 0.5rem; height: 0.7rem; padding: 0; border: 0; background: var(--bad);
                transform: translateX(-50%); cursor: pointer; }
main { display: grid; grid-template-columns: minmax(16rem, 1fr) minmax(0, 2fr); gap: 1rem; padding: 1rem;
       max-width: 90rem; margin: 0 auto; }
@media (max-width: 60rem) { main { grid-template-columns: minmax(0, 1fr); } #marks { display: none; } }
h2 { font-size: 1.1rem; color: var(--head); margin: 0.2rem 0; }
nav button, #bar button, li button, #commands button, dialog button {
       font: inherit; padding: 0.2rem 0.7rem; border: 1px solid var(--rule); border-radius: 0.3rem;
       background: var(--panel); color: var(--ink); cursor: pointer; }
nav { display: flex; gap: 0.3rem; flex-wrap: wrap; }
nav button[aria-pressed=true] { border-color: var(--head); color: var(--head); font-weight: bold; }
#steps { list-style: none; padding: 0; margin: 0 0 1rem; }
#steps button { width: 100%; text-align: left; margin: 0.1rem 0; }
#steps button[aria-current=step] { border-color: var(--head); font-weight: bold; }
svg.pane { width: 100%; height: auto; border: 1px solid var(--rule); border-radius: 0.4rem; margin: 0.5rem 0; }
pre { overflow-x: auto; padding: 0.6rem; margin: 0.3rem 0; border: 1px solid var(--rule); border-radius: 0.4rem;
      background: var(--panel); color: var(--code); font: 0.92rem/1.4 ui-monospace, monospace; }
code { font-family: ui-monospace, monospace; color: var(--code); }
#changes { font: 0.9rem/1.45 ui-monospace, monospace; max-height: 16rem; overflow-y: auto; padding: 0; margin: 0; }
#changes li { list-style: none; } .good { color: var(--good); } .bad { color: var(--bad); } .lab { color: var(--head); }
dialog { max-width: min(50rem, 95vw); color: var(--ink); background: var(--ground); border: 2px solid var(--head); }
.why { color: var(--good); }
"""

_SCRIPT = """
const at = (id) => document.getElementById(id);
const unpack = async () => {
  const bytes = Uint8Array.from(atob(at("data").textContent), (each) => each.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
};
const last = (list, time, key) => {          // the place of the last item that is not after this time
  let low = 0, high = list.length;
  while (low < high) { const mid = (low + high) >> 1; if (key(list[mid]) <= time) low = mid + 1; else high = mid; }
  return low - 1;
};
const stamp = (s) => `${String(Math.floor(s / 60)).padStart(2, "0")}:${String(Math.floor(s % 60)).padStart(2, "0")}`;
const button = (text, act) => { const made = document.createElement("button"); made.textContent = text;
  made.addEventListener("click", act); return made; };
unpack().then((run) => {
  let time = 0, pane = "", step = -1, timer = 0, told = "", picked = false;
  const slider = at("time");
  slider.max = run.seconds;
  const draw = () => {
    slider.value = time;
    at("clock").textContent = `${stamp(time)} / ${stamp(run.seconds)}`;
    const here = Math.max(0, last(run.steps, time, (each) => each.begin));
    if (here !== step && run.steps.length) { step = here; lesson(); if (!picked) show(run.steps[step].pane); }
    const frames = run.panes[pane] ? run.panes[pane].at : [], place = last(frames, time, (each) => each[0]);
    const rows = place < 0 ? [] : frames[place][1], key = pane + rows.join();
    if (key !== told) {
      told = key;
      const drawn = rows.map((row, y) => `<g transform="translate(0 ${y * 18})">${run.rows[row]}</g>`).join("");
      at("picture").innerHTML = `<svg class="pane" viewBox="-10 -10 661 ${Math.max(10, rows.length) * 18 + 20}"
        role="img">${drawn}</svg>`;
    }
    const upto = last(run.changes, time, (each) => each[0]), list = at("changes");
    while (list.children.length > upto + 1) list.lastChild.remove();
    for (let each = list.children.length; each <= upto; each++) {
      const row = document.createElement("li"), [when, text, tone] = run.changes[each];
      row.className = tone; row.textContent = `${stamp(when)}  ${text}`; list.append(row);
      list.scrollTop = list.scrollHeight;
    }
    const done = step >= 0 && run.steps[step].end <= time;
    at("after").hidden = !done;
  };
  const lesson = () => {
    const here = run.steps[step];
    at("title").textContent = here.title;
    at("text").innerHTML = here.text;
    at("after").innerHTML = (here.why ? `<p class="why"></p>` : "") + here.after;
    if (here.why) at("after").firstChild.textContent = here.why;
    at("commands").replaceChildren(...here.commands.map((text) => {
      const item = document.createElement("div"), code = document.createElement("pre");
      code.textContent = text;
      item.append(code, button("copy", () => navigator.clipboard.writeText(text)));
      return item;
    }));
    for (const [place, each] of [...at("steps").children].entries())
      each.firstChild.toggleAttribute("aria-current", false),
      place === step && each.firstChild.setAttribute("aria-current", "step");
  };
  const show = (id) => { pane = id; for (const each of at("panes").children)
    each.setAttribute("aria-pressed", each.dataset.pane === id); };
  const go = (to) => { time = Math.min(run.seconds, Math.max(0, to)); draw(); };
  const play = () => {
    if (timer) { clearInterval(timer); timer = 0; at("play").textContent = "play"; return; }
    if (time >= run.seconds) go(0);
    at("play").textContent = "pause";
    timer = setInterval(() => { go(time + 0.1); if (time >= run.seconds) play(); }, 100);
  };
  for (const [id, each] of Object.entries(run.panes)) {
    const made = button(each.title, () => { picked = true; show(id); draw(); });
    made.dataset.pane = id;
    at("panes").append(made);
  }
  for (const each of run.steps) {
    const row = document.createElement("li");
    row.append(button(`${stamp(each.begin)}  ${each.title}`, () => { picked = false; step = -1; go(each.begin); }));
    at("steps").append(row);
  }
  for (const [when, said, around] of run.failures) {
    const mark = button("", () => { go(when); at("said").textContent = `${stamp(when)}  ${said}`;
      at("around").textContent = around; at("failure").showModal(); });
    mark.style.left = `${100 * when / run.seconds}%`;
    mark.title = `${stamp(when)}  ${said}`;
    at("marks").append(mark);
  }
  at("close").addEventListener("click", () => at("failure").close());
  at("play").addEventListener("click", play);
  slider.addEventListener("input", () => go(Number(slider.value)));
  addEventListener("keydown", (event) => {
    if (event.target === slider || at("failure").open) return;
    if (event.key === " ") { event.preventDefault(); play(); }
    if (event.key === "ArrowRight") go(time + 1);
    if (event.key === "ArrowLeft") go(time - 1);
  });
  go(run.steps.length ? run.steps[0].begin : 0);
  document.body.dataset.ready = "yes";
});
"""

_BODY = """
<header><b>REPLAY</b><h1>{title}</h1><span>{origin}</span>
<div id="bar"><button id="play">play</button><input id="time" type="range" min="0" max="1" step="0.1" value="0"
aria-label="time"><span id="clock"></span></div><div id="marks"></div></header>
<main><section><ol id="steps"></ol><h2 id="title"></h2><div id="text"></div><div id="commands"></div>
<div id="after" hidden></div></section>
<section><nav id="panes" aria-label="panes"></nav><div id="picture"></div><h2>What happened</h2>
<ol id="changes"></ol></section></main>
<dialog id="failure"><h2 id="said"></h2><pre id="around"></pre><button id="close">close</button></dialog>
"""


def run_page(title: str, origin: str, run: Mapping[str, Any], style: str) -> str:
    """Return the page. `run` is what `lab.tui.recorded_run` makes, as plain data; `style` is its pictures' CSS.

    No text of it becomes HTML but by Markdown that lets none through. The data is compressed (RFC 1950), which browsers
    undo by themselves.
    """
    reader = MarkdownIt("js-default")
    steps = [
        {**step, "text": reader.render(step["text"]), "after": reader.render(step["after"])} for step in run["steps"]
    ]
    packed = base64.b64encode(zlib.compress(json.dumps({**run, "steps": steps}).encode(), 9)).decode()
    policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="content-security-policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}{style}</style></head><body>"
        f"{_BODY.format(title=escape(title), origin=escape(origin))}"
        f'<script type="text/plain" id="data">{packed}</script><script>{_SCRIPT}</script></body></html>\n'
    )
