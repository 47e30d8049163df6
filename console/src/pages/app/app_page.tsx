// An app's page: its form, made from nothing but its description.
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { ApiError, messageOf } from '../../api/client';
import * as hub from '../../api/hub';
import type { App, Mistake, Sample } from '../../api/types';
import {
  emptyEntries,
  entriesOfRun,
  entriesOfSample,
  groupOf,
  groupsOf,
  inputPointer,
  isChanged,
  labelOf,
  mistakesIn,
  optionPointer,
  requestOf,
  sentence,
  sortMistakes,
  type Chosen,
  type Entries,
  type Group,
} from '../../forms/form';
import { addressOf, go } from '../../router';
import { formatCount } from '../../ui/format';
import { Icon } from '../../ui/icons';
import { Badge, Callout, LoadError, Loading, PageHead } from '../../ui/parts';
import { useLoad } from '../../ui/use_load';
import { Equivalents } from './equivalents';
import { fieldId } from './field';
import { InputField } from './input_field';
import { OptionField } from './option_field';
import { SampleButtons } from './samples';

const kManyOptions = 10; // with more, groups are folded until they are wanted
const kAdvanced = '/advanced'; // no group is called so

export function AppPage({ name, from }: { name: string; from: string | null }) {
  const loaded = useLoad(async () => {
    const apps = await hub.listApps();
    const app = apps.find((other) => other.name === name);
    if (!app) throw new Error(`This hub has no app “${name}”.`);
    const entries = from === null ? emptyEntries(app) : entriesOfRun(app, await hub.getRun(from));
    return { app, entries };
  }, [name, from]);

  if (loaded.error !== null) {
    return (
      <>
        <PageHead title={name} />
        <LoadError what="The app" error={loaded.error} retry={loaded.reload} />
      </>
    );
  }
  if (!loaded.value) return <Loading what="Loading the app" />;
  return <AppForm app={loaded.value.app} first={loaded.value.entries} from={from} />;
}

