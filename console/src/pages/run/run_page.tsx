// One run: how far it is while it goes, what came of it afterwards.
import { lazy, Suspense, useEffect, useState } from 'react';
import { messageOf } from '../../api/client';
import * as hub from '../../api/hub';
import type { App, Json, Run } from '../../api/types';
import { labelOf } from '../../forms/form';
import { addressOf, go, replaceAddress } from '../../router';
import { formatAge, formatAmount, formatNumber, formatRate, formatSeconds } from '../../ui/format';
import { Icon } from '../../ui/icons';
import { Announce, Callout, Confirm, LoadError, Loading, PageHead, ProgressBar, Tabs, type Tab } from '../../ui/parts';
import { useInterval, useLoad } from '../../ui/use_load';
import { PageFrame } from '../page_frame';
import { Details } from './details';
import { LogView } from './log';
import { Outputs } from './outputs';
import { durationOf, isOver, StateBadge } from './state';
import { useRun, type LiveRun } from './use_run';

// Plots are drawn by a library that most pages do not need.
const LossCurve = lazy(() => import('./loss_curve'));

export function RunPage({ id, tab }: { id: string; tab: string | null }) {
  const live = useRun(id);
  const apps = useLoad(hub.listApps, []);
  if (live.run) return <Shown live={live} run={live.run} app={apps.value?.find((app) => app.name === live.run?.app) ?? null} tab={tab} />;
  if (live.error !== null) {
    return (
      <>
        <PageHead title="Run" above={<a className="back" href="#/runs">Runs</a>} />
        <LoadError what="The run" error={live.error} retry={live.reload} />
      </>
    );
  }
  return <Loading what="Loading the run" />;
}

function Shown({ live, run, app, tab }: { live: LiveRun; run: Run; app: App | null; tab: string | null }) {
  const [failure, setFailure] = useState('');
  const [deleting, setDeleting] = useState(false);
  const [now, setNow] = useState(Date.now());
  const over = isOver(run.state);
  useInterval(() => setNow(Date.now()), 1000, !over);
  useEffect(() => setNow(Date.now()), [run.state]);

  async function act(action: (id: string) => Promise<Run>) {
    setFailure('');
    try {
      live.take(await action(run.id));
    } catch (error) {
      setFailure(messageOf(error));
      live.reload(); // 409: it is in another state than shown
    }
  }

  const report = run.outputs.find((output) => output.name === 'report' && output.viewer === 'html');
  const tabs: Tab[] = [];
  if (report) {
    tabs.push({ id: 'report', label: 'Report', content: <Report run={run} /> });
  }
  const trains = live.curve.points.length > 0;
  if (trains) tabs.push({ id: 'training', label: 'Training', content: <Training live={live} over={over} /> });
  tabs.push(
    { id: 'outputs', label: 'Outputs', count: run.outputs.length || undefined, content: <Outputs run={run} over={over} /> },
    { id: 'details', label: 'Details', content: <Details run={run} app={app} /> },
    { id: 'log', label: 'Log', content: <LogView lines={live.log} dropped={live.dropped} over={over} file={hub.runLogPath(run.id)} /> },
  );
  // While it goes one wants its curve or its log, afterwards what came of it.
  const usual = run.error ? 'log' : !over ? (trains ? 'training' : 'log') : report ? 'report' : 'outputs';
  const chosen = tab !== null && tabs.some((other) => other.id === tab) ? tab : usual;

  return (
    <>
      <PageHead
        title={run.app}
        above={<a className="back" href="#/runs">Runs</a>}
        below={
          <p className="run-line">
            <span data-test="state"><StateBadge state={run.state} /></span>
            <span className="muted">
              {formatAge(run.created, now)}
              {run.attempt > 1 && ` · attempt ${run.attempt}`}
            </span>
          </p>
        }
      >
        {!over && (
          <button onClick={() => void act(hub.cancelRun)}>
            <Icon name="stop" /> Cancel
          </button>
        )}
        {(run.state === 'failed' || run.state === 'cancelled' || run.state === 'interrupted') && (
          <button onClick={() => void act(hub.retryRun)}>
            <Icon name="again" /> Retry
          </button>
        )}
        <a className="button" href={addressOf(['apps', run.app], { from: run.id })}>
          <Icon name="copy" /> {over ? 'Run again with changes' : 'Use as template'}
        </a>
        {run.state !== 'running' && (
          <button className="quiet icon-only" aria-label="Delete this run" onClick={() => setDeleting(true)}>
            <Icon name="trash" />
          </button>
        )}
      </PageHead>
      <Announce>{`The run is ${run.state}.`}</Announce>
      {failure !== '' && <Callout tone="danger">{failure}</Callout>}
      {!over && <ProgressCard live={live} run={run} />}
      {run.error && <Failure run={run} />}
      {run.state === 'interrupted' && !run.error && (
        <Callout tone="warn" title="The run was interrupted">
          It left no result: the machine or the hub may have stopped. Retry starts it again with the same data.
        </Callout>
      )}
      <dl className="facts">
        <Fact label="Duration" value={durationOf(run, now)} />
        {numberFact('CPU time', run.cpu_seconds, formatSeconds)}
        {numberFact('Peak memory', run.peak_rss_mb, (mb) => `${formatNumber(Math.round(mb))} MB`)}
        <Fact label="Input files" value={String(Object.values(run.inputs).flat().length)} />
      </dl>
      <WarningList warnings={run.warnings} />
      <Tabs tabs={tabs} chosen={chosen} choose={(id) => replaceAddress(addressOf(['runs', run.id], { tab: id }))} label="About this run" />
      {deleting && (
        <Confirm
          title="Delete this run?"
          action="Delete"
          close={() => setDeleting(false)}
          act={async () => {
            await hub.deleteRun(run.id);
            go('#/runs');
          }}
        >
          <p>Its outputs, report and log will be gone. Data that you kept stay.</p>
        </Confirm>
      )}
    </>
  );
}

