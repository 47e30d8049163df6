// Plots: lines, areas and bars, drawn by uPlot, with the keyboard too.
import uPlot from 'uplot';
import { formatNumber } from '../src/ui/format';
import { make } from './elements';
import { onTheme, palette, type Palette } from './theme';
import type { Plot } from './types';

const kHeight = 280;
const kNarrow = 520; // below it there is room for less

/// Adds the plot to `place` and keeps its size and colours up to date.
export function drawPlot(place: HTMLElement, plot: Plot): void {
  const canvas = make('div', {
    class: 'canvas',
    tabindex: '0',
    role: 'group',
    'aria-label': `${plot.title}. ${summary(plot)} Arrow keys read values.`,
  });
  const readout = make('p', { class: 'visually-hidden', 'aria-live': 'polite' });
  place.append(canvas, readout);

  let drawn: uPlot | null = null;
  function draw(): void {
    const hidden = drawn?.series.map((series) => series.show === false) ?? [];
    drawn?.destroy();
    drawn = new uPlot(optionsOf(plot, palette(), widthOf(canvas)), dataOf(plot), canvas);
    hidden.forEach((yes, index) => yes && drawn?.setSeries(index, { show: false }));
    makeLegendUsable(drawn);
  }
  function fit(): void {
    const width = widthOf(canvas);
    if (drawn && width !== drawn.width) draw();
  }
  draw();
  onTheme(draw);
  new ResizeObserver(fit).observe(place);

  let at = -1;
  canvas.addEventListener('keydown', (event) => {
    const last = plot.x.length - 1;
    const step = Math.max(1, Math.round(last / 100));
    const next = { ArrowRight: at + step, ArrowLeft: at < 0 ? last : at - step, Home: 0, End: last, Escape: -1 }[event.key];
    if (next === undefined || !drawn || event.target !== canvas) return;
    event.preventDefault();
    at = event.key === 'Escape' ? -1 : Math.min(last, Math.max(0, next));
    const left = at < 0 ? -10 : drawn.valToPos(xOf(plot, at), 'x');
    drawn.setCursor({ left, top: at < 0 ? -10 : kHeight / 3 });
    readout.textContent = at < 0 ? '' : valuesAt(plot, at);
  });
}

const widthOf = (canvas: HTMLElement) => Math.max(200, Math.floor(canvas.clientWidth));

/// Bars stand at 0, 1, 2, … under their names; else at their numbers.
const isNamed = (plot: Plot) => plot.x_names !== undefined && plot.x_names.length > 0;
const xOf = (plot: Plot, at: number) => (isNamed(plot) ? at : (plot.x[at] ?? 0));

function dataOf(plot: Plot): uPlot.AlignedData {
  const values = plot.series.map((series) =>
    // A logarithm needs more than zero; what has none is a gap.
    series.values.map((value) => (value === null || (plot.log_y && value <= 0) ? null : value)),
  );
  return [plot.x.map((_, at) => xOf(plot, at)), ...values];
}

/// What someone who cannot see the plot should know first.
function summary(plot: Plot): string {
  const parts = plot.series.slice(0, 4).map((series) => {
    const values = series.values.filter((value) => value !== null);
    if (values.length === 0) return `${series.name}: no values.`;
    const [low, high] = values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
    return `${series.name || plot.y_label || 'Values'}: ${formatNumber(low)} to ${formatNumber(high)}.`;
  });
  return parts.join(' ');
}

function valuesAt(plot: Plot, at: number): string {
  const x = plot.x_names?.[at] ?? formatNumber(plot.x[at] ?? 0);
  const values = plot.series.map((series) => `${series.name} ${series.values[at] == null ? 'no value' : formatNumber(series.values[at])}`);
  return `${plot.x_label ?? ''} ${x}: ${values.join(', ')}`;
}

function optionsOf(plot: Plot, colours: Palette, width: number): uPlot.Options {
  const named = isNamed(plot);
  const bars = plot.plot === 'bar';
  // The first series of a scatter plot is points, what comes behind are lines.
  const isPoints = (index: number) => plot.plot === 'scatter' && index === 0;
  const count = plot.series.length;
  const spacing = bars ? closest(plot) : 0;
  const axis: uPlot.Axis = {
    stroke: colours.muted,
    grid: { stroke: colours.grid, width: 1 },
    ticks: { stroke: colours.grid, width: 1, size: 5 },
    font: '12px system-ui, sans-serif',
    labelFont: '12px system-ui, sans-serif',
    labelSize: 20,
    labelGap: 0,
  };
  return {
    width,
    height: width < kNarrow ? 240 : kHeight,
    scales: {
      x: {
        time: false,
        // Half a bar of room at both ends. For a single value uPlot would make up a range.
        range: (_, low, high) => {
          if (plot.x.length === 1) return [xOf(plot, 0) - 2, xOf(plot, 0) + 2];
          return bars ? [low - 0.6 * spacing, high + 0.6 * spacing] : [low, high];
        },
      },
      y: plot.log_y ? { distr: 3 } : { range: yRange(plot) },
    },
    axes: [
      {
        ...axis,
        grid: { show: !bars, stroke: colours.grid, width: 1 },
        label: plot.x_label ?? '',
        size: 32,
        ...(named
          ? namedTicks(plot, width)
          : { values: (_, splits) => splits.map((value) => tick(value)) }),
      },
      {
        ...axis,
        label: plot.y_label ?? '',
        size: (_, values) => 16 + 7 * Math.max(3, ...(values ?? []).map((value) => value?.length ?? 0)),
        values: (_, splits) => splits.map((value) => (value === null ? '' : tick(value))),
      },
    ],
    series: [
      {
        label: plot.x_label || 'x',
        value: (_, value: number | null) => (value === null ? '' : named ? (plot.x_names?.[value] ?? '') : formatNumber(value)),
      },
      ...plot.series.map((series, index): uPlot.Series => {
        const colour = colours.series[index % colours.series.length] ?? colours.text;
        return {
          label: series.name || plot.y_label || 'value',
          stroke: colour,
          width: bars ? 0 : 2,
          ...(bars ? { fill: colour, paths: groupedBars(index, count, spacing) } : {}),
          ...(plot.plot === 'area' ? { fill: faded(colour) } : {}),
          // From the seventh on colours repeat, with dashes.
          ...(index >= colours.series.length ? { dash: [6, 4] } : {}),
          ...(isPoints(index) ? { paths: () => null } : {}),
          points: { show: isPoints(index) || (!bars && plot.x.length < 2), ...(isPoints(index) ? { size: 5, fill: colour } : {}) },
          value: (_, value: number | null) => (value === null ? '' : formatNumber(value)),
        };
      }),
    ],
    cursor: { y: false, drag: { x: !named, y: false }, points: { show: !bars } },
    legend: { live: true, markers: { width: 0, fill: (u, index) => colourOf(u.series[index]) } },
  };
}

