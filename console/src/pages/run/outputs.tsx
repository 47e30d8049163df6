// What a run wrote: each output can be looked at, downloaded, and kept for other runs.
import { useState } from 'react';
import { messageOf } from '../../api/client';
import * as hub from '../../api/hub';
import type { Output, Run } from '../../api/types';
import { labelOf } from '../../forms/form';
import { trackOf } from '../../genome/tracks';
import { formatBytes } from '../../ui/format';
import { Icon } from '../../ui/icons';
import { Badge, Callout, Dialog, Empty } from '../../ui/parts';
import { PreviewOf } from '../preview';

export function Outputs({ run, over }: { run: Run; over: boolean }) {
  const [open, setOpen] = useState('');
  const [keeping, setKeeping] = useState<Output | null>(null);
  const [kept, setKept] = useState('');
  if (run.outputs.length === 0) {
    return (
      <Empty icon="file" title={over ? 'The run wrote no outputs' : 'No outputs yet'}>
        {over ? 'What went wrong is said above and in the log.' : 'They appear here when the run has ended.'}
      </Empty>
    );
  }
  return (
    <>
      <div aria-live="polite">
        {kept !== '' && (
          <Callout tone="ok">
            Kept as {kept}. <a href="#/data">See your data</a>
          </Callout>
        )}
      </div>
      <ul className="output-list">
        {run.outputs.map((output) => {
          const shown = open === output.name;
          const content = hub.outputPath(run.id, output.name);
          const track = trackOf(run, output);
          return (
            <li key={output.name} data-test={`output-${output.name}`}>
              <div className="output-row">
                <div className="output-name">
                  <strong>{labelOf(output.name)}</strong> <Badge>{output.kind}</Badge>
                  <p className="muted">
                    <span className="file-name">{output.file_name}</span> · {formatBytes(output.bytes)}
                  </p>
                </div>
                <div className="actions">
                  {(output.viewer !== 'none' || track !== null) && (
                    <button aria-expanded={shown} aria-label={`${shown ? 'Hide' : 'Preview'} ${output.file_name}`} onClick={() => setOpen(shown ? '' : output.name)}>
                      <Icon name="eye" /> {shown ? 'Hide' : 'Preview'}
                    </button>
                  )}
                  <a className="button" href={content} download={output.file_name} aria-label={`Download ${output.file_name}`}>
                    <Icon name="download" /> <span className="wide-only">Download</span>
                  </a>
                  <button aria-label={`Keep as data: ${output.file_name}`} onClick={() => setKeeping(output)}>
                    <Icon name="keep" /> <span className="wide-only">Keep as data</span>
                  </button>
                </div>
              </div>
              {shown && (
                <PreviewOf name={output.file_name} content={content} rows={hub.outputRows(run.id, output.name)} track={track} load={() => hub.previewOutput(run.id, output.name)} />
              )}
            </li>
          );
        })}
      </ul>
      {keeping && (
        <KeepDialog
          run={run}
          output={keeping}
          close={() => setKeeping(null)}
          kept={(name) => {
            setKeeping(null);
            setKept(name);
          }}
        />
      )}
    </>
  );
}

function KeepDialog({ run, output, kept, close }: { run: Run; output: Output; kept: (name: string) => void; close: () => void }) {
  const [name, setName] = useState(output.file_name);
  const [error, setError] = useState('');
  async function keep(event: React.FormEvent) {
    event.preventDefault();
    setError('');
    try {
      const data = await hub.keepOutput(run.id, output.name, name.trim() === '' ? output.file_name : name.trim());
      kept(data.name);
    } catch (problem) {
      setError(messageOf(problem));
    }
  }
  return (
    <Dialog title="Keep as data" close={close}>
      <form onSubmit={(event) => void keep(event)}>
        <div className="dialog-body field">
          <label htmlFor="keep-name">Name</label>
          <input data-first id="keep-name" type="text" value={name} spellCheck={false} onChange={(event) => setName(event.target.value)} aria-describedby="keep-help" />
          <p className="hint" id="keep-help">
            Other runs find it under this name. The ending tells its kind.
          </p>
        </div>
        {error !== '' && <Callout tone="danger">{error}</Callout>}
        <div className="dialog-foot">
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button className="primary">Keep</button>
        </div>
      </form>
    </Dialog>
  );
}
