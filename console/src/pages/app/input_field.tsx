// One input: data chosen from the hub, or uploaded right here.
import { useEffect, useState, useSyncExternalStore } from 'react';
import { addUpload, currentUploads, subscribeUploads } from '../../api/uploads';
import type { Data, InputSpec } from '../../api/types';
import { inNaturalOrder, inputPointer, labelOf, sentence, type Chosen } from '../../forms/form';
import { Icon } from '../../ui/icons';
import { Badge, DropZone, FileButton } from '../../ui/parts';
import { UploadRow } from '../data/upload_list';
import { fieldId, Mistakes } from './field';
import { Picker } from './picker';

interface Props {
  input: InputSpec;
  chosen: Chosen[];
  mistakes: string[];
  change: (change: (before: Chosen[]) => Chosen[]) => void;
  uploading: (count: number) => void;
}

export function InputField({ input, chosen, mistakes, change, uploading }: Props) {
  const [picking, setPicking] = useState(false);
  const [keys, setKeys] = useState<number[]>([]); // of the uploads begun here
  const uploads = useSyncExternalStore(subscribeUploads, currentUploads);
  const open = uploads.filter((upload) => keys.includes(upload.key) && upload.state !== 'done');
  const id = fieldId(inputPointer(input.name));

  useEffect(() => uploading(open.length), [open.length]);

  function add(data: Chosen[]) {
    change((before) => (input.many ? [...before, ...data] : data.slice(-1)));
  }

  /// Uploads end in any order; the files stay in the order in which they were given.
  function upload(files: File[]) {
    const wanted = input.many ? inNaturalOrder(files) : files.slice(0, 1);
    const done: (Data | null)[] = wanted.map(() => null);
    const begun = wanted.map((file, index) =>
      addUpload(file, (data) => {
        done[index] = data;
        const before = new Set(done.slice(0, index).map((other) => other?.id));
        const after = new Set(done.slice(index + 1).flatMap((other) => other?.id ?? []));
        change((chosenNow) => {
          if (!input.many) return [data];
          let at = chosenNow.findLastIndex((other) => before.has(other.id)) + 1;
          if (at === 0) {
            const next = chosenNow.findIndex((other) => after.has(other.id));
            at = next < 0 ? chosenNow.length : next;
          }
          return chosenNow.toSpliced(at, 0, data);
        });
      }),
    );
    setKeys((now) => [...now, ...begun]);
  }

  return (
    <div className={mistakes.length > 0 ? 'field input wrong' : 'field input'} data-test={`input-${input.name}`}>
      <div className="input-head">
        <span className="field-label" id={`${id}-label`}>
          {labelOf(input.name)}
        </span>
        {input.required ? <Badge tone="info">required</Badge> : <span className="muted">optional</span>}
      </div>
      <p className="hint" id={`${id}-help`}>
        {sentence(input.help)} <span className="bounds">{[input.kind_label, input.many ? 'several files, in order' : ''].filter(Boolean).join(' · ')}</span>
      </p>
      <Mistakes id={`${id}-mistake`} messages={mistakes} />
      <DropZone take={upload} className="input-zone">
        {chosen.length > 0 && (
          <ol className="chosen">
            {chosen.map((data, index) => (
              <li key={`${data.id}-${index}`}>
                <Icon name="file" />
                <span className="file-name">{data.name}</span>
                {chosen.length > 1 && (
                  <>
                    <button type="button" className="quiet icon-only" aria-label={`Move ${data.name} up`} disabled={index === 0} onClick={() => change((now) => swapped(now, index))}>
                      <Icon name="up" size={16} />
                    </button>
                    <button type="button" className="quiet icon-only" aria-label={`Move ${data.name} down`} disabled={index === chosen.length - 1} onClick={() => change((now) => swapped(now, index + 1))}>
                      <Icon name="down" size={16} />
                    </button>
                  </>
                )}
                <button type="button" className="quiet icon-only" aria-label={`Remove ${data.name}`} onClick={() => change((now) => now.toSpliced(index, 1))}>
                  <Icon name="close" size={16} />
                </button>
              </li>
            ))}
          </ol>
        )}
        {open.map((view) => (
          <UploadRow key={view.key} upload={view} />
        ))}
        <div className="input-actions">
          <button
            type="button"
            id={id}
            aria-describedby={`${id}-help${mistakes.length > 0 ? ` ${id}-mistake` : ''}`}
            aria-label={`Choose data for ${labelOf(input.name)}`}
            onClick={() => setPicking(true)}
          >
            <Icon name="data" /> {chosen.length > 0 && !input.many ? 'Choose another' : 'Choose data'}
          </button>
          <FileButton take={upload} many={input.many} label={`Upload ${labelOf(input.name)}`}>
            <Icon name="upload" /> Upload
          </FileButton>
          <span className="muted wide-only">or drop {input.many ? 'files' : 'a file'} here</span>
        </div>
      </DropZone>
      {picking && (
        <Picker
          input={input}
          close={() => setPicking(false)}
          choose={(data) => {
            add(data);
            setPicking(false);
          }}
        />
      )}
    </div>
  );
}

function swapped(chosen: Chosen[], index: number): Chosen[] {
  const [before, after] = [chosen[index - 1], chosen[index]];
  return before && after ? chosen.toSpliced(index - 1, 2, after, before) : chosen;
}
