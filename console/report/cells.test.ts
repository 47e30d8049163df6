import { expect, it } from 'vitest';
import { partsOf, strongest, textOf } from './cells';
import { ranks } from './colours';
import type { HeatMap, Scatter } from './types';
import { tableOfMap, tableOfScatter } from './values';

const map: HeatMap = { type: 'heat_map', title: '', row_names: ['A', 'K'], column_names: ['K24', 'A25'], values: [[-3.2123, 0], [0, null]], marks: [1, 0] };

it('names a substitution as the field does', () => {
  expect(textOf(map, { row: 0, column: 0 })).toEqual(['K24A', '-3.21']);
  expect(textOf(map, { row: 1, column: 0 })).toEqual(['K24K (its own)', '0']);
  expect(textOf(map, { row: 1, column: 1 })).toEqual(['A25K', 'no value']);
  expect(textOf({ ...map, column_names: ['liver', 'lung'] }, { row: 1, column: 1 })[0]).toBe('lung, K');
});

it('reads letter and position', () => {
  expect(partsOf('M1')).toEqual({ letter: 'M', position: 1 });
  expect(partsOf('M-3')).toEqual({ letter: 'M', position: -3 });
  expect(partsOf('12')).toEqual({ letter: '', position: 12 });
  expect(partsOf('lung')).toEqual({ letter: '', position: null });
});

it('does not let one outlier take all the colour', () => {
  const usual = Array.from({ length: 200 }, (_, at) => (at % 2 === 0 ? 1 : -1));
  expect(strongest([[...usual, -90, 0, null]])).toBe(1);
  expect(strongest([[0, null]])).toBe(1);
});

it('is a table with a row for each column', () => {
  expect(tableOfMap(map).columns.map((column) => column.label)).toEqual(['', 'A', 'K']);
  expect(tableOfMap(map).rows).toEqual([['K24', -3.2123, 0], ['A25', 0, null]]);
});

it('gives equal values of a scatter plot one colour, and none to what lacks', () => {
  expect(ranks([5, null, 1, 1, 9])).toEqual([2 / 3, null, 0, 0, 1]);
  const scatter: Scatter = { type: 'scatter', title: '', x: [1, 2], y: [3, 4], names: ['a', 'b'], values: [7, null], colour_label: 'length' };
  expect(tableOfScatter(scatter).rows).toEqual([['a', 1, 3, 7], ['b', 2, 4, null]]);
  expect(tableOfScatter({ ...scatter, values: [], groups: ['x', ''] }).rows).toEqual([['a', 1, 3, 'x'], ['b', 2, 4, '']]);
});
