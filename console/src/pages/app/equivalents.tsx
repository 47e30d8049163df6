// The same run as a command line, and as a request for scripts.
import { useState } from 'react';
import type { App } from '../../api/types';
import { commandLine, requestOf, type Entries } from '../../forms/form';
import { CopyButton, Tabs } from '../../ui/parts';

export function Equivalents({ app, entries }: { app: App; entries: Entries }) {
  const [shown, setShown] = useState('command');
  const command = commandLine(app, entries);
  const request = JSON.stringify(requestOf(app, entries), null, 2);
  return (
    <section className="equivalents" aria-label="The same elsewhere">
      <Tabs
        label="The same elsewhere"
        chosen={shown}
        choose={setShown}
        tabs={[
          { id: 'command', label: 'Command line', content: <Code text={command} what="the command line" /> },
          { id: 'request', label: 'Request', content: <Code text={request} what="the request" note="POST /v1/runs" /> },
        ]}
      />
    </section>
  );
}

function Code({ text, what, note }: { text: string; what: string; note?: string }) {
  return (
    <div className="code">
      <div className="code-head">
        <span className="muted">{note ?? 'Does the same in a terminal'}</span>
        <CopyButton text={text} what={what} />
      </div>
      <pre tabIndex={0} role="region" aria-label={what}>
        {text}
      </pre>
    </div>
  );
}
