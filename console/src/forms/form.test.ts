import { describe, expect, it } from 'vitest';
import type { App, InputSpec, OptionSpec } from '../api/types';
import {
  commandLine,
  emptyEntries,
  entriesOfRun,
  entriesOfSample,
  fieldOf,
  fits,
  groupsOf,
  inNaturalOrder,
  labelOf,
  mistakesIn,
  quote,
  rangeOf,
  requestOf,
  sentence,
  sortMistakes,
  type Entries,
} from './form';

function option(name: string, values: Partial<OptionSpec> = {}): OptionSpec {
  return {
    name,
    type: 'text',
    help: '',
    unit: '',
    default: null,
    minimum: null,
    maximum: null,
    choices: [],
    group: '',
    advanced: false,
    ...values,
  };
}

function input(name: string, values: Partial<InputSpec> = {}): InputSpec {
  return { name, kind: 'fastq', kind_label: '', endings: ['.fastq.gz'], help: '', required: false, many: false, ...values };
}

const app: App = {
  name: 'genomics reads',
  toolkit: 'genomics',
  summary: '',
  help: '',
  example: '',
  version: '1',
  inputs: [input('reads', { required: true, many: true }), input('adapters')],
  outputs: [],
  options: [
    option('min_length', { type: 'integer', default: 15, minimum: 0, maximum: 1000 }),
    option('min_quality', { type: 'number', minimum: 0 }),
    option('memory', { type: 'size', default: 2 ** 30, minimum: 2 ** 20 }),
    option('trim', { type: 'flag', default: true }),
    option('platform', { choices: ['short', 'long'], default: 'short' }),
  ],
  samples: [],
  resources: { memory_mb: 1, uses_threads: true, uses_gpu: false },
};

const pair = [
  { id: 'a', name: 's_1.fastq.gz' },
  { id: 'b', name: 's_2.fastq.gz' },
];

function entered(options: Entries['options'], reads = pair): Entries {
  const empty = emptyEntries(app);
  return { inputs: { ...empty.inputs, reads }, options: { ...empty.options, ...options } };
}

describe('a request', () => {
  it('leaves out what was left at its default', () => {
    expect(requestOf(app, entered({}))).toEqual({
      app: 'genomics reads',
      inputs: { reads: ['a', 'b'] },
      options: {},
    });
  });

  it('carries numbers as numbers, sizes as text and flags as booleans', () => {
    const entries = entered({ min_length: ' 30 ', min_quality: '1e1', memory: '4G', trim: false, platform: 'long' });
    expect(requestOf(app, entries).options).toEqual({
      min_length: 30,
      min_quality: 10,
      memory: '4G',
      trim: false,
      platform: 'long',
    });
  });

  it('names a single file without a list', () => {
    const entries = entered({});
    entries.inputs.adapters = [pair[0]!];
    expect(requestOf(app, entries).inputs).toEqual({ reads: ['a', 'b'], adapters: 'a' });
  });
});

describe('mistakes', () => {
  it('are none in a good form', () => {
    expect(mistakesIn(app, entered({ min_length: '0', memory: '1.5g', min_quality: '.5' }))).toEqual([]);
  });

  it('name a missing required input', () => {
    expect(mistakesIn(app, entered({}, [])).map((mistake) => mistake.pointer)).toEqual(['/inputs/reads']);
  });

  it.each([
    ['min_length', '1001', 'must be 0 to 1000, not 1001'],
    ['min_length', '-1', 'must be 0 to 1000, not -1'],
    ['min_length', '2.5', 'must be a whole number, not 2.5'],
    ['min_length', 'many', 'must be a number, not “many”'],
    ['min_length', '0x10', 'must be a number, not “0x10”'],
    ['min_quality', '-0.1', 'must be at least 0, not -0.1'],
    ['min_quality', 'Infinity', 'must be a number, not “Infinity”'],
    ['memory', '4X', 'must be a size such as 512M or 4G, not “4X”'],
    ['memory', '1K', 'must be at least 1M, not 1K'],
    ['platform', 'other', 'must be one of short, long, not “other”'],
  ])('of %s = %s', (name, text, message) => {
    expect(mistakesIn(app, entered({ [name]: text }))).toEqual([{ pointer: `/options/${name}`, message }]);
  });

  it('belong to the field that their pointer leads into', () => {
    expect(fieldOf(app, '/inputs/reads/1')).toBe('/inputs/reads');
    expect(fieldOf(app, '/inputs/reads_more')).toBeNull();
    expect(fieldOf(app, '/app')).toBeNull();
  });

  it('without a field are kept apart', () => {
    const sorted = sortMistakes(app, [
      { pointer: '/options/trim', message: 'one' },
      { pointer: '/options/trim', message: 'two' },
      { pointer: '/options/unknown', message: 'three' },
    ]);
    expect(sorted.fields).toEqual(new Map([['/options/trim', ['one', 'two']]]));
    expect(sorted.others.map((mistake) => mistake.message)).toEqual(['three']);
  });
});

