// Tables of molecules: CSV, TSV and lines of SMILES, as rows of text.

export interface MoleculeTable {
  columns: string[];
  rows: string[][];
  smiles: number; // the column that holds the structures
}

/// "smiles", "SMILES_canonical", "product_smiles": what programs call the column of structures.
const kSmilesColumn = /(^|[^a-z])smiles([^a-z]|$)/i;

/// The column of structures, or -1. One that is called just so comes before "start_smiles".
export function smilesColumn(columns: readonly string[]): number {
  const exact = columns.findIndex((column) => column.trim().toLowerCase() === 'smiles');
  return exact >= 0 ? exact : columns.findIndex((column) => kSmilesColumn.test(column));
}

const plainName = (name: string) => name.toLowerCase().replace(/\.gz$/, '');

/// Reads the text of the file `name`. Null if it has no column of structures.
export function parseMolecules(name: string, text: string): MoleculeTable | null {
  const lower = plainName(name);
  if (lower.endsWith('.smi') || lower.endsWith('.smiles')) return ofLines(text);
  const rows = splitRows(text, lower.endsWith('.csv') ? ',' : '\t');
  const columns = rows.shift() ?? [];
  const smiles = smilesColumn(columns);
  return smiles < 0 ? null : { columns, rows, smiles };
}

/// A SMILES, and after blanks perhaps a name. A first line that says "smiles" is a heading.
function ofLines(text: string): MoleculeTable {
  const rows: string[][] = [];
  for (const line of text.split(/\r?\n/)) {
    const [, smiles, name = ''] = /^\s*(\S+)\s*(.*?)\s*$/.exec(line) ?? [];
    if (smiles === undefined || (rows.length === 0 && smiles.toLowerCase() === 'smiles')) continue;
    rows.push([smiles, name]);
  }
  const named = rows.some((row) => row[1] !== '');
  return { columns: named ? ['smiles', 'name'] : ['smiles'], rows: named ? rows : rows.map((row) => row.slice(0, 1)), smiles: 0 };
}

/// As RFC 4180 has it for commas; between tabs, quotes mean nothing. Empty lines are left out.
export function splitRows(text: string, separator: ',' | '\t'): string[][] {
  const rows: string[][] = [];
  let begin = 0;
  while (begin < text.length) {
    let end = text.indexOf('\n', begin);
    if (end < 0) end = text.length;
    // A quoted cell may hold line ends: a line with an odd number of quotes goes on.
    while (separator === ',' && end < text.length && hasOpenQuote(text, begin, end)) {
      const next = text.indexOf('\n', end + 1);
      end = next < 0 ? text.length : next;
    }
    const line = text.slice(begin, text[end - 1] === '\r' && end > begin ? end - 1 : end);
    if (line !== '') rows.push(separator === ',' && line.includes('"') ? quotedCells(line) : line.split(separator));
    begin = end + 1;
  }
  return rows;
}

function hasOpenQuote(text: string, begin: number, end: number): boolean {
  let open = false;
  for (let at = text.indexOf('"', begin); at >= 0 && at < end; at = text.indexOf('"', at + 1)) open = !open;
  return open;
}

function quotedCells(line: string): string[] {
  const cells: string[] = [];
  let cell = '';
  let quoted = false;
  for (let at = 0; at < line.length; ++at) {
    const letter = line[at] as string;
    if (quoted && letter === '"' && line[at + 1] === '"') {
      cell += '"';
      at += 1;
    } else if (letter === '"' && (quoted || cell === '')) quoted = !quoted;
    else if (!quoted && letter === ',') {
      cells.push(cell);
      cell = '';
    } else cell += letter;
  }
  return [...cells, cell];
}

/// The rows whose text holds all `words`, in the order of the table.
export function rowsWithWords(table: MoleculeTable, words: string): number[] {
  const wanted = words.toLowerCase().split(/\s+/).filter((word) => word !== '');
  const found: number[] = [];
  table.rows.forEach((row, at) => {
    const text = wanted.length === 0 ? '' : row.join('\n').toLowerCase();
    if (wanted.every((word) => text.includes(word))) found.push(at);
  });
  return found;
}

export interface Sort {
  column: number;
  descending: boolean;
}

/// `order` by a column: numbers as numbers, text as people sort it, what is missing last in both
/// directions, and equal ones as they stood.
export function sorted(table: MoleculeTable, order: readonly number[], { column, descending }: Sort): number[] {
  const cells = order.map((at) => (table.rows[at]?.[column] ?? '').trim());
  const numbers = cells.map((cell) => (cell === '' ? NaN : Number(cell)));
  const numeric = cells.every((cell, at) => isMissing(cell) || !Number.isNaN(numbers[at]));
  const missing = cells.map((cell, at) => (numeric ? Number.isNaN(numbers[at]) : cell === ''));
  const collator = new Intl.Collator('en', { numeric: true });
  const turn = descending ? -1 : 1;
  return order
    .map((_, place) => place)
    .sort((a, b) => {
      if (missing[a] || missing[b]) return Number(missing[a]) - Number(missing[b]) || a - b;
      const difference = numeric ? (numbers[a] as number) - (numbers[b] as number) : collator.compare(cells[a] as string, cells[b] as string);
      return turn * difference || a - b;
    })
    .map((place) => order[place] as number);
}

const isMissing = (cell: string) => cell === '' || /^(nan|na|null|none|-)$/i.test(cell);
