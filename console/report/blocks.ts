// The parts of a section.
import { make } from './elements';
import { drawHeatMap } from './heat_map';
import { drawPlot } from './plots';
import { drawScatter } from './scatter';
import type { Block, Cell, Drawing, Figures, Table } from './types';
import { cellText, csvOfTable, fileName, tableOfMap, tableOfPlot, tableOfScatter, withUnit } from './values';

const kRowsAtFirst = 100;

export function drawBlock(block: Block): HTMLElement | null {
  switch (block.type) {
    case 'figures':
      return figures(block);
    case 'table':
      return tableBlock(block);
    case 'plot':
      return plotBlock(block, tableOfPlot(block), (place) => drawPlot(place, block));
    case 'scatter':
      return plotBlock(block, tableOfScatter(block), (place) => drawScatter(place, block));
    case 'heat_map':
      return plotBlock(block, tableOfMap(block), (place) => drawHeatMap(place, block));
    case 'drawing':
      return drawing(block);
    default: // of a later version
      return null;
  }
}

function figures(block: Figures): HTMLElement {
  const list = make('dl', { class: 'figures' });
  for (const item of block.items) {
    const value = make('dd', {}, cellText(item.value), item.unit ? make('span', { class: 'unit' }, ` ${item.unit}`) : null);
    list.append(make('div', {}, make('dt', {}, item.label), value));
  }
  return list;
}

function tableBlock(block: Table): HTMLElement {
  return make('figure', { class: 'block' }, block.title ? make('figcaption', {}, block.title) : null, tableElement(block, block.title ?? 'Table'));
}

export function tableElement(table: Table, label: string): HTMLElement {
  const head = make('tr');
  const isNumber = table.columns.map((_, at) => table.rows.some((row) => typeof row[at] === 'number'));
  table.columns.forEach((column, at) =>
    head.append(make('th', { scope: 'col', class: isNumber[at] ? 'number' : '' }, withUnit(column.label, column.unit))),
  );
  const body = make('tbody');
  const add = (rows: Cell[][]) => {
    for (const row of rows) {
      const line = make('tr');
      table.columns.forEach((_, at) => line.append(make('td', { class: isNumber[at] ? 'number' : '' }, cellText(row[at]))));
      body.append(line);
    }
  };
  add(table.rows.slice(0, kRowsAtFirst));
  const scroll = make('div', { class: 'scroll-x', tabindex: '0', role: 'region', 'aria-label': label }, make('table', {}, make('thead', {}, head), body));
  if (table.rows.length <= kRowsAtFirst) return scroll;
  const more = make('button', {
    type: 'button',
    click: () => {
      add(table.rows.slice(kRowsAtFirst));
      more.remove();
    },
  }, `Show all ${table.rows.length} rows`);
  return make('div', {}, scroll, more);
}

/// A picture of numbers, which are there as a table and as CSV too.
function plotBlock(block: { title: string; note?: string }, values: Table, draw: (place: HTMLElement) => void): HTMLElement {
  const place = make('div', { class: 'plot' });
  const table = make('div', { class: 'plot-table', hidden: true });
  const toggle = make('button', {
    type: 'button',
    'aria-expanded': 'false',
    click: () => {
      const show = table.hidden;
      if (show && table.childElementCount === 0) table.append(tableElement(values, `Values of ${block.title}`));
      table.hidden = !show;
      toggle.setAttribute('aria-expanded', String(show));
      toggle.textContent = show ? 'Hide table' : 'Show as table';
    },
  }, 'Show as table');
  const csv = make('button', { type: 'button', click: () => download(csvOfTable(values), fileName(block.title)) }, 'CSV');
  csv.setAttribute('aria-label', `Download the values of ${block.title} as CSV`);
  const head = make('figcaption', {}, make('span', {}, block.title), make('span', { class: 'tools' }, toggle, csv));
  const figure = make('figure', { class: 'block' }, head, place, block.note ? make('p', { class: 'note' }, block.note) : null, table);
  // Plots measure their place, which must be on the page by then.
  queueMicrotask(() => draw(place));
  return figure;
}

function download(text: string, name: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  make('a', { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

/// Drawings are made by Aceso itself; that they do nothing but draw is made sure of all the same.
function drawing(block: Drawing): HTMLElement | null {
  const parsed = new DOMParser().parseFromString(block.svg, 'image/svg+xml').documentElement;
  if (parsed.localName !== 'svg') return null;
  for (const element of [parsed, ...parsed.querySelectorAll('*')]) {
    if (element.localName === 'script' || element.localName === 'foreignObject') {
      element.remove();
      continue;
    }
    for (const { name, value } of [...element.attributes]) {
      if (/^on/i.test(name) || (/href$/i.test(name) && !/^(#|data:image\/)/.test(value))) element.removeAttribute(name);
    }
  }
  const svg = document.importNode(parsed, true);
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', block.title || 'Drawing');
  return make('figure', { class: 'block' }, block.title ? make('figcaption', {}, block.title) : null, make('div', { class: 'drawing scroll-x', tabindex: '0', role: 'region', 'aria-label': block.title || 'Drawing' }, svg));
}
