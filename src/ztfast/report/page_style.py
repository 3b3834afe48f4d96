"""The report page's style: light and dark, wide and narrow, on paper.

Contract: colours by number (c0 to c8) are the series of charts; nothing is loaded.
Looked at in a browser by tests/report/test_page_browser.py.
"""

STYLE = """
:root{color-scheme:light dark;--bg:#fff;--card:#f6f7f9;--ink:#1b1f24;--soft:#5a6472;--line:#d9dee5;
--tint:#cfe0f5;--bad:#b3261e;--k0:#2f6db5;--k1:#d97a1c;--k2:#2a9162;--k3:#c2455a;--k4:#7f57b8;
--k5:#8a6a1f;--k6:#1795a8;--k7:#cf5a9f;--k8:#98a1ac}
@media screen and (prefers-color-scheme:dark){:root{
--bg:#14171b;--card:#1d2228;--ink:#e6e9ed;--soft:#a2acb8;
--line:#353c45;--tint:#274468;--bad:#ff8a80;--k0:#6aa5ec;--k1:#f0a04b;--k2:#5cc795;--k3:#ef7f92;
--k4:#b394ea;--k5:#d0b05a;--k6:#58c9da;--k7:#ee93c6;--k8:#7b8591}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1180px;padding:1.5rem 1.25rem 3rem;background:var(--bg);
color:var(--ink);font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
h1{font-size:1.6rem;line-height:1.25;margin:.2rem 0 .6rem;overflow-wrap:anywhere}
h2{font-size:1.1rem;margin:0 0 .5rem}
p{margin:.3rem 0;overflow-wrap:anywhere}
.eyebrow,.note,.axis,.legend,summary,footer{color:var(--soft)}
.eyebrow{text-transform:uppercase;letter-spacing:.06em;font-size:.75rem}
.note{font-size:.87rem;margin-bottom:.6rem}
section{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:1rem 1.1rem;
margin-top:1rem;break-inside:avoid-page}
.bad{color:var(--bad)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .9rem .3rem 0;text-align:left;vertical-align:top;
border-bottom:1px solid var(--line)}
tbody tr:last-child td{border-bottom:0}
th{font-weight:600;color:var(--soft);font-size:.85rem}
.n{text-align:right;white-space:nowrap}
td.n+td.t,th.n+th.t{padding-left:.8rem}
td{overflow-wrap:break-word}
.wrap{overflow-wrap:anywhere}
code,.rule{font:13px/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
overflow-wrap:anywhere}
.share{display:flex;height:.8rem;border-radius:4px;overflow:hidden;margin:.2rem 0 .8rem;
background:var(--line)}
.share i{display:block;height:100%}
.plot{position:relative;height:190px;margin:.4rem 0 0 0;padding-left:4.2rem}
.plot svg{position:relative;display:block;
width:100%;height:100%;border-bottom:1px solid var(--soft)}
.grid{position:absolute;inset:0 0 0 4.2rem}
.grid i{position:absolute;left:0;right:0;border-top:1px dashed var(--line);font-style:normal}
.grid b{position:absolute;right:calc(100% + .4rem);top:-.65em;font-weight:400;font-size:.8rem;
color:var(--soft);white-space:nowrap}
.axis{position:relative;height:1.4rem;margin-left:4.2rem;font-size:.8rem}
.axis span{position:absolute;white-space:nowrap;padding-top:.15rem}
.legend{list-style:none;margin:.6rem 0;padding:0;font-size:.87rem}
.legend li{overflow-wrap:anywhere;padding-left:1.3rem;text-indent:-1.3rem}
.legend b{color:var(--ink);padding-right:.3rem}
.key{display:inline-block;width:.8rem;height:.8rem;border-radius:2px;margin-right:.4rem;
vertical-align:-.08rem}
.h{fill:transparent}.h:hover{fill:var(--ink);fill-opacity:.12}
.c0{fill:var(--k0);background:var(--k0)}.c1{fill:var(--k1);background:var(--k1)}
.c2{fill:var(--k2);background:var(--k2)}.c3{fill:var(--k3);background:var(--k3)}
.c4{fill:var(--k4);background:var(--k4)}.c5{fill:var(--k5);background:var(--k5)}
.c6{fill:var(--k6);background:var(--k6)}.c7{fill:var(--k7);background:var(--k7)}
.c8{fill:var(--k8);background:var(--k8)}
.matrix td,.matrix th{padding:.25rem .4rem;text-align:right;border:1px solid var(--line);
white-space:nowrap}
.matrix thead th{vertical-align:bottom}
.matrix thead th span{writing-mode:vertical-rl;transform:rotate(180deg);max-height:11rem;
overflow:hidden;text-overflow:ellipsis}
.matrix tbody th{position:sticky;left:0;background:var(--card);text-align:right;max-width:13rem;
overflow:hidden;text-overflow:ellipsis}
.matrix{width:auto}
.heat{background:color-mix(in srgb,var(--tint) var(--w),transparent)}
details{margin-top:.4rem;font-size:.9rem}
summary{cursor:pointer}
ul.plain{margin:.2rem 0;padding-left:1.1rem}
ul.plain li{overflow-wrap:anywhere;margin:.15rem 0}
footer{margin-top:1.2rem;font-size:.85rem}
@media (max-width:620px){body{padding:1rem .7rem 2rem;font-size:14px}h1{font-size:1.25rem}
section{padding:.8rem .7rem}.w{display:none}.plot,.axis{margin-left:0}
.plot{padding-left:3.2rem;height:160px}.grid{left:3.2rem}.axis{margin-left:3.2rem}
.axis span:nth-child(even){display:none}}
@media print{:root{color-scheme:light;--card:#fff;--ink:#000;--soft:#444;--line:#bbb}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}body{max-width:none;padding:0}
details:not([open]){display:none}.scroll{overflow:visible}}
"""
