import { describe, expect, it } from 'vitest';
import { parseMolecules, rowsWithWords, smilesColumn, sorted, splitRows } from './table';

describe('reading tables of molecules', () => {
  it('finds the column of structures by what programs call it', () => {
    expect(smilesColumn(['id', 'SMILES'])).toBe(1);
    expect(smilesColumn(['start_smiles', 'smiles'])).toBe(1);
    expect(smilesColumn(['id', 'canonical_smiles', 'x'])).toBe(1);
    expect(smilesColumn(['smileyness', 'id'])).toBe(-1);
  });

  it('reads quoted cells, with commas, quotes and line ends in them', () => {
    expect(splitRows('a,b\r\n"x, ""y""","two\nlines"\n\nlast,\n', ',')).toEqual([['a', 'b'], ['x, "y"', 'two\nlines'], ['last', '']]);
  });

  it('leaves quotes between tabs alone', () => {
    expect(splitRows('a\tb\n"\t1"', '\t')).toEqual([['a', 'b'], ['"', '1"']]);
  });

  it('reads lines of SMILES with and without names and a heading', () => {
    expect(parseMolecules('x.smi', 'smiles name\nCCO ethanol of wine\n\nC\n')).toEqual({
      columns: ['smiles', 'name'],
      rows: [['CCO', 'ethanol of wine'], ['C', '']],
      smiles: 0,
    });
    expect(parseMolecules('x.smiles.gz', 'C\nCC')?.columns).toEqual(['smiles']);
  });

  it('knows that a table without structures is none of molecules', () => {
    expect(parseMolecules('scores.csv', 'position,score\n1,2\n')).toBeNull();
  });
});

describe('looking through molecules', () => {
  const table = parseMolecules('x.csv', 'smiles,qed,name\nC,0.9,methane\nCC,10,Ethane\nCCC,,propane 10\nCCCC,-2,butane 9\nN,nan,\n')!;
  const all = rowsWithWords(table, '');

  it('finds rows that have all words in any cell', () => {
    expect(all).toEqual([0, 1, 2, 3, 4]);
    expect(rowsWithWords(table, 'ethane')).toEqual([0, 1]);
    expect(rowsWithWords(table, 'ane 10')).toEqual([1, 2]);
  });

  it('sorts numbers as numbers and leaves what is missing at the end', () => {
    expect(sorted(table, all, { column: 1, descending: false })).toEqual([3, 0, 1, 2, 4]);
    expect(sorted(table, all, { column: 1, descending: true })).toEqual([1, 0, 3, 2, 4]);
  });

  it('sorts text with numbers in it as people do', () => {
    expect(sorted(table, [2, 3, 0, 4], { column: 2, descending: false })).toEqual([3, 0, 2, 4]);
  });

  it('sorts a hundred thousand rows', () => {
    const rows = Array.from({ length: 100_000 }, (_, at) => ['C', String((at * 7919) % 100_003)]);
    const large = { columns: ['smiles', 'x'], rows, smiles: 0 };
    const order = sorted(large, rows.map((_, at) => at), { column: 1, descending: false });
    const values = order.map((at) => Number(rows[at]?.[1]));
    expect(values.every((value, at) => at === 0 || (values[at - 1] as number) < value)).toBe(true);
  });
});
