// Apps, a report and outputs made up for the mock hub: their shapes are the contract's, their numbers mean nothing.

const option = (name, type, values) => ({
  name,
  type,
  help: '',
  unit: '',
  default: null,
  minimum: null,
  maximum: null,
  choices: [],
  group: '',
  advanced: false,
  ...values,
});

const fastq = { kind: 'fastq', kind_label: 'sequencing reads (FASTQ)', endings: ['.fastq', '.fastq.gz', '.fq', '.fq.gz'] };
const fasta = { kind: 'fasta', kind_label: 'sequences (FASTA)', endings: ['.fasta', '.fa', '.fa.gz'] };
const report = { name: 'report', kind: 'report', kind_label: 'report', file_name: 'report.html', help: 'what was found, with plots' };
const reportJson = { name: 'report_json', kind: 'json', kind_label: 'JSON', file_name: 'report.json', help: 'the report for programs' };
const cpu = { memory_mb: 1000, uses_threads: true, uses_gpu: false };

export const apps = [
  {
    name: 'genomics reads',
    toolkit: 'genomics',
    version: '0.1.0',
    summary: 'Checks, trims and filters sequencing reads',
    help: 'Removes adapters and low-quality ends, drops reads that are too short, and says how good the reads were before and after.\n\nPairs stay together: give the files of the two mates in order.',
    example: 'aceso genomics reads --reads sample_1.fastq.gz sample_2.fastq.gz',
    inputs: [
      { name: 'reads', ...fastq, help: 'Reads of one sample; two files are read as pairs.', required: true, many: true },
      { name: 'adapters', ...fasta, help: 'Adapters to remove; found from the reads if absent.', required: false, many: false },
    ],
    outputs: [
      { name: 'trimmed', ...fastq, file_name: 'trimmed.fastq.gz', help: 'reads that passed' },
      { name: 'per_position', kind: 'table', kind_label: 'table', file_name: 'per_position.tsv', help: 'quality at each position' },
      report,
      reportJson,
    ],
    options: [
      option('min_length', 'integer', { help: 'Drops reads shorter than this.', unit: 'bases', default: 15, minimum: 0, maximum: 100000, group: 'Filtering' }),
      option('min_mean_quality', 'number', { help: 'Drops reads of lower mean quality.', unit: 'Phred', default: 15, minimum: 0, maximum: 60, group: 'Filtering' }),
      option('dedup', 'flag', { help: 'Drops reads that are copies of others.', default: false, group: 'Filtering' }),
      option('trim_quality', 'integer', { help: 'Cuts ends whose window is worse than this.', unit: 'Phred', default: 20, minimum: 0, maximum: 60, group: 'Trimming' }),
      option('trim_adapters', 'flag', { help: 'Removes adapters.', default: true, group: 'Trimming' }),
      option('trim_front', 'integer', { help: 'cut from the front of every read', unit: 'bases', default: 0, minimum: 0, maximum: 1000000, group: 'Trimming' }),
      option('trim_tail', 'integer', { help: 'cut from its end', unit: 'bases', default: 0, minimum: 0, maximum: 1000000, group: 'Trimming' }),
      option('umi_location', 'text', { help: 'where the unique molecular identifier is', default: 'none', choices: ['none', 'read1', 'read2'], group: 'Molecular identifiers' }),
      option('umi_length', 'integer', { help: 'its length in a read', unit: 'bases', default: 0, minimum: 0, maximum: 100, group: 'Molecular identifiers' }),
      option('umi_prefix', 'text', { help: "put before it in the name, with '_'", group: 'Molecular identifiers' }),
      option('platform', 'text', { help: 'Decides which artefacts are looked for.', default: 'auto', choices: ['auto', 'two-colour', 'four-colour'], group: 'Trimming' }),
      option('memory', 'size', { help: 'Most memory that is used for counting duplicates.', default: '1G', minimum: 2 ** 24, group: 'Resources', advanced: true }),
      option('compression', 'integer', { help: 'Higher is smaller and slower.', default: 4, minimum: 0, maximum: 12, group: 'Resources', advanced: true }),
      option('label', 'text', { help: 'Name of the sample in the report; the file name if absent.', group: 'Resources', advanced: true }),
    ],
    samples: [
      {
        name: 'E. coli, 50,000 pairs',
        summary: 'A small part of a public run: done in seconds.',
        origin: 'made up for this mock',
        inputs: { reads: ['sample_1.fastq.gz', 'sample_2.fastq.gz'] },
        options: { min_length: 30 },
      },
      { name: 'A whole genome', summary: 'Takes a while.', origin: '', inputs: { reads: ['genome_1.fastq.gz'] }, options: {} },
    ],
    resources: cpu,
    schema: {},
  },
  {
    name: 'genomics compare',
    toolkit: 'genomics',
    version: '0.1.0',
    summary: 'Compares two sets of variants',
    help: '',
    example: '',
    inputs: [
      { name: 'truth', kind: 'vcf', kind_label: 'variants (VCF)', endings: ['.vcf', '.vcf.gz'], help: 'Variants known to be right.', required: true, many: false },
      { name: 'calls', kind: 'vcf', kind_label: 'variants (VCF)', endings: ['.vcf', '.vcf.gz'], help: 'Variants to be judged.', required: true, many: false },
    ],
    outputs: [report],
    options: [],
    samples: [],
    resources: cpu,
    schema: {},
  },
  {
    name: 'molecules properties',
    toolkit: 'molecules',
    version: '0.1.0',
    summary: 'Predicts properties of small molecules with a model',
    help: '',
    example: '',
    inputs: [{ name: 'molecules', kind: 'molecules', kind_label: 'molecules (SMILES)', endings: ['.smi'], help: 'One molecule a line.', required: true, many: false }],
    outputs: [{ name: 'predictions', kind: 'table', kind_label: 'table', file_name: 'predictions.csv', help: 'molecules with what was predicted' }, report],
    options: [option('batch', 'integer', { help: 'Molecules at once.', default: 256, minimum: 1 })],
    samples: [{ name: 'Candidates', summary: 'sixty molecules', origin: 'made up for this mock', inputs: { molecules: ['candidates.smi'] }, options: {} }],
    resources: { ...cpu, uses_gpu: true },
    schema: {},
  },
];

