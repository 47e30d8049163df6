// One function for each request of the contract that the console makes.
import { getJson, getText, sendJson } from './client';
import type { App, Data, DataIndex, Page, Preview, Rows, Run, RunRequest, RunState, Upload } from './types';

const part = encodeURIComponent;

function query(values: Record<string, string | number | null | undefined>): string {
  const text = Object.entries(values)
    .filter(([, value]) => value !== null && value !== undefined && value !== '')
    .map(([name, value]) => `${name}=${part(String(value))}`)
    .join('&');
  return text === '' ? '' : `?${text}`;
}

export const session = () => getJson<{ version: string }>('/v1/session');
export const logIn = (token: string) => sendJson<void>('POST', '/login', { token });
export const logOut = () => sendJson<void>('POST', '/logout');

let apps: Promise<App[]> | null = null;

/// The apps of a hub do not change while it runs, so they are asked for once.
export function listApps(): Promise<App[]> {
  apps ??= getJson<{ apps: App[] }>('/v1/apps').then(
    (answer) => answer.apps,
    (error: unknown) => {
      apps = null;
      throw error;
    },
  );
  return apps;
}

export interface Paging {
  cursor?: string | null;
  limit?: number;
}

export async function listData(paging: Paging = {}, signal?: AbortSignal): Promise<Page<Data>> {
  const answer = await getJson<{ data: Data[]; next: string | null }>(`/v1/data${query({ ...paging })}`, signal);
  return { items: answer.data, next: answer.next };
}

/// The newest data of exactly this name, or null.
export async function findData(name: string): Promise<Data | null> {
  const answer = await getJson<{ data: Data[] }>(`/v1/data${query({ name, limit: 1 })}`);
  return answer.data[0] ?? null;
}

export const getData = (id: string) => getJson<Data>(`/v1/data/${part(id)}`);
export const deleteData = (id: string) => sendJson<void>('DELETE', `/v1/data/${part(id)}`);
export const dataContent = (id: string) => `/v1/data/${part(id)}/content`;
/// The first request has the index made.
export const getDataIndex = (id: string, signal?: AbortSignal) => getJson<DataIndex>(`/v1/data/${part(id)}/index`, signal);
export const dataIndexPart = (id: string, name: string) => `/v1/data/${part(id)}/index/${part(name)}`;
export const dataRows = (id: string) => `/v1/data/${part(id)}/rows`;
export const rows = (address: string, values: Record<string, string | number | null>, signal?: AbortSignal) =>
  getJson<Rows>(`${address}${query(values)}`, signal);
export const previewData = (id: string) => getJson<Preview>(`/v1/data/${part(id)}/preview`);
/// For empty files, of which no part can be sent.
export const addEmptyData = (name: string) => sendJson<Data>('POST', `/v1/data${query({ name })}`);

export const beginUpload = (name: string, bytes: number) => sendJson<Upload>('POST', '/v1/uploads', { name, bytes });
export const getUpload = (id: string) => getJson<Upload>(`/v1/uploads/${part(id)}`);
export const deleteUpload = (id: string) => sendJson<void>('DELETE', `/v1/uploads/${part(id)}`);
export const uploadPath = (id: string) => `/v1/uploads/${part(id)}`;

export interface RunFilter extends Paging {
  app?: string;
  state?: RunState | '';
}

export async function listRuns(filter: RunFilter = {}, signal?: AbortSignal): Promise<Page<Run>> {
  const answer = await getJson<{ runs: Run[]; next: string | null }>(`/v1/runs${query({ ...filter })}`, signal);
  return { items: answer.runs, next: answer.next };
}

export const startRun = (request: RunRequest) => sendJson<Run>('POST', '/v1/runs', request);
export const getRun = (id: string) => getJson<Run>(`/v1/runs/${part(id)}`);
export const cancelRun = (id: string) => sendJson<Run>('POST', `/v1/runs/${part(id)}/cancel`);
export const retryRun = (id: string) => sendJson<Run>('POST', `/v1/runs/${part(id)}/retry`);
export const deleteRun = (id: string) => sendJson<void>('DELETE', `/v1/runs/${part(id)}`);
export const runLogPath = (id: string) => `/v1/runs/${part(id)}/log`;
export const runLog = (id: string) => getText(runLogPath(id));
export const outputPath = (id: string, output: string) => `/v1/runs/${part(id)}/outputs/${part(output)}`;
export const outputRows = (id: string, output: string) => `${outputPath(id, output)}/rows`;
export const previewOutput = (id: string, output: string) => getJson<Preview>(`${outputPath(id, output)}/preview`);
export const keepOutput = (id: string, output: string, name: string) =>
  sendJson<Data>('POST', `${outputPath(id, output)}/keep`, { name });
