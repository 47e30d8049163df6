// The few things that pages ask of RDKit.
import type { MainModule, Mol } from '@rdkit/rdkit';
import type { Look } from './messages';

/// Aromaticity is needed to match what is written with double bonds; stereo and the like are not.
const kForMatching = JSON.stringify({ kekulize: false, assignStereo: false });

/// A substructure that molecules are looked through for. Null if `smarts` is none.
export class Pattern {
  private constructor(
    private readonly rdkit: MainModule,
    readonly mol: Mol,
  ) {}

  static of(rdkit: MainModule, smarts: string): Pattern | null {
    const mol = rdkit.get_qmol(smarts);
    return mol === null ? null : new Pattern(rdkit, mol);
  }

  /// Whether it is in the molecule; not in what is no molecule.
  matches(smiles: string): boolean {
    const mol = this.rdkit.get_mol(smiles, kForMatching);
    if (mol === null) return false;
    try {
      return mol.get_substruct_match(this.mol) !== '{}';
    } finally {
      mol.delete();
    }
  }

  delete(): void {
    this.mol.delete();
  }
}

/// A drawing on no ground, or null for what is no molecule. `pattern` is marked in it.
export function draw(rdkit: MainModule, smiles: string, pattern: Pattern | null, look: Look): string | null {
  const mol = smiles === '' ? null : rdkit.get_mol(smiles);
  if (mol === null) return null;
  try {
    const marked = pattern === null ? {} : marks(mol, pattern);
    return mol.get_svg_with_highlights(
      JSON.stringify({
        ...marked,
        width: look.width,
        height: look.height,
        clearBackground: false,
        bondLineWidth: 1.4,
        padding: 0.06,
        // Small molecules would be drawn with letters as large as headings.
        fixedBondLength: 26,
        atomColourPalette: look.dark ? 'darkmode' : 'default',
        highlightColour: look.dark ? [0.13, 0.42, 0.37] : [0.65, 0.89, 0.84],
      }),
    );
  } finally {
    mol.delete();
  }
}

/// Every place where the pattern matches.
function marks(mol: Mol, pattern: Pattern): { atoms: number[]; bonds: number[] } {
  const answer = JSON.parse(mol.get_substruct_matches(pattern.mol)) as { atoms: number[]; bonds?: number[] }[] | Record<string, never>;
  const matches = Array.isArray(answer) ? answer : [];
  return { atoms: matches.flatMap((match) => match.atoms), bonds: matches.flatMap((match) => match.bonds ?? []) };
}
