// Points in a plane: uPlot has the axes and the zoom, the points are our own.
import uPlot from 'uplot';
import { formatNumber } from '../src/ui/format';
import { gradient, ramp, ranks, scaleStops } from './colours';
import { make } from './elements';
import { axisOf, tick, widthOf } from './plots';
import { onTheme, palette, type Palette } from './theme';
import { Tip } from './tip';
import type { Scatter } from './types';
import { colourText } from './values';

const kTallest = 460;
const kReach = 18; // pixels from which a point is found
const kGroups = 12; // in colours of their own: six, full and hollow

interface Paint {
  colour: string;
  hollow: boolean;
}

/// Adds the points to `place` and keeps their size and colours up to date.
export function drawScatter(place: HTMLElement, scatter: Scatter): void {
  const order = scatter.x.map((_, at) => at).sort((a, b) => (scatter.x[a] ?? 0) - (scatter.x[b] ?? 0));
  const groups = groupsOf(scatter);
  const canvas = make('div', { class: 'canvas', tabindex: '0', role: 'group', 'aria-label': `${scatter.title}. ${summary(scatter, groups)} Arrow keys read points.` });
  canvas.style.position = 'relative';
  const readout = make('p', { class: 'visually-hidden', 'aria-live': 'polite' });
  const legend = make('div', { class: 'legend' });
  place.append(canvas, legend, readout);
  const tip = new Tip(canvas);
  let drawn: uPlot | null = null;
  let at = -1; // the place in `order` that is pointed at

  function draw(): void {
    const colours = palette();
    const paint = painter(scatter, groups, colours);
    drawn?.destroy();
    drawn = new uPlot(optionsOf(scatter, colours, widthOf(canvas), (u) => drawPoints(u, scatter, paint, at < 0 ? -1 : (order[at] ?? -1), colours)), [order.map((point) => scatter.x[point] ?? 0), order.map((point) => scatter.y[point] ?? 0)], canvas);
    drawn.over.addEventListener('mousemove', hover);
    drawn.over.addEventListener('mouseleave', () => point(-1));
    legend.replaceChildren(...legendOf(scatter, groups, paint, colours));
  }

  function hover(event: MouseEvent): void {
    if (drawn) point(nearest(drawn, scatter, order, event.offsetX, event.offsetY));
  }

  function point(next: number): void {
    if (next === at || !drawn) return;
    at = next;
    drawn.redraw(false, false);
    const chosen = at < 0 ? undefined : order[at];
    if (chosen === undefined) return tip.hide();
    const { over } = drawn;
    tip.show(over.offsetLeft + drawn.valToPos(scatter.x[chosen] ?? 0, 'x'), over.offsetTop + drawn.valToPos(scatter.y[chosen] ?? 0, 'y'), linesOf(scatter, chosen));
  }

  draw();
  onTheme(draw);
  new ResizeObserver(() => drawn && widthOf(canvas) !== drawn.width && draw()).observe(place);
  canvas.addEventListener('keydown', (event) => {
    const last = order.length - 1;
    const step = Math.max(1, Math.round(last / 100));
    const next = { ArrowRight: at + step, ArrowLeft: at < 0 ? last : at - step, Home: 0, End: last, Escape: -1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    point(event.key === 'Escape' ? -1 : Math.min(last, Math.max(0, next)));
    readout.textContent = at < 0 ? '' : linesOf(scatter, order[at] ?? 0).join(', ');
  });
}

interface Group {
  name: string;
  count: number;
}

/// The largest groups; the rest of the points are "others".
function groupsOf(scatter: Scatter): Group[] {
  const counts = new Map<string, number>();
  for (const name of scatter.groups ?? []) if (name !== '') counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => ({ name, count })).sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1)).slice(0, kGroups);
}

function summary(scatter: Scatter, groups: Group[]): string {
  const what = groups.length > 0 ? ` Groups by ${scatter.colour_label}: ${groups.map((group) => `${group.name} ${group.count}`).join(', ')}.` : '';
  return `${formatNumber(scatter.x.length)} points.${what}`;
}

function linesOf(scatter: Scatter, at: number): string[] {
  const colour = colourText(scatter, at);
  return [scatter.names[at] ?? '', ...(colour === '' ? [] : [`${scatter.colour_label ?? ''} ${colour}`])];
}

function painter(scatter: Scatter, groups: Group[], colours: Palette): (at: number) => Paint {
  const plain = { colour: colours.muted, hollow: false };
  if (groups.length > 0) {
    const paints = new Map(groups.map((group, at) => [group.name, { colour: colours.series[at % 6] ?? colours.text, hollow: at >= 6 }]));
    return (at) => paints.get(scatter.groups?.[at] ?? '') ?? plain;
  }
  if (!scatter.values?.length) return () => ({ colour: colours.series[0] ?? colours.text, hollow: false });
  const shares = ranks(scatter.values);
  const colourAt = ramp(scaleStops(colours));
  return (at) => {
    const share = shares[at];
    return share == null ? { ...plain, hollow: true } : { colour: colourAt(share), hollow: false };
  };
}

