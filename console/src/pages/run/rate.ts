// How fast a stage goes at the moment, and how long it will still take.
import type { Progress } from '../../api/types';

export interface Pace {
  perSecond: number | null;
  secondsLeft: number | null;
}

const kWindowSeconds = 10;

/// Remembers the last ten seconds of a stage: its pace then says more of what is left than its mean.
export class PaceMeter {
  private stage = '';
  private samples: { done: number; seconds: number }[] = [];

  add(progress: Progress): Pace {
    const { stage, done, total, seconds } = progress;
    const last = this.samples.at(-1);
    // A retry begins the same stage anew.
    if (stage !== this.stage || (last && (done < last.done || seconds < last.seconds))) this.samples = [];
    this.stage = stage;
    this.samples.push({ done, seconds });
    while (this.samples.length > 2 && (this.samples[1]?.seconds ?? 0) < seconds - kWindowSeconds) this.samples.shift();

    const first = this.samples[0] ?? { done, seconds };
    const recent = seconds - first.seconds;
    const perSecond = recent >= 1 ? (done - first.done) / recent : seconds > 0.5 ? done / seconds : null;
    const secondsLeft = perSecond !== null && perSecond > 0 && total > done ? (total - done) / perSecond : null;
    return { perSecond, secondsLeft };
  }
}
