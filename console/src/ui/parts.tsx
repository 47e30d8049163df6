// Small parts that many pages are made of.
import { useEffect, useId, useLayoutEffect, useRef, useState, type ReactNode } from 'react';
import { Icon } from './icons';

/// The heading of a page. It takes the focus when one comes from another page, so that keyboard
/// and screen reader start at the new content.
export function PageHead({ title, children, above, below }: { title: string; children?: ReactNode; above?: ReactNode; below?: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    window.scrollTo(0, 0);
    heading.current?.focus({ preventScroll: true });
  }, []);
  useEffect(() => {
    document.title = `${title} – Aceso`;
  }, [title]);
  return (
    <header className="page-head">
      {above}
      <div className="page-head-row">
        <h1 tabIndex={-1} ref={heading}>
          {title}
        </h1>
        {children && <div className="actions">{children}</div>}
      </div>
      {below}
    </header>
  );
}

export type Tone = 'neutral' | 'info' | 'ok' | 'warn' | 'danger';

export function Badge({ tone = 'neutral', dot = false, children }: { tone?: Tone; dot?: boolean; children: ReactNode }) {
  return (
    <span className={`badge ${tone}`}>
      {dot && <span className="dot" aria-hidden="true" />}
      {children}
    </span>
  );
}

/// A message that stands in the page. Errors are announced when they appear.
export function Callout({ tone = 'info', title, children, actions }: { tone?: Tone; title?: ReactNode; children?: ReactNode; actions?: ReactNode }) {
  return (
    <div className={`callout ${tone}`} role={tone === 'danger' ? 'alert' : undefined}>
      <div className="callout-text">
        {title && <strong>{title}</strong>}
        {children && <div>{children}</div>}
      </div>
      {actions && <div className="actions">{actions}</div>}
    </div>
  );
}

/// Why something could not be loaded, with the hub's message.
export function LoadError({ what, error, retry }: { what: string; error: unknown; retry?: () => void }) {
  return (
    <Callout
      tone="danger"
      title={`${what} could not be loaded`}
      actions={retry && <button onClick={retry}>Try again</button>}
    >
      {error instanceof Error ? error.message : String(error)}
    </Callout>
  );
}

export function Loading({ what = 'Loading' }: { what?: string }) {
  return (
    <p className="loading" role="status">
      <span className="spinner" aria-hidden="true" /> {what}…
    </p>
  );
}

/// What to do next where there is nothing yet.
export function Empty({ icon, title, children, action }: { icon: string; title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="empty">
      <span className="empty-icon">
        <Icon name={icon} size={24} />
      </span>
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {action}
    </div>
  );
}

/// A bar; without `value` (0 to 1) it moves, because nobody knows how long it takes.
export function ProgressBar({ value, label }: { value: number | null; label: string }) {
  const percent = value === null ? null : Math.round(1000 * Math.min(1, Math.max(0, value))) / 10;
  return (
    <div
      className={percent === null ? 'bar unknown' : 'bar'}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      {...(percent === null ? {} : { 'aria-valuenow': Math.round(percent) })}
    >
      <span style={percent === null ? undefined : { width: `${percent}%` }} />
    </div>
  );
}

/// Text that only screen readers hear, when it changes.
export function Announce({ children }: { children: string }) {
  return (
    <p className="visually-hidden" aria-live="polite">
      {children}
    </p>
  );
}

export function CopyButton({ text, what }: { text: string; what: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), 1600);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <button
      type="button"
      className="quiet small"
      aria-label={copied ? `Copied ${what}` : `Copy ${what}`}
      onClick={() => void copy(text).then(setCopied)}
    >
      <Icon name={copied ? 'check' : 'copy'} size={15} />
      <span aria-live="polite">{copied ? 'Copied' : 'Copy'}</span>
    </button>
  );
}

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // The clipboard needs a secure context; a hub reached by http under a name is none.
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'visually-hidden';
    (document.querySelector('dialog[open]') ?? document.body).append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

