import { expect, it } from 'vitest';
import { formatAge, formatBytes, formatNumber, formatRate, formatSeconds } from './format';

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [999_949, '999.9 kB'],
  [999_950, '1.0 MB'],
  [3e9, '3.0 GB'],
])('%i bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

it.each([
  [0.84, '0.8 s'],
  [9.97, '10 s'],
  [59.6, '1 min 00 s'],
  [125, '2 min 05 s'],
  [4320, '1 h 12 min'],
])('%f seconds are %s', (seconds, text) => {
  expect(formatSeconds(seconds)).toBe(text);
});

it('writes numbers with as many digits as they need', () => {
  expect(formatNumber(1234567)).toBe('1,234,567');
  expect(formatNumber(0.123456789)).toBe('0.123457');
  expect(formatNumber(0.00001234)).toBe('1.234e-5');
  expect(formatNumber(0)).toBe('0');
});

it('writes rates of bytes as sizes', () => {
  expect(formatRate(2.5e6, 'bytes')).toBe('2.5 MB/s');
  expect(formatRate(1234567, 'reads')).toBe('1.23M reads/s');
});

it('tells how long ago a time was', () => {
  const now = Date.parse('2024-05-31T12:00:00Z');
  expect(formatAge('2024-05-31T11:59:30Z', now)).toBe('just now');
  expect(formatAge('2024-05-31T11:10:00Z', now)).toBe('50 min ago');
  expect(formatAge('2024-05-31T09:00:00Z', now)).toBe('3 h ago');
});
