// make_sample_reads.mjs FOLDER: writes small paired FASTQ files under the names of the app's samples.
// Fragments of a random genome, quality falling along the read, some adapters; fixed seed.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

let state = 42n;
const random = () => {
  state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
  return Number(state >> 33n) / 2 ** 31;
};
const pick = (text) => text[Math.floor(random() * text.length)];
const genome = Array.from({ length: 50000 }, () => pick('ACGT')).join('');
const complement = { A: 'T', C: 'G', G: 'C', T: 'A' };
const reverse = (text) => [...text].reverse().map((base) => complement[base]).join('');
const adapters = ['AGATCGGAAGAGCACACGTCTGAACTCCAGTCA', 'AGATCGGAAGAGCGTCGTGTAGGGAAAGAGTGT'];
const length = 100;

function record(name, bases) {
  let sequence = '';
  let quality = '';
  for (let i = 0; i < length; i++) {
    const q = Math.max(2, Math.round(37 - (12 * i) / length + 4 * (random() - 0.5)));
    const wrong = random() < 10 ** (-q / 10);
    sequence += wrong ? pick('ACGTN') : bases[i];
    quality += String.fromCharCode(33 + q);
  }
  return `@${name}\n${sequence}\n+\n${quality}\n`;
}

function pairs(count) {
  const mates = ['', ''];
  for (let i = 0; i < count; i++) {
    const size = 60 + Math.floor(240 * random());
    const begin = Math.floor(random() * (genome.length - size));
    const fragment = genome.slice(begin, begin + size);
    const pad = (text, adapter) => (text + adapter + 'A'.repeat(length)).slice(0, length);
    mates[0] += record(`read${i}/1`, pad(fragment, adapters[0]));
    mates[1] += record(`read${i}/2`, pad(reverse(fragment), adapters[1]));
  }
  return mates;
}

for (const [name, ending] of [['lambda_reads', 'fq.gz'], ['rna_reads', 'fastq.gz']]) {
  pairs(3000).forEach((text, mate) => writeFileSync(join(process.argv[2], `${name}_${mate + 1}.${ending}`), gzipSync(text)));
}
