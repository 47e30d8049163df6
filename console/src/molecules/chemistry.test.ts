import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { runInThisContext } from 'node:vm';
import type { MainModule } from '@rdkit/rdkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { withoutEval } from '../../rdkit_without_eval';
import { draw, Pattern } from './chemistry';

const script = createRequire(import.meta.url).resolve('@rdkit/rdkit');
const makeText = globalThis.Function;
const look = { width: 260, height: 180, dark: false };
let rdkit: MainModule;

// As under the hub's policy: whoever would compile text, fails.
beforeAll(async () => {
  const code = withoutEval(readFileSync(script, 'utf8')).replace('export default', 'return');
  const load = runInThisContext(`(function (require, __dirname, __filename) { ${code} })`) as (...values: unknown[]) => (options: object) => Promise<MainModule>;
  const init = load(createRequire(script), dirname(script), script);
  globalThis.Function = new Proxy(makeText, {
    construct: () => {
      throw new EvalError('compiles text');
    },
  });
  rdkit = await init({ printErr: () => undefined, locateFile: () => script.replace(/js$/, 'wasm') });
}, 60000);

afterAll(() => {
  globalThis.Function = makeText;
});

it('draws molecules, and knows what is none', () => {
  expect(draw(rdkit, 'CC(=O)Oc1ccccc1C(=O)O', null, look)).toMatch(/^<\?xml[\s\S]*<svg[\s\S]*<\/svg>\s*$/);
  for (const wrong of ['', 'C1CC(', 'c1ccc1X', 'C(C)(C)(C)(C)C']) expect(draw(rdkit, wrong, null, look)).toBeNull();
});

it('finds substructures as chemists mean them', () => {
  const acid = Pattern.of(rdkit, 'c1ccccc1C(=O)[OH]');
  expect(['CC(=O)Oc1ccccc1C(=O)O', 'C1=CC=CC=C1C(=O)O', 'OC(=O)C1CCCCC1', 'C1CC('].map((smiles) => acid?.matches(smiles))).toEqual([true, true, false, false]);
  expect(Pattern.of(rdkit, 'c1ccc')).toBeNull();
});

it('marks every match in the drawing', () => {
  const ring = Pattern.of(rdkit, 'c1ccccc1');
  const marked = draw(rdkit, 'c1ccccc1-c1ccccc1', ring, look) ?? '';
  expect(marked.match(/<ellipse/g)?.length).toBe(12);
  expect(draw(rdkit, 'CCO', ring, look)).not.toContain('<ellipse');
});

it('refuses a version of RDKit.js that it does not know', () => {
  expect(() => withoutEval('return new Function(args1,invokerFnBody)')).toThrow('expected once');
});
