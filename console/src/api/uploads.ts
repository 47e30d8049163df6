// Uploads: files sent in parts, which can be paused, and resumed even after the page was closed.
import { ApiError, errorOf, messageOf, unreachable } from './client';
import * as hub from './hub';
import type { Data, Upload } from './types';

export type UploadState = 'waiting' | 'sending' | 'paused' | 'failed' | 'done';

/// An upload as the pages show it. Each change makes a new object.
export interface UploadView {
  key: number;
  name: string;
  bytes: number;
  sent: number;
  bytesPerSecond: number;
  state: UploadState;
  message: string; // why it failed, or what it waits for
  data: Data | null; // when done
}

interface Entry {
  view: UploadView;
  file: File;
  upload: string; // the hub's id; empty before the first part
  request: XMLHttpRequest | null;
  turn: number; // counts how often sending began: a paused turn may still be asleep when the next begins
  whenDone: (data: Data) => void;
}

const kPartBytes = 8 * 1024 * 1024;
const kAtOnce = 2;
const kAttempts = 6;

const entries: Entry[] = [];
const listeners = new Set<() => void>();
let views: readonly UploadView[] = [];
let nextKey = 1;

function publish(): void {
  views = entries.map((entry) => entry.view);
  for (const listener of listeners) listener();
}

function change(entry: Entry, values: Partial<UploadView>): void {
  entry.view = { ...entry.view, ...values };
  publish();
}