const positions = Array.from({ length: 150 }, (_, at) => at + 1);
const wave = (at, of) => Math.sin(at * of) + Math.sin(at * of * 2.7) / 2;
const quality = (shift) => positions.map((at) => Math.round(100 * (37.2 + shift - 5.5 * (at / 150) ** 3 - 3 * Math.exp(-at / 3) + 0.2 * wave(at, 0.9))) / 100);

export function reportOf(run, inputs) {
  const lengths = Array.from({ length: 121 }, (_, at) => at + 30);
  return {
    app: run.app,
    version: '0.1.0',
    status: 'succeeded',
    started: run.started,
    seconds: run.seconds,
    cpu_seconds: run.cpu_seconds,
    peak_rss_mb: run.peak_rss_mb,
    command: `aceso ${run.app} --reads ${inputs.map((data) => data.name).join(' ')} --min-length 30`,
    cpu: 'a processor, 8 threads',
    threads: 8,
    inputs: inputs.map((data) => ({ name: 'reads', file: data.name, bytes: data.bytes, sha256: data.sha256 })),
    options: run.options,
    outputs: [{ name: 'trimmed', file: 'trimmed.fastq.gz', bytes: 4_812_331 }],
    metrics: run.metrics,
    warnings: run.warnings,
    sections: [
      {
        title: 'Summary',
        text: 'Of 100,000 reads 96,412 passed. The reads are good; little had to be cut.',
        blocks: [
          {
            type: 'figures',
            items: [
              { label: 'Reads before', value: 100000 },
              { label: 'Reads after', value: 96412 },
              { label: 'Bases with Q30', value: 94.31, unit: '%' },
              { label: 'GC content', value: 50.62, unit: '%' },
              { label: 'Duplicates', value: 1.84, unit: '%' },
              { label: 'Mean length', value: 147.2, unit: 'bases' },
            ],
          },
          {
            type: 'table',
            title: 'Before and after',
            columns: [{ label: '' }, { label: 'Before' }, { label: 'After' }],
            rows: [
              ['Reads', 100000, 96412],
              ['Bases', 15000000, 14191846],
              ['Mean quality', 35.91, 36.42],
            ],
          },
        ],
      },
      {
        title: 'Quality',
        blocks: [
          {
            type: 'plot',
            plot: 'line',
            title: 'Mean quality by position',
            x_label: 'position (bases)',
            y_label: 'Phred quality',
            x: positions,
            series: [
              { name: 'mate 1 before', values: quality(-0.6) },
              { name: 'mate 1 after', values: quality(0).map((value, at) => (at === 70 ? null : value)) },
              { name: 'mate 2 before', values: quality(-2) },
              { name: 'mate 2 after', values: quality(-1.1) },
            ],
            note: 'The ends of reads are usually worse; a dip elsewhere is a fault of the run.',
          },
          {
            type: 'plot',
            plot: 'area',
            title: 'GC content of reads',
            x_label: 'GC (%)',
            y_label: 'reads',
            x: Array.from({ length: 101 }, (_, at) => at),
            series: [{ name: 'reads', values: Array.from({ length: 101 }, (_, at) => Math.round(5200 * Math.exp(-((at - 50.6) ** 2) / 110))) }],
          },
        ],
      },
      {
        title: 'Content',
        blocks: [
          {
            type: 'plot',
            plot: 'bar',
            title: 'Why reads were dropped',
            x_label: 'reason',
            y_label: 'reads',
            x: [0, 1, 2, 3],
            x_names: ['too short', 'low quality', 'too many N', 'duplicate'],
            series: [
              { name: 'mate 1', values: [812, 402, 21, 911] },
              { name: 'mate 2', values: [911, 702, 17, 911] },
            ],
          },
          {
            type: 'plot',
            plot: 'bar',
            title: 'Lengths of reads',
            x_label: 'length (bases)',
            y_label: 'reads',
            x: lengths,
            series: [{ name: 'reads', values: lengths.map((at) => (at === 150 ? 81230 : Math.round(12 + 320 * Math.exp((at - 150) / 12)))) }],
            log_y: true,
          },
          {
            type: 'drawing',
            title: 'A pair of reads',
            svg: '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 60" width="400" height="60"><g fill="none" stroke="#0b7a6c" stroke-width="6"><path d="M10 20h240"/><path d="M150 42h240"/></g></svg>',
          },
        ],
      },
    ],
  };
}

