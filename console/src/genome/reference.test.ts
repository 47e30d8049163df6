import { afterEach, expect, test, vi } from 'vitest';
import type { Data, DataIndex } from '../api/types';
import { referenceOf, waitForIndex } from './reference';

const data = (name: string) => ({ id: 'd1', name }) as Data;
const ready = (...parts: string[]): DataIndex => ({ state: 'ready', progress: null, parts, error: null });
const failed = (code: string, message: string): DataIndex => ({ state: 'failed', progress: null, parts: [], error: { code, message } });
const building: DataIndex = { state: 'building', progress: null, parts: [], error: null };
const at = (path: string) => `http://hub${path}`;

afterEach(() => vi.unstubAllGlobals());

test('a reference is read by its index', () => {
  expect(referenceOf(data('genome.fa'), ready('fai'), at)).toEqual({
    id: 'genome.fa', name: 'genome.fa', fastaURL: 'http://hub/v1/data/d1/content', indexURL: 'http://hub/v1/data/d1/index/fai',
  });
  expect(referenceOf(data('genome.fa.gz'), ready('fai', 'gzi'), at)).toEqual({
    id: 'genome.fa.gz', name: 'genome.fa.gz', fastaURL: 'http://hub/v1/data/d1/content',
    indexURL: 'http://hub/v1/data/d1/index/fai', compressedIndexURL: 'http://hub/v1/data/d1/index/gzi',
  });
});

test('of gzip in one piece the copy in blocks is read', () => {
  const reference = referenceOf(data('genome.fa.gz'), ready('bgz', 'fai', 'gzi'), at);
  expect(reference.fastaURL).toBe('http://hub/v1/data/d1/index/bgz');
  expect(reference.compressedIndexURL).toBe('http://hub/v1/data/d1/index/gzi');
});

test('what is wrong with a reference is said as the hub says it', () => {
  const refusal = failed('corrupt_data', 'genome.fa: contig a, line 3: has 2 bases');
  expect(() => referenceOf(data('genome.fa'), refusal, at)).toThrow('genome.fa: contig a, line 3: has 2 bases.');
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
