// An app's form without its looks: what was entered, what is wrong with it, what it asks for.
import type { App, Data, InputSpec, Mistake, OptionSpec, OptionValue, Run, RunRequest, Sample } from '../api/types';
import { formatSize, parseSize } from './sizes';

/// Data chosen for an input.
export type Chosen = Pick<Data, 'id' | 'name'>;

/// What was entered. Options are texts as typed ("" leaves the default), flags are booleans.
export interface Entries {
  inputs: Record<string, Chosen[]>;
  options: Record<string, string | boolean>;
}

export const inputPointer = (name: string) => `/inputs/${escape(name)}`;
export const optionPointer = (name: string) => `/options/${escape(name)}`;

function escape(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

export function emptyEntries(app: App): Entries {
  return {
    inputs: Object.fromEntries(app.inputs.map((input) => [input.name, []])),
    options: Object.fromEntries(
      app.options.map((option) => [option.name, option.type === 'flag' ? option.default === true : '']),
    ),
  };
}

/// The text in which `value` is entered and shown.
export function formatValue(option: OptionSpec, value: OptionValue): string {
  return option.type === 'size' && typeof value === 'number' ? formatSize(value) : String(value);
}

/// A filter for the data that fit an input.
export function fits(input: InputSpec, data: Pick<Data, 'name' | 'kind'>): boolean {
  if (data.kind === input.kind || input.endings.length === 0) return true;
  const name = data.name.toLowerCase();
  return input.endings.some((ending) => name.endsWith(ending.toLowerCase()));
}

/// What the sample needs, by name; the newest data of each name are in `data`.
export function sampleNames(sample: Sample): string[] {
  return [...new Set(Object.values(sample.inputs).flat())];
}

export function entriesOfSample(app: App, sample: Sample, data: ReadonlyMap<string, Chosen>): Entries {
  const entries = withOptions(app, emptyEntries(app), sample.options);
  for (const [input, names] of Object.entries(sample.inputs)) {
    entries.inputs[input] = names.flatMap((name) => data.get(name) ?? []);
  }
  return entries;
}

/// What was entered for `run`, to run it again with changes.
export function entriesOfRun(app: App, run: Pick<Run, 'inputs' | 'options'>): Entries {
  const entries = withOptions(app, emptyEntries(app), run.options);
  for (const input of app.inputs) {
    entries.inputs[input.name] = (run.inputs[input.name] ?? []).map(({ id, name }) => ({ id, name }));
  }
  return entries;
}

function withOptions(app: App, entries: Entries, values: Record<string, OptionValue>): Entries {
  for (const option of app.options) {
    const value = values[option.name];
    if (value === undefined || value === null || isDefault(option, value)) continue;
    entries.options[option.name] = option.type === 'flag' ? value === true : formatValue(option, value);
  }
  return entries;
}

/// Sizes are told as text ("1G") or in bytes.
function isDefault(option: OptionSpec, value: OptionValue): boolean {
  if (option.default === null) return false;
  if (option.type === 'size') return parseSize(String(value)) === parseSize(String(option.default));
  return value === option.default;
}

/// Whether the entry differs from the default, and so is part of the request.
export function isChanged(option: OptionSpec, entry: string | boolean | undefined): boolean {
  if (option.type === 'flag') return (entry === true) !== (option.default === true);
  return typeof entry === 'string' && entry.trim() !== '';
}

/// The request that the entries make. Text that is no number is sent as it is: the hub says what is wrong.
export function requestOf(app: App, entries: Entries): RunRequest {
  const request: RunRequest = { app: app.name, inputs: {}, options: {} };
  for (const input of app.inputs) {
    const ids = (entries.inputs[input.name] ?? []).map((data) => data.id);
    if (ids[0] === undefined) continue;
    request.inputs[input.name] = input.many ? ids : ids[0];
  }
  for (const option of app.options) {
    const entry = entries.options[option.name];
    if (entry !== undefined && isChanged(option, entry)) request.options[option.name] = valueOf(option, entry);
  }
  return request;
}

function valueOf(option: OptionSpec, entry: string | boolean): OptionValue {
  if (typeof entry === 'boolean') return entry;
  const text = entry.trim();
  if (option.type === 'integer' || option.type === 'number') {
    const number = parseNumber(text);
    return number ?? text;
  }
  return text;
}

function parseNumber(text: string): number | null {
  if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)) return null;
  const number = Number(text);
  return Number.isFinite(number) ? number : null;
}

/// What can be seen to be wrong before asking the hub, in the order of the form.
export function mistakesIn(app: App, entries: Entries): Mistake[] {
  const mistakes: Mistake[] = [];
  for (const input of app.inputs) {
    const count = entries.inputs[input.name]?.length ?? 0;
    if (input.required && count === 0) {
      mistakes.push({ pointer: inputPointer(input.name), message: 'is required: choose or upload a file' });
    } else if (!input.many && count > 1) {
      mistakes.push({ pointer: inputPointer(input.name), message: 'takes one file' });
    }
  }
  for (const option of app.options) {
    const entry = entries.options[option.name];
    if (typeof entry !== 'string' || entry.trim() === '') continue;
    const message = mistakeOf(option, entry.trim());
    if (message !== null) mistakes.push({ pointer: optionPointer(option.name), message });
  }
  return mistakes;
}

