import { expect, it } from 'vitest';
import type { LogLine } from '../../api/types';
import { addEvent, kNoCurve, latestOf, plotOf, type Curve } from './curve';

const event = (fields: LogLine['fields'], name = 'training.step'): LogLine => ({ time: '', level: 'INFO', event: name, fields });
const curveOf = (...events: LogLine[]): Curve => events.reduce(addEvent, kNoCurve);

it('joins what two events tell of one step', () => {
  const curve = curveOf(event({ step: 1, loss: 3, learning_rate: 0.1 }), event({ step: 2, loss: 2, learning_rate: 0.2 }), event({ step: 2, held_out_loss: 2.5 }));
  expect(curve.points).toEqual([
    { step: 1, loss: 3, heldOut: null, rate: 0.1 },
    { step: 2, loss: 2, heldOut: 2.5, rate: 0.2 },
  ]);
  const plot = plotOf(curve, false);
  expect(plot.x).toEqual([1, 2]);
  expect(plot.series.map((series) => series.values)).toEqual([[3, 2], [null, 2.5]]);
});

it('has no held-out line before there is one', () => {
  expect(plotOf(curveOf(event({ step: 1, loss: 3 })), true)).toMatchObject({ log_x: true, series: [{ name: 'training' }] });
});

it('goes back where a training went on from a checkpoint', () => {
  const curve = curveOf(event({ step: 1, loss: 3 }), event({ step: 5, loss: 2 }), event({ step: 9, loss: 1 }), event({ step: 4, loss: 2.2 }));
  expect(curve.points.map((point) => point.step)).toEqual([1, 4]);
});

it('minds no other event, and no value that is no number', () => {
  expect(curveOf(event({ step: 1, loss: 3 }, 'run.step'), event({ loss: 3 }), event({ step: 'x', loss: 3 }))).toBe(kNoCurve);
  expect(curveOf(event({ step: 1, loss: 'NaN' })).points).toEqual([{ step: 1, loss: null, heldOut: null, rate: null }]);
});

it('tells the latest of each', () => {
  expect(latestOf(curveOf(event({ step: 1, loss: 3, learning_rate: 0.1 }), event({ step: 1, held_out_loss: 4 }), event({ step: 2, loss: 2, learning_rate: 0.2 })))).toEqual({ step: 2, loss: 2, heldOut: 4, rate: 0.2 });
});
