/** The rounds as a chart. */
import { perSecond } from './report.js';
import type { Round } from './round.js';

const width = 760;
const left = 170;
const top = 52;
const step = 30;

/** A bar for each round, as SVG. */
export function asSvg(rounds: Round[], title: string): string {
  const most = Math.max(...rounds.map(({ rate }) => rate), Number.MIN_VALUE);
  const height = top + step * rounds.length + 12;
  const bars = rounds.map(({ name, rate }, index) => {
    const length = Math.max(2, (rate / most) * (width - left - 110)).toFixed(1);
    const y = top + step * index;
    const kind = index === rounds.length - 1 ? 'ours' : 'others';
    return [
      `<text x="${left - 10}" y="${y + 14}" text-anchor="end">${name}</text>`,
      `<rect x="${left}" y="${y}" width="${length}" height="20" rx="3" class="${kind}"/>`,
      `<text x="${left + Number(length) + 8}" y="${y + 14}">${perSecond(rate)} pages/s</text>`,
    ].join('\n');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13">
<title>${title}</title>
<style>
svg { background: #fff; } text { fill: #333; } .ours { fill: #2a7d46; } .others { fill: #9db4c6; }
@media (prefers-color-scheme: dark) { svg { background: #16181b; } text { fill: #ddd; } .ours { fill: #4cc47a; } .others { fill: #5b7487; } }
</style>
<text x="16" y="28" font-size="16" font-weight="bold">${title}</text>
${bars.join('\n')}
</svg>
`;
}
