// Addresses of pages are the part behind the '#': the hub serves one page, and every place in the
// console can be bookmarked.
import { useSyncExternalStore } from 'react';

export interface Route {
  path: string[]; // decoded parts: "#/apps/genomics%20reads" is ["apps", "genomics reads"]
  query: URLSearchParams;
}

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#/, '').split('?', 2);
  const parts = path.split('/').filter((part) => part !== '');
  return { path: parts.map(decoded), query: new URLSearchParams(query) };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/// "#/apps/genomics%20reads?sample=0"
export function addressOf(path: string[], query: Record<string, string> = {}): string {
  const text = new URLSearchParams(query).toString();
  return `#/${path.map(encodeURIComponent).join('/')}${text === '' ? '' : `?${text}`}`;
}

export function go(address: string): void {
  location.hash = address;
}

/// Changes the address without a step in the browser's history.
export function replaceAddress(address: string): void {
  history.replaceState(null, '', address);
  window.dispatchEvent(new HashChangeEvent('hashchange'));
}

function subscribe(listener: () => void): () => void {
  window.addEventListener('hashchange', listener);
  return () => window.removeEventListener('hashchange', listener);
}

export function useRoute(): Route {
  return parseRoute(useSyncExternalStore(subscribe, () => location.hash));
}
