// What a run was asked for and what it measured.
import type { App, Json, Run } from '../../api/types';
import { labelOf } from '../../forms/form';
import { formatNumber, formatTime } from '../../ui/format';
import { CopyButton } from '../../ui/parts';

export function Details({ run, app }: { run: Run; app: App | null }) {
  const metrics = flatten(run.metrics);
  const units = new Map(app?.options.map((option) => [option.name, option.unit]));
  return (
    <div className="details">
      {metrics.length > 0 && (
        <section aria-labelledby="metrics-title">
          <h2 id="metrics-title">Metrics</h2>
          <Pairs pairs={metrics} />
        </section>
      )}
      <section aria-labelledby="asked-title">
        <h2 id="asked-title">Inputs and options</h2>
        <Pairs
          pairs={[
            ...Object.entries(run.inputs).map(([name, data]): [string, string] => [labelOf(name), data.map((item) => item.name).join('\n')]),
            ...Object.entries(run.options).map(([name, value]): [string, string] => [labelOf(name), `${textOf(value)} ${units.get(name) ?? ''}`]),
          ]}
        />
        {Object.keys(run.options).length === 0 && <p className="muted">All options were left at their defaults.</p>}
      </section>
      <section aria-labelledby="times-title">
        <h2 id="times-title">Record</h2>
        <Pairs
          pairs={[
            ['Created', formatTime(run.created)],
            ['Started', formatTime(run.started)],
            ['Finished', formatTime(run.finished)],
            ['Attempt', String(run.attempt)],
          ]}
        />
        <p className="run-id">
          <code>{run.id}</code> <CopyButton text={run.id} what="the run's id" />
        </p>
      </section>
    </div>
  );
}

function Pairs({ pairs }: { pairs: [string, string][] }) {
  return (
    <dl className="pairs">
      {pairs.map(([label, value], index) => (
        <div key={index}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/// Metrics may be nested; long lists are in the report.
function flatten(value: Json, path: string[] = []): [string, string][] {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([name, part]) => flatten(part, [...path, labelOf(name)]));
  }
  return path.length === 0 ? [] : [[path.join(' › '), textOf(value)]];
}

function textOf(value: Json): string {
  if (typeof value === 'number') return formatNumber(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (value === null) return '–';
  if (Array.isArray(value)) return value.length > 8 ? `${value.length} values` : value.map(textOf).join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
