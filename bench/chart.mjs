// @ts-check
import * as echarts from 'echarts';
import { median } from './quantities.mjs';

/** Beyond it are bodies, whose cost is told in bytes. */
const LONG_US = 1000;
const WIDTH = 960;
const ROW_HEIGHT = 22;
const COLOURS = new Map([
  ['crossfade', '#d9480f'],
  ['crossfade-lts', '#f59f00'],
  ['haproxy', '#1c7ed6'],
  ['nginx', '#2f9e44'],
  ['nghttpx', '#7048e8'],
  ['caddy', '#868e96'],
  ['http-proxy', '#adb5bd'],
]);

/** @param {import('./types.ts').Round} round */
const cpuUs = ({ userUs, systemUs }) => userUs + systemUs;

/**
 * CPU time a request of each target in the cells that compare targets, one bar each, as an SVG picture.
 * @param {readonly import('./types.ts').CellResult[]} cells
 */
export function costChart(cells) {
  const shown = cells.filter(
    (cell) =>
      cell.variants.every(({ label, target }) => label === target) && (costOf(cell, 'crossfade') ?? LONG_US) < LONG_US,
  );
  const names = [...COLOURS.keys()].filter((name) => shown.some((cell) => costOf(cell, name) !== null));
  const bars = shown.length * names.length;
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: 120 + bars * ROW_HEIGHT });
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    title: { text: 'CPU time a request, microseconds (less is better)', left: 12, top: 8, textStyle: { fontSize: 15 } },
    legend: { top: 34, data: names },
    grid: { left: 130, right: 70, top: 70, bottom: 36 },
    xAxis: { type: 'value' },
    yAxis: { type: 'category', inverse: true, data: shown.map(({ name }) => name), axisTick: { show: false } },
    series: names.map((name) => ({
      name,
      type: 'bar',
      itemStyle: { color: COLOURS.get(name) },
      data: shown.map((cell) => costOf(cell, name)),
      label: {
        show: true,
        position: 'right',
        fontSize: 10,
        formatter: (/** @type {{ value: unknown }} */ { value }) => shortened(Number(value)),
      },
    })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

/**
 * @param {import('./types.ts').CellResult} cell
 * @param {string} target
 */
function costOf({ variants }, target) {
  const rounds = variants.find((variant) => variant.target === target)?.rounds ?? [];
  return rounds.length === 0 ? null : median(rounds.map(cpuUs));
}

/** @param {number} us */
function shortened(us) {
  if (Number.isNaN(us) || us === 0) return '';
  return us < 100 ? us.toFixed(1) : Math.round(us).toLocaleString('en-US');
}
