// Requests to the hub, and its errors as one type.
import type { Mistake } from './types';

/// A request that the hub refused, or that never reached it (status 0).
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly mistakes: Mistake[] = [],
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

type Listener = () => void;
let whenLoggedOut: Listener = () => undefined;

/// `listener` is called whenever the hub answers that nobody is logged in.
export function onLoggedOut(listener: Listener): void {
  whenLoggedOut = listener;
}

/// Reads the error that the hub sent; a proxy or a broken connection may have sent something else.
export function errorOf(status: number, text: string): ApiError {
  if (status === 401) whenLoggedOut();
  try {
    const body = JSON.parse(text) as { error?: { code?: string; message?: string; mistakes?: Mistake[] } };
    if (body.error?.message) {
      return new ApiError(status, body.error.code ?? '', body.error.message, body.error.mistakes ?? []);
    }
  } catch {
    // Not JSON: said below.
  }
  return new ApiError(status, '', `The hub answered with status ${status}.`);
}

export function unreachable(): ApiError {
  return new ApiError(0, 'Unreachable', 'The hub cannot be reached. Is it still running?');
}

/// Does nothing but tell an ApiError's message from any other's.
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function send(method: string, path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { method, credentials: 'same-origin', ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw unreachable();
  }
  if (!response.ok) throw errorOf(response.status, await response.text());
  return response;
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await send('GET', path, signal ? { signal } : {});
  return (await response.json()) as T;
}

export async function getText(path: string): Promise<string> {
  return (await send('GET', path, {})).text();
}

/// Sends `body` as JSON (nothing if undefined) and reads the answer, which may be empty.
export async function sendJson<T>(method: 'POST' | 'DELETE', path: string, body?: unknown): Promise<T> {
  const init: RequestInit =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } };
  const text = await (await send(method, path, init)).text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}
