// Loading a value for a part of the page.
import { useCallback, useEffect, useRef, useState, type DependencyList } from 'react';

export interface Loaded<T> {
  value: T | null;
  error: unknown; // null if the last attempt succeeded
  loading: boolean;
  reload: () => void;
}

/// Calls `load` at first, when `dependencies` change, and on reload(). What was loaded stays
/// visible while it is loaded again; an answer that comes too late is dropped.
export function useLoad<T>(load: (signal: AbortSignal) => Promise<T>, dependencies: DependencyList): Loaded<T> {
  const [state, setState] = useState<{ value: T | null; error: unknown; loading: boolean }>({
    value: null,
    error: null,
    loading: true,
  });
  const [turn, setTurn] = useState(0);
  const newest = useRef(load);
  newest.current = load;

  useEffect(() => {
    const controller = new AbortController();
    setState((before) => ({ ...before, loading: true }));
    newest.current(controller.signal).then(
      (value) => {
        if (!controller.signal.aborted) setState({ value, error: null, loading: false });
      },
      (error: unknown) => {
        if (!controller.signal.aborted) setState((before) => ({ ...before, error, loading: false }));
      },
    );
    return () => controller.abort();
  }, [...dependencies, turn]);

  const reload = useCallback(() => setTurn((before) => before + 1), []);
  return { ...state, reload };
}

/// Calls `act` every `milliseconds` while the page is visible and `active`.
export function useInterval(act: () => unknown, milliseconds: number, active = true): void {
  const newest = useRef(act);
  newest.current = act;
  useEffect(() => {
    if (!active) return undefined;
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') newest.current();
    }, milliseconds);
    return () => clearInterval(timer);
  }, [milliseconds, active]);
}
