"""Pieces of a self-contained HTML page: no script, no link to anywhere, light and dark."""

import html
from collections.abc import Mapping, Sequence

__all__ = [
    "PANEL",
    "STYLE",
    "Text",
    "bar",
    "code",
    "escape",
    "facts",
    "figure",
    "grid",
    "missing",
    "note",
    "page",
    "section",
    "tiles",
]

PANEL = ("#f6f8fa", "#1a222b")
STYLE = """\
*,*::before{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);line-height:1.55;font-size:16px;
 font-family:system-ui,-apple-system,"Segoe UI","Helvetica Neue",Arial,sans-serif}
main{max-width:66rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}
header{border-bottom:1px solid var(--rule);padding-bottom:1.4rem;margin-bottom:1.6rem}
.kind{color:var(--muted);letter-spacing:.06em;text-transform:uppercase;font-size:.75rem;margin:0}
h1{font-size:2.1rem;line-height:1.15;margin:.2rem 0 .8rem;letter-spacing:-.015em}
h2{font-size:1.25rem;margin:2.8rem 0 .6rem;letter-spacing:-.01em}
p{margin:.5rem 0;max-width:46rem}
.lead{font-size:1.15rem}
.digest,.note{color:var(--muted);font-size:.85rem}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
 font-size:.86em}
.digest code{word-break:break-all}
pre{background:var(--panel);border:1px solid var(--rule);border-radius:6px;padding:.8rem 1rem;
 overflow-x:auto;line-height:1.6}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(10.5rem,1fr));gap:.8rem;
 margin:1.4rem 0}
.tile{background:var(--panel);border:1px solid var(--rule);border-radius:8px;padding:.8rem 1rem}
.tile b{display:block;font-size:1.55rem;font-weight:600;letter-spacing:-.02em;
 font-variant-numeric:tabular-nums}
.tile span{color:var(--muted);font-size:.85rem}
figure{margin:1rem 0}
figure>div{overflow-x:auto}
figure svg{display:block;width:100%;min-width:34rem;height:auto}
figcaption{color:var(--muted);font-size:.85rem;margin-top:.3rem;max-width:46rem}
.scroll{overflow-x:auto;margin:.8rem 0}
table{border-collapse:collapse;font-size:.92rem;width:100%}
th{text-align:left;color:var(--muted);font-weight:500;font-size:.82rem}
th,td{padding:.38rem .9rem .38rem 0;border-bottom:1px solid var(--rule);vertical-align:baseline}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
tr.strong td{font-weight:600}
.pass{color:var(--good);font-weight:600}
.fail{color:var(--mark);font-weight:600}
.stale{color:var(--mark);font-weight:600;border-bottom:2px dotted}
.bar{display:inline-block;width:6rem;height:.5rem;border-radius:.25rem;background:var(--rule);
 overflow:hidden;margin-left:.6rem;vertical-align:middle}
.bar i{display:block;height:100%;background:var(--model)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1.4rem;font-size:.92rem;
 margin:.8rem 0}
dt{color:var(--muted)}
dd{margin:0;overflow-wrap:anywhere}
footer{margin-top:3.5rem;border-top:1px solid var(--rule);padding-top:1rem}
@media print{body{background:none}}
"""


class Text(str):
    """HTML that is already safe; any other string is escaped where it enters the page."""

    __slots__ = ()


def escape(text: str) -> Text:
    """Make text safe, unless it is `Text` already."""
    return text if isinstance(text, Text) else Text(html.escape(text))


def code(text: str) -> Text:
    """Monospaced text."""
    return Text(f"<code>{escape(text)}</code>")


def tiles(rows: Sequence[tuple[str, str]]) -> Text:
    """Large numbers, each with what it is."""
    items = "".join(
        f'<div class="tile"><b>{escape(value)}</b><span>{escape(label)}</span></div>'
        for value, label in rows
    )
    return Text(f'<div class="tiles">{items}</div>')


def grid(columns: Sequence[str], rows: Sequence[Sequence[str]], strong: Sequence[int] = ()) -> Text:
    """Table; columns that start with ``>`` hold numbers, the rows in `strong` stand out."""
    kinds = [' class="n"' if name.startswith(">") else "" for name in columns]
    head = "".join(
        f"<th{kind}>{escape(name.removeprefix('>'))}</th>"
        for kind, name in zip(kinds, columns, strict=True)
    )
    body = []
    for index, row in enumerate(rows):
        cells = "".join(
            f"<td{kind}>{escape(cell)}</td>" for kind, cell in zip(kinds, row, strict=True)
        )
        body.append(f'<tr class="strong">{cells}</tr>' if index in strong else f"<tr>{cells}</tr>")
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
    return Text(f'<div class="scroll">{table}</div>')


def facts(rows: Mapping[str, str]) -> Text:
    """Names and values."""
    items = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in rows.items())
    return Text(f"<dl>{items}</dl>")


def figure(svg: str, caption: str, label: str) -> Text:
    """Inline drawing with a caption; `label` is read out in its place."""
    named = svg.replace("<svg ", f'<svg role="img" aria-label="{html.escape(label)}" ', 1)
    return Text(f"<figure><div>{named}</div><figcaption>{escape(caption)}</figcaption></figure>")


def bar(percent: float) -> Text:
    """Small bar of a share."""
    width = min(max(percent, 0.0), 100.0)
    return Text(f'<span class="bar"><i style="width:{width:.1f}%"></i></span>')


def section(title: str) -> Text:
    """Heading of a section."""
    return Text(f"<h2>{escape(title)}</h2>")


def note(text: str) -> Text:
    """Small print."""
    return Text(f'<p class="note">{escape(text)}</p>')


def missing(title: str, what: str, command: str) -> list[Text]:
    """Section that says what was not measured, and how to."""
    return [section(title), Text(f"<p>{escape(what)} Run {code(command)} to measure it.</p>")]


def page(
    title: str, body: Sequence[str], themes: Mapping[str, tuple[str, str]], panel: tuple[str, str]
) -> str:
    """Whole document.

    Parameters
    ----------
    title : str
    body : sequence of str
        Safe HTML, in order.
    themes : mapping
        Name of a CSS variable to its colours on light and on dark paper.
    panel : (str, str)
        Background of boxes, light and dark.
    """
    colours = [
        "".join(f"--{name}:{pair[side]};" for name, pair in {**themes, "panel": panel}.items())
        for side in (0, 1)
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n"
        f":root{{color-scheme:light dark;{colours[0]}}}\n"
        f"@media(prefers-color-scheme:dark){{:root{{{colours[1]}}}}}\n"
        f"{STYLE}</style>\n</head>\n<body>\n<main>\n" + "\n".join(body) + "\n</main>\n</body>\n"
        "</html>\n"
    )
