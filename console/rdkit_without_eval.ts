// RDKit.js calls C++ through functions that Emscripten's embind writes as text and compiles with
// `new Function`. A page that allows this allows every text to become a script, so the two places
// are given closures that do the same instead; WebAssembly alone is then allowed to workers.
import type { Plugin } from 'vite';

/// What the closures below need to know of embind.
interface WireType {
  isVoid?: boolean;
  destructorFunction: ((wire: unknown) => void) | null;
}
type AnyFunction = (...values: unknown[]) => unknown;

/// In place of the body of embind's createJsInvoker: a factory that takes, in this order, name,
/// error, invoker, C++ function, what runs destructors, what reads the answer, what writes `this`,
/// perhaps the two functions of the stack, what writes each argument, and what frees each.
function invokerFactory(types: (WireType | null)[], isMethod: boolean, returns: boolean, usesStack: boolean, needsDestructors: boolean) {
  return (...captured: unknown[]): AnyFunction => {
    const [, , invoker, target, runDestructors, fromWire, thisToWire, ...rest] = captured as AnyFunction[];
    const [stackSave, stackRestore] = usesStack ? rest.splice(0, 2) : [];
    const toWire = rest.splice(0, types.length - 2);
    const first = isMethod ? 1 : 2;
    const freed = types.slice(first).flatMap((type, at) => (type?.destructorFunction != null ? [at] : []));
    return function (this: unknown, ...values: unknown[]): unknown {
      const destructors: unknown[] | null = needsDestructors ? [] : null;
      const wired: unknown[] = [];
      const stack = stackSave?.();
      let answer: unknown;
      try {
        if (isMethod) wired.push(thisToWire?.(destructors, this));
        for (let at = 0; at < toWire.length; ++at) wired.push(toWire[at]?.(destructors, values[at]));
        answer = invoker?.(target, ...wired);
      } finally {
        stackRestore?.(stack);
      }
      if (needsDestructors) runDestructors?.(destructors);
      else freed.forEach((at, place) => rest[place]?.(wired[at]));
      return returns ? fromWire?.(answer) : undefined;
    };
  };
}

/// In place of the text that embind's __emval_create_invoker makes: 0 calls a value, 1 a method of
/// it, 2 constructs one, 3 reads one.
function valueInvoker(kind: number, readers: AnyFunction[], stride: number, toValue: AnyFunction, nameOf: AnyFunction, isVoid: boolean, returned: AnyFunction): AnyFunction {
  return (handle, methodName, destructors, args) => {
    const values = readers.map((read, at) => read((args as number) + at * stride));
    const call = (): unknown => {
      if (kind === 3) return values[values.length - 1];
      const value = toValue(handle) as AnyFunction & Record<string, AnyFunction> & (new (...values: unknown[]) => unknown);
      if (kind === 2) return new value(...values);
      return kind === 1 ? value[nameOf(methodName) as string]?.(...values) : value(...values);
    };
    const result = call();
    return isVoid ? undefined : returned(destructors, result);
  };
}

const kPlaces: [string, string][] = [
  ['return new Function(args1,invokerFnBody)', 'return acesoInvokerFactory(argTypes,isClassMethodFunc,returns,useStackFrame,needsDestructorStack)'],
  [
    'new Function(Object.keys(captures),functionBody)(...Object.values(captures))',
    'acesoValueInvoker(kind,argFromPtr,GenericWireTypeSize,Emval.toValue,getStringOrSymbol,retType.isVoid,(destructors,value)=>emval_returnValue(toReturnWire,destructors,value))',
  ],
];

/// RDKit_minimal.js as a module that compiles no text. \throws if the places are not as expected,
/// as in a later version.
export function withoutEval(code: string): string {
  let changed = code;
  for (const [before, after] of kPlaces) {
    if (changed.split(before).length !== 2) throw new Error(`RDKit_minimal.js: expected once: ${before}`);
    changed = changed.replace(before, () => after);
  }
  if (/new Function|[^\w.]eval\(/.test(changed)) throw new Error('RDKit_minimal.js: compiles text in another place');
  const end = changed.lastIndexOf('if(typeof exports==="object"');
  if (end < 0) throw new Error('RDKit_minimal.js: expected its exports at the end');
  return `${changed.slice(0, end)}
const acesoInvokerFactory=${invokerFactory.toString()};
const acesoValueInvoker=${valueInvoker.toString()};
export default initRDKitModule;
`;
}

export function rdkitWithoutEval(): Plugin {
  return {
    name: 'rdkit-without-eval',
    enforce: 'pre',
    transform(code, id) {
      return id.split('?')[0]?.endsWith('RDKit_minimal.js') ? { code: withoutEval(code), map: null } : null;
    },
  };
}
