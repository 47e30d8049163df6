// What the pages and the worker that knows chemistry say to each other.
import type { Sort } from './table';

export interface Look {
  width: number;
  height: number;
  dark: boolean;
}

/// Which molecules are wanted: those with all words and the substructure, in an order.
export interface Query {
  words: string;
  smarts: string; // "": any
  sort: Sort | null;
}

export type Question =
  | { type: 'open'; address: string; name: string }
  | { type: 'page'; turn: number; query: Query; first: number; count: number }
  | { type: 'draw'; turn: number; rows: number[]; smarts: string; look: Look };

export interface Row {
  at: number; // its place in the file
  cells: string[];
}

export type Answer =
  /// `cut`: the file has more than is looked at.
  | { type: 'opened'; columns: string[]; smiles: number; rows: number; cut: boolean }
  /// Comes again while a substructure is looked for: `tested` of `total` candidates by now.
  | { type: 'page'; turn: number; rows: Row[]; found: number; tested: number; total: number }
  | { type: 'wrong-smarts'; turn: number }
  /// `svg` is null for what is no valid SMILES.
  | { type: 'drawn'; turn: number; at: number; svg: string | null }
  | { type: 'failed'; message: string };
