import { expect, test } from 'vitest';
import type { Output, Run } from '../api/types';
import { trackOf } from './tracks';

const run = { id: 'r1', inputs: { reference: [{ id: 'd1', name: 'genome.fa' }] } } as unknown as Run;
const output = (file_name: string) => ({ name: 'out', file_name }) as Output;

test('alignments and indexed variants are tracks', () => {
  expect(trackOf(run, output('a.bam'))).toEqual({
    name: 'a.bam', type: 'alignment', format: 'bam', address: '/v1/runs/r1/outputs/out', index: '/v1/runs/r1/outputs/out/index', reference: { id: 'd1', name: 'genome.fa' },
  });
  expect(trackOf(run, output('a.CRAM'))?.format).toBe('cram');
  expect(trackOf(run, output('calls.vcf.gz'))?.type).toBe('variant');
});

test('others are not, nor those of a run without a reference', () => {
  expect(trackOf(run, output('a.sam'))).toBeNull();
  expect(trackOf(run, output('calls.vcf'))).toBeNull();
  expect(trackOf({ id: 'r1', inputs: {} } as unknown as Run, output('a.bam'))).toBeNull();
});