function mistakeOf(option: OptionSpec, text: string): string | null {
  switch (option.type) {
    case 'integer':
    case 'number': {
      const number = parseNumber(text);
      if (number === null) return `must be a number, not “${text}”`;
      if (option.type === 'integer' && !Number.isInteger(number)) return `must be a whole number, not ${text}`;
      return outside(option, number) ? `must be ${rangeOf(option)}, not ${text}` : null;
    }
    case 'size': {
      const bytes = parseSize(text);
      if (bytes === null) return `must be a size such as 512M or 4G, not “${text}”`;
      return outside(option, bytes) ? `must be ${rangeOf(option)}, not ${text}` : null;
    }
    case 'text':
      if (option.choices.length === 0 || option.choices.includes(text)) return null;
      return `must be one of ${option.choices.join(', ')}, not “${text}”`;
    case 'flag':
      return null;
  }
}

function outside(option: OptionSpec, number: number): boolean {
  return (option.minimum !== null && number < option.minimum) || (option.maximum !== null && number > option.maximum);
}

/// "0 to 100", "at least 1", "at most 9" or "".
export function rangeOf(option: OptionSpec): string {
  const { minimum, maximum } = option;
  if (minimum !== null && maximum !== null) {
    return `${formatLimit(option, minimum)} to ${formatLimit(option, maximum)}`;
  }
  if (minimum !== null) return `at least ${formatLimit(option, minimum)}`;
  return maximum === null ? '' : `at most ${formatLimit(option, maximum)}`;
}

function formatLimit(option: OptionSpec, limit: number): string {
  return option.type !== 'size' && Math.abs(limit) >= 10000 ? limit.toLocaleString('en') : formatValue(option, limit);
}

/// The pointer of the field that a mistake belongs to ("/inputs/reads/1" -> "/inputs/reads"), or
/// null if the form has none.
export function fieldOf(app: App, pointer: string): string | null {
  const fields = [...app.inputs.map((i) => inputPointer(i.name)), ...app.options.map((o) => optionPointer(o.name))];
  return fields.find((field) => pointer === field || pointer.startsWith(`${field}/`)) ?? null;
}

/// Messages by field, and those without one.
export function sortMistakes(app: App, mistakes: Mistake[]): { fields: Map<string, string[]>; others: Mistake[] } {
  const fields = new Map<string, string[]>();
  const others: Mistake[] = [];
  for (const mistake of mistakes) {
    const field = fieldOf(app, mistake.pointer);
    if (field === null) others.push(mistake);
    else fields.set(field, [...(fields.get(field) ?? []), mistake.message]);
  }
  return { fields, others };
}

/// "min_length" -> "Min length", "reads2" -> "Reads 2"; what people read in front of a field.
export function labelOf(name: string): string {
  const words = name.replaceAll('_', ' ').replace(/([a-z]{4})(\d)$/, '$1 $2');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/// A help text as a sentence, unless it begins with the name of an option.
export function sentence(help: string): string {
  if (help === '') return '';
  const named = /^\w*[_\d]/.test(help);
  return (named ? help : help.charAt(0).toUpperCase() + help.slice(1)) + (/[.!?:]$/.test(help) ? '' : '.');
}

export const flagName = (name: string) => `--${name.replaceAll('_', '-')}`;

/// The command that does the same, one argument a line.
export function commandLine(app: App, entries: Entries): string {
  const words: string[] = [`aceso ${app.name}`];
  for (const input of app.inputs) {
    const files = (entries.inputs[input.name] ?? []).map((data) => quote(data.name));
    if (files.length > 0) words.push(`${flagName(input.name)} ${files.join(' ')}`);
    else if (input.required) words.push(`${flagName(input.name)} FILE`);
  }
  for (const option of app.options) {
    const entry = entries.options[option.name];
    if (entry === undefined || !isChanged(option, entry)) continue;
    if (typeof entry === 'boolean') words.push(entry ? flagName(option.name) : `${flagName(option.name)}=false`);
    else words.push(`${flagName(option.name)} ${quote(entry.trim())}`);
  }
  return words.join(' \\\n  ');
}

/// As a shell needs it.
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

export interface Group {
  name: string;
  options: OptionSpec[];
}

export const groupOf = (option: OptionSpec) => (option.group === '' ? 'Options' : option.group);

/// Options by group, groups in the order in which they first occur.
export function groupsOf(options: OptionSpec[]): Group[] {
  const groups: Group[] = [];
  for (const option of options) {
    const name = groupOf(option);
    const group = groups.find((other) => other.name === name);
    if (group) group.options.push(option);
    else groups.push({ name, options: [option] });
  }
  return groups;
}

/// "reads_2.fq" before "reads_10.fq": files chosen together arrive in no particular order.
export function inNaturalOrder<T extends { name: string }>(files: readonly T[]): T[] {
  return [...files].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}
