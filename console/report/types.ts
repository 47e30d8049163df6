// A report.json, as far as it is drawn. What else it holds is for programs.

export type Cell = null | boolean | number | string;

export interface Figures {
  type: 'figures';
  items: { label: string; value: Cell; unit?: string }[];
}

export interface Table {
  type: 'table';
  title?: string;
  columns: { label: string; unit?: string }[];
  rows: Cell[][];
}

export interface Plot {
  type: 'plot';
  plot: 'line' | 'bar' | 'area';
  title: string;
  x_label?: string;
  y_label?: string;
  x: number[];
  x_names?: string[];
  /// Sparse: a value now and then, joined over what is between.
  series: { name: string; values: (number | null)[]; sparse?: boolean }[];
  log_x?: boolean;
  log_y?: boolean;
  note?: string;
}

export interface Scatter {
  type: 'scatter';
  title: string;
  x_label?: string;
  y_label?: string;
  x: number[];
  y: number[];
  names: string[];
  values?: (number | null)[];
  groups?: string[];
  colour_label?: string;
  note?: string;
}

export interface HeatMap {
  type: 'heat_map';
  title: string;
  row_names: string[];
  column_names: string[];
  values: (number | null)[][];
  marks?: number[];
  value_label?: string;
  note?: string;
}

export interface Drawing {
  type: 'drawing';
  title?: string;
  svg: string;
}

export type Block = Figures | Table | Plot | Scatter | HeatMap | Drawing;

export interface Section {
  title: string;
  text?: string;
  blocks?: Block[];
}

export interface Report {
  app: string;
  version?: string;
  status?: string;
  started?: string;
  seconds?: number;
  cpu_seconds?: number;
  peak_rss_mb?: number;
  command?: string;
  cpu?: string;
  threads?: number;
  inputs?: { name: string; file: string; bytes: number; sha256: string }[];
  options?: Record<string, unknown>;
  outputs?: { name: string; file: string; bytes: number }[];
  warnings?: { kind: string; count: number; examples?: string[] }[];
  error?: { code: string; message: string };
  sections?: Section[];
}
