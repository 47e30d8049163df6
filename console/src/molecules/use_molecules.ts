// A file of molecules as a page looks through it: the worker's answers as state.
import { useCallback, useEffect, useRef, useState } from 'react';
import type { Answer, Look, Query, Row } from './messages';
import { MoleculeWorker } from './molecule_worker';

export interface Molecules {
  file: { columns: string[]; smiles: number; rows: number; cut: boolean } | null;
  error: string;
  /// The rows of the page that was asked for, once they are known.
  page: { rows: Row[]; found: number; tested: number; total: number } | null;
  wrongSmarts: boolean;
  /// undefined: not yet drawn; null: no valid SMILES.
  drawing: (at: number) => string | null | undefined;
}

const kDrawingsKept = 600;

export function useMolecules(address: string, name: string, query: Query, first: number, count: number, look: Look): Molecules {
  const [file, setFile] = useState<Molecules['file']>(null);
  const [error, setError] = useState('');
  const [page, setPage] = useState<Molecules['page']>(null);
  const [wrongSmarts, setWrongSmarts] = useState(false);
  const [, redraw] = useState(0);
  const worker = useRef<MoleculeWorker | null>(null);
  const turn = useRef(0);
  const asked = useRef(new Set<number>()); // rows whose drawing was asked for in this turn
  const drawings = useRef(new Map<string, string | null>());
  const keyOf = (at: number) => `${at} ${look.dark} ${query.smarts}`;
  const take = useRef<(answer: Answer) => void>(() => undefined);

  take.current = (answer) => {
    if (answer.type === 'failed') setError(answer.message);
    if (answer.type === 'opened') setFile(answer);
    if (!('turn' in answer) || answer.turn !== turn.current) return;
    if (answer.type === 'wrong-smarts') setWrongSmarts(true);
    if (answer.type === 'page') {
      setWrongSmarts(false);
      setPage(answer);
      const fresh = answer.rows.map((row) => row.at).filter((at) => !asked.current.has(at) && !drawings.current.has(keyOf(at)));
      fresh.forEach((at) => asked.current.add(at));
      if (fresh.length > 0) worker.current?.ask({ type: 'draw', turn: turn.current, rows: fresh, smarts: query.smarts, look });
    }
    if (answer.type === 'drawn') {
      const kept = drawings.current;
      kept.set(keyOf(answer.at), answer.svg);
      for (const key of kept.keys()) {
        if (kept.size <= kDrawingsKept) break;
        kept.delete(key);
      }
      redraw((before) => before + 1);
    }
  };

  useEffect(() => {
    const mine = new MoleculeWorker((answer) => take.current(answer));
    worker.current = mine;
    mine.ask({ type: 'open', address: new URL(address, location.href).href, name });
    return () => mine.close();
  }, [address, name]);

  const ready = file !== null;
  useEffect(() => {
    if (!ready) return;
    turn.current += 1;
    asked.current.clear();
    worker.current?.ask({ type: 'page', turn: turn.current, query, first, count });
  }, [ready, query.words, query.smarts, query.sort?.column, query.sort?.descending, first, count, look.dark]);

  const drawing = useCallback((at: number) => drawings.current.get(keyOf(at)), [look.dark, query.smarts]);
  return { file, error, page, wrongSmarts, drawing };
}
