// States of a run as people read them.
import type { Run, RunState } from '../../api/types';
import { formatSeconds } from '../../ui/format';
import { Badge, type Tone } from '../../ui/parts';

const kTones: Record<RunState, Tone> = {
  queued: 'neutral',
  running: 'info',
  succeeded: 'ok',
  failed: 'danger',
  cancelled: 'neutral',
  interrupted: 'warn',
};

export const kStates = Object.keys(kTones) as RunState[];

export function StateBadge({ state }: { state: RunState }) {
  return (
    <Badge tone={kTones[state]} dot>
      {state}
    </Badge>
  );
}

export const isOver = (state: RunState) => state !== 'queued' && state !== 'running';

/// How long the run took, or has taken by `now`.
export function durationOf(run: Run, now: number): string {
  if (run.started === null) return '–';
  if (!isOver(run.state)) return formatSeconds(Math.max(0, (now - Date.parse(run.started)) / 1000));
  if (run.seconds !== null && run.seconds !== undefined) return formatSeconds(run.seconds);
  return run.finished === null ? '–' : formatSeconds((Date.parse(run.finished) - Date.parse(run.started)) / 1000);
}
