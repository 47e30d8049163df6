// What igv.js is told of a run's reference: the file and its index, so that it reads only what is
// looked at.
import * as hub from '../api/hub';
import type { Data, DataIndex } from '../api/types';

export interface Reference {
  id: string;
  name: string;
  fastaURL: string;
  indexURL: string;
  compressedIndexURL?: string;
}

/// `index` is ready or has failed; `at` makes a path an address.
export function referenceOf(data: Data, index: DataIndex, at: (path: string) => string): Reference {
  if (index.state !== 'ready') throw new Error(`${index.error?.message ?? `There is no index of ${data.name}`}.`);
  const part = (name: string) => at(hub.dataIndexPart(data.id, name));
  return {
    id: data.name,
    name: data.name,
    // What gzip has packed in one piece, the hub has packed again in blocks.
    fastaURL: index.parts.includes('bgz') ? part('bgz') : at(hub.dataContent(data.id)),
    indexURL: part('fai'),
    ...(index.parts.includes('gzi') ? { compressedIndexURL: part('gzi') } : {}),
  };
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
