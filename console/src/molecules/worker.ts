// A worker of its own for molecules: it keeps the table, and parses, matches and draws without
// holding up the page. RDKit is fetched when the first drawing is asked for.
import initRDKit, { type MainModule } from '@rdkit/rdkit';
import wasm from '@rdkit/rdkit/RDKit_minimal.wasm?url';
import { draw, Pattern } from './chemistry';
import { readText } from './file';
import type { Answer, Query, Question } from './messages';
import { parseMolecules, rowsWithWords, sorted, type MoleculeTable } from './table';

const kSliceMs = 25; // of work between two looks at the questions
const kReportMs = 250;

let table: MoleculeTable = { columns: [], rows: [], smiles: 0 };
let rdkit: Promise<MainModule> | null = null;

/// The search that goes on, and what is known of its substructure: 0 not tested, 1 in, 2 not in.
let turn = 0;
let pattern: { smarts: string; value: Pattern | null; known: Uint8Array } = { smarts: '', value: null, known: new Uint8Array() };
let ordered: { key: string; rows: number[] } = { key: '', rows: [] };

const say = (answer: Answer) => postMessage(answer);
const smilesOf = (at: number) => table.rows[at]?.[table.smiles] ?? '';
const pause = () => new Promise<void>((done) => setTimeout(done, 0));

function chemistry(): Promise<MainModule> {
  // What RDKit says of a wrong SMILES is shown at the molecule, not in the browser's console.
  rdkit ??= initRDKit({ locateFile: () => wasm, print: () => undefined, printErr: () => undefined }).catch((error: unknown) => {
    rdkit = null; // a broken connection may be whole at the next question
    throw error;
  });
  return rdkit;
}

async function open(address: string, name: string): Promise<void> {
  const { text, cut } = await readText(address, name);
  const read = parseMolecules(name, text);
  if (read === null) throw new Error('it has no column called smiles');
  table = read;
  say({ type: 'opened', columns: table.columns, smiles: table.smiles, rows: table.rows.length, cut });
}

function candidates(query: Query): number[] {
  const key = JSON.stringify([query.words, query.sort]);
  if (ordered.key !== key) {
    const rows = rowsWithWords(table, query.words);
    ordered = { key, rows: query.sort === null ? rows : sorted(table, rows, query.sort) };
  }
  return ordered.rows;
}

/// Whether `smarts` is a pattern, which is then the one that is looked for.
async function take(smarts: string): Promise<boolean> {
  if (pattern.smarts === smarts && pattern.known.length === table.rows.length) return smarts === '' || pattern.value !== null;
  const value = smarts === '' ? null : Pattern.of(await chemistry(), smarts);
  pattern.value?.delete();
  pattern = { smarts, value, known: new Uint8Array(table.rows.length) };
  return smarts === '' || value !== null;
}

async function page(mine: number, query: Query, first: number, count: number): Promise<void> {
  turn = mine;
  if (!(await take(query.smarts))) {
    if (turn === mine) say({ type: 'wrong-smarts', turn: mine });
    return;
  }
  if (turn !== mine) return;
  const all = candidates(query);
  const total = all.length;
  const tell = (found: number[], tested: number) =>
    say({ type: 'page', turn: mine, rows: found.slice(first, first + count).map((at) => ({ at, cells: table.rows[at] ?? [] })), found: found.length, tested, total });
  if (query.smarts === '') return tell(all, total);

  const found: number[] = [];
  let sliceEnd = performance.now() + kSliceMs;
  let reportAt = performance.now() + kReportMs / 2;
  for (let tested = 0; tested < total; ++tested) {
    const at = all[tested] as number;
    if (isIn(at)) found.push(at);
    if (performance.now() < sliceEnd) continue;
    if (performance.now() >= reportAt) {
      tell(found, tested + 1);
      reportAt = performance.now() + kReportMs;
    }
    await pause();
    if (turn !== mine) return;
    sliceEnd = performance.now() + kSliceMs;
  }
  tell(found, total);
}

function isIn(at: number): boolean {
  if (pattern.known[at] === 0) pattern.known[at] = pattern.value?.matches(smilesOf(at)) ? 1 : 2;
  return pattern.known[at] === 1;
}

async function drawRows({ turn: mine, rows, smarts, look }: Extract<Question, { type: 'draw' }>): Promise<void> {
  const tool = await chemistry();
  for (const at of rows) {
    if (turn !== mine) return;
    // While another search is being prepared its pattern is not the one to mark.
    const marked = smarts !== '' && pattern.smarts === smarts ? pattern.value : null;
    say({ type: 'drawn', turn: mine, at, svg: draw(tool, smilesOf(at), marked, look) });
    await pause();
  }
}

function answer(question: Question): Promise<void> {
  switch (question.type) {
    case 'open':
      return open(question.address, question.name);
    case 'page':
      return page(question.turn, question.query, question.first, question.count);
    case 'draw':
      return drawRows(question);
  }
}

addEventListener('message', (event: MessageEvent<Question>) => {
  answer(event.data).catch((error: unknown) => say({ type: 'failed', message: error instanceof Error ? error.message : String(error) }));
});
