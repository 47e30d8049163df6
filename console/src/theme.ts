// Light, dark, or as the system says.
import { useSyncExternalStore } from 'react';

export type Theme = 'system' | 'light' | 'dark';

const kKey = 'aceso.theme';
const kNext: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };
const listeners = new Set<() => void>();
const prefersDark = window.matchMedia('(prefers-color-scheme: dark)');
let theme: Theme = read();

function read(): Theme {
  try {
    const stored = localStorage.getItem(kKey);
    return stored === 'light' || stored === 'dark' ? stored : 'system';
  } catch {
    return 'system';
  }
}

export function applyTheme(): void {
  document.documentElement.dataset.theme = theme;
}

export function nextTheme(): void {
  theme = kNext[theme];
  try {
    localStorage.setItem(kKey, theme);
  } catch {
    // Then it lasts as long as the page.
  }
  applyTheme();
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  prefersDark.addEventListener('change', listener);
  return () => {
    listeners.delete(listener);
    prefersDark.removeEventListener('change', listener);
  };
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, () => theme);
}

/// The one that is shown: for pages inside frames.
export function useShownTheme(): 'light' | 'dark' {
  return useSyncExternalStore(subscribe, () =>
    theme === 'dark' || (theme === 'system' && prefersDark.matches) ? 'dark' : 'light',
  );
}
