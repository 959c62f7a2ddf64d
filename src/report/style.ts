/** The look of the report: quiet, readable on a phone and on paper, light or dark as the reader's system is. */
export const STYLE = `
:root {
  --page: #f7f7f5; --card: #fff; --text: #1f2328; --soft: #5c6570; --rule: #dcdfe3; --bar: #9fb4c7;
  --critical: #a3122b; --high: #b3431f; --medium: #8a6100; --low: #2a6592;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #15181c; --card: #1d2126; --text: #e4e7ea; --soft: #9ba5b0; --rule: #343a41; --bar: #48607a;
    --critical: #ff8095; --high: #ff9e78; --medium: #e6bb52; --low: #7dbcec;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 54rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0; }
h2 { font-size: 1.1rem; line-height: 1.35; margin: 0 0 .5rem; overflow-wrap: anywhere; }
.note { color: var(--soft); font-size: .9rem; margin: .25rem 0; overflow-wrap: anywhere; }
section, article { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 1rem; margin-top: 1rem; }
article { border-left: 4px solid var(--accent); }
.critical { --accent: var(--critical); } .high { --accent: var(--high); }
.medium { --accent: var(--medium); } .low { --accent: var(--low); }
.badge { color: var(--accent); text-transform: uppercase; font-size: .8rem; letter-spacing: .04em; margin-right: .4rem; }
p { margin: .5rem 0; overflow-wrap: anywhere; }
dl { margin: .5rem 0; }
dl div { display: flex; flex-wrap: wrap; gap: 0 1rem; padding: .15rem 0; }
dt { color: var(--soft); flex: 0 0 11rem; overflow-wrap: anywhere; }
dd { margin: 0; flex: 1 1 14rem; overflow-wrap: anywhere; }
summary { cursor: pointer; color: var(--soft); }
.lines { margin: .5rem 0 0; padding: 0; list-style: none; font: .8rem/1.45 ui-monospace, monospace; }
.lines li { padding: .3rem 0; border-top: 1px solid var(--rule); overflow-wrap: anywhere; }
.place { color: var(--soft); }
code { font: .9em ui-monospace, monospace; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; font-weight: normal; padding: .25rem 0; border-top: 1px solid var(--rule); overflow-wrap: anywhere; }
td { text-align: right; font-variant-numeric: tabular-nums; }
.chart { position: relative; margin: 1.6rem .6rem 0; padding-bottom: 1.4rem; }
.chart svg { display: block; width: 100%; height: 7.5rem; }
.bars { fill: var(--bar); } .axis { stroke: var(--rule); vector-effect: non-scaling-stroke; }
.mark path { stroke: var(--accent); stroke-width: 1.5; stroke-dasharray: 3 3; vector-effect: non-scaling-stroke; }
.chart span { position: absolute; transform: translateX(-50%); }
.pin { top: -1.5rem; min-width: 1.3rem; padding: 0 .2rem; border-radius: 1rem; background: var(--accent); color: var(--card); box-shadow: 0 0 0 1px var(--card); font: bold .72rem/1.3rem system-ui, sans-serif; text-align: center; }
.day { bottom: 0; color: var(--soft); font-size: .75rem; white-space: nowrap; }
@media (max-width: 36rem) { .day.odd { display: none; } }
@media print { body { background: none; } section, article { break-inside: avoid; } }
`;
