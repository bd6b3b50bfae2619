"""How the HTML looks. Colours are mixed with the text's own, so they fit light and dark pages;
where a host takes styles away, tables, folds, `ins` and `del` still read."""

STYLE = """
.jan-compare.jan-compare{container:jc/inline-size;font-size:13px;line-height:1.5;text-align:left;
--jc-line:color-mix(in srgb,currentColor 18%,transparent);
--jc-quiet:color-mix(in srgb,currentColor 72%,transparent);
--jc-wash:color-mix(in srgb,currentColor 5%,transparent);
--jc-good:color-mix(in srgb,var(--jp-success-color1,#388e3c) 60%,currentColor);
--jc-bad:color-mix(in srgb,var(--jp-error-color1,#d32f2f) 60%,currentColor);
--jc-warn:color-mix(in srgb,var(--jp-warn-color1,#f57c00) 60%,currentColor);
--jc-dot:color-mix(in srgb,var(--jp-brand-color1,#1976d2) 70%,currentColor)}
.jan-compare.jan-compare .jc-wide{overflow-x:auto;margin:0 0 10px}
.jan-compare.jan-compare .jc-wide:focus-visible,.jan-compare.jan-compare summary:focus-visible{
outline:2px solid var(--jc-dot);outline-offset:1px}
.jan-compare.jan-compare table{border-collapse:collapse;border:0;margin:0;width:auto;
font-size:inherit;table-layout:auto}
.jan-compare.jan-compare table.jc-rows{width:100%;table-layout:fixed}
.jan-compare.jan-compare table.jc-rows[data-n="4"]{min-width:700px}
.jan-compare.jan-compare table.jc-rows[data-n="5"]{min-width:875px}
.jan-compare.jan-compare table.jc-rows[data-n="6"]{min-width:1050px}
.jan-compare.jan-compare table.jc-rows[data-n="many"]{width:auto;table-layout:auto}
.jan-compare.jan-compare table.jc-rows[data-n="many"] td{min-width:175px}
.jan-compare.jan-compare caption{caption-side:top;text-align:left;font-weight:600;padding:0 0 5px;
color:inherit;font-size:inherit}
.jan-compare.jan-compare tr,.jan-compare.jan-compare tbody tr,
.jan-compare.jan-compare tbody tr:nth-child(odd),.jan-compare.jan-compare tbody tr:hover{
background:none;border:0}
.jan-compare.jan-compare th,.jan-compare.jan-compare td{text-align:left;vertical-align:top;
padding:4px 14px 4px 0;border:0;max-width:none;white-space:normal;overflow-wrap:anywhere;
font-weight:normal}
.jan-compare.jan-compare thead th{font-weight:600;border-bottom:1px solid var(--jc-line);
vertical-align:bottom}
.jan-compare.jan-compare .jc-sum tbody th{font-weight:600;border-bottom:1px solid var(--jc-line)}
.jan-compare.jan-compare .jc-sum td{border-bottom:1px solid var(--jc-line);
font-variant-numeric:tabular-nums;overflow-wrap:normal}
.jan-compare.jan-compare .jc-n{white-space:nowrap}
.jan-compare.jan-compare .jc-sum th{overflow-wrap:normal;min-width:3em}
.jan-compare.jan-compare .jc-sum tbody th{overflow-wrap:anywhere;min-width:6em}
.jan-compare.jan-compare svg{display:block;margin:1px 0 0;max-width:100%}
.jan-compare.jan-compare .jc-scatter{height:auto;min-width:440px}
.jan-compare.jan-compare .jc-name{paint-order:stroke;stroke:var(--jp-layout-color0,Canvas);
stroke-width:3px;stroke-linejoin:round}
.jan-compare.jan-compare .jc-span,.jan-compare.jan-compare .jc-dot{color:var(--jc-dot)}
.jan-compare.jan-compare .jc-ask{background:var(--jc-wash);
padding:6px 10px;border-top:1px solid var(--jc-line)}
.jan-compare.jan-compare .jc-rows td{padding:8px 10px 14px;border-left:1px solid var(--jc-line)}
.jan-compare.jan-compare .jc-rows td:first-child{border-left:0}
.jan-compare.jan-compare .jc-rows thead th{padding-left:10px}
.jan-compare.jan-compare pre{font:inherit;white-space:pre-wrap;overflow-wrap:anywhere;
word-break:normal;margin:0;
padding:0;border:0;background:none;color:inherit;overflow:visible;max-height:none}
.jan-compare.jan-compare .jc-rows pre{max-width:100ch}
.jan-compare.jan-compare pre.jc-code{font:12px/1.45 var(--jp-code-font-family,ui-monospace,Menlo,
Consolas,"DejaVu Sans Mono",monospace)}
.jan-compare.jan-compare p{margin:0 0 4px}
.jan-compare.jan-compare ul{margin:0 0 10px;padding-left:1.3em}
.jan-compare.jan-compare details{margin:4px 0 0}
.jan-compare.jan-compare summary{cursor:pointer;color:var(--jc-quiet)}
.jan-compare.jan-compare details pre{padding:4px 0 0 10px;border-left:2px solid var(--jc-line)}
.jan-compare.jan-compare .jc-quiet{color:var(--jc-quiet)}
.jan-compare.jan-compare thead .jc-range{display:block;font-weight:normal}
.jan-compare.jan-compare .jc-small{color:var(--jc-quiet);font-size:12px;
font-variant-numeric:tabular-nums}
.jan-compare.jan-compare .jc-tag{border:1px solid var(--jc-line);border-radius:3px;padding:0 4px;
white-space:nowrap}
.jan-compare.jan-compare .jc-good{color:var(--jc-good);font-weight:600}
.jan-compare.jan-compare .jc-bad{color:var(--jc-bad);font-weight:600}
.jan-compare.jan-compare .jc-error{color:var(--jc-bad)}
.jan-compare.jan-compare .jc-warn{color:var(--jc-warn)}
.jan-compare.jan-compare ins,.jan-compare.jan-compare del{text-decoration-thickness:1px;
border-radius:2px;padding:0 1px}
.jan-compare.jan-compare ins{text-decoration-line:underline;
background:color-mix(in srgb,var(--jp-success-color1,#388e3c) 22%,transparent)}
.jan-compare.jan-compare del{text-decoration-line:line-through;color:var(--jc-quiet);
background:color-mix(in srgb,var(--jp-error-color1,#d32f2f) 16%,transparent)}
.jan-compare.jan-compare ins::before{content:"+"}
.jan-compare.jan-compare del::before{content:"\\2212"}
.jan-compare.jan-compare ins::before,.jan-compare.jan-compare del::before{display:inline-block;
font-size:.85em;padding-right:1px;text-decoration:none}
@container jc (max-width:600px){
.jan-compare.jan-compare table,.jan-compare.jan-compare table.jc-rows,
.jan-compare.jan-compare tbody,.jan-compare.jan-compare tr,.jan-compare.jan-compare th,
.jan-compare.jan-compare td,.jan-compare.jan-compare caption{display:block;width:auto}
.jan-compare.jan-compare table.jc-rows[data-n]{min-width:0}
.jan-compare.jan-compare thead{position:absolute;width:1px;height:1px;overflow:hidden;
clip-path:inset(50%)}
.jan-compare.jan-compare td::before{content:attr(data-name);font-weight:600;display:block}
.jan-compare.jan-compare .jc-tag,.jan-compare.jan-compare .jc-n{white-space:normal}
.jan-compare.jan-compare .jc-sum td{display:grid;grid-template-columns:minmax(4em,9em) 1fr;
border:0;padding:1px 0}
.jan-compare.jan-compare .jc-sum td::before{font-weight:normal;color:var(--jc-quiet);
grid-row:span 2;overflow-wrap:anywhere}
.jan-compare.jan-compare .jc-sum td:empty{display:none}
.jan-compare.jan-compare .jc-sum tbody tr{padding:0 0 8px}
.jan-compare.jan-compare .jc-rows td{border-left:0;padding:6px 10px 8px}
}
"""

