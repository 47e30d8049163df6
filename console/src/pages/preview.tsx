// Showing data in the browser, by the viewer that their kind asks for.
import { lazy, Suspense, useState } from 'react';
import type { Preview } from '../api/types';
import type { GenomeTrack } from '../genome/tracks';
import { smilesColumn } from '../molecules/table';
import { RowsTable } from '../rows/rows_table';
import { formatCount } from '../ui/format';
import { LoadError, Loading, Tabs, type Tab } from '../ui/parts';
import { ValueTable } from '../ui/table';
import { useLoad } from '../ui/use_load';
import { PageFrame } from './page_frame';

// Chemistry and genomes are large, and most pages show none.
const MoleculeGrid = lazy(() => import('../molecules/molecule_grid'));
const GenomeView = lazy(() => import('../genome/genome_view'));

interface PreviewProps {
  name: string;
  content: string; // the address of the bytes, for images and pages
  rows?: string; // the address of the rows, if the file has any
  track?: GenomeTrack | null;
  load: () => Promise<Preview>;
}

/// `load` fetches the preview. Where there are several ways to look, each has a tab.
export function PreviewOf({ name, content, rows = '', track = null, load }: PreviewProps) {
  const preview = useLoad(load, [content]);
  const [chosen, setChosen] = useState('');
  if (preview.error !== null) return <LoadError what="The preview" error={preview.error} retry={preview.reload} />;
  if (!preview.value) return <Loading what="Loading the preview" />;
  const tabs = waysToLook(name, content, rows, track, preview.value);
  return (
    <div className="preview" data-test="preview">
      {tabs.length === 1 ? tabs[0]?.content : <Tabs tabs={tabs} chosen={chosen} choose={setChosen} label={`Views of ${name}`} />}
    </div>
  );
}

function waysToLook(name: string, content: string, rows: string, track: GenomeTrack | null, preview: Preview): Tab[] {
  const tabs: Tab[] = [];
  if (hasMolecules(name, preview)) {
    const grid = lazily('what draws structures', <MoleculeGrid address={content} name={name} />);
    tabs.push({ id: 'structures', label: 'Structures', content: grid });
  }
  if (preview.rows_of) tabs.push({ id: 'rows', label: 'Table', content: <RowsTable address={rows} name={name} of={preview.rows_of} /> });
  if (track) tabs.push({ id: 'genome', label: 'Genome', content: lazily('the genome viewer', <GenomeView track={track} />) });
  if (preview.viewer !== 'none' || tabs.length === 0) {
    tabs.push({ id: 'file', label: preview.viewer === 'table' ? 'Table' : 'Text', content: <Shown name={name} content={content} preview={preview} /> });
  }
  return tabs;
}

const lazily = (what: string, part: React.ReactNode) => <Suspense fallback={<Loading what={`Loading ${what}`} />}>{part}</Suspense>;

function hasMolecules(name: string, preview: Preview): boolean {
  if (preview.viewer === 'table') return smilesColumn(preview.columns) >= 0;
  return preview.viewer === 'text' && /\.(smi|smiles)(\.gz)?$/i.test(name);
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
