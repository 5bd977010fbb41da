/** Lines over time by uPlot, with changes of weight marked. What a chart shows is also said in words below its title. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface Line {
  readonly label: string;
  /** Custom property of the page that holds its colour. */
  readonly color: string;
  readonly values: readonly (number | null)[];
  readonly isDashed?: boolean;
  /** Filled below, in steps. */
  readonly isArea?: boolean;
}

export interface Mark {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly label: string;
  readonly isRollback: boolean;
}

export interface ChartProps {
  readonly title: string;
  /** What it shows now, in words. */
  readonly summary: string;
  /** Milliseconds since 1970. */
  readonly at: readonly number[];
  readonly lines: readonly Line[];
  readonly marks: readonly Mark[];
  readonly from: number;
  readonly to: number;
  readonly height: number;
  /** Top of the axis; absent: as high as the values. */
  readonly max?: number;
  readonly hasLabels?: boolean;
  readonly format: (value: number) => string;
}

export function Chart(props: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const draw = (): void => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsOf(latest, element.clientWidth), dataOf(latest.current), element);
    };
    draw();
    const observer = new ResizeObserver(() => {
      const { height } = latest.current;
      if (element.clientWidth !== plot.current?.width) plot.current?.setSize({ width: element.clientWidth, height });
    });
    observer.observe(element);
    document.addEventListener('crossfade-theme', redraw);
    function redraw(): void {
      // After the page has taken the other colours.
      requestAnimationFrame(draw);
    }
    return () => {
      observer.disconnect();
      document.removeEventListener('crossfade-theme', redraw);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [props.lines.length]);

  useEffect(() => {
    plot.current?.setData(dataOf(props));
  }, [props.at, props.lines, props.marks, props.to]);

  return (
    <figure class="chart">
      <figcaption>
        <b>{props.title}</b> <span class="n">{props.summary}</span>
      </figcaption>
      <div ref={place} aria-hidden="true" />
    </figure>
  );
}

function dataOf({ at, lines }: ChartProps): uPlot.AlignedData {
  return [at.map((ms) => ms / 1_000), ...lines.map(({ values }) => values as (number | null)[])];
}

function optionsOf(latest: { readonly current: ChartProps }, width: number): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  const axis = {
    stroke: color('--dim'),
    grid: { stroke: color('--grid'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui',
  };
  const { lines, height, max, hasLabels = false } = latest.current;
  return {
    width,
    height,
    padding: [10, 6, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 5 }, drag: { x: false, y: false } },
    scales: {
      x: { range: () => [latest.current.from / 1_000, latest.current.to / 1_000] },
      y: { range: (_plot, _low, high) => [0, max ?? (high > 0 ? high * 1.1 : 1)] },
    },
    axes: [
      { ...axis, size: hasLabels ? 22 : 4, values: (_plot, splits) => (hasLabels ? splits.map(hourAndMinute) : []) },
      { ...axis, size: 54, values: (_plot, splits) => splits.map((value) => latest.current.format(value)) },
    ],
    series: [
      {},
      ...lines.map(({ label, color: name, isDashed = false, isArea = false }) => ({
        label,
        stroke: color(name),
        width: isDashed ? 1 : 1.75,
        points: { show: false },
        ...(isDashed ? { dash: [4, 3] } : {}),
        ...(isArea
          ? { fill: `${color(name)}26`, paths: uPlot.paths.stepped?.({ align: 1 }) as uPlot.Series.PathBuilder }
          : {}),
      })),
    ],
    hooks: { draw: [(plot) => drawMarks(plot, latest.current.marks, color('--dim'), color('--bad'))] },
  };
}

function hourAndMinute(seconds: number): string {
  return new Date(seconds * 1_000).toTimeString().slice(0, 5);
}

function drawMarks(plot: uPlot, marks: readonly Mark[], plain: string, bad: string): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.lineWidth = devicePixelRatio;
  for (const { at, isRollback } of marks) {
    const x = plot.valToPos(at / 1_000, 'x', true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle = isRollback ? bad : plain;
    ctx.setLineDash(isRollback ? [] : [2 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}