/// A modal dialog of the browser: it keeps the focus inside, and Escape closes it.
export function Dialog({ title, close, wide = false, children }: { title: string; close: () => void; wide?: boolean; children: ReactNode }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  // A layout effect ends before the element is gone, so the focus goes back to where it was.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    element?.querySelector<HTMLElement>('[data-first]')?.focus();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className={wide ? 'wide' : undefined}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
      onMouseDown={(event) => {
        if (event.target === dialog.current) close();
      }}
    >
      <div className="dialog-inner">
        <div className="dialog-head">
          <h2 id={heading}>{title}</h2>
          <button type="button" className="quiet icon-only" aria-label="Close" onClick={close}>
            <Icon name="close" />
          </button>
        </div>
        {children}
      </div>
    </dialog>
  );
}

/// Asks before something is lost. `act` may fail: its message is shown and the dialog stays.
export function Confirm({ title, children, action, act, close }: { title: string; children: ReactNode; action: string; act: () => Promise<void>; close: () => void }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState('');
  async function confirm() {
    setBusy(true);
    setError('');
    try {
      await act();
    } catch (problem) {
      setError(problem instanceof Error ? problem.message : String(problem));
      setBusy(false);
    }
  }
  return (
    <Dialog title={title} close={close}>
      <div className="dialog-body">{children}</div>
      {error !== '' && <Callout tone="danger">{error}</Callout>}
      <div className="dialog-foot">
        <button type="button" onClick={close}>
          Keep it
        </button>
        <button type="button" className="danger" disabled={busy} onClick={() => void confirm()}>
          {action}
        </button>
      </div>
    </Dialog>
  );
}

export interface Tab {
  id: string;
  label: string;
  count?: number | undefined;
  content: ReactNode;
}

/// Tabs as the ARIA practices ask for: arrows move, the chosen one is in the tab order.
export function Tabs({ tabs, chosen, choose, label }: { tabs: Tab[]; chosen: string; choose: (id: string) => void; label: string }) {
  const prefix = useId();
  const current = tabs.find((tab) => tab.id === chosen) ?? tabs[0];
  function move(event: React.KeyboardEvent, index: number) {
    const last = tabs.length - 1;
    const next = { ArrowRight: index === last ? 0 : index + 1, ArrowLeft: index === 0 ? last : index - 1, Home: 0, End: last }[event.key];
    const tab = next === undefined ? undefined : tabs[next];
    if (!tab) return;
    event.preventDefault();
    choose(tab.id);
    document.getElementById(`${prefix}-${tab.id}`)?.focus();
  }
  return (
    <>
      <div className="tabs" role="tablist" aria-label={label}>
        {tabs.map((tab, index) => (
          <button
            key={tab.id}
            id={`${prefix}-${tab.id}`}
            type="button"
            role="tab"
            aria-selected={tab === current}
            aria-controls={`${prefix}-panel`}
            tabIndex={tab === current ? 0 : -1}
            onClick={() => choose(tab.id)}
            onKeyDown={(event) => move(event, index)}
          >
            {tab.label}
            {tab.count !== undefined && <span className="count">{tab.count}</span>}
          </button>
        ))}
      </div>
      <div className="tab-panel" role="tabpanel" id={`${prefix}-panel`} aria-labelledby={`${prefix}-${current?.id ?? ''}`}>
        {current?.content}
      </div>
    </>
  );
}

/// Takes files that are dropped on it, and shows that it would.
export function DropZone({ take, className = '', children }: { take: (files: File[]) => void; className?: string; children: ReactNode }) {
  const [over, setOver] = useState(false);
  const carriesFiles = (event: React.DragEvent) => event.dataTransfer.types.includes('Files');
  return (
    <div
      className={`${className} ${over ? 'drop-here' : ''}`}
      onDragOver={(event) => {
        if (!carriesFiles(event)) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={(event) => {
        if (!carriesFiles(event)) return;
        event.preventDefault();
        setOver(false);
        take([...event.dataTransfer.files]);
      }}
    >
      {children}
    </div>
  );
}

/// A button that lets people choose files of their machine.
export function FileButton({ take, many, accept, children, className = '', label }: { take: (files: File[]) => void; many: boolean; accept?: string; children: ReactNode; className?: string; label?: string }) {
  const field = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" className={className} aria-label={label} onClick={() => field.current?.click()}>
        {children}
      </button>
      <input
        ref={field}
        type="file"
        hidden
        multiple={many}
        accept={accept}
        onChange={(event) => {
          const files = [...(event.target.files ?? [])];
          // So that choosing the same file again is noticed.
          event.target.value = '';
          if (files.length > 0) take(files);
        }}
      />
    </>
  );
}
