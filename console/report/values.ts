// Tables of values: on the page and as CSV.
import { formatNumber } from '../src/ui/format';
import type { Cell, HeatMap, Plot, Scatter, Table } from './types';

export function cellText(cell: Cell | undefined): string {
  if (cell === null || cell === undefined) return '–';
  return typeof cell === 'number' ? formatNumber(rounded(cell)) : String(cell);
}

/// People compare two decimals; all of them are in report.json.
function rounded(value: number): number {
  return Math.abs(value) >= 1 ? Math.round(100 * value) / 100 : Number(value.toPrecision(4));
}

export const withUnit = (label: string, unit?: string) => (unit ? `${label} (${unit})` : label);

/// The numbers behind a plot, one row for each x.
export function tableOfPlot(plot: Plot): Table {
  return {
    type: 'table',
    columns: [{ label: plot.x_label || 'x' }, ...plot.series.map((series) => ({ label: series.name || plot.y_label || 'y' }))],
    rows: plot.x.map((x, at) => [plot.x_names?.[at] ?? x, ...plot.series.map((series) => series.values[at] ?? null)]),
  };
}

/// What a point's colour stands for; "" for nothing.
export function colourText(scatter: Scatter, at: number): string {
  const value = scatter.values?.[at];
  return scatter.groups?.[at] || (typeof value === 'number' ? formatNumber(value) : '');
}

export function tableOfScatter(scatter: Scatter): Table {
  const colours: (Cell | undefined)[] = scatter.groups?.length ? scatter.groups : (scatter.values ?? []);
  const columns = ['name', scatter.x_label || 'x', scatter.y_label || 'y', ...(colours.length > 0 ? [scatter.colour_label || 'value'] : [])];
  return {
    type: 'table',
    columns: columns.map((label) => ({ label })),
    rows: scatter.names.map((name, at) => [name, scatter.x[at] ?? null, scatter.y[at] ?? null, ...(colours.length > 0 ? [colours[at] ?? null] : [])]),
  };
}

/// A row for each column of the map, as one reads along a sequence.
export function tableOfMap(map: HeatMap): Table {
  return {
    type: 'table',
    columns: ['', ...map.row_names].map((label) => ({ label })),
    rows: map.column_names.map((name, column) => [name, ...map.values.map((row) => row[column] ?? null)]),
  };
}

/// As RFC 4180 has it; an empty field where there is no value.
export function csvOfTable(table: Table): string {
  const rows = [table.columns.map((column) => withUnit(column.label, column.unit)), ...table.rows];
  return rows.map((row) => row.map(csvField).join(',') + '\r\n').join('');
}

function csvField(cell: Cell): string {
  const text = cell === null ? '' : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/// A name for the file of something called `title`.
export function fileName(title: string): string {
  const words = title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_').replaceAll(/^_+|_+$/g, '');
  return `${words || 'plot'}.csv`;
}
