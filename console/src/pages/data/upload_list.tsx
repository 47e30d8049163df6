// Uploads that go on, with their progress.
import { pauseUpload, removeUpload, resumeUpload, type UploadView } from '../../api/uploads';
import { formatBytes, formatRate } from '../../ui/format';
import { Icon } from '../../ui/icons';
import { Announce, ProgressBar } from '../../ui/parts';

export function UploadRow({ upload }: { upload: UploadView }) {
  const { key, name, state } = upload;
  return (
    <div className={`upload ${state}`} data-test="upload">
      <div className="upload-head">
        <Icon name={state === 'done' ? 'check' : 'file'} />
        <span className="file-name">{name}</span>
        {(state === 'sending' || state === 'waiting') && (
          <button type="button" className="quiet icon-only" aria-label={`Pause ${name}`} onClick={() => pauseUpload(key)}>
            <Icon name="pause" size={16} />
          </button>
        )}
        {(state === 'paused' || state === 'failed') && (
          <button type="button" className="quiet small" onClick={() => resumeUpload(key)}>
            {state === 'paused' ? 'Resume' : 'Try again'} <span className="visually-hidden">{name}</span>
          </button>
        )}
        <button type="button" className="quiet icon-only" aria-label={state === 'done' ? `Take ${name} off the list` : `Cancel ${name}`} onClick={() => removeUpload(key)}>
          <Icon name="close" size={16} />
        </button>
      </div>
      {state !== 'done' && <ProgressBar value={upload.bytes === 0 ? null : upload.sent / upload.bytes} label={`Upload of ${name}`} />}
      <p className={state === 'failed' ? 'mistake' : 'muted'}>{textOf(upload)}</p>
      {(state === 'done' || state === 'failed') && <Announce>{`${name}: ${textOf(upload)}`}</Announce>}
    </div>
  );
}

function textOf(upload: UploadView): string {
  const amount = `${formatBytes(upload.sent)} of ${formatBytes(upload.bytes)}`;
  switch (upload.state) {
    case 'waiting':
      return 'Waiting for its turn';
    case 'sending':
      if (upload.message !== '') return upload.message;
      return upload.bytesPerSecond > 0 ? `${amount} · ${formatRate(upload.bytesPerSecond, 'bytes')}` : amount;
    case 'paused':
      return `Paused at ${amount}`;
    case 'failed':
      return upload.message;
    case 'done':
      return `Uploaded, ${formatBytes(upload.bytes)}`;
  }
}
