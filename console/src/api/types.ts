// What the hub says and is told: docs/design/0002-hub-api.md, written once as types.

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

export type OptionValue = boolean | number | string;
export type OptionType = 'flag' | 'integer' | 'number' | 'text' | 'size';

/// How the console shows data of a kind.
export type Viewer = 'text' | 'table' | 'molecules' | 'json' | 'image' | 'html' | 'none';

export interface InputSpec {
  name: string;
  kind: string;
  kind_label: string;
  endings: string[];
  help: string;
  required: boolean;
  many: boolean;
}

export interface OutputSpec {
  name: string;
  kind: string;
  kind_label: string;
  file_name: string;
  help: string;
}

export interface OptionSpec {
  name: string;
  type: OptionType;
  help: string;
  unit: string;
  default: OptionValue | null;
  minimum: number | null;
  maximum: number | null;
  choices: string[];
  group: string;
  advanced: boolean;
}

export interface Sample {
  name: string;
  summary: string;
  origin: string;
  inputs: Record<string, string[]>;
  options: Record<string, OptionValue>;
}

export interface App {
  name: string;
  toolkit: string;
  summary: string;
  help: string;
  example: string;
  version: string;
  inputs: InputSpec[];
  outputs: OutputSpec[];
  options: OptionSpec[];
  samples: Sample[];
  resources: { memory_mb: number; uses_threads: boolean; uses_gpu: boolean };
}

export interface Data {
  id: string;
  name: string;
  sha256: string;
  bytes: number;
  kind: string;
  viewer: Viewer;
  created: string;
}

/// How far the index is by which parts of data are found.
export interface DataIndex {
  state: 'waiting' | 'building' | 'ready' | 'failed';
  progress: Progress | null;
  parts: string[]; // once it is ready: its files
  error: { code: string; message: string } | null;
}

export type RunState = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'interrupted';

export interface Progress {
  stage: string;
  unit: string;
  done: number;
  total: number; // 0: unknown
  seconds: number; // since the stage began
}

export interface Output {
  name: string;
  kind: string;
  viewer: Viewer;
  file_name: string;
  media_type: string;
  bytes: number;
}

export interface Run {
  id: string;
  app: string;
  state: RunState;
  attempt: number;
  created: string;
  started: string | null;
  finished: string | null;
  inputs: Record<string, { id: string; name: string }[]>;
  options: Record<string, OptionValue>;
  progress: Progress | null;
  outputs: Output[];
  metrics: Json;
  warnings: Json;
  seconds: number | null;
  cpu_seconds: number | null;
  peak_rss_mb: number | null;
  error: { code: string; message: string } | null;
}

export interface RunRequest {
  app: string;
  inputs: Record<string, string | string[]>;
  options: Record<string, OptionValue>;
}

export interface LogLine {
  time: string;
  level: string;
  event: string;
  fields: Record<string, Json>;
}

export interface Upload {
  upload: string;
  offset: number;
  bytes: number;
}

/// A way to leave rows out: one of some choices, or any text.
export interface ViewFilter {
  name: string;
  label: string;
  placeholder: string;
  choices: string[];
}

/// Files that are shown row by row: what a row is, and the filters.
export interface RowsOf {
  noun: string;
  filters: ViewFilter[];
}

export interface Rows {
  columns: string[];
  rows: string[][];
  next: string | null;
  share: number;
}

export type Preview = { rows_of?: RowsOf } & Shown;

type Shown =
  | { viewer: 'text' | 'json'; text: string; truncated: boolean }
  | { viewer: 'table'; columns: string[]; rows: Json[][]; truncated: boolean }
  | { viewer: 'image' | 'html' | 'none' };

export interface Mistake {
  pointer: string;
  message: string;
}

export interface Page<T> {
  items: T[];
  next: string | null;
}
