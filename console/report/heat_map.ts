// A matrix as colours. Only the columns that are seen are drawn, so a protein may be long.
import { formatNumber } from '../src/ui/format';
import { partsOf, strongest, textOf, type Cell } from './cells';
import { gradient, ramp, signStops } from './colours';
import { make } from './elements';
import { isPrinting, onTheme, palette } from './theme';
import { Tip } from './tip';
import type { HeatMap } from './types';

const kSizes = [2, 3, 4, 6, 8, 10, 12, 14, 18, 22, 28]; // of a cell, in pixels
const kUsual = 12;
const kTop = 34; // above the cells: positions and letters
const kPrintedWidth = 700;

/// Adds the map to `place` and keeps its size and colours up to date.
export function drawHeatMap(place: HTMLElement, map: HeatMap): void {
  const view = new View(place, map);
  onTheme(() => view.recolour());
}

class View {
  private size: number;
  private chosen: Cell | null = null;
  private keyed = false; // chosen by key: it stays chosen when it is scrolled to
  private colours = palette();
  private readonly limit: number;
  private readonly left: number;
  private readonly scroll: HTMLElement;
  private readonly stage = make('div', { class: 'stage' });
  private readonly canvas = make('canvas');
  private readonly legend = make('div', { class: 'legend' });
  private readonly printed = make('div', { class: 'heat-print', hidden: true });
  private readonly readout = make('p', { class: 'visually-hidden', 'aria-live': 'polite' });
  private readonly tip: Tip;
  private readonly zoomOut: HTMLButtonElement;
  private readonly zoomIn: HTMLButtonElement;

  constructor(place: HTMLElement, private readonly map: HeatMap) {
    this.limit = strongest(map.values);
    this.left = 8 + 8 * Math.max(1, ...map.row_names.map((name) => name.length));
    const columns = formatNumber(map.column_names.length);
    this.scroll = make('div', {
      class: 'heat-map',
      tabindex: '0',
      role: 'group',
      'aria-label': `${map.title}. ${formatNumber(map.row_names.length)} rows, ${columns} columns. Arrow keys read cells.`,
    });
    this.zoomOut = this.button('−', 'Smaller cells', -1);
    this.zoomIn = this.button('+', 'Larger cells', 1);
    const fit = make('button', { type: 'button', click: () => this.resize(this.fitting(Infinity)) }, 'All');
    fit.setAttribute('aria-label', 'Show all columns');
    this.stage.append(this.canvas);
    this.scroll.append(this.stage);
    const frame = make('div', {}, this.scroll, this.printed);
    frame.style.position = 'relative';
    place.append(make('div', { class: 'heat-tools' }, this.legend, make('span', { class: 'tools' }, this.zoomOut, this.zoomIn, fit)), frame, this.readout);
    this.tip = new Tip(frame);
    this.size = Math.max(kUsual, this.fitting(18));
    this.listen(place);
    this.recolour();
    this.resize(this.size);
  }

  recolour(): void {
    this.colours = palette();
    const bar = make('span', { class: 'ramp' });
    bar.style.background = gradient(signStops(this.colours));
    const end = formatNumber(Number(this.limit.toPrecision(2)));
    this.legend.replaceChildren(make('span', {}, this.map.value_label ? `${this.map.value_label}:` : ''), make('span', {}, `−${end}`), bar, make('span', {}, `+${end}`));
    this.printed.hidden = !isPrinting();
    this.scroll.hidden = isPrinting();
    if (isPrinting()) this.print();
    else this.draw();
  }

  private button(text: string, label: string, step: number): HTMLButtonElement {
    const button = make('button', { type: 'button', click: () => this.resize(kSizes[kSizes.indexOf(this.size) + step] ?? this.size) }, text);
    button.setAttribute('aria-label', label);
    return button;
  }

  /// The largest size, `most` at most, with which all columns are seen.
  private fitting(most: number): number {
    const room = (this.scroll.clientWidth - this.left) / Math.max(1, this.map.column_names.length);
    return kSizes.findLast((size) => size <= room && size <= most) ?? (kSizes[0] as number);
  }

  private resize(size: number): void {
    // What is in the middle stays there.
    const middle = (this.scroll.scrollLeft + this.scroll.clientWidth / 2) / this.size;
    this.size = size;
    this.stage.style.width = `${this.left + size * this.map.column_names.length + 1}px`;
    this.scroll.scrollLeft = middle * size - this.scroll.clientWidth / 2;
    this.zoomOut.disabled = size === kSizes[0];
    this.zoomIn.disabled = size === kSizes.at(-1);
    this.choose(null);
    this.draw();
  }

  private height(): number {
    return kTop + this.size * this.map.row_names.length + 1;
  }

  private draw(): void {
    const width = Math.min(this.scroll.clientWidth, this.stage.offsetWidth);
    if (width <= 0) return;
    const context = prepared(this.canvas, width, this.height());
    const offset = this.scroll.scrollLeft;
    const first = Math.max(0, Math.floor(offset / this.size));
    const last = Math.min(this.map.column_names.length, Math.ceil((offset + width - this.left) / this.size) + 1);
    this.paint(context, first, last, this.size, offset);
    if (this.chosen) this.frameOf(context, this.chosen, offset);
  }

