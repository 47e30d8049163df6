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
  plot: 'line' | 'bar' | 'area' | 'scatter';
  title: string;
  x_label?: string;
  y_label?: string;
  x: number[];
  x_names?: string[];
  series: { name: string; values: (number | null)[] }[];
  log_y?: boolean;
  note?: string;
}

export interface Drawing {
  type: 'drawing';
  title?: string;
  svg: string;
}

export type Block = Figures | Table | Plot | Drawing;

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
