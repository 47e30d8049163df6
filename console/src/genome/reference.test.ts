import { afterEach, expect, test, vi } from 'vitest';
import type { Data, DataIndex } from '../api/types';
import { referenceOf, waitForIndex } from './reference';

const data = (name: string, bytes: number) => ({ id: 'd1', name, bytes }) as Data;
const ready = (...parts: string[]): DataIndex => ({ state: 'ready', progress: null, parts, error: null });
const failed = (code: string, message: string): DataIndex => ({ state: 'failed', progress: null, parts: [], error: { code, message } });
const building: DataIndex = { state: 'building', progress: null, parts: [], error: null };
const at = (path: string) => `http://hub${path}`;

afterEach(() => vi.unstubAllGlobals());

test('a reference of any size is read by its index', () => {
  expect(referenceOf(data('genome.fa', 3.2e9), ready('fai'), at)).toEqual({
    id: 'genome.fa', name: 'genome.fa', indexed: true,
    fastaURL: 'http://hub/v1/data/d1/content', indexURL: 'http://hub/v1/data/d1/index/fai',
  });
  expect(referenceOf(data('genome.fa.gz', 9e8), ready('fai', 'gzi'), at).compressedIndexURL).toBe('http://hub/v1/data/d1/index/gzi');
});

test('gzip in one piece is read whole if it is small, and else said to have no parts', () => {
  const refusal = failed('unsupported', 'genome.fa.gz: is compressed in one piece (gzip)');
  const whole = referenceOf(data('genome.fa.gz', 1e6), refusal, at);
  expect(whole.indexed).toBe(false);
  expect(whole.indexURL).toBeUndefined();
  expect(() => referenceOf(data('genome.fa.gz', 9e8), refusal, at)).toThrow('compressed in one piece (gzip). Read whole, it may have 100.0 MB; this one has 900.0 MB.');
});

test('what is wrong with a reference is said as the hub says it', () => {
  const refusal = failed('corrupt_data', 'genome.fa: contig a, line 3: has 2 bases');
  expect(() => referenceOf(data('genome.fa', 1e6), refusal, at)).toThrow('genome.fa: contig a, line 3: has 2 bases.');
});

test('an index is waited for', async () => {
  const answers = [building, building, ready('fai')];
  vi.stubGlobal('fetch', async () => new Response(JSON.stringify(answers.shift())));
  const told: DataIndex[] = [];
  const index = await waitForIndex('d1', (each) => told.push(each), new AbortController().signal);
  expect(index.parts).toEqual(['fai']);
  expect(told).toHaveLength(2);
});

test('nobody waits who has left', async () => {
  const page = new AbortController();
  vi.stubGlobal('fetch', async () => new Response(JSON.stringify(building)));
  await expect(waitForIndex('d1', () => page.abort(), page.signal)).rejects.toThrow();
});
