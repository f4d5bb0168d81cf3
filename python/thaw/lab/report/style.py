"""The frame of an HTML page, and its style sheet: light and dark, from the colours of the charts."""

from __future__ import annotations

from thaw.lab.report import charts


def html_document(title: str, body: str, *, rules: str = "") -> str:
    """Returns a page that needs no other file. `title` and `body`: HTML; `rules` follow the style sheet."""
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        f"<style>{_style_sheet()}{rules}</style>\n</head>\n<body><main>\n{body}\n</main></body>\n</html>\n"
    )


def _style_sheet() -> str:
    light = "".join(f"--{name}:{pair[0]};" for name, pair in charts.COLOURS.items())
    dark = "".join(f"--{name}:{pair[1]};" for name, pair in charts.COLOURS.items())
    return (
        f":root{{color-scheme:light dark;{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"
        + _RULES
    )


_RULES = """
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,"Segoe UI",Roboto,sans-serif}
main{max-width:1120px;margin:0 auto;padding:24px 20px 64px}
h1{font-size:30px;line-height:1.2;margin:16px 0 12px}
h2{font-size:21px;margin:44px 0 4px}
h3{font-size:16px;margin:22px 0 6px}
p{max-width:75ch;margin:6px 0 12px}
.lead{font-size:18px}
.wide{overflow-x:auto}
figure{margin:8px 0 0;min-width:760px}
figure svg{display:block;width:100%;height:auto}
figure svg text{font-family:system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif!important}
.arm{white-space:nowrap}
table{border-collapse:collapse;width:100%;margin:18px 0 8px;font-size:12.5px;
font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;font-size:14px;padding-bottom:6px}
th,td{padding:4px 5px;text-align:right;border-bottom:1px solid var(--grid);vertical-align:bottom}
thead th{color:var(--muted);font-weight:500;line-height:1.25}
th:first-child{text-align:left;white-space:nowrap}
.bad{color:var(--lost);font-weight:700}
.verdicts{max-width:100ch;padding-left:20px;margin:6px 0}
.verdicts li{margin:3px 0}
.again{max-width:none}
code span{display:inline-block;max-width:100%}
code{font:12.5px/1.4 ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:minmax(90px,max-content) 1fr;gap:4px 18px;margin:6px 0;max-width:90ch}
dt{font-weight:600}
dd{margin:0;overflow-wrap:anywhere}
"""