function Training({ live, over }: { live: LiveRun; over: boolean }) {
  return (
    <Suspense fallback={<Loading what="Loading the curve" />}>
      <LossCurve curve={live.curve} over={over} />
    </Suspense>
  );
}

function Report({ run }: { run: Run }) {
  const address = hub.outputPath(run.id, 'report');
  return (
    <div className="report">
      <div className="section-head">
        <span />
        <a className="button quiet small" href={address} target="_blank" rel="noreferrer">
          <Icon name="open" size={15} /> Open in its own tab
        </a>
      </div>
      <PageFrame key={run.attempt} address={address} title="Report" />
    </div>
  );
}

function ProgressCard({ live, run }: { live: LiveRun; run: Run }) {
  const { progress, pace } = live;
  const share = progress && progress.total > 0 ? progress.done / progress.total : null;
  const tenth = share === null ? '' : `${Math.floor(share * 10) * 10} percent`;
  return (
    <section className="progress-card" aria-label="Progress">
      <div className="progress-head">
        <strong>{run.state === 'queued' ? 'Waiting for its turn' : progress ? labelOf(progress.stage) : 'Starting'}</strong>
        {share !== null && <span className="percent">{Math.floor(100 * share)} %</span>}
      </div>
      <ProgressBar value={run.state === 'queued' ? 0 : share} label="Progress of the run" />
      <p className="muted">
        {progress && (
          <>
            {formatAmount(progress.done, progress.total > 0 && progress.unit !== 'bytes' ? '' : progress.unit)}
            {progress.total > 0 && ` of ${formatAmount(progress.total, progress.unit)}`}
            {pace.perSecond !== null && ` · ${formatRate(pace.perSecond, progress.unit)}`}
            {pace.secondsLeft !== null && ` · about ${formatSeconds(Math.max(1, Math.round(pace.secondsLeft)))} left`}
          </>
        )}
        {!live.connected && `${progress ? ' · ' : ''}connection lost, trying again…`}
      </p>
      {progress && <Announce>{`${labelOf(progress.stage)} ${tenth}`}</Announce>}
    </section>
  );
}

function Failure({ run }: { run: Run }) {
  return (
    <Callout tone={run.state === 'cancelled' ? 'warn' : 'danger'} title={run.state === 'cancelled' ? 'The run was cancelled' : 'The run failed'}>
      <p className="error-message">{run.error?.message}</p>
      <p className="muted">
        Code <code>{run.error?.code}</code>
      </p>
      {run.state === 'failed' && <ErrorOutput run={run} />}
    </Callout>
  );
}

/// The end of the standard error of a failed run: a crash leaves its reason only there.
function ErrorOutput({ run }: { run: Run }) {
  const text = useLoad(() => hub.runLog(run.id), [run.id, run.attempt]);
  const lines = (text.value ?? '').trimEnd().split('\n').slice(-12).join('\n');
  if (lines === '') return null;
  return (
    <details>
      <summary>Last lines of its standard error</summary>
      <pre tabIndex={0} role="region" aria-label="Standard error">{lines}</pre>
    </details>
  );
}

function Fact({ label, value }: { label: string; value: string }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function numberFact(label: string, value: number | null | undefined, format: (value: number) => string) {
  return value === null || value === undefined ? null : <Fact label={label} value={format(value)} />;
}

interface Warning {
  kind: string;
  count: number;
  examples: string[];
}

function WarningList({ warnings }: { warnings: Json }) {
  const list = (Array.isArray(warnings) ? warnings : []) as unknown as Warning[];
  if (list.length === 0) return null;
  const total = list.reduce((sum, warning) => sum + (warning.count ?? 1), 0);
  return (
    <Callout tone="warn" title={`${formatNumber(total)} ${total === 1 ? 'warning' : 'warnings'}`}>
      <ul className="warnings">
        {list.map((warning) => (
          <li key={warning.kind}>
            <details>
              <summary>
                <code>{warning.kind}</code> <span className="muted">× {formatNumber(warning.count ?? 1)}</span>
              </summary>
              <ul>
                {(warning.examples ?? []).map((example, index) => (
                  <li key={index}>{example}</li>
                ))}
              </ul>
            </details>
          </li>
        ))}
      </ul>
    </Callout>
  );
}
