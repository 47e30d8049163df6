// A file row by row, as its view in the hub gives them: filters, pages, and how far the file has
// been looked through. Nothing here knows what the rows are.
import { useEffect, useState } from 'react';
import { messageOf } from '../api/client';
import * as hub from '../api/hub';
import type { Rows, RowsOf, ViewFilter } from '../api/types';
import { formatCount } from '../ui/format';
import { Callout, Loading } from '../ui/parts';
import { ValueTable } from '../ui/table';
import './rows_table.css';

const kPageSize = 100;
const kTypingMs = 400;

export function RowsTable({ address, name, of }: { address: string; name: string; of: RowsOf }) {
  const [filters, setFilters] = useState<Record<string, string>>({});
  const settled = useSettled(filters);
  // Where this page and those before it begin; the last one is shown.
  const [begins, setBegins] = useState<(string | null)[]>([null]);
  useEffect(() => setBegins([null]), [settled]);
  const begin = begins[begins.length - 1] ?? null;
  const { page, error, busy } = usePage(address, settled, begin);

  return (
    <div className="rows" data-test="rows">
      <div className="rows-filters" role="search" aria-label={`Filter ${of.noun}`}>
        {of.filters.map((filter) => (
          <Filter key={filter.name} filter={filter} value={filters[filter.name] ?? ''} set={(value) => setFilters({ ...filters, [filter.name]: value })} />
        ))}
      </div>
      {error !== '' && <Callout tone="danger">{error}</Callout>}
      {!page && error === '' && <Loading what={`Reading the ${of.noun}`} />}
      {page && error === '' && (
        <>
          <p className="muted rows-count" data-test="rows-count" aria-live="polite">
            {countOf(page, begins.length, busy, of.noun)}
          </p>
          {page.rows.length > 0 && <ValueTable columns={page.columns} rows={page.rows} label={`${of.noun} of ${name}`} />}
          <div className="rows-pages">
            <button disabled={begins.length === 1} onClick={() => setBegins(begins.slice(0, -1))}>
              Previous
            </button>
            <button disabled={busy || page.next === null} onClick={() => setBegins([...begins, page.next])}>
              Next
            </button>
          </div>
        </>
      )}
    </div>
  );
}

function Filter({ filter, value, set }: { filter: ViewFilter; value: string; set: (value: string) => void }) {
  return (
    <label className="rows-filter">
      <span>{filter.label}</span>
      {filter.choices.length > 0 ? (
        <select value={value} onChange={(event) => set(event.target.value)}>
          <option value="">All</option>
          {filter.choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      ) : (
        <input type="text" value={value} placeholder={filter.placeholder} spellCheck={false} autoComplete="off" onChange={(event) => set(event.target.value)} />
      )}
    </label>
  );
}

function countOf(page: Rows, number: number, busy: boolean, noun: string): string {
  const through = `${Math.floor(100 * page.share)} % of the file looked through`;
  if (page.rows.length === 0) return busy ? `None found yet, ${through}…` : `No ${noun} match${number > 1 ? ' further on' : ''}.`;
  const rows = formatCount(page.rows.length, 'row');
  return `Page ${number}: ${rows}, ${through}${busy ? '…' : ''}`;
}

/// What was chosen, once it has stayed the same for a moment.
function useSettled(filters: Record<string, string>): Record<string, string> {
  const [settled, setSettled] = useState(filters);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(filters), kTypingMs);
    return () => clearTimeout(timer);
  }, [filters]);
  return settled;
}

/// One page. The hub looks at some megabytes a request; it is asked again until the page is full.
function usePage(address: string, filters: Record<string, string>, begin: string | null) {
  const [state, setState] = useState<{ page: Rows | null; error: string; busy: boolean }>({ page: null, error: '', busy: true });
  useEffect(() => {
    const controller = new AbortController();
    const fill = async () => {
      const found: string[][] = [];
      let cursor = begin;
      do {
        const more = await hub.rows(address, { ...filters, cursor, limit: kPageSize - found.length }, controller.signal);
        if (controller.signal.aborted) return;
        found.push(...more.rows);
        cursor = more.next;
        setState({ page: { ...more, rows: [...found] }, error: '', busy: cursor !== null && found.length < kPageSize });
      } while (cursor !== null && found.length < kPageSize);
    };
    setState((before) => ({ ...before, busy: true }));
    fill().catch((error: unknown) => {
      if (!controller.signal.aborted) setState({ page: null, error: messageOf(error), busy: false });
    });
    return () => controller.abort();
  }, [address, filters, begin]);
  return state;
}