PAGE = """
:root{color-scheme:light dark}
body{margin:0;background:Canvas;color:CanvasText;
font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:1400px;margin:0 auto;padding:20px 24px 40px}
h1{font-size:20px;line-height:1.3;margin:0 0 4px;overflow-wrap:anywhere}
.made{margin:0 0 18px;font-size:12px;opacity:.75}
@media (max-width:600px){main{padding:12px 12px 30px}}
@media (prefers-color-scheme:dark){:root{--jp-success-color1:#66bb6a;--jp-error-color1:#ef5350;
--jp-warn-color1:#ffa726;--jp-brand-color1:#64b5f6}}
@media print{
details>*{display:block}
details::details-content{content-visibility:visible;display:block;height:auto}
.jan-compare.jan-compare .jc-wide{overflow:visible}
.jan-compare.jan-compare table.jc-rows[data-n]{width:100%;min-width:0;table-layout:fixed}
.jan-compare.jan-compare table.jc-rows[data-n] td{min-width:0;padding:4px}
.jan-compare.jan-compare .jc-sum th,.jan-compare.jan-compare .jc-sum td{padding-right:6px;
min-width:0;overflow-wrap:anywhere}
.jan-compare.jan-compare .jc-n,.jan-compare.jan-compare .jc-tag{white-space:normal}
.jan-compare.jan-compare .jc-sum svg{width:70px}
}
"""

LIVE = """
jan-comparison{display:block;--jan-height:auto}
@media screen{main.live>.jan-compare{display:none}}
@media print{jan-comparison{display:none}}
"""
"""Where scripts run; what is printed is whole, without the scrolling of a live view."""
