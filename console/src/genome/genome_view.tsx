// Aligned reads and variants along the genome, drawn by igv.js. It asks the hub for the parts of
// the files that are looked at, as this page does: with its session, and of this origin only.
import igv, { type Browser, type CreateOpt } from 'igv';
import { useEffect, useRef, useState } from 'react';
import { messageOf } from '../api/client';
import * as hub from '../api/hub';
import { formatBytes } from '../ui/format';
import { Callout, Loading } from '../ui/parts';
import './genome_view.css';
import type { GenomeTrack } from './tracks';

/// A reference is read whole, for the hub has no index of it.
const kLargestReference = 400e6;

/// igv.js gives its slider no name that a screen reader could say.
function nameControls(element: HTMLElement) {
  const places = [element, ...element.querySelectorAll('*')].flatMap((part) => (part.shadowRoot ? [part, part.shadowRoot] : [part]));
  for (const place of places) place.querySelectorAll('input[type=range]').forEach((slider) => slider.setAttribute('aria-label', 'Zoom'));
}

export default function GenomeView({ track }: { track: GenomeTrack }) {
  const place = useRef<HTMLDivElement>(null);
  const [state, setState] = useState({ ready: false, error: '' });
  useEffect(() => {
    let gone = false;
    let drawn: Browser | null = null;
    const open = async (element: HTMLElement) => {
      const reference = await hub.getData(track.reference.id);
      if (reference.bytes > kLargestReference) {
        throw new Error(`The reference ${reference.name} has ${formatBytes(reference.bytes)}; a browser can hold about ${formatBytes(kLargestReference)}. Download the output and its reference, and open them in IGV.`);
      }
      const at = (path: string) => new URL(path, window.location.href).href;
      const browser = await igv.createBrowser(element, {
        // Neither a list of genomes nor a search of names elsewhere.
        loadDefaultGenomes: false,
        search: false,
        reference: { id: reference.name, name: reference.name, fastaURL: at(hub.dataContent(reference.id)), indexed: false },
        tracks: [{ name: track.name, type: track.type, format: track.format, url: at(track.address), indexURL: at(track.index) }],
      } as unknown as CreateOpt);
      if (gone) return igv.removeBrowser(browser);
      drawn = browser;
      nameControls(element);
      setState({ ready: true, error: '' });
    };
    if (place.current) {
      open(place.current).catch((error: unknown) => {
        if (!gone) setState({ ready: false, error: messageOf(error) });
      });
    }
    return () => {
      gone = true;
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
      {!state.ready && state.error === '' && <Loading what="Loading the genome" />}
      {/* igv.js draws on white. */}
      <div className="genome" ref={place} />
    </div>
  );
}
