// The curve of a training: what its events "training.step" tell.
import type { Plot } from '../../../report/types';
import type { Json, LogLine } from '../../api/types';

export interface Point {
  step: number;
  loss: number | null;
  heldOut: number | null;
  rate: number | null; // of learning
}

/// Points by rising step.
export interface Curve {
  points: readonly Point[];
}

export const kNoCurve: Curve = { points: [] };

const number = (value: Json | undefined) => (typeof value === 'number' && Number.isFinite(value) ? value : null);

/// The curve with what `line` tells. A step may be told twice: its loss, and then the held-out one.
/// One that is earlier than the last comes of a training that went on from a checkpoint.
export function addEvent(curve: Curve, line: LogLine): Curve {
  const step = number(line.fields?.step);
  if (line.event !== 'training.step' || step === null) return curve;
  const { loss, held_out_loss, learning_rate } = line.fields;
  const before = curve.points.at(-1);
  const kept = before && before.step >= step ? curve.points.filter((point) => point.step < step) : curve.points;
  const same = before?.step === step ? before : undefined;
  const point: Point = {
    step,
    loss: number(loss) ?? same?.loss ?? null,
    heldOut: number(held_out_loss) ?? same?.heldOut ?? null,
    rate: number(learning_rate) ?? same?.rate ?? null,
  };
  return { points: [...kept, point] };
}

/// As a plot of the report viewer's.
export function plotOf({ points }: Curve, logX: boolean): Plot {
  const heldOut = points.map((point) => point.heldOut);
  return {
    type: 'plot',
    plot: 'line',
    title: 'Loss',
    x_label: 'step',
    y_label: 'loss',
    x: points.map((point) => point.step),
    log_x: logX,
    series: [
      // A step that only the held-out loss is told of does not break the line.
      { name: 'training', values: points.map((point) => point.loss), sparse: points.length < 2 || points.some((point) => point.loss === null) },
      ...(heldOut.some((value) => value !== null) ? [{ name: 'held out', values: heldOut, sparse: true }] : []),
    ],
  };
}

/// The last value of each kind, for people.
export function latestOf({ points }: Curve): Point {
  const last = (key: 'loss' | 'heldOut' | 'rate') => points.findLast((point) => point[key] !== null)?.[key] ?? null;
  return { step: points.at(-1)?.step ?? 0, loss: last('loss'), heldOut: last('heldOut'), rate: last('rate') };
}
