/** Results as a Markdown table and as an SVG chart. */

export interface Result {
  figure: string;
  contestant: string;
  /** Medians over processes, in the unit that the figure says; nanoseconds if it says none. */
  median: number;
  min: number;
  max: number;
}

const named = ['ms', 's', 'requests/s', 'queries/s', 'messages/s'] as const;

type Unit = 'ns' | 'bytes' | (typeof named)[number];

export function unitOf(figure: string): Unit {
  if (figure.startsWith('bytes')) return 'bytes';
  for (const unit of named) if (figure.endsWith(`(${unit})`)) return unit;
  return 'ns';
}

export function show(value: number, figure: string): string {
  const unit = unitOf(figure);
  if (unit === 'bytes') return `${(value / 1024).toFixed(1)} KB`;
  if (unit === 'ms' || unit === 's') return `${value.toFixed(2)} ${unit}`;
  if (unit.endsWith('/s')) return `${Math.round(value)} /s`;
  return value >= 10_000 ? `${(value / 1000).toFixed(1)} us` : `${Math.round(value)} ns`;
}

function byFigure(results: Result[]): Map<string, Result[]> {
  const groups = new Map<string, Result[]>();
  for (const one of results) groups.set(one.figure, [...(groups.get(one.figure) ?? []), one]);
  return groups;
}

/** A row per figure: ours, then each peer with how many times ours it is. */
export function markdown(results: Result[], heading: string): string {
  const lines = [heading, '', '| figure | Tendril | peers (times ours) |', '| --- | ---: | --- |'];
  for (const [figure, rows] of byFigure(results)) {
    const ours = rows.find((row) => row.contestant === 'tendril');
    if (!ours) continue;
    const others = rows
      .filter((row) => row !== ours)
      .map((row) => {
        const ratio = (row.median / ours.median).toFixed(2);
        return `${row.contestant} ${show(row.median, figure)} (${ratio})`;
      });
    lines.push(`| ${figure} | ${show(ours.median, figure)} | ${others.join(', ') || '–'} |`);
  }
  return `${lines.join('\n')}\n`;
}

const escapeText = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');

/** Horizontal bars, on a scale of their own for each figure. */
export function svg(results: Result[], title: string): string {
  const width = 860;
  const longest = Math.max(0, ...results.map((one) => one.contestant.length));
  const left = Math.max(150, longest * 7.2 + 16);
  const parts: string[] = [];
  let y = 48;
  for (const [figure, rows] of byFigure(results)) {
    if (rows.length < 2) continue;
    parts.push(`<text x="16" y="${y}" class="figure">${escapeText(figure)}</text>`);
    y += 8;
    const most = Math.max(...rows.map((row) => row.median));
    for (const row of rows) {
      const length = Math.max(2, (row.median / most) * (width - left - 130));
      const kind = /^tendril\b/.test(row.contestant) ? 'ours' : 'peer';
      parts.push(
        `<text x="${left - 10}" y="${y + 12}" text-anchor="end">${escapeText(row.contestant)}</text>`,
        `<rect x="${left}" y="${y + 2}" width="${length.toFixed(1)}" height="12" rx="2" class="${kind}"/>`,
        `<text x="${left + length + 8}" y="${y + 12}">${show(row.median, figure)}</text>`,
      );
      y += 18;
    }
    y += 24;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" viewBox="0 0 ${width} ${y}" font-family="sans-serif" font-size="12">
<title>${escapeText(title)}</title>
<style>
svg { background: #fff; } text { fill: #333; } .figure, .title { font-weight: bold; } .ours { fill: #2a7d46; } .peer { fill: #9db4c6; }
@media (prefers-color-scheme: dark) { svg { background: #16181b; } text { fill: #ddd; } .ours { fill: #4cc47a; } .peer { fill: #5b7487; } }
</style>
<text x="16" y="22" class="title" font-size="15">${escapeText(title)}</text>
${parts.join('\n')}
</svg>
`;
}