/// Chains, rings and acids in turn; every fiftieth is no SMILES.
export function manyMolecules(count) {
  const kinds = [(n) => `${'C'.repeat(n)}O`, (n) => `${'C'.repeat(n)}c1ccccc1`, (n) => `${'C'.repeat(n)}C(=O)O`, (n) => `${'C'.repeat(n)}N1CCOCC1`, (n) => `Clc1ccc(${'C'.repeat(n)}N)cc1`];
  return Array.from({ length: count }, (_, at) => ({ name: `M${at + 1}`, smiles: at % 50 === 49 ? 'C1CC(' : (kinds[at % 5]?.(1 + (at % 7)) ?? '') }));
}

const residues = 'ACDEFGHIKLMNPQRSTVWY';

/// The pictures that reports of models have.
export function picturesOf() {
  const points = Array.from({ length: 240 }, (_, at) => at);
  const sequence = Array.from({ length: 600 }, (_, at) => residues[(at * 7 + at ** 2) % 20]);
  const cloud = { type: 'scatter', x_label: 'PC1 (41.2 % of variance)', y_label: 'PC2 (12.5 % of variance)', x: points.map((at) => 3 * wave(at, 1.3) + (at % 3)), y: points.map((at) => wave(at, 2.1) + 2 * (at % 3 === 1)), names: points.map((at) => `P${1000 + at}`) };
  return [
    {
      title: 'Embeddings',
      blocks: [
        { ...cloud, title: 'Sequences by length', values: points.map((at) => (at === 7 ? null : 30 + at * 4)), colour_label: 'length', note: 'Close ones are alike.' },
        { ...cloud, title: 'Sequences by family', groups: points.map((at) => ['kinase', 'globin', ''][at % 3]), colour_label: 'family' },
      ],
    },
    {
      title: 'Scan',
      blocks: [
        {
          type: 'heat_map',
          title: 'Every substitution',
          row_names: [...residues],
          column_names: sequence.map((residue, at) => `${residue}${at + 1}`),
          values: [...residues].map((residue, row) => sequence.map((own, at) => (own === residue ? 0 : Math.round(1000 * (2 * wave(row * 31 + at, 0.7) - 1.4)) / 1000))),
          marks: sequence.map((own) => residues.indexOf(own)),
          value_label: 'log p(new) - log p(old)',
          note: 'A dot marks the own residue.',
        },
      ],
    },
  ];
}

export const perPosition = `position\tmean_quality\tgc\n${positions.map((at) => `${at}\t${quality(0)[at - 1]}\t${(50 + wave(at, 0.3)).toFixed(2)}`).join('\n')}\n`;
export const someReads = Array.from({ length: 40 }, (_, at) => `@read${at}\n${'ACGTTGCA'.repeat(9)}\n+\n${'IIIIFFFF'.repeat(9)}\n`).join('');
