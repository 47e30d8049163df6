import { expect, it } from 'vitest';
import { formatSize, parseSize } from './sizes';

it.each([
  ['0', 0],
  ['100', 100],
  ['4G', 4 * 2 ** 30],
  ['1.5 k', 1536],
  ['2GiB', 2 ** 31],
  ['3mb', 3 * 2 ** 20],
])('%s is %i bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

it.each(['', 'G', '-1', '4X', '1 2', '1e3'])('“%s” is no size', (text) => {
  expect(parseSize(text)).toBeNull();
});

it.each([0, 1, 1023, 1024, 1536, 4 * 2 ** 30, 2 ** 40])('the text of %i is read back as it', (bytes) => {
  expect(parseSize(formatSize(bytes))).toBe(bytes);
});
