// Molecules as people of the field look at them: a grid of structures with what is known of each
// underneath, sorted by a column, searched by words and by substructure.
import { useEffect, useId, useState } from 'react';
import { useShownTheme } from '../theme';
import { formatCount, formatNumber } from '../ui/format';
import { Icon } from '../ui/icons';
import { Announce, Callout, CopyButton, Dialog, Loading } from '../ui/parts';
import type { Look, Row } from './messages';
import './molecule_grid.css';
import type { Sort } from './table';
import { useMolecules } from './use_molecules';

const kPageSize = 24;
const kSize = { width: 260, height: 180 };
const kValuesShown = 4;
const kTypingMs = 350;

export default function MoleculeGrid({ address, name }: { address: string; name: string }) {
  const [words, setWords] = useState('');
  const [smarts, setSmarts] = useState('');
  const [sort, setSort] = useState<Sort | null>(null);
  const [first, setFirst] = useState(0);
  const [open, setOpen] = useState<Row | null>(null);
  const look: Look = { ...kSize, dark: useShownTheme() === 'dark' };
  const query = { words: useSettled(words), smarts: useSettled(smarts.trim()), sort };
  const molecules = useMolecules(address, name, query, first, kPageSize, look);
  useEffect(() => setFirst(0), [query.words, query.smarts, sort]);

  const { file, page } = molecules;
  if (molecules.error !== '') {
    return (
      <Callout tone="danger" title="The structures cannot be shown">
        {molecules.error}
      </Callout>
    );
  }
  if (!file) return <Loading what="Reading the molecules" />;
  const others = file.columns.map((_, at) => at).filter((at) => at !== file.smiles);
  return (
    <div className="molecules" data-test="molecules">
      <Tools file={file} words={words} setWords={setWords} smarts={smarts} setSmarts={setSmarts} wrong={molecules.wrongSmarts} sort={sort} setSort={setSort} others={others} />
      <p className="muted molecules-count">{page && !molecules.wrongSmarts ? countOf(page, file.rows) : ' '}</p>
      <Announce>{page && page.tested === page.total && !molecules.wrongSmarts ? `${formatCount(page.found, 'molecule')} found` : ''}</Announce>
      {page && page.rows.length === 0 && page.tested === page.total && <p className="molecules-none">No molecule matches.</p>}
      <ul className="molecule-list" aria-label="Molecules">
        {page?.rows.map((row) => (
          <Card key={row.at} row={row} file={file} shown={shownColumns(others, sort)} svg={molecules.drawing(row.at)} open={() => setOpen(row)} />
        ))}
      </ul>
      {page && page.found > kPageSize && <Pages first={first} found={page.found} go={setFirst} />}
      {file.cut && <p className="hint">The file has more: only its first {formatCount(file.rows, 'molecule')} are shown. Download it for all.</p>}
      {open && <Whole row={open} file={file} svg={molecules.drawing(open.at)} close={() => setOpen(null)} />}
    </div>
  );
}

/// What was typed, once it has stayed the same for a moment.
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), kTypingMs);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}

type File = NonNullable<ReturnType<typeof useMolecules>['file']>;
type Page = NonNullable<ReturnType<typeof useMolecules>['page']>;

function countOf({ found, tested, total }: Page, rows: number): string {
  if (tested < total) return `${formatCount(found, 'molecule')} so far, ${Math.floor((100 * tested) / total)} % looked through…`;
  return found === rows ? formatCount(found, 'molecule') : `${formatNumber(found)} of ${formatCount(rows, 'molecule')}`;
}

/// The first few, with the one that the order follows before all others.
function shownColumns(others: number[], sort: Sort | null): number[] {
  const rest = others.filter((at) => at !== sort?.column);
  return (sort !== null && others.includes(sort.column) ? [sort.column, ...rest] : rest).slice(0, kValuesShown);
}

interface ToolsProps {
  file: File;
  words: string;
  setWords: (words: string) => void;
  smarts: string;
  setSmarts: (smarts: string) => void;
  wrong: boolean;
  sort: Sort | null;
  setSort: (sort: Sort | null) => void;
  others: number[];
}

