// Trying an app at once: its samples, filled in by one click.
import * as hub from '../../api/hub';
import { messageOf } from '../../api/client';
import type { Sample } from '../../api/types';
import { sampleNames, sentence, type Chosen } from '../../forms/form';
import { Icon } from '../../ui/icons';
import { useLoad } from '../../ui/use_load';

export function SampleButtons({ samples, use }: { samples: Sample[]; use: (sample: Sample, data: ReadonlyMap<string, Chosen>) => void }) {
  return (
    <section className="samples" aria-label="Samples">
      {samples.map((sample) => (
        <SampleButton key={sample.name} sample={sample} use={use} />
      ))}
    </section>
  );
}

function SampleButton({ sample, use }: { sample: Sample; use: (sample: Sample, data: ReadonlyMap<string, Chosen>) => void }) {
  const names = sampleNames(sample);
  const found = useLoad(async () => {
    const data = await Promise.all(names.map((name) => hub.findData(name)));
    return new Map(data.flatMap((item) => (item ? [[item.name, item] as const] : [])));
  }, [names.join('/')]);
  const missing = found.value ? names.filter((name) => !found.value?.has(name)) : [];

  return (
    <div className="sample">
      <div>
        <strong>
          <Icon name="spark" size={16} /> {sample.name}
        </strong>
        <p className="hint">
          {sentence(sample.summary)} {sample.origin !== '' && <span className="bounds">{sample.origin}</span>}
        </p>
        {missing.length > 0 && (
          <p className="hint warn-text" role="note">
            Its data are not on this hub: {missing.join(', ')}. Upload files of these names to use it.
          </p>
        )}
        {found.error !== null && <p className="hint warn-text">Its data could not be looked up: {messageOf(found.error)}</p>}
      </div>
      <button
        type="button"
        data-test="sample"
        disabled={!found.value || missing.length > 0}
        onClick={() => found.value && use(sample, found.value)}
        aria-label={`Use sample: ${sample.name}`}
      >
        Use sample
      </button>
    </div>
  );
}
