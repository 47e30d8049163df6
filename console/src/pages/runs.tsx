// All runs, newest first, kept up to date.
import { useState } from 'react';
import { messageOf } from '../api/client';
import * as hub from '../api/hub';
import type { Run, RunState } from '../api/types';
import { addressOf, go } from '../router';
import { formatAge, formatTime } from '../ui/format';
import { Callout, Empty, LoadError, Loading, PageHead } from '../ui/parts';
import { useInterval, useLoad } from '../ui/use_load';
import { durationOf, isOver, kStates, StateBadge } from './run/state';

const kRefreshMs = 3000;

export function RunsPage({ state, app }: { state: string; app: string }) {
  // Another filter is another list: nothing of the one before may stay.
  return <RunList key={`${state}/${app}`} state={kStates.includes(state as RunState) ? (state as RunState) : ''} app={app} />;
}

function RunList({ state, app }: { state: RunState | ''; app: string }) {
  const first = useLoad((signal) => hub.listRuns({ state, app, limit: 50 }, signal), []);
  const apps = useLoad(hub.listApps, []);
  const [older, setOlder] = useState<{ items: Run[]; next: string | null } | null>(null);
  const [more, setMore] = useState({ busy: false, error: '' });
  useInterval(() => !first.loading && first.reload(), kRefreshMs);

  const known = new Set(first.value?.items.map((run) => run.id));
  const runs = [...(first.value?.items ?? []), ...(older?.items ?? []).filter((run) => !known.has(run.id))];
  const next = older ? older.next : (first.value?.next ?? null);
  const filtered = state !== '' || app !== '';
  const now = Date.now();

  async function loadMore() {
    setMore({ busy: true, error: '' });
    try {
      const page = await hub.listRuns({ state, app, limit: 50, cursor: next });
      // With the first page as it is now: what newer ones push off it later must not be lost.
      setOlder({ items: [...runs, ...page.items], next: page.next });
      setMore({ busy: false, error: '' });
    } catch (problem) {
      setMore({ busy: false, error: messageOf(problem) });
    }
  }

  function filter(values: Record<string, string>) {
    const all = { state, app, ...values };
    go(addressOf(['runs'], Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''))));
  }

  return (
    <>
      <PageHead title="Runs" below={<p className="lead">What was run, what runs now, and what came of it.</p>} />
      <div className="filters">
        <label>
          State
          <select value={state} onChange={(event) => filter({ state: event.target.value })}>
            <option value="">all</option>
            {kStates.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <label>
          App
          <select value={app} onChange={(event) => filter({ app: event.target.value })}>
            <option value="">all</option>
            {(apps.value ?? []).map((entry) => (
              <option key={entry.name}>{entry.name}</option>
            ))}
          </select>
        </label>
      </div>
      {first.error !== null && <LoadError what="The runs" error={first.error} retry={first.reload} />}
      {!first.value && first.loading && <Loading what="Loading the runs" />}
      {first.value && runs.length === 0 && !filtered && (
        <Empty icon="runs" title="Nothing has run yet" action={<a className="button primary" href="#/apps">Choose an app</a>}>
          Pick an app and press “Use sample”: the first result takes a minute.
        </Empty>
      )}
      {first.value && runs.length === 0 && filtered && (
        <Empty icon="search" title="No run matches" action={<a className="button" href="#/runs">Show all runs</a>}>
          No run of this app is in this state.
        </Empty>
      )}
      {runs.length > 0 && (
        <table className="list run-list">
          <thead>
            <tr>
              <th scope="col">App</th>
              <th scope="col">State</th>
              <th scope="col">Data</th>
              <th scope="col">Created</th>
              <th scope="col" className="number">Duration</th>
            </tr>
          </thead>
          <tbody>
            {runs.map((run) => (
              <tr key={run.id}>
                <th scope="row">
                  <a href={addressOf(['runs', run.id])} className="cover">
                    {run.app}
                  </a>
                </th>
                <td>
                  <StateBadge state={run.state} />
                  {!isOver(run.state) && run.progress && run.progress.total > 0 && (
                    <span className="muted percent"> {Math.floor((100 * run.progress.done) / run.progress.total)} %</span>
                  )}
                </td>
                <td className="muted file-name run-data">{namesOf(run)}</td>
                <td className="muted" title={formatTime(run.created)}>
                  {formatAge(run.created, now)}
                </td>
                <td className="number">{durationOf(run, now)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {more.error !== '' && <Callout tone="danger">{more.error}</Callout>}
      {next !== null && (
        <button className="more" disabled={more.busy} onClick={() => void loadMore()}>
          Show older runs
        </button>
      )}
    </>
  );
}

function namesOf(run: Run): string {
  const names = Object.values(run.inputs).flat().map((data) => data.name);
  return names.length > 2 ? `${names.slice(0, 2).join(', ')} and ${names.length - 2} more` : names.join(', ');
}
