// What the cells of a heat map say.
import { formatNumber } from '../src/ui/format';
import type { HeatMap } from './types';

export interface Cell {
  row: number;
  column: number;
}

/// The size of value that gets the strongest colour: the few that are larger share it.
export function strongest(values: (number | null)[][]): number {
  const sizes = values.flat().flatMap((value) => (value === null || value === 0 ? [] : [Math.abs(value)])).sort((a, b) => a - b);
  return sizes[Math.floor(0.98 * (sizes.length - 1))] ?? 1;
}

/// "K24": its letter and its position; what is not named so has neither.
export function partsOf(column: string): { letter: string; position: number | null } {
  const [, letter = '', digits] = /^(\D?)(-?\d+)$/.exec(column) ?? [];
  return { letter, position: digits === undefined ? null : Number(digits) };
}

/// "K24A", and its value; "column, row" where columns are no residues.
export function textOf(map: HeatMap, { row, column }: Cell): string[] {
  const [from, to] = [map.column_names[column] ?? '', map.row_names[row] ?? ''];
  const value = map.values[row]?.[column] ?? null;
  const own = map.marks?.[column] === row ? ' (its own)' : '';
  const name = partsOf(from).position === null ? `${from}, ${to}` : `${from}${to}`;
  return [`${name}${own}`, value === null ? 'no value' : formatNumber(Number(value.toPrecision(3)))];
}
