import { expect, it } from 'vitest';
import { PaceMeter } from './rate';

const at = (seconds: number, done: number, stage = 'reads') => ({ stage, unit: 'bytes', done, total: 1000, seconds });

it('tells the pace of a steady stage and what is left of it', () => {
  const meter = new PaceMeter();
  meter.add(at(0, 0));
  meter.add(at(1, 100));
  expect(meter.add(at(2, 200))).toEqual({ perSecond: 100, secondsLeft: 8 });
});

it('forgets how fast a stage once was', () => {
  const meter = new PaceMeter();
  for (let second = 0; second <= 10; ++second) meter.add(at(second, 80 * second));
  for (let second = 11; second <= 30; ++second) meter.add(at(second, 800 + (second - 10)));
  expect(meter.add(at(31, 821)).perSecond).toBeCloseTo(1, 5);
});

it('begins anew with each stage', () => {
  const meter = new PaceMeter();
  meter.add(at(5, 900));
  expect(meter.add(at(0, 0, 'report'))).toEqual({ perSecond: null, secondsLeft: null });
});

it('knows no end when the total is unknown', () => {
  const meter = new PaceMeter();
  meter.add({ ...at(0, 0), total: 0 });
  expect(meter.add({ ...at(2, 50), total: 0 })).toEqual({ perSecond: 25, secondsLeft: null });
});
