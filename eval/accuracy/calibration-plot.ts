/** One line of the plot: how often p was at most each nominal level. */
export type Curve = {
  readonly view: string;
  readonly points: readonly { nominal: number; observed: number }[];
};
export type Panel = { readonly title: string; readonly curves: readonly Curve[] };

const SIZE = 300;
const MARGIN = 52;
/** Powers of ten from here to 1 on both axes. */
const DECADES = 4;
/** The goal at a nominal .01: between .005 and .02. */
const GOAL = { nominal: 0.01, low: 0.005, high: 0.02 };

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #24292f; }
  .axis, .grid { stroke: #8c959f; fill: none; } .grid { stroke-opacity: .3; }
  .ideal { stroke: #8c959f; stroke-dasharray: 4 4; } .goal { stroke: #8c959f; stroke-width: 5; stroke-opacity: .6; }
  .window { --c: #0969da; } .transaction { --c: #bc4c00; } .entity { --c: #1a7f37; } .novelty { --c: #8250df; }
  polyline { fill: none; stroke: var(--c); stroke-width: 2; } .key { fill: var(--c); }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .window { --c: #58a6ff; } .transaction { --c: #f0883e; } .entity { --c: #56d364; } .novelty { --c: #d2a8ff; }
  }`;

/** Place of a share on an axis, 0 at the smallest; smaller shares lie on the edge. */
const along = (p: number): number => (SIZE * (DECADES + Math.max(-DECADES, Math.log10(p)))) / DECADES;
const x = (p: number): string => (MARGIN + along(p)).toFixed(1);
const y = (p: number): string => (MARGIN + SIZE - along(p)).toFixed(1);

function grid(): string {
  const lines: string[] = [];
  for (let d = -DECADES; d <= 0; d++) {
    const p = Number((10 ** d).toPrecision(1)); // 10 ** -4 is no round number
    lines.push(
      `<path class="grid" d="M${x(p)} ${y(1e-9)}V${y(1)}M${x(1e-9)} ${y(p)}H${x(1)}"/>`,
      `<text x="${x(p)}" y="${MARGIN + SIZE + 18}" text-anchor="middle">${p}</text>`,
      `<text x="${MARGIN - 6}" y="${y(p)}" text-anchor="end" dominant-baseline="middle">${p}</text>`,
    );
  }
  return lines.join("");
}

function panel({ title, curves }: Panel, index: number): string {
  const lines = curves.map(({ view, points }, i) => {
    const path = points.map((q) => `${x(q.nominal)},${y(q.observed)}`).join(" ");
    const at = MARGIN + 16 + 17 * i;
    return `<g class="${view}"><polyline points="${path}"/><text class="key" x="${MARGIN + 12}" y="${at}">${view}</text></g>`;
  });
  return `<g transform="translate(${index * (SIZE + MARGIN + 24)} 0)">
<text x="${MARGIN + SIZE / 2}" y="${MARGIN - 18}" text-anchor="middle">${title}</text>
${grid()}
<rect class="axis" x="${MARGIN}" y="${MARGIN}" width="${SIZE}" height="${SIZE}"/>
<path class="ideal" d="M${x(1e-9)} ${y(1e-9)}L${x(1)} ${y(1)}"/>
<path class="goal" d="M${x(GOAL.nominal)} ${y(GOAL.low)}V${y(GOAL.high)}"/>
${lines.join("\n")}
<text x="${MARGIN + SIZE / 2}" y="${MARGIN + SIZE + 40}" text-anchor="middle">nominal p</text>
</g>`;
}

/** Observed share against nominal p on logarithmic axes, a panel for each log. */
export function calibrationPlot(panels: readonly Panel[]): string {
  const width = panels.length * (SIZE + MARGIN + 24) + 12;
  const height = SIZE + 2 * MARGIN;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Observed share of rows at or below each nominal p-value, by view">
<style>${STYLE}</style>
${panels.map(panel).join("\n")}
</svg>
`;
}