const colourOf = (series: uPlot.Series | undefined) => {
  const stroke = series?.stroke;
  return typeof stroke === 'function' ? (stroke as unknown as () => string)() : String(stroke ?? '');
};

/// Values of more than three digits are short: "12k", "3.4M".
function tick(value: number): string {
  const size = Math.abs(value);
  if (size >= 10000) return value.toLocaleString('en', { notation: 'compact', maximumSignificantDigits: 4 });
  return formatNumber(Number(value.toPrecision(10)));
}

/// Areas and bars stand on zero; lines have a little room above and below.
function yRange(plot: Plot): uPlot.Range.Function {
  return (_, low, high) => {
    if (low === null || high === null) return [0, 1];
    const onZero = plot.plot !== 'line';
    const bottom = onZero ? Math.min(0, low) : low;
    const top = onZero ? Math.max(0, high) : high;
    const room = top === bottom ? Math.abs(top) || 1 : top - bottom;
    return [bottom === 0 || (onZero && bottom >= 0) ? 0 : keepSign(bottom - 0.08 * room, bottom), keepSign(top + 0.08 * room, top)];
  };
}

/// Room must not make a scale of shares or counts go below zero.
const keepSign = (wanted: number, of: number) => (of >= 0 ? Math.max(0, wanted) : wanted);

/// The smallest distance between two bars.
function closest(plot: Plot): number {
  let least = Infinity;
  for (let at = 1; at < plot.x.length; ++at) least = Math.min(least, xOf(plot, at) - xOf(plot, at - 1));
  return Number.isFinite(least) && least > 0 ? least : 1;
}

/// Names below bars: level if there is room, else aslant, and then as many as there is room for.
function namedTicks(plot: Plot, width: number): Partial<uPlot.Axis> {
  const names = (plot.x_names ?? []).map(shortened);
  const longest = 7 * Math.max(1, ...names.map((name) => name.length));
  const room = Math.max(1, width - 70) / Math.max(1, names.length);
  const level = longest + 12 <= room;
  const step = level ? 1 : Math.ceil(18 / room);
  return {
    splits: () => names.map((_, at) => at).filter((at) => at % step === 0),
    values: (_, splits) => splits.map((at) => names[at] ?? ''),
    ...(level ? {} : { rotate: -40, size: 20 + 0.66 * longest }),
  };
}

const shortened = (name: string) => (name.length > 16 ? `${name.slice(0, 15)}…` : name);

const faded = (colour: string) => colour.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.18)');

/// Bars of several series stand side by side.
function groupedBars(index: number, count: number, spacing: number): uPlot.Series.PathBuilder {
  return (u, seriesIndex, first, last) => {
    const path = new Path2D();
    const xs = u.data[0];
    const ys = u.data[seriesIndex] ?? [];
    const unit = Math.abs(u.valToPos(spacing, 'x', true) - u.valToPos(0, 'x', true));
    const group = unit * (unit < 6 ? 1 : 0.78);
    const gap = group / count > 6 ? Math.max(1, devicePixelRatio) : 0;
    const width = Math.max(1, group / count - gap);
    const low = u.scales.y?.min ?? 0;
    const base = u.valToPos(u.scales.y?.distr === 3 ? low : Math.max(0, low), 'y', true);
    for (let at = first; at <= last; ++at) {
      const x = xs[at];
      const y = ys[at];
      if (x === undefined || y === null || y === undefined) continue;
      const left = u.valToPos(x, 'x', true) - group / 2 + (index * group) / count + gap / 2;
      const top = u.valToPos(y, 'y', true);
      path.rect(left, Math.min(top, base), width, Math.abs(base - top));
    }
    return { stroke: path, fill: path };
  };
}

/// uPlot's legend hides and shows series by mouse; here by keyboard too.
function makeLegendUsable(drawn: uPlot): void {
  const rows = drawn.root.querySelectorAll<HTMLElement>('.u-legend .u-series');
  rows.forEach((row, index) => {
    const head = row.querySelector<HTMLElement>('th');
    if (index === 0 || rows.length <= 2 || !head) return;
    head.tabIndex = 0;
    head.setAttribute('role', 'button');
    head.setAttribute('aria-pressed', String(drawn.series[index]?.show !== false));
    head.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      head.click();
    });
    head.addEventListener('click', () => head.setAttribute('aria-pressed', String(drawn.series[index]?.show !== false)));
  });
}