function legendOf(scatter: Scatter, groups: Group[], paint: (at: number) => Paint, colours: Palette): HTMLElement[] {
  const label = make('span', {}, scatter.colour_label ? `${scatter.colour_label}:` : '');
  if (groups.length > 0) {
    const named = groups.map((group) => entry(`${group.name} (${formatNumber(group.count)})`, paint((scatter.groups ?? []).indexOf(group.name))));
    const rest = scatter.x.length - groups.reduce((sum, group) => sum + group.count, 0);
    return [label, ...named, ...(rest > 0 ? [entry(`others (${formatNumber(rest)})`, { colour: colours.muted, hollow: false })] : [])];
  }
  const known = (scatter.values ?? []).filter((value) => value !== null).sort((a, b) => a - b);
  if (known.length === 0) return [];
  const bar = make('span', { class: 'ramp' });
  bar.style.background = gradient(scaleStops(colours));
  const text = (at: number) => formatNumber(Number((known[at] ?? 0).toPrecision(3)));
  return [label, make('span', {}, text(0)), bar, make('span', {}, text(known.length - 1)), make('span', {}, `median ${text(known.length >> 1)}`)];
}

function entry(text: string, { colour, hollow }: Paint): HTMLElement {
  const dot = make('span', { class: 'dot' });
  dot.style.borderColor = colour;
  if (!hollow) dot.style.background = colour;
  return make('span', {}, dot, text);
}

function nearest(u: uPlot, scatter: Scatter, order: number[], left: number, top: number): number {
  let best = -1;
  let closest = kReach * kReach;
  order.forEach((point, at) => {
    const dx = u.valToPos(scatter.x[point] ?? 0, 'x') - left;
    const dy = u.valToPos(scatter.y[point] ?? 0, 'y') - top;
    const distance = dx * dx + dy * dy;
    if (distance < closest) [best, closest] = [at, distance];
  });
  return best;
}

function drawPoints(u: uPlot, scatter: Scatter, paint: (at: number) => Paint, chosen: number, colours: Palette): void {
  const { ctx, bbox } = u;
  const count = scatter.x.length;
  const radius = (count > 3000 ? 1.8 : count > 600 ? 2.6 : 3.6) * devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.globalAlpha = 0.8;
  ctx.lineWidth = 1.4 * devicePixelRatio;
  const circle = (at: number, size: number) => {
    ctx.beginPath();
    ctx.arc(u.valToPos(scatter.x[at] ?? 0, 'x', true), u.valToPos(scatter.y[at] ?? 0, 'y', true), size, 0, 2 * Math.PI);
  };
  for (let at = 0; at < count; ++at) {
    const { colour, hollow } = paint(at);
    circle(at, radius);
    ctx.fillStyle = ctx.strokeStyle = colour;
    if (hollow) ctx.stroke();
    else ctx.fill();
  }
  if (chosen >= 0) {
    ctx.globalAlpha = 1;
    ctx.strokeStyle = colours.text;
    ctx.lineWidth = 2 * devicePixelRatio;
    circle(chosen, radius + 3 * devicePixelRatio);
    ctx.stroke();
  }
  ctx.restore();
}

function optionsOf(scatter: Scatter, colours: Palette, width: number, points: (u: uPlot) => void): uPlot.Options {
  const axis = axisOf(colours);
  return {
    width,
    height: Math.min(kTallest, Math.max(260, Math.round(0.66 * width))),
    scales: { x: { time: false, range: roomyRange(scatter.x) }, y: { range: roomyRange(scatter.y) } },
    axes: [
      { ...axis, label: scatter.x_label ?? '', size: 32, values: (_, splits) => splits.map(tick) },
      { ...axis, label: scatter.y_label ?? '', size: (_, values) => 16 + 7 * Math.max(3, ...(values ?? []).map((value) => value?.length ?? 0)), values: (_, splits) => splits.map(tick) },
    ],
    series: [{}, { paths: () => null, points: { show: false } }],
    cursor: { x: false, y: false, points: { show: false }, drag: { x: true, y: true, uni: 24 } },
    legend: { show: false },
    hooks: { draw: [points] },
  };
}

/// All of `values` with a little room around; what someone zooms to as it is.
function roomyRange(values: number[]): uPlot.Range.Function {
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const room = 0.04 * (high - low) || 1;
  return (_, from, to) => (from === null || to === null || (from <= low && to >= high) ? [low - room, high + room] : [from, to]);
}
