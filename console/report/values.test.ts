import { expect, it } from 'vitest';
import type { Plot } from './types';
import { cellText, csvOfTable, fileName, tableOfPlot } from './values';

const plot: Plot = {
  type: 'plot',
  plot: 'bar',
  title: 'Counts',
  x_label: 'base',
  x: [0, 1],
  x_names: ['A', 'C, "G"'],
  series: [
    { name: 'before', values: [1.5, null] },
    { name: 'after', values: [2, 3] },
  ],
};

it('gives the numbers of a plot by their names', () => {
  expect(tableOfPlot(plot).rows).toEqual([
    ['A', 1.5, 2],
    ['C, "G"', null, 3],
  ]);
});

it('quotes what would break a CSV line, and leaves gaps empty', () => {
  expect(csvOfTable(tableOfPlot(plot))).toBe('base,before,after\r\nA,1.5,2\r\n"C, ""G""",,3\r\n');
});

it.each([
  [65.08361234, '65.08'],
  [1234567, '1,234,567'],
  [0.000123456, '0.0001235'],
  [-7.126, '-7.13'],
  [null, '–'],
  ['text', 'text'],
])('shows %s as %s', (value, text) => {
  expect(cellText(value)).toBe(text);
});

it('makes file names of titles', () => {
  expect(fileName('Quality by position (R1)')).toBe('quality_by_position_r1.csv');
  expect(fileName('–')).toBe('plot.csv');
});