function Tools({ file, words, setWords, smarts, setSmarts, wrong, sort, setSort, others }: ToolsProps) {
  const id = useId();
  return (
    <div className="molecule-tools" role="search" aria-label="Molecules">
      <div className="search">
        <Icon name="search" />
        <input type="search" aria-label="Search text" placeholder="Search text" value={words} onChange={(event) => setWords(event.target.value)} />
      </div>
      <div>
        <input
          type="text"
          aria-label="Substructure (SMARTS)"
          placeholder="Substructure, such as c1ccccc1 or [NX3;H2]"
          value={smarts}
          spellCheck={false}
          autoCapitalize="off"
          autoComplete="off"
          aria-invalid={wrong}
          aria-describedby={wrong ? `${id}-wrong` : undefined}
          onChange={(event) => setSmarts(event.target.value)}
        />
        {wrong && (
          <p className="mistake" id={`${id}-wrong`} role="alert">
            This is no SMARTS pattern.
          </p>
        )}
      </div>
      <div className="molecule-sort">
        <select aria-label="Sort by" value={sort?.column ?? ''} onChange={(event) => setSort(event.target.value === '' ? null : { column: Number(event.target.value), descending: sort?.descending ?? false })}>
          <option value="">As in the file</option>
          {[...others, file.smiles].map((at) => (
            <option key={at} value={at}>
              Sort by {file.columns[at]}
            </option>
          ))}
        </select>
        <button
          type="button"
          className="icon-only"
          disabled={sort === null}
          aria-label={sort?.descending ? 'Descending: sort ascending' : 'Ascending: sort descending'}
          title={sort?.descending ? 'Descending' : 'Ascending'}
          onClick={() => sort && setSort({ ...sort, descending: !sort.descending })}
        >
          <Icon name={sort?.descending ? 'down' : 'up'} size={16} />
        </button>
      </div>
    </div>
  );
}

function Card({ row, file, shown, svg, open }: { row: Row; file: File; shown: number[]; svg: string | null | undefined; open: () => void }) {
  const smiles = row.cells[file.smiles] ?? '';
  return (
    <li className="molecule">
      <button type="button" className="molecule-open" onClick={open} aria-label={`${svg === null ? wrongText(smiles) : 'Look at'} molecule ${row.at + 1}, ${smiles}`}>
        <Structure svg={svg} smiles={smiles} />
      </button>
      <code className="molecule-smiles" title={smiles}>
        {smiles}
      </code>
      <dl>
        {shown.map((at) => (
          <div key={at}>
            <dt title={file.columns[at]}>{file.columns[at]}</dt>
            <dd title={row.cells[at]}>{shortened(row.cells[at])}</dd>
          </div>
        ))}
      </dl>
    </li>
  );
}

const wrongText = (smiles: string) => (smiles === '' ? 'No structure' : 'Not a valid SMILES');

/// As an image, so that nothing of a drawing can act in the page.
function Structure({ svg, smiles }: { svg: string | null | undefined; smiles: string }) {
  if (svg === undefined) return <span className="molecule-waiting" aria-hidden="true" />;
  if (svg === null) return <span className="molecule-wrong">{wrongText(smiles)}</span>;
  return <img src={`data:image/svg+xml,${encodeURIComponent(svg)}`} alt="" width={kSize.width} height={kSize.height} />;
}

/// Numbers with six digits at most; all of them are in the file.
function shortened(cell: string | undefined): string {
  if (cell === undefined || cell === '') return '–';
  return /^-?\d+\.\d{4,}(e[-+]?\d+)?$/i.test(cell) ? formatNumber(Number(Number(cell).toPrecision(5))) : cell;
}

function Pages({ first, found, go }: { first: number; found: number; go: (first: number) => void }) {
  const pages = Math.ceil(found / kPageSize);
  const page = Math.floor(first / kPageSize) + 1;
  const [typed, setTyped] = useState('');
  const turnTo = (wanted: number) => go((Math.min(pages, Math.max(1, wanted)) - 1) * kPageSize);
  return (
    <nav className="molecule-pages" aria-label="Pages of molecules">
      <button type="button" disabled={page === 1} onClick={() => turnTo(page - 1)}>
        Previous
      </button>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const wanted = Number(typed);
          if (Number.isInteger(wanted) && wanted > 0) turnTo(wanted);
          setTyped('');
        }}
      >
        Page <input type="text" inputMode="numeric" aria-label={`Page, of ${pages}`} placeholder={formatNumber(page)} value={typed} onChange={(event) => setTyped(event.target.value)} /> of {formatNumber(pages)}
      </form>
      <button type="button" disabled={page >= pages} onClick={() => turnTo(page + 1)}>
        Next
      </button>
    </nav>
  );
}

function Whole({ row, file, svg, close }: { row: Row; file: File; svg: string | null | undefined; close: () => void }) {
  const smiles = row.cells[file.smiles] ?? '';
  return (
    <Dialog title={`Molecule ${formatNumber(row.at + 1)}`} close={close} wide>
      <div className="molecule-whole">
        <div className="molecule-large">
          <Structure svg={svg} smiles={smiles} />
        </div>
        <p className="molecule-copy">
          <code>{smiles}</code> <CopyButton text={smiles} what="the SMILES" />
        </p>
        <dl className="pairs">
          {file.columns.map((column, at) =>
            at === file.smiles ? null : (
              <div key={at}>
                <dt>{column}</dt>
                <dd>{row.cells[at] ?? ''}</dd>
              </div>
            ),
          )}
        </dl>
      </div>
    </Dialog>
  );
}
