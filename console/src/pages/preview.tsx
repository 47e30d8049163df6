// Showing data in the browser, by the viewer that their kind asks for.
import { lazy, Suspense, useState } from 'react';
import type { Preview } from '../api/types';
import { smilesColumn } from '../molecules/table';
import { formatCount } from '../ui/format';
import { LoadError, Loading, Tabs } from '../ui/parts';
import { ValueTable } from '../ui/table';
import { useLoad } from '../ui/use_load';
import { PageFrame } from './page_frame';

// Chemistry is large, and most pages show none.
const MoleculeGrid = lazy(() => import('../molecules/molecule_grid'));

/// `load` fetches the preview; `content` is the address of the bytes, for images and pages.
export function PreviewOf({ name, content, load }: { name: string; content: string; load: () => Promise<Preview> }) {
  const preview = useLoad(load, [content]);
  if (preview.error !== null) return <LoadError what="The preview" error={preview.error} retry={preview.reload} />;
  if (!preview.value) return <Loading what="Loading the preview" />;
  return (
    <div className="preview" data-test="preview">
      {hasMolecules(name, preview.value) ? (
        <Molecules name={name} content={content} preview={preview.value} />
      ) : (
        <Shown name={name} content={content} preview={preview.value} />
      )}
    </div>
  );
}

function hasMolecules(name: string, preview: Preview): boolean {
  if (preview.viewer === 'table') return smilesColumn(preview.columns) >= 0;
  return preview.viewer === 'text' && /\.(smi|smiles)(\.gz)?$/i.test(name);
}

function Molecules({ name, content, preview }: { name: string; content: string; preview: Preview }) {
  const [chosen, setChosen] = useState('structures');
  const grid = (
    <Suspense fallback={<Loading what="Loading what draws structures" />}>
      <MoleculeGrid address={content} name={name} />
    </Suspense>
  );
  const tabs = [
    { id: 'structures', label: 'Structures', content: grid },
    { id: 'file', label: preview.viewer === 'table' ? 'Table' : 'Text', content: <Shown name={name} content={content} preview={preview} /> },
  ];
  return <Tabs tabs={tabs} chosen={chosen} choose={setChosen} label={`Views of ${name}`} />;
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
