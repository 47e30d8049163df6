// Choosing among the data of the hub.
import { useEffect, useState } from 'react';
import { messageOf } from '../../api/client';
import * as hub from '../../api/hub';
import type { Data, InputSpec } from '../../api/types';
import { fits, labelOf } from '../../forms/form';
import { formatAge, formatBytes, formatCount } from '../../ui/format';
import { Callout, Dialog, Empty, Loading } from '../../ui/parts';

export function Picker({ input, choose, close }: { input: InputSpec; choose: (data: Data[]) => void; close: () => void }) {
  const [data, setData] = useState<Data[]>([]);
  const [next, setNext] = useState<string | null>('');
  const [loading, setLoading] = useState(true);
  const [error, setError] = useState('');
  const [words, setWords] = useState('');
  const [all, setAll] = useState(false);
  const [picked, setPicked] = useState<Data[]>([]); // in the order of picking

  async function load() {
    setLoading(true);
    setError('');
    try {
      const page = await hub.listData({ cursor: next, limit: 200 });
      setData((before) => [...before, ...page.items.filter((item) => before.every((other) => other.id !== item.id))]);
      setNext(page.next);
    } catch (problem) {
      setError(messageOf(problem));
    }
    setLoading(false);
  }
  useEffect(() => void load(), []);

  const shown = data.filter((item) => (all || fits(input, item)) && item.name.toLowerCase().includes(words.toLowerCase()));
  function toggle(item: Data) {
    if (!input.many) choose([item]);
    else setPicked((before) => (before.includes(item) ? before.filter((other) => other !== item) : [...before, item]));
  }

  return (
    <Dialog title={`Data for ${labelOf(input.name)}`} close={close} wide>
      <div className="picker-head">
        <input data-first type="search" aria-label="Search data" placeholder="Search by name" value={words} onChange={(event) => setWords(event.target.value)} />
        <label className="check">
          <input type="checkbox" checked={all} onChange={(event) => setAll(event.target.checked)} /> Other kinds too
        </label>
      </div>
      {error !== '' && <Callout tone="danger">{error}</Callout>}
      <ul className="picker" aria-label="Data">
        {shown.map((item) => {
          const place = picked.indexOf(item);
          return (
            <li key={item.id}>
              <button type="button" aria-pressed={input.many ? place >= 0 : undefined} onClick={() => toggle(item)}>
                {input.many && <span className="order">{place >= 0 ? place + 1 : ''}</span>}
                <span className="file-name">{item.name}</span>
                <span className="muted">
                  {formatBytes(item.bytes)} · {formatAge(item.created, Date.now())}
                </span>
              </button>
            </li>
          );
        })}
      </ul>
      {loading && <Loading what="Loading the data" />}
      {!loading && shown.length === 0 && error === '' && (
        <Empty icon="data" title={words === '' ? 'No data of this kind yet' : 'No name matches'}>
          {words === '' ? `Upload a file: ${input.kind_label}.` : 'Try another word.'}
        </Empty>
      )}
      <div className="dialog-foot">
        {next !== null && !loading && (
          <button type="button" onClick={() => void load()}>
            Look further back
          </button>
        )}
        {input.many && (
          <button type="button" className="primary" disabled={picked.length === 0} onClick={() => choose(picked)}>
            {picked.length === 0 ? 'Use files' : `Use ${formatCount(picked.length, 'file')}`}
          </button>
        )}
      </div>
    </Dialog>
  );
}
