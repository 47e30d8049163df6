// A run as it goes: what the hub knows of it, and then its events.
import { useCallback, useEffect, useState } from 'react';
import * as hub from '../../api/hub';
import { followRun } from '../../api/events';
import type { LogLine, Progress, Run } from '../../api/types';
import { addEvent, kNoCurve, type Curve } from './curve';
import { PaceMeter, type Pace } from './rate';

export interface LiveRun {
  run: Run | null;
  error: unknown; // why there is no run
  progress: Progress | null;
  pace: Pace;
  log: readonly LogLine[];
  curve: Curve; // of losses, if the run trains
  dropped: number; // lines of the log that are no longer kept here
  connected: boolean;
  /// Takes what the hub answered to an action; follows the run again if it lives again.
  take: (run: Run) => void;
  reload: () => void;
}

const kLogLines = 2000;
const kFlushMs = 100;
const kNoPace: Pace = { perSecond: null, secondsLeft: null };

export function useRun(id: string): LiveRun {
  const [run, setRun] = useState<Run | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [progress, setProgress] = useState<{ progress: Progress; pace: Pace } | null>(null);
  const [log, setLog] = useState<{ lines: LogLine[]; dropped: number }>({ lines: [], dropped: 0 });
  const [curve, setCurve] = useState<Curve>(kNoCurve);
  const [connected, setConnected] = useState(true);
  const [turn, setTurn] = useState(0);
  const attempt = run?.attempt;

  useEffect(() => {
    let gone = false;
    setError(null);
    hub.getRun(id).then(
      (answer) => !gone && setRun(answer),
      (problem: unknown) => !gone && setError(problem),
    );
    return () => {
      gone = true;
    };
  }, [id, turn]);

  useEffect(() => {
    if (attempt === undefined) return undefined;
    const meter = new PaceMeter();
    let lines: LogLine[] = [];
    let newest: { progress: Progress; pace: Pace } | null = null;
    // A run may say more than can be drawn: what came within a tenth of a second is drawn at once.
    const timer = setInterval(flush, kFlushMs);
    function flush() {
      if (newest) setProgress(newest);
      if (lines.length > 0) {
        const fresh = lines;
        setCurve((before) => fresh.reduce(addEvent, before));
        setLog((before) => {
          const all = [...before.lines, ...fresh];
          const dropped = Math.max(0, all.length - kLogLines);
          return { lines: all.slice(dropped), dropped: before.dropped + dropped };
        });
      }
      newest = null;
      lines = [];
    }
    setLog({ lines: [], dropped: 0 });
    setProgress(null);
    setCurve(kNoCurve);
    const stop = followRun(id, {
      state: (state) => {
        setRun((before) => before && { ...before, state });
        // The event tells no times; a queued run that starts has one now.
        if (state === 'running') void hub.getRun(id).then((answer) => setRun((before) => (before && before.state === 'running' ? answer : before)), () => undefined);
      },
      progress: (value) => {
        newest = { progress: value, pace: meter.add(value) };
      },
      log: (line) => lines.push(line),
      end: (answer) => {
        flush();
        setRun(answer);
      },
      connected: (yes) => {
        setConnected(yes);
        // Perhaps nobody is logged in any more, or the run has ended meanwhile.
        if (!yes) void hub.getRun(id).then(setRun, () => undefined);
      },
    });
    return () => {
      stop();
      clearInterval(timer);
    };
  }, [id, attempt]);

  const take = useCallback((answer: Run) => setRun(answer), []);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  return {
    run,
    error,
    progress: progress?.progress ?? run?.progress ?? null,
    pace: progress?.pace ?? kNoPace,
    log: log.lines,
    curve,
    dropped: log.dropped,
    connected,
    take,
    reload,
  };
}
