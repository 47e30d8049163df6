// Showing data in the browser, by the viewer that their kind asks for.
import type { Preview } from '../api/types';
import { formatCount } from '../ui/format';
import { LoadError, Loading } from '../ui/parts';
import { ValueTable } from '../ui/table';
import { useLoad } from '../ui/use_load';
import { PageFrame } from './page_frame';

/// `load` fetches the preview; `content` is the address of the bytes, for images and pages.
export function PreviewOf({ name, content, load }: { name: string; content: string; load: () => Promise<Preview> }) {
  const preview = useLoad(load, [content]);
  if (preview.error !== null) return <LoadError what="The preview" error={preview.error} retry={preview.reload} />;
  if (!preview.value) return <Loading what="Loading the preview" />;
  return (
    <div className="preview" data-test="preview">
      <Shown name={name} content={content} preview={preview.value} />
    </div>
  );
}

function Shown({ name, content, preview }: { name: string; content: string; preview: Preview }) {
  switch (preview.viewer) {
    case 'text':
    case 'json':
      if (preview.text === '') return <p className="hint">The file is empty.</p>;
      return (
        <>
          <pre className="text" tabIndex={0} role="region" aria-label={`Text of ${name}`}>
            {preview.viewer === 'json' && !preview.truncated ? indented(preview.text) : preview.text}
          </pre>
          {preview.truncated && <p className="hint">This is the beginning; download the file to see the rest.</p>}
        </>
      );
    case 'table':
      return (
        <>
          <ValueTable columns={preview.columns} rows={preview.rows} label={`Table of ${name}`} />
          {preview.truncated && (
            <p className="hint">These are the first {formatCount(preview.rows.length, 'row')}; download the file to see the rest.</p>
          )}
        </>
      );
    case 'image':
      return <img src={content} alt={name} />;
    case 'html':
      return <PageFrame address={content} title={name} />;
    case 'none':
      return <p className="hint">There is no preview for this kind of data. Download it to look inside.</p>;
  }
}

function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
