// A run's log, which stays at its end while one does not scroll up.
import { useEffect, useRef } from 'react';
import type { LogLine } from '../../api/types';
import { Icon } from '../../ui/icons';

export function LogView({ lines, dropped, over, file }: { lines: readonly LogLine[]; dropped: number; over: boolean; file: string }) {
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  useEffect(() => {
    if (box.current && atEnd.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines]);

  return (
    <div className="log-view">
      <div className="section-head">
        <p className="muted">
          {lines.length === 0 ? (over ? 'The run logged no events.' : 'Nothing yet.') : dropped > 0 ? `${dropped} earlier lines are in the file.` : ''}
        </p>
        <a href={file} target="_blank" rel="noreferrer" className="button quiet small">
          <Icon name="open" size={15} /> Standard error
        </a>
      </div>
      {lines.length > 0 && (
        <div
          className="log"
          role="log"
          aria-live="off"
          aria-label="Log"
          tabIndex={0}
          ref={box}
          onScroll={(event) => {
            const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
            atEnd.current = scrollHeight - scrollTop - clientHeight < 24;
          }}
        >
          {lines.map((line, index) => (
            <div key={dropped + index} className={`log-line ${line.level.toLowerCase()}`}>
              <time>{clock(line.time)}</time>
              <span className="level">{line.level}</span>
              <span className="event">{line.event}</span>
              <span className="fields">
                {Object.entries(line.fields ?? {}).map(([name, value]) => (
                  <span key={name}>
                    {name}=<b>{typeof value === 'string' ? value : JSON.stringify(value)}</b>
                  </span>
                ))}
              </span>
            </div>
          ))}
        </div>
      )}
    </div>
  );
}

function clock(time: string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? time : date.toLocaleTimeString('en-GB');
}
