#include <stddef.h>

#include "mfgpkg/audit/report_style.h"

const char *const report_style[] = {
	":root{color-scheme:light dark;--ink:#1b2026;--soft:#5a6572;--line:#d3d9e0;--paper:#fff;"
	"--panel:#f4f6f8;--good:#1d7a4c;--bad:#b42318;--warn:#8a5a00;--bar:#2b6a99}\n",
	"@media screen and (prefers-color-scheme:dark){:root{--ink:#e6e9ed;--soft:#9aa5b1;"
	"--line:#3a424c;--paper:#15181c;--panel:#1e2329;--good:#5ec992;--bad:#ff8a80;--warn:#"
	"e8b44c;"
	"--bar:#6fb1e0}}\n",
	"@page{size:A4;margin:14mm 14mm 16mm}\n",
	"*{box-sizing:border-box}\n",
	"body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.45 system-ui,"
	"'Segoe UI',Roboto,'Liberation Sans',Arial,sans-serif}\n",
	"main{max-width:960px;margin:0 auto;padding:28px 24px 60px}\n",
	"h1{font-size:26px;line-height:1.2;margin:0}h2{font-size:18px;margin:34px 0 10px;"
	"padding-bottom:4px;border-bottom:1px solid var(--line);break-after:avoid}"
	"h3{font-size:15px;margin:18px 0 6px;break-after:avoid}p{margin:6px 0}\n",
	".soft,.sub{color:var(--soft)}.sub{margin:3px 0 18px}.num{text-align:right;"
	"font-variant-numeric:tabular-nums;white-space:nowrap}\n",
	"code,.mono{font-family:ui-monospace,'DejaVu Sans Mono','Liberation Mono',monospace;"
	"font-size:.86em;overflow-wrap:anywhere}\n",
	".odd{border:1px solid currentColor;border-radius:3px;font-size:.75em;padding:0 2px;"
	"margin:0 1px;font-family:monospace}\n",
	".verdict{border:1px solid var(--line);border-left:10px solid "
	"var(--tone);border-radius:6px;"
	"background:var(--panel);padding:16px 20px;break-inside:avoid}"
	".verdict .word{font-size:30px;font-weight:700;color:var(--tone);line-height:1.1}"
	".verdict p{font-size:16px;margin:8px 0 0}\n",
	".tone-PASS{--tone:var(--good)}.tone-INCOMPLETE,.tone-UNOWNED{--tone:var(--warn)}"
	".tone-FAIL{--tone:var(--bad)}\n",
	".two{display:grid;grid-template-columns:1fr 1fr;gap:0 28px}"
	".two ul{margin:0;padding-left:20px}.two li{margin:5px 0}\n",
	".yes li::marker{content:'\\2713\\00a0 '}.no li::marker{content:'\\2013\\00a0 '}\n",
	".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(160px,1fr));gap:10px;"
	"margin:10px 0}.tile{border:1px solid var(--line);border-radius:6px;padding:9px 12px;"
	"break-inside:avoid}.tile b{display:block;font-size:23px;line-height:1.2;"
	"font-variant-numeric:tabular-nums}.tile span{color:var(--soft);font-size:13px}\n",
	"table{border-collapse:collapse;width:100%;font-size:13.5px}th{text-align:left;"
	"font-weight:600;color:var(--soft);border-bottom:1px solid var(--line);padding:5px 8px 5px "
	"0;"
	"vertical-align:bottom}td{border-bottom:1px solid var(--line);padding:5px 8px 5px 0;"
	"vertical-align:top;overflow-wrap:break-word}tr{break-inside:avoid}thead{display:table-"
	"header-group}"
	"th.num{text-align:right}\n",
	"table.facts th{width:170px;font-weight:400;border-bottom:1px solid var(--line);"
	"vertical-align:top}\n",
	"table.devices{font-size:12px}table.devices td{padding:3px 8px 3px 0}"
	".nw{white-space:nowrap}\n",
	".scroll{overflow-x:auto}\n",
	".fault{color:var(--bad);font-weight:600}.warning{color:var(--warn);font-weight:600}"
	".ok{color:var(--good)}\n",
	"figure{margin:8px 0;break-inside:avoid}figcaption{color:var(--soft);font-size:13px;"
	"margin-top:4px}\n",
	"svg.plot,svg.wide{display:block;width:100%;height:auto}svg.bar{display:block;width:100%;"
	"min-width:90px;height:12px;margin-top:4px}svg.defs{position:absolute}"
	".fill{white-space:nowrap}svg.key{width:22px;height:11px;vertical-align:-1px;margin:0 4px "
	"0 12px}\n",
	"svg text{fill:var(--ink);font-size:11px;text-anchor:middle}svg .end{text-anchor:end}"
	"svg .start{text-anchor:start}svg .soft{fill:var(--soft)}svg .name{font-size:12.5px;"
	"font-weight:600}svg .strong{font-weight:600}\n",
	"svg .grid,svg .base,svg .tick{stroke:var(--line);stroke-width:1}svg "
	".tick{stroke:var(--soft)}"
	"svg .line{fill:none;stroke:var(--ink);stroke-width:1.6}svg .dot{fill:var(--ink)}"
	"svg .median{stroke:var(--ink);stroke-width:2}\n",
	"svg .pass,svg .time{fill:var(--bar)}svg .fail{fill:url(#hatch);stroke:var(--bad);"
	"stroke-width:.8}svg .interrupted{fill:url(#dots);stroke:var(--warn);stroke-width:.8}"
	"svg .unknown{fill:none;stroke:var(--soft);stroke-dasharray:2 2}"
	"svg .ground{fill:var(--panel);stroke:var(--line)}\n",
	"svg .under{fill:var(--paper)}svg .overfail{fill:var(--bad)}svg "
	".overint{fill:var(--warn)}\n",
	".sign{display:grid;grid-template-columns:1fr 1fr 1fr;gap:26px;margin-top:44px;"
	"break-inside:avoid}.sign div{border-top:1px solid var(--ink);padding-top:4px;"
	"font-size:13px;color:var(--soft)}\n",
	".log+.log{break-before:page;margin-top:60px}\n",
	"@media(max-width:640px){.two{grid-template-columns:1fr}.sign{grid-template-columns:1fr}"
	"main{padding:18px 14px 40px}table.facts th{width:110px}}\n",
	"@media print{body{font-size:9.5pt}main{max-width:none;padding:0}"
	"h1{font-size:18pt}h2{font-size:12.5pt;margin-top:20px}h3{font-size:10pt}"
	".verdict .word{font-size:20pt}.verdict p{font-size:10.5pt}.tile b{font-size:14pt}"
	".tile span,figcaption{font-size:8.5pt}table{font-size:8.5pt}table.devices{font-size:7.5pt}"
	"table.devices td{padding:1.5px 6px 1.5px 0}.tiles{grid-template-columns:repeat(5,1fr)}"
	"*{print-color-adjust:exact;-webkit-print-color-adjust:exact}.scroll{overflow:visible}}\n",
	NULL,
};
