// Aligned reads and variants along the genome, drawn by igv.js. It asks the hub for the parts of
// the files that are looked at, as this page does: with its session, and of this origin only.
import igv, { type Browser, type CreateOpt } from 'igv';
import { useEffect, useRef, useState } from 'react';
import { messageOf } from '../api/client';
import * as hub from '../api/hub';
import type { DataIndex } from '../api/types';
import { formatAmount } from '../ui/format';
import { Callout, Loading, ProgressBar } from '../ui/parts';
import './genome_view.css';
import { referenceOf, waitForIndex } from './reference';
import type { GenomeTrack } from './tracks';

const kNames: [string, string][] = [
  ['input[type=range]', 'Zoom'],
  ['select[name=chromosome-select-widget]', 'Contig'],
];

/// igv.js gives its controls no names that a screen reader could say.
function nameControls(element: HTMLElement) {
  const places = [element, ...element.querySelectorAll('*')].flatMap((part) => (part.shadowRoot ? [part, part.shadowRoot] : [part]));
  for (const [controls, name] of kNames) {
    for (const place of places) place.querySelectorAll(controls).forEach((control) => control.setAttribute('aria-label', name));
  }
}

export default function GenomeView({ track }: { track: GenomeTrack }) {
  const place = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<{ ready: boolean; error: string; index: DataIndex | null }>({ ready: false, error: '', index: null });
  useEffect(() => {
    const page = new AbortController();
    let drawn: Browser | null = null;
    const open = async (element: HTMLElement) => {
      const data = await hub.getData(track.reference.id);
      const index = await waitForIndex(data.id, (now) => setState({ ready: false, error: '', index: now }), page.signal);
      setState({ ready: false, error: '', index: null });
      const at = (path: string) => new URL(path, window.location.href).href;
      const browser = await igv.createBrowser(element, {
        // Neither a list of genomes nor a search of names elsewhere.
        loadDefaultGenomes: false,
        search: false,
        reference: referenceOf(data, index, at),
        tracks: [{ name: track.name, type: track.type, format: track.format, url: at(track.address), indexURL: at(track.index) }],
      } as unknown as CreateOpt);
      if (page.signal.aborted) return igv.removeBrowser(browser);
      drawn = browser;
      nameControls(element);
      setState({ ready: true, error: '', index: null });
    };
    if (place.current) {
      open(place.current).catch((error: unknown) => {
        if (!page.signal.aborted) setState({ ready: false, error: messageOf(error), index: null });
      });
    }
    return () => {
      page.abort();
      if (drawn) igv.removeBrowser(drawn);
    };
  }, [track.address, track.reference.id]);
  return (
    <div data-test="genome" data-ready={state.ready}>
      {state.error !== '' && (
        <Callout tone="danger" title="The genome cannot be shown">
          {state.error}
        </Callout>
      )}
      {state.index && <Indexing name={track.reference.name} index={state.index} />}
      {!state.ready && !state.index && state.error === '' && <Loading what="Loading the genome" />}
      {/* igv.js draws on white. */}
      <div className="genome" ref={place} />
    </div>
  );
}

function Indexing({ name, index }: { name: string; index: DataIndex }) {
  const { progress } = index;
  const share = progress && progress.total > 0 ? progress.done / progress.total : null;
  return (
    <section className="progress-card" aria-label="Index" data-test="indexing">
      <div className="progress-head">
        <strong>Indexing {name}</strong>
        {share !== null && <span className="percent">{Math.floor(100 * share)} %</span>}
      </div>
      <ProgressBar value={share} label={`Index of ${name}`} />
      <p className="muted">
        {progress ? `${formatAmount(progress.done, progress.unit)} of ${formatAmount(progress.total, progress.unit)}. ` : 'Waiting for its turn. '}
        This happens once for each reference; then the genome is shown by itself.
      </p>
    </section>
  );
}
