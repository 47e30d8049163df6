// Which outputs of a run can be seen along the genome, and what igv.js is told of them.
import * as hub from '../api/hub';
import type { Output, Run } from '../api/types';

export interface GenomeTrack {
  name: string;
  type: 'alignment' | 'variant';
  format: 'bam' | 'cram' | 'vcf';
  address: string;
  index: string;
  /// The run's input that the places are of.
  reference: { id: string; name: string };
}

const kFormats: [string, GenomeTrack['type'], GenomeTrack['format']][] = [
  ['.bam', 'alignment', 'bam'],
  ['.cram', 'alignment', 'cram'],
  ['.vcf.gz', 'variant', 'vcf'],
];

/// Null if the output is of no such format or the run had no reference.
export function trackOf(run: Run, output: Output): GenomeTrack | null {
  const reference = run.inputs.reference?.[0];
  const found = kFormats.find(([ending]) => output.file_name.toLowerCase().endsWith(ending));
  if (!reference || !found) return null;
  const address = hub.outputPath(run.id, output.name);
  return { name: output.file_name, type: found[1], format: found[2], address, index: `${address}/index`, reference };
}
