// Colours of plots. A canvas knows no style sheet, so plots are drawn again when colours change.

export interface Palette {
  text: string;
  muted: string;
  grid: string;
  surface: string;
  series: string[];
}

type Listener = () => void;
const listeners = new Set<Listener>();
const prefersDark = window.matchMedia('(prefers-color-scheme: dark)');
let printing = false;

/// The answer is the function that ends it.
export function onTheme(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const isPrinting = () => printing;

/// Reads the colours from the style sheet: they are written down once.
export function palette(): Palette {
  const probe = document.createElement('i');
  document.body.append(probe);
  const read = (name: string) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const colours = {
    text: read('text'),
    muted: read('muted'),
    grid: read('line'),
    surface: read('surface'),
    series: [1, 2, 3, 4, 5, 6].map((index) => read(`series-${index}`)),
  };
  probe.remove();
  return colours;
}

function apply(): void {
  const wanted = location.hash.slice(1);
  const theme = printing ? 'light' : wanted === 'light' || wanted === 'dark' ? wanted : 'system';
  document.documentElement.dataset.theme = theme;
  for (const listener of listeners) listener();
}

/// The console that shows a report in a frame names its colours behind the '#'.
export function followTheme(): void {
  apply();
  prefersDark.addEventListener('change', apply);
  window.addEventListener('hashchange', apply);
  // Paper is white.
  window.addEventListener('beforeprint', () => {
    printing = true;
    apply();
  });
  window.addEventListener('afterprint', () => {
    printing = false;
    apply();
  });
}