/// For useSyncExternalStore.
export function subscribeUploads(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function currentUploads(): readonly UploadView[] {
  return views;
}

/// Adds `file` to those being sent; `whenDone` is told the new data.
export function addUpload(file: File, whenDone: (data: Data) => void = () => undefined): number {
  const key = nextKey++;
  const view: UploadView = {
    key,
    name: file.name,
    bytes: file.size,
    sent: 0,
    bytesPerSecond: 0,
    state: 'waiting',
    message: '',
    data: null,
  };
  entries.push({ view, file, upload: '', request: null, turn: 0, whenDone });
  publish();
  startWaiting();
  return key;
}

export function pauseUpload(key: number): void {
  const entry = find(key);
  if (!entry || entry.view.state === 'done') return;
  change(entry, { state: 'paused', bytesPerSecond: 0, message: '' });
  entry.request?.abort();
  startWaiting();
}

/// Goes on with what was paused or has failed.
export function resumeUpload(key: number): void {
  const entry = find(key);
  if (!entry || (entry.view.state !== 'paused' && entry.view.state !== 'failed')) return;
  change(entry, { state: 'waiting', message: '' });
  startWaiting();
}

/// Takes the upload off the list; what the hub has of an unfinished one is thrown away.
export function removeUpload(key: number): void {
  const entry = find(key);
  if (!entry) return;
  const unfinished = entry.view.state !== 'done';
  entry.view = { ...entry.view, state: 'paused' };
  entry.request?.abort();
  entries.splice(entries.indexOf(entry), 1);
  if (unfinished && entry.upload !== '') void hub.deleteUpload(entry.upload).catch(() => undefined);
  forget(entry.file);
  publish();
  startWaiting();
}

function find(key: number): Entry | undefined {
  return entries.find((entry) => entry.view.key === key);
}

function startWaiting(): void {
  let sending = entries.filter((entry) => entry.view.state === 'sending').length;
  for (const entry of entries) {
    if (sending >= kAtOnce) return;
    if (entry.view.state !== 'waiting') continue;
    sending += 1;
    change(entry, { state: 'sending' });
    void run(entry);
  }
}

async function run(entry: Entry): Promise<void> {
  const turn = ++entry.turn;
  const goesOn = () => entry.view.state === 'sending' && entry.turn === turn;
  try {
    const data = await sendAll(entry, goesOn);
    if (data && entries.includes(entry)) {
      forget(entry.file);
      change(entry, { state: 'done', sent: entry.file.size, bytesPerSecond: 0, message: '', data });
      entry.whenDone(data);
    }
  } catch (error) {
    if (goesOn()) change(entry, { state: 'failed', bytesPerSecond: 0, message: messageOf(error) });
  }
  startWaiting();
}

/// Null if it was paused.
async function sendAll(entry: Entry, goesOn: () => boolean): Promise<Data | null> {
  if (entry.file.size === 0) return hub.addEmptyData(entry.file.name);
  let offset = await begin(entry);
  let failures = 0;
  while (goesOn()) {
    try {
      const answer = await sendPart(entry, offset, goesOn);
      failures = 0;
      if ('id' in answer) return answer;
      offset = answer.offset;
    } catch (error) {
      if (!goesOn()) return null;
      if (!mayPass(error) || ++failures >= kAttempts) throw error;
      change(entry, { bytesPerSecond: 0, message: 'Connection lost, trying again…' });
      await new Promise((done) => setTimeout(done, 500 * 2 ** failures));
      if (!goesOn()) return null;
      // The hub knows how much of the broken part it has.
      offset = await hub.getUpload(entry.upload).then((upload) => upload.offset, () => offset);
    }
    change(entry, { sent: offset, message: '' });
  }
  return null;
}

function mayPass(error: unknown): boolean {
  return error instanceof ApiError && [0, 409, 502, 503, 504].includes(error.status);
}

/// Finds what was sent of this file before, or begins anew; the answer is where to go on.
async function begin(entry: Entry): Promise<number> {
  const known = entry.upload || remembered(entry.file);
  if (known !== '') {
    try {
      const upload = await hub.getUpload(known);
      if (upload.bytes === entry.file.size) {
        entry.upload = upload.upload;
        change(entry, { sent: upload.offset });
        return upload.offset;
      }
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
    }
  }
  const upload = await hub.beginUpload(entry.file.name, entry.file.size);
  entry.upload = upload.upload;
  remember(entry.file, upload.upload);
  return upload.offset;
}

// XMLHttpRequest, because fetch does not tell how much of a body has been sent.
function sendPart(entry: Entry, offset: number, goesOn: () => boolean): Promise<Upload | Data> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const began = performance.now();
    entry.request = request;
    request.open('PATCH', hub.uploadPath(entry.upload));
    request.setRequestHeader('Upload-Offset', String(offset));
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.upload.onprogress = (event) => {
      const seconds = (performance.now() - began) / 1000;
      const bytesPerSecond = seconds > 0.2 ? event.loaded / seconds : entry.view.bytesPerSecond;
      if (goesOn()) change(entry, { sent: Math.min(offset + event.loaded, entry.file.size), bytesPerSecond });
    };
    request.onload = () => {
      entry.request = null;
      if (request.status >= 200 && request.status < 300) {
        resolve(JSON.parse(request.responseText) as Upload | Data);
      } else {
        reject(errorOf(request.status, request.responseText));
      }
    };
    request.onerror = request.onabort = request.ontimeout = () => {
      entry.request = null;
      reject(unreachable());
    };
    request.send(entry.file.slice(offset, offset + kPartBytes));
  });
}

// A file is known again by name, size and time of change: its bytes are not read twice.
const kMemory = 'aceso.uploads';
const nameOf = (file: File) => `${file.name}/${file.size}/${file.lastModified}`;

function memory(): Record<string, string> {
  try {
    return JSON.parse(localStorage.getItem(kMemory) ?? '{}') as Record<string, string>;
  } catch {
    return {};
  }
}

function remembered(file: File): string {
  return memory()[nameOf(file)] ?? '';
}

function remember(file: File, upload: string): void {
  store({ ...memory(), [nameOf(file)]: upload });
}

function forget(file: File): void {
  const { [nameOf(file)]: _, ...others } = memory();
  store(others);
}

function store(values: Record<string, string>): void {
  try {
    localStorage.setItem(kMemory, JSON.stringify(values));
  } catch {
    // Storage may be full or forbidden: then an upload cannot outlive the page.
  }
}
