// One option: a checkbox, a choice or a text, with unit, range and default.
import type { OptionSpec } from '../../api/types';
import { formatValue, labelOf, optionPointer, rangeOf, sentence } from '../../forms/form';
import { fieldId, Mistakes } from './field';

interface Props {
  option: OptionSpec;
  entry: string | boolean;
  mistakes: string[];
  change: (value: string | boolean) => void;
}

export function OptionField(props: Props) {
  const { option, mistakes } = props;
  const id = fieldId(optionPointer(option.name));
  const described = `${id}-help${mistakes.length > 0 ? ` ${id}-mistake` : ''}`;
  if (option.type === 'flag') {
    return (
      <div className={mistakes.length > 0 ? 'field flag wrong' : 'field flag'}>
        <input
          id={id}
          type="checkbox"
          checked={props.entry === true}
          onChange={(event) => props.change(event.target.checked)}
          aria-describedby={described}
          aria-invalid={mistakes.length > 0}
        />
        <div>
          <label htmlFor={id}>{labelOf(option.name)}</label>
          <Mistakes id={`${id}-mistake`} messages={mistakes} />
          <p className="hint" id={`${id}-help`}>
            {sentence(option.help)}
          </p>
        </div>
      </div>
    );
  }
  return (
    <div className={mistakes.length > 0 ? 'field wrong' : 'field'}>
      <label htmlFor={id}>{labelOf(option.name)}</label>
      <div className="with-unit">
        {option.choices.length > 0 ? (
          <Choice {...props} id={id} described={described} />
        ) : (
          <input
            id={id}
            type="text"
            inputMode={option.type === 'integer' && (option.minimum ?? -1) >= 0 ? 'numeric' : 'text'}
            spellCheck={false}
            autoComplete="off"
            value={String(props.entry)}
            placeholder={option.default === null ? '' : formatValue(option, option.default)}
            onChange={(event) => props.change(event.target.value)}
            aria-describedby={described}
            aria-invalid={mistakes.length > 0}
          />
        )}
        {option.unit !== '' && <span className="unit">{option.unit}</span>}
      </div>
      <Mistakes id={`${id}-mistake`} messages={mistakes} />
      <p className="hint" id={`${id}-help`}>
        {sentence(option.help)} <Bounds option={option} />
      </p>
    </div>
  );
}

function Choice({ option, entry, mistakes, change, id, described }: Props & { id: string; described: string }) {
  const unset = option.default === null ? 'automatic' : `${formatValue(option, option.default)} (default)`;
  return (
    <select
      id={id}
      value={String(entry)}
      onChange={(event) => change(event.target.value)}
      aria-describedby={described}
      aria-invalid={mistakes.length > 0}
    >
      <option value="">{unset}</option>
      {option.choices
        .filter((choice) => choice !== option.default)
        .map((choice) => (
          <option key={choice}>{choice}</option>
        ))}
    </select>
  );
}

function Bounds({ option }: { option: OptionSpec }) {
  const parts = [rangeOf(option)];
  if (option.type === 'size') parts.push('such as 512M or 4G');
  if (option.default !== null && option.choices.length === 0) parts.push(`default ${formatValue(option, option.default)}`);
  const text = parts.filter((part) => part !== '').join(' · ');
  return text === '' ? null : <span className="bounds">{text}</span>;
}
