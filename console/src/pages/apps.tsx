// The gallery of apps, grouped by toolkit.
import { useMemo, useState } from 'react';
import * as hub from '../api/hub';
import type { App } from '../api/types';
import { labelOf } from '../forms/form';
import { addressOf } from '../router';
import { formatCount } from '../ui/format';
import { Icon } from '../ui/icons';
import { Announce, Badge, Empty, LoadError, Loading, PageHead } from '../ui/parts';
import { useLoad } from '../ui/use_load';

export function AppsPage() {
  const apps = useLoad(hub.listApps, []);
  const [words, setWords] = useState('');
  const found = useMemo(() => (apps.value ?? []).filter((app) => matches(app, words)), [apps.value, words]);
  const toolkits = [...new Set(found.map((app) => app.toolkit))];

  return (
    <>
      <PageHead title="Apps" below={<p className="lead">Choose what to do with your data. Apps with a sample can be tried at once.</p>} />
      <div className="search">
        <Icon name="search" />
        <input
          type="search"
          placeholder="Search by name, task or kind of data"
          aria-label="Search apps"
          value={words}
          onChange={(event) => setWords(event.target.value)}
        />
      </div>
      {apps.value && words !== '' && <Announce>{formatCount(found.length, 'app')}</Announce>}
      {apps.error !== null && <LoadError what="The apps" error={apps.error} retry={apps.reload} />}
      {!apps.value && apps.loading && <Loading what="Loading the apps" />}
      {apps.value && found.length === 0 && (
        <Empty icon="search" title="No app matches" action={<button onClick={() => setWords('')}>Show all apps</button>}>
          Try another word: a task such as “trim”, or a kind of data such as “fastq”.
        </Empty>
      )}
      {toolkits.map((toolkit) => (
        <section key={toolkit} aria-labelledby={`toolkit-${toolkit}`} className="toolkit">
          <h2 id={`toolkit-${toolkit}`}>{labelOf(toolkit)}</h2>
          <ul className="cards">
            {found
              .filter((app) => app.toolkit === toolkit)
              .map((app) => (
                <AppCard key={app.name} app={app} />
              ))}
          </ul>
        </section>
      ))}
    </>
  );
}

function AppCard({ app }: { app: App }) {
  const kinds = [...new Set(app.inputs.map((input) => input.kind))];
  return (
    <li>
      <a className="card" href={addressOf(['apps', app.name])}>
        <h3>{app.name}</h3>
        <p>{app.summary}</p>
        <span className="card-foot">
          {kinds.slice(0, 3).map((kind) => (
            <Badge key={kind}>{kind}</Badge>
          ))}
          {app.resources.uses_gpu && <Badge tone="info">GPU</Badge>}
          {app.samples.length > 0 && (
            <span className="has-sample">
              <Icon name="spark" size={14} /> sample
            </span>
          )}
        </span>
      </a>
    </li>
  );
}

/// Every word must occur somewhere in what the app says of itself.
function matches(app: App, words: string): boolean {
  const kinds = [...app.inputs, ...app.outputs].map((part) => `${part.kind} ${part.kind_label}`);
  const text = [app.name, app.summary, app.help, ...kinds].join(' ').toLowerCase();
  return words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}