function AppForm({ app, first, from }: { app: App; first: Entries; from: string | null }) {
  const [entries, setEntries] = useState(first);
  const [mistakes, setMistakes] = useState<Mistake[]>([]);
  const [failure, setFailure] = useState('');
  const [sending, setSending] = useState(false);
  const [uploading, setUploading] = useState<Record<string, number>>({});
  const [folds, setFolds] = useState<Record<string, boolean>>({}); // open or not, where someone chose
  const [filled, setFilled] = useState('');
  const summary = useRef<HTMLDivElement>(null);
  const runButton = useRef<HTMLButtonElement>(null);
  const shown = useRef(0); // how often mistakes were shown: each time the first takes the focus
  const [showing, setShowing] = useState(0);

  const { fields, others } = sortMistakes(app, mistakes);
  const plain = app.options.filter((option) => !option.advanced);
  const advanced = app.options.filter((option) => option.advanced);

  useEffect(() => {
    if (showing === shown.current) return;
    shown.current = showing;
    const ids = [
      ...app.inputs.map((input) => inputPointer(input.name)),
      ...[...plain, ...advanced].map((option) => optionPointer(option.name)),
    ];
    const firstField = ids.find((pointer) => fields.has(pointer));
    const element = firstField === undefined ? summary.current : document.getElementById(fieldId(firstField));
    element?.scrollIntoView({ block: 'center' });
    element?.focus({ preventScroll: true });
  });

  function show(found: Mistake[]) {
    setMistakes(found);
    const marked = sortMistakes(app, found).fields;
    for (const option of app.options) {
      if (marked.has(optionPointer(option.name))) fold(option.advanced ? kAdvanced : groupOf(option), true);
    }
    setShowing((before) => before + 1);
  }

  function fold(name: string, open: boolean) {
    setFolds((before) => ({ ...before, [name]: open }));
  }

  function forget(pointer: string) {
    setMistakes((before) => before.filter((m) => m.pointer !== pointer && !m.pointer.startsWith(`${pointer}/`)));
  }

  // By function, because an upload ends long after the form was drawn.
  function changeInput(name: string, change: (before: Chosen[]) => Chosen[]) {
    setEntries((before) => ({ ...before, inputs: { ...before.inputs, [name]: change(before.inputs[name] ?? []) } }));
    forget(inputPointer(name));
  }

  function changeOption(name: string, value: string | boolean) {
    setEntries((before) => ({ ...before, options: { ...before.options, [name]: value } }));
    forget(optionPointer(name));
  }

  function applySample(sample: Sample, data: ReadonlyMap<string, Chosen>) {
    setEntries(entriesOfSample(app, sample, data));
    setMistakes([]);
    setFailure('');
    setFilled(`Filled in with ${sample.name}. Press Run to start.`);
    runButton.current?.focus();
  }

  async function run() {
    setFailure('');
    const found = mistakesIn(app, entries);
    for (const [name, count] of Object.entries(uploading)) {
      if (count > 0) found.unshift({ pointer: inputPointer(name), message: 'wait until the upload has ended' });
    }
    if (found.length > 0) {
      show(found);
      return;
    }
    setSending(true);
    try {
      const started = await hub.startRun(requestOf(app, entries));
      go(addressOf(['runs', started.id]));
    } catch (error) {
      setSending(false);
      if (!(error instanceof ApiError) || error.mistakes.length === 0) setFailure(messageOf(error));
      show(error instanceof ApiError ? error.mistakes : []);
    }
  }

  const fieldsOf = (options: App['options']) => (
    <div className="option-grid">
      {options.map((option) => (
        <OptionField
          key={option.name}
          option={option}
          entry={entries.options[option.name] ?? ''}
          mistakes={fields.get(optionPointer(option.name)) ?? []}
          change={(value) => changeOption(option.name, value)}
        />
      ))}
    </div>
  );
  const groupPanel = (group: Group) => (
    <fieldset key={group.name} className="panel">
      <legend>{labelOf(group.name)}</legend>
      {fieldsOf(group.options)}
    </fieldset>
  );
  const foldedPanel = (group: Group) => (
    <Fold key={group.name} title={labelOf(group.name)} note={noteOf(group.options)} open={folds[group.name] ?? false} fold={(open) => fold(group.name, open)} className="panel">
      {fieldsOf(group.options)}
    </Fold>
  );

  /// How many options there are, and how many of them were changed.
  function noteOf(options: App['options']): string {
    const changed = options.filter((option) => isChanged(option, entries.options[option.name])).length;
    return formatCount(options.length, 'option') + (changed > 0 ? `, ${changed} changed` : '');
  }

  return (
    <>
      <PageHead
        title={app.name}
        above={<a className="back" href="#/apps">Apps</a>}
        below={<p className="lead">{app.summary}</p>}
      />
      {from !== null && (
        <Callout>
          Filled in from run <a href={addressOf(['runs', from])}>{from}</a>. Change what you like, then run.
        </Callout>
      )}
      <div className="columns">
        <form
          className="app-form"
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            void run();
          }}
        >
          {app.samples.length > 0 && <SampleButtons samples={app.samples} use={applySample} />}
          {(mistakes.length > 0 || failure !== '') && (
            <div className="callout danger" role="alert" ref={summary} tabIndex={-1} data-test="mistakes">
              <div className="callout-text">
                <strong>
                  {mistakes.length === 0 ? 'The run could not be started' : `${formatCount(mistakes.length, 'mistake')} to correct`}
                </strong>
                {failure !== '' && <div>{failure}</div>}
                <ul>
                  {[...fields].flatMap(([pointer, messages]) =>
                    messages.map((message, index) => (
                      <li key={`${pointer}${index}`}>
                        <a href={`#${fieldId(pointer)}`} onClick={(event) => jump(event, pointer)}>
                          {labelOf(pointer.split('/')[2] ?? '')}
                        </a>{' '}
                        {message}
                      </li>
                    )),
                  )}
                  {others.map((mistake, index) => (
                    <li key={index}>
                      {mistake.pointer !== '' && <code>{mistake.pointer}</code>} {mistake.message}
                    </li>
                  ))}
                </ul>
              </div>
            </div>
          )}
          {app.inputs.length > 0 && (
            <section className="panel" aria-labelledby="inputs-title">
              <h2 id="inputs-title">Data</h2>
              {app.inputs.map((input) => (
                <InputField
                  key={input.name}
                  input={input}
                  chosen={entries.inputs[input.name] ?? []}
                  mistakes={fields.get(inputPointer(input.name)) ?? []}
                  change={(change) => changeInput(input.name, change)}
                  uploading={(count) => setUploading((before) => ({ ...before, [input.name]: count }))}
                />
              ))}
            </section>
          )}
          {groupsOf(plain).map(plain.length > kManyOptions ? foldedPanel : groupPanel)}
          {advanced.length > 0 && (
            <Fold title="Advanced options" note={noteOf(advanced)} open={folds[kAdvanced] ?? false} fold={(open) => fold(kAdvanced, open)} className="advanced">
              {groupsOf(advanced).map(groupPanel)}
            </Fold>
          )}
          <div className="run-bar">
            <button className="primary large" disabled={sending} ref={runButton} data-test="run">
              <Icon name="runs" /> {sending ? 'Starting…' : 'Run'}
            </button>
            <span className="muted" aria-live="polite">
              {filled}
            </span>
          </div>
        </form>
        <aside aria-label="About this app">
          <Equivalents app={app} entries={entries} />
          {app.help !== '' && (
            <section className="about">
              <h2>About</h2>
              {app.help.split(/\n\s*\n/).map((paragraph, index) => (
                <p key={index}>{paragraph}</p>
              ))}
            </section>
          )}
          <section className="about">
            <h2>What you get</h2>
            <dl className="outputs">
              {app.outputs.map((output) => (
                <div key={output.name}>
                  <dt>
                    <code>{output.file_name}</code> <Badge>{output.kind}</Badge>
                  </dt>
                  <dd>{sentence(output.help)}</dd>
                </div>
              ))}
            </dl>
          </section>
        </aside>
      </div>
    </>
  );
}

interface FoldProps {
  title: string;
  note: string;
  open: boolean;
  fold: (open: boolean) => void;
  className: string;
  children: ReactNode;
}

function Fold({ title, note, open, fold, className, children }: FoldProps) {
  return (
    <details className={`fold ${className}`} open={open} onToggle={(event) => fold(event.currentTarget.open)}>
      <summary>
        <Icon name="right" size={16} /> {title} <span className="muted">{note}</span>
      </summary>
      {children}
    </details>
  );
}

function jump(event: React.MouseEvent, pointer: string) {
  event.preventDefault();
  const field = document.getElementById(fieldId(pointer));
  field?.scrollIntoView({ block: 'center' });
  field?.focus({ preventScroll: true });
}
