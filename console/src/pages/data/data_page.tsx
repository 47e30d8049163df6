// The data of the hub: uploading, looking, deleting.
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { messageOf } from '../../api/client';
import * as hub from '../../api/hub';
import type { Data } from '../../api/types';
import { addUpload, currentUploads, removeUpload, subscribeUploads } from '../../api/uploads';
import { inNaturalOrder } from '../../forms/form';
import { formatAge, formatBytes, formatTime } from '../../ui/format';
import { Icon } from '../../ui/icons';
import { Badge, Callout, Confirm, CopyButton, Dialog, DropZone, Empty, FileButton, LoadError, Loading, PageHead } from '../../ui/parts';
import { useLoad } from '../../ui/use_load';
import { PreviewOf } from '../preview';
import { UploadRow } from './upload_list';

export function DataPage() {
  const first = useLoad((signal) => hub.listData({}, signal), []);
  const [older, setOlder] = useState<{ items: Data[]; next: string | null } | null>(null);
  const [more, setMore] = useState({ busy: false, error: '' });
  const [words, setWords] = useState('');
  const [shown, setShown] = useState<Data | null>(null);
  const [doomed, setDoomed] = useState<Data | null>(null);
  const uploads = useSyncExternalStore(subscribeUploads, currentUploads);
  const finished = uploads.filter((upload) => upload.state === 'done').length;
  const seen = useRef(finished);

  useEffect(() => {
    if (finished > seen.current) first.reload();
    seen.current = finished;
  }, [finished]);

  function upload(files: File[]) {
    for (const file of inNaturalOrder(files)) addUpload(file);
  }

  const known = new Set(first.value?.items.map((data) => data.id));
  const all = [...(first.value?.items ?? []), ...(older?.items ?? []).filter((data) => !known.has(data.id))];
  const items = all.filter((data) => data.name.toLowerCase().includes(words.toLowerCase()));
  const next = older ? older.next : (first.value?.next ?? null);

  async function loadMore() {
    setMore({ busy: true, error: '' });
    try {
      const page = await hub.listData({ cursor: next });
      // With the first page as it is now: what newer ones push off it later must not be lost.
      setOlder({ items: [...all, ...page.items], next: page.next });
      setMore({ busy: false, error: '' });
    } catch (problem) {
      setMore({ busy: false, error: messageOf(problem) });
    }
  }

  return (
    <>
      <PageHead title="Data" below={<p className="lead">Files that apps read, and results that you kept.</p>} />
      <DropZone take={upload} className="drop-zone">
        <Icon name="upload" size={24} />
        <p>
          <strong>Drop files here</strong>
          <span className="muted"> Uploads can be paused, and go on where they stopped.</span>
        </p>
        <FileButton take={upload} many className="primary">
          Choose files
        </FileButton>
      </DropZone>
      {uploads.length > 0 && (
        <section className="uploads" aria-labelledby="uploads-title">
          <div className="section-head">
            <h2 id="uploads-title">Uploads</h2>
            {finished > 0 && (
              <button className="quiet small" onClick={() => uploads.filter((u) => u.state === 'done').forEach((u) => removeUpload(u.key))}>
                Clear finished
              </button>
            )}
          </div>
          {uploads.map((view) => (
            <UploadRow key={view.key} upload={view} />
          ))}
        </section>
      )}
      {first.error !== null && <LoadError what="The data" error={first.error} retry={first.reload} />}
      {!first.value && first.loading && <Loading what="Loading the data" />}
      {first.value && all.length === 0 && (
        <Empty icon="data" title="No data yet">
          Drop files above, or keep an output of a run: both are found here, ready for the next run.
        </Empty>
      )}
      {all.length > 0 && (
        <>
          <div className="search">
            <Icon name="search" />
            <input type="search" aria-label="Search data" placeholder="Search by name" value={words} onChange={(event) => setWords(event.target.value)} />
          </div>
          <table className="list data-list">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Kind</th>
                <th scope="col" className="number">Size</th>
                <th scope="col">Added</th>
                <th scope="col">
                  <span className="visually-hidden">What to do</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {items.map((data) => (
                <tr key={data.id}>
                  <th scope="row">
                    <button className="link file-name" onClick={() => setShown(data)}>
                      {data.name}
                    </button>
                  </th>
                  <td>{data.kind === '' ? <span className="muted">unknown</span> : <Badge>{data.kind}</Badge>}</td>
                  <td className="number">{formatBytes(data.bytes)}</td>
                  <td className="muted" title={formatTime(data.created)}>
                    {formatAge(data.created, Date.now())}
                  </td>
                  <td className="row-actions">
                    <button className="quiet icon-only" aria-label={`Look at ${data.name}`} onClick={() => setShown(data)}>
                      <Icon name="eye" />
                    </button>
                    <a className="button quiet icon-only" aria-label={`Download ${data.name}`} href={hub.dataContent(data.id)} download={data.name}>
                      <Icon name="download" />
                    </a>
                    <button className="quiet icon-only" aria-label={`Delete ${data.name}`} onClick={() => setDoomed(data)}>
                      <Icon name="trash" />
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          {items.length === 0 && <p className="muted">No name among the {all.length} loaded matches.</p>}
        </>
      )}
      {more.error !== '' && <Callout tone="danger">{more.error}</Callout>}
      {next !== null && (
        <button className="more" disabled={more.busy} onClick={() => void loadMore()}>
          Show older data
        </button>
      )}
      {shown && (
        <Dialog title={shown.name} close={() => setShown(null)} wide>
          <dl className="facts">
            <Fact label="Size">{formatBytes(shown.bytes)}</Fact>
            <Fact label="Kind">{shown.kind === '' ? 'unknown' : shown.kind}</Fact>
            <Fact label="Added">{formatTime(shown.created)}</Fact>
            <Fact label="SHA-256">
              <code className="hash" title={shown.sha256}>
                {shown.sha256.slice(0, 16)}…
              </code>
              <CopyButton text={shown.sha256} what="the hash" />
            </Fact>
          </dl>
          <PreviewOf name={shown.name} content={hub.dataContent(shown.id)} rows={hub.dataRows(shown.id)} load={() => hub.previewData(shown.id)} />
        </Dialog>
      )}
      {doomed && (
        <Confirm
          title="Delete these data?"
          action="Delete"
          close={() => setDoomed(null)}
          act={async () => {
            await hub.deleteData(doomed.id);
            setOlder((before) => before && { ...before, items: before.items.filter((item) => item.id !== doomed.id) });
            setDoomed(null);
            first.reload();
          }}
        >
          <p>
            <strong className="file-name">{doomed.name}</strong> ({formatBytes(doomed.bytes)}) will be gone from this hub. Runs that used it keep
            their results, but cannot be run again with it.
          </p>
        </Confirm>
      )}
    </>
  );
}

function Fact({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}