describe('a form filled in', () => {
  it('from a sample asks for its data and options', () => {
    const sample = {
      name: '',
      summary: '',
      origin: '',
      inputs: { reads: ['s_1.fastq.gz', 's_2.fastq.gz'] },
      options: { min_length: 20, memory: 2 ** 31 },
    };
    const data = new Map(pair.map((file) => [file.name, file]));
    expect(requestOf(app, entriesOfSample(app, sample, data))).toEqual({
      app: 'genomics reads',
      inputs: { reads: ['a', 'b'] },
      options: { min_length: 20, memory: '2G' },
    });
  });

  it('from a run makes the same request again', () => {
    const entries = entered({ min_length: '30', trim: false });
    const request = requestOf(app, entries);
    const again = entriesOfRun(app, { inputs: { reads: pair }, options: request.options });
    expect(requestOf(app, again)).toEqual(request);
  });

  it('from a run that lists every option keeps the defaults as defaults', () => {
    const options = { min_length: 15, memory: 2 ** 30, trim: true, platform: 'short' };
    expect(entriesOfRun(app, { inputs: {}, options }).options).toEqual(emptyEntries(app).options);
    const inWords = { ...app, options: app.options.map((o) => (o.type === 'size' ? { ...o, default: '1G' } : o)) };
    expect(entriesOfRun(inWords, { inputs: {}, options }).options).toEqual(emptyEntries(app).options);
  });
});

describe('the command line', () => {
  it('says the same as the form', () => {
    const entries = entered({ min_length: '30', trim: false }, [{ id: 'a', name: "it's one.fastq.gz" }]);
    expect(commandLine(app, entries)).toBe(
      `aceso genomics reads \\\n  --reads 'it'\\''s one.fastq.gz' \\\n  --min-length 30 \\\n  --trim=false`,
    );
  });

  it('shows where a required file goes', () => {
    expect(commandLine(app, entered({}, []))).toBe('aceso genomics reads \\\n  --reads FILE');
  });

  it('quotes only what a shell would split or expand', () => {
    expect(quote('a-b_c.1/d')).toBe('a-b_c.1/d');
    expect(quote('')).toBe("''");
    expect(quote('$HOME')).toBe("'$HOME'");
  });
});

describe('the parts of a form', () => {
  it('accept data by kind, by ending, or any when no ending is asked for', () => {
    const reads = input('reads');
    expect(fits(reads, { name: 'x', kind: 'fastq' })).toBe(true);
    expect(fits(reads, { name: 'X.FASTQ.GZ', kind: '' })).toBe(true);
    expect(fits(reads, { name: 'x.bam', kind: 'bam' })).toBe(false);
    expect(fits(input('any', { kind: 'file', endings: [] }), { name: 'x.bam', kind: 'bam' })).toBe(true);
  });

  it('group options in the order of the description', () => {
    const groups = groupsOf([option('a'), option('b', { group: 'Trim' }), option('c'), option('d', { group: 'Trim' })]);
    expect(groups.map((group) => [group.name, group.options.map((o) => o.name)])).toEqual([
      ['Options', ['a', 'c']],
      ['Trim', ['b', 'd']],
    ]);
  });

  it('tell ranges in words', () => {
    expect(rangeOf(option('x', { type: 'integer', minimum: 1 }))).toBe('at least 1');
    expect(rangeOf(option('x', { type: 'integer', maximum: 9 }))).toBe('at most 9');
    expect(rangeOf(option('x'))).toBe('');
  });

  it('tell large limits with separators', () => {
    expect(rangeOf(option('x', { type: 'integer', minimum: 0, maximum: 1000000 }))).toBe('0 to 1,000,000');
    expect(rangeOf(option('x', { type: 'size', maximum: 2 ** 34 }))).toBe('at most 16G');
  });

  it('name fields and help in words', () => {
    expect(labelOf('min_length')).toBe('Min length');
    expect(labelOf('reads2')).toBe('Reads 2');
    expect(labelOf('q30')).toBe('Q30');
    expect(sentence('cut no adapters')).toBe('Cut no adapters.');
    expect(sentence('trim_front of second mates')).toBe('trim_front of second mates.');
    expect(sentence('')).toBe('');
  });

  it('put files in the order of their numbers', () => {
    const names = ['r_10.fq', 'r_2.fq', 'r_1.fq'].map((name) => ({ name }));
    expect(inNaturalOrder(names).map((file) => file.name)).toEqual(['r_1.fq', 'r_2.fq', 'r_10.fq']);
  });
});
