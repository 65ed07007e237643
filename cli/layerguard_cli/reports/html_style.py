"""The style sheet of the HTML report: light, dark and on paper.

Colour alone never shows a state: every layer has a pattern too, and a letter if it fits.
The colours of text and of letters on layers have a contrast of 4.5 to 1 at least.
Source: Web Content Accessibility Guidelines 2.2, criteria 1.4.1 and 1.4.3.
"""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #fcfcfa; --sheet: #ffffff; --ink: #1d2126; --soft: #5a626c; --line: #dfe1e0;
  --good: #2b6f6b; --bad: #b3261e; --cold: #8a5a00; --odd: #6b46a8; --none: #5a626c;
  --on-state: #ffffff; --weave: rgb(255 255 255 / 28%); --alarm: #fdf0ee; --notice: #fdf6e7;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #15181b; --sheet: #1c2024; --ink: #e7e9ea; --soft: #a3abb3; --line: #343a40;
    --good: #6fb8b1; --bad: #ff8a7d; --cold: #e0ad4c; --odd: #bfa2f0; --none: #a3abb3;
    --on-state: #15181b; --weave: rgb(0 0 0 / 28%); --alarm: #33201f; --notice: #2f2818;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 66rem; padding: 3.5rem 1.5rem 5rem;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums;
}
h1, h2, h3, p, dl, dd, ul, figure, table { margin: 0; padding: 0; }
h1 { font-size: 1.9rem; line-height: 1.25; font-weight: 640; letter-spacing: -.012em;
     text-wrap: balance; }
h2 { font-size: 1.25rem; line-height: 1.35; font-weight: 640; }
h3 { font-size: 1rem; font-weight: 400; line-height: 1.5; }
h1, h2, h3, p, code, dd, li { overflow-wrap: anywhere; }
code { font: .875em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
       white-space: pre-wrap; unicode-bidi: isolate; }
.soft, caption, th, dt { color: var(--soft); }
.eyebrow { margin-bottom: .75rem; font-size: .875rem; color: var(--soft); }
.notice { margin-top: 1.5rem; padding: .9rem 1.1rem; border-inline-start: 4px solid var(--cold);
          background: var(--notice); }
.notice ul { padding-inline-start: 1.25rem; }

.counts { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr));
          margin-top: 2rem; border-block: 1px solid var(--line); }
.counts > div { display: flex; flex-direction: column-reverse; padding: 1.1rem 0; }
.counts dt { font-size: .875rem; }
.counts dd { font-size: 2rem; line-height: 1.2; font-weight: 560; }
.counts .unavailable dd { color: var(--bad); }
.counts .undetermined dd { color: var(--cold); }
.counts .available dd { color: var(--good); }
.counts .zero dd { color: var(--soft); font-weight: 400; }
.facts { margin-top: 1rem; font-size: .875rem; color: var(--soft); }
.legend { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; margin-top: 1.5rem; list-style: none;
          font-size: .875rem; }
.legend li { display: flex; align-items: center; gap: .5rem; }
.legend .layer { width: 2.5rem; height: 1.25rem; border-radius: 3px; }

section { margin-top: 4rem; }
section > p { margin-top: .25rem; font-size: .875rem; }
article { margin-top: 1.25rem; padding: 1.4rem 1.5rem 1.5rem; background: var(--sheet);
          border: 1px solid var(--line); border-radius: 8px; }
article.unavailable { border-color: var(--bad); }
.verdict { margin-top: .6rem; }
.badge { margin-inline-end: .35rem; font-weight: 640; }
.unavailable .badge { color: var(--bad); }
.undetermined .badge, .pending .badge { color: var(--cold); }
.available .badge { color: var(--good); }
.skipped .badge { color: var(--soft); }
.step { margin-top: .6rem; }
.facts-of { display: grid; grid-template-columns: 5rem 1fr; gap: .15rem 1rem;
            margin-top: 1rem; font-size: .875rem; }
figure { margin-top: 1.25rem; }
figcaption { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1.5rem;
             margin-bottom: .35rem; font-size: .875rem; color: var(--soft); }
.bar { display: flex; height: 1.75rem; border-radius: 4px; overflow: hidden; }
.layer { display: flex; align-items: center; justify-content: center; overflow: hidden;
         background-color: var(--good); color: var(--on-state);
         font-size: .75rem; line-height: 1; }
.bar .layer { flex: 0 1 0; min-width: min(1.25rem, 100% / var(--layers));
              box-shadow: inset -1px 0 var(--sheet); }
.layer b { padding: .2em .35em; border-radius: 2px; background-color: inherit; }
.layer.unavailable { background-color: var(--bad); background-image: repeating-linear-gradient(
  45deg, transparent 0 5px, var(--weave) 5px 8px); }
.layer.archived { background-color: var(--cold); background-image: repeating-linear-gradient(
  90deg, transparent 0 5px, var(--weave) 5px 7px); }
.layer.unaccounted { background-color: var(--odd); background-image: repeating-linear-gradient(
  0deg, transparent 0 4px, var(--weave) 4px 6px); }
.layer.unknown { background-color: transparent; color: var(--none);
                 border: 1px dashed var(--none); }
table { width: 100%; table-layout: fixed; margin-top: .75rem; border-collapse: collapse;
        font-size: .875rem; }
caption { padding-bottom: .25rem; text-align: start; }
th { font-weight: 400; }
th, td { padding: .4rem 1rem .4rem 0; border-top: 1px solid var(--line); text-align: start;
         vertical-align: baseline; }
th:last-child, td:last-child { padding-inline-end: 0; }
th:nth-child(2) { width: 7.5rem; }
th:nth-child(3) { width: 9.75rem; }
th:nth-child(4) { width: 8rem; }
.number { text-align: end; }
footer { margin-top: 4rem; font-size: .875rem; color: var(--soft); }

@media (max-width: 40rem) {
  body { padding: 2rem 1rem 3rem; }
  article { padding: 1rem; }
  table, thead, tbody, tr, th, td { display: block; }
  thead { position: absolute; clip-path: inset(50%); }
  td { padding: 0; border: 0; text-align: start; }
  tr { padding: .4rem 0; border-top: 1px solid var(--line); }
  .facts-of { grid-template-columns: 1fr; }
  .facts-of dd { margin-bottom: .4rem; }
}
@media print {
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  @page { margin: 16mm; }
  :root { font-size: 9pt; }
  body { max-width: none; padding: 0; background: none; }
  article, .counts, .notice, .legend { break-inside: avoid; }
  h2, section > p { break-after: avoid; }
  section { margin-top: 2rem; }
}
"""