  /// Columns `first` to `last`, of which column 0 stands `offset` pixels to the left of the cells.
  private paint(context: CanvasRenderingContext2D, first: number, last: number, size: number, offset: number): void {
    const { map, left, colours } = this;
    const colourAt = ramp(signStops(colours), 101);
    const gap = size >= 8 ? 1 : 0;
    for (let column = first; column < last; ++column) {
      const x = left + column * size - offset;
      map.row_names.forEach((_, row) => {
        const value = map.values[row]?.[column] ?? null;
        context.fillStyle = value === null ? colours.grid : colourAt(0.5 + value / this.limit / 2);
        context.fillRect(x, kTop + row * size, size - gap, size - gap);
      });
      const mark = map.marks?.[column] ?? -1;
      if (mark >= 0 && size >= 4) {
        context.fillStyle = colours.muted;
        context.beginPath();
        context.arc(x + (size - gap) / 2, kTop + mark * size + (size - gap) / 2, Math.max(1, size / 6), 0, 2 * Math.PI);
        context.fill();
      }
    }
    this.names(context, first, last, size, offset);
  }

  private names(context: CanvasRenderingContext2D, first: number, last: number, size: number, offset: number): void {
    const { map, left, colours } = this;
    const step = [1, 5, 10, 20, 50, 100, 200, 500].find((wanted) => wanted * size >= 44) ?? 1000;
    context.font = '11px system-ui, sans-serif';
    context.textAlign = 'center';
    context.fillStyle = colours.muted;
    for (let column = first; column < last; ++column) {
      const { letter, position } = partsOf(map.column_names[column] ?? '');
      const x = left + column * size - offset + size / 2;
      if ((position ?? column + 1) % step === 0) context.fillText(String(position ?? column + 1), x, 12);
      if (size >= 9) context.fillText(letter, x, kTop - 6);
    }
    // The row names stay at the left edge, over what scrolls under them.
    context.clearRect(0, 0, left - 1, this.height());
    context.textAlign = 'left';
    if (size < 8) return;
    map.row_names.forEach((name, row) => context.fillText(name, 2, kTop + row * size + size / 2 + 4));
  }

  private frameOf(context: CanvasRenderingContext2D, { row, column }: Cell, offset: number): void {
    context.strokeStyle = this.colours.text;
    context.lineWidth = 2;
    context.strokeRect(this.left + column * this.size - offset - 0.5, kTop + row * this.size - 0.5, this.size, this.size);
  }

  /// On paper nothing scrolls: the columns stand in blocks below each other.
  private print(): void {
    const size = 8;
    const inBlock = Math.floor((kPrintedWidth - this.left) / size);
    const before = this.size;
    this.size = size;
    const blocks: HTMLElement[] = [];
    for (let first = 0; first < this.map.column_names.length; first += inBlock) {
      const canvas = make('canvas');
      const last = Math.min(this.map.column_names.length, first + inBlock);
      this.paint(prepared(canvas, kPrintedWidth, this.height()), first, last, size, first * size);
      blocks.push(canvas);
    }
    this.size = before;
    this.printed.replaceChildren(...blocks);
  }

  private cellAt(event: MouseEvent): Cell | null {
    const box = this.canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left - this.left + this.scroll.scrollLeft) / this.size);
    const row = Math.floor((event.clientY - box.top - kTop) / this.size);
    const inside = event.clientX - box.left >= this.left && row >= 0 && row < this.map.row_names.length && column >= 0 && column < this.map.column_names.length;
    return inside ? { row, column } : null;
  }

  private choose(cell: Cell | null): void {
    if (cell?.row === this.chosen?.row && cell?.column === this.chosen?.column) return;
    this.chosen = cell;
    this.draw();
    this.tell();
  }

  private tell(): void {
    const cell = this.chosen;
    if (!cell) return this.tip.hide();
    this.tip.show(this.left + (cell.column + 1) * this.size - this.scroll.scrollLeft, kTop + cell.row * this.size, textOf(this.map, cell));
  }

  private listen(place: HTMLElement): void {
    const point = (event: MouseEvent) => {
      this.keyed = false;
      this.choose(this.cellAt(event));
    };
    this.canvas.addEventListener('mousemove', point);
    this.canvas.addEventListener('click', point);
    this.canvas.addEventListener('mouseleave', () => this.keyed || this.choose(null));
    this.scroll.addEventListener('scroll', () => {
      if (!this.keyed) this.choose(null);
      this.draw();
      this.tell();
    });
    new ResizeObserver(() => this.draw()).observe(place);
    this.scroll.addEventListener('keydown', (event) => this.move(event));
  }

  private move(event: KeyboardEvent): void {
    const [rows, columns] = [this.map.row_names.length, this.map.column_names.length];
    const { row, column } = this.chosen ?? { row: 0, column: Math.floor(this.scroll.scrollLeft / this.size) - 1 };
    const next = { ArrowRight: { row, column: column + 1 }, ArrowLeft: { row, column: column - 1 }, ArrowUp: { row: row - 1, column }, ArrowDown: { row: row + 1, column }, Home: { row, column: 0 }, End: { row, column: columns - 1 } }[event.key];
    if (event.key === 'Escape') this.choose(null);
    if (!next) return;
    event.preventDefault();
    const cell = { row: Math.min(rows - 1, Math.max(0, next.row)), column: Math.min(columns - 1, Math.max(0, next.column)) };
    this.keyed = true;
    this.reveal(cell.column);
    this.choose(cell);
    this.readout.textContent = textOf(this.map, cell).join(', ');
  }

  private reveal(column: number): void {
    const room = this.scroll.clientWidth - this.left - this.size;
    const x = column * this.size;
    if (x < this.scroll.scrollLeft) this.scroll.scrollLeft = x;
    if (x > this.scroll.scrollLeft + room) this.scroll.scrollLeft = x - room;
  }
}

/// The canvas at its size, cleared, in units of the page.
function prepared(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const scale = devicePixelRatio;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext('2d');
  if (!context) throw new Error('this browser draws no canvas');
  context.scale(scale, scale);
  return context;
}
