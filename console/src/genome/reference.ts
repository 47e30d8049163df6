// What igv.js is told of a run's reference: the file and its index, so that it reads only what is
// looked at.
import * as hub from '../api/hub';
import type { Data, DataIndex } from '../api/types';
import { formatBytes } from '../ui/format';

/// What gzip has packed in one piece is read whole; its text has about four times as many bytes,
/// and a browser holds some 500 MB as one text.
const kLargestWhole = 100e6;

export interface Reference {
  id: string;
  name: string;
  fastaURL: string;
  indexURL?: string;
  compressedIndexURL?: string;
  indexed: boolean;
}

/// `index` is ready or has failed; `at` makes a path an address.
export function referenceOf(data: Data, index: DataIndex, at: (path: string) => string): Reference {
  const whole = { id: data.name, name: data.name, fastaURL: at(hub.dataContent(data.id)), indexed: false };
  if (index.state === 'ready') {
    const address = (part: string) => at(hub.dataIndexPart(data.id, part));
    const blocks = index.parts.includes('gzi') ? { compressedIndexURL: address('gzi') } : {};
    return { ...whole, indexed: true, indexURL: address('fai'), ...blocks };
  }
  const inOnePiece = index.error?.code === 'unsupported' && data.name.toLowerCase().endsWith('.gz');
  if (inOnePiece && data.bytes <= kLargestWhole) return whole;
  const advice = inOnePiece ? `. Read whole, it may have ${formatBytes(kLargestWhole)}; this one has ${formatBytes(data.bytes)}` : '';
  throw new Error(`${index.error?.message ?? `There is no index of ${data.name}`}${advice}.`);
}

/// Waits until the hub has an index of the data, or knows that there can be none.
export async function waitForIndex(id: string, tell: (index: DataIndex) => void, signal: AbortSignal): Promise<DataIndex> {
  for (let pause = 100; ; pause = Math.min(1000, pause * 2)) {
    const index = await hub.getDataIndex(id, signal);
    if (index.state === 'ready' || index.state === 'failed') return index;
    tell(index);
    await new Promise((done) => setTimeout(done, pause));
    signal.throwIfAborted();
  }
}
