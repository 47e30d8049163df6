// A run's server-sent events, followed until they end.
import type { LogLine, Progress, Run, RunState } from './types';

export interface RunListener {
  state(state: RunState): void;
  progress(progress: Progress): void;
  log(line: LogLine): void;
  end(run: Run): void;
  /// Whether events arrive at the moment.
  connected(yes: boolean): void;
}

const kFirstPause = 1000;
const kLongestPause = 15000;

/// Follows run `id`; the answer is the function that stops it.
///
/// A browser resumes a broken stream by itself (Last-Event-ID), but gives up when the hub answers
/// with an error, as while it restarts. Then a new stream begins after the last event seen.
export function followRun(id: string, listener: RunListener): () => void {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = '';
  let pause = kFirstPause;
  let stopped = false;

  function stop(): void {
    stopped = true;
    clearTimeout(timer);
    source?.close();
  }

  function open(): void {
    const after = last === '' ? '' : `?after=${encodeURIComponent(last)}`;
    const stream = new EventSource(`/v1/runs/${encodeURIComponent(id)}/events${after}`);
    source = stream;

    function on<T>(name: string, act: (value: T) => void): void {
      stream.addEventListener(name, (event: MessageEvent<string>) => {
        if (stopped) return;
        if (event.lastEventId !== '') last = event.lastEventId;
        act(JSON.parse(event.data) as T);
      });
    }

    stream.onopen = () => {
      pause = kFirstPause;
      listener.connected(true);
    };
    stream.onerror = () => {
      if (stopped) return;
      listener.connected(false);
      if (stream.readyState !== EventSource.CLOSED) return;
      timer = setTimeout(open, pause);
      pause = Math.min(2 * pause, kLongestPause);
    };
    on<{ state: RunState }>('state', (value) => listener.state(value.state));
    on<Progress>('progress', (value) => listener.progress(value));
    on<LogLine>('log', (value) => listener.log(value));
    on<Run>('end', (value) => {
      stop();
      listener.connected(true);
      listener.end(value);
    });
  }

  open();
  return stop;
}
