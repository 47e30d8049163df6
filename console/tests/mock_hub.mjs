// A hub in memory, for working on the console without the real one: the contract of
// docs/design/0002-hub-api.md, with made-up apps and runs that only count to a hundred.
//
//   npm run build && node tests/mock_hub.mjs [--port N]
//
// prints {"url","login_url","token"} on one line. MOCK_SECONDS is how long a run takes.
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { apps, manyMolecules, perPosition, picturesOf, reportOf, someReads } from './mock_apps.mjs';

const home = fileURLToPath(new URL('..', import.meta.url));
const dist = process.env.DIST ?? join(home, 'dist');
const runSeconds = Number(process.env.MOCK_SECONDS ?? 5);
const portAt = process.argv.indexOf('--port');
const port = portAt < 0 ? 0 : Number(process.argv[portAt + 1]);

const token = randomBytes(16).toString('hex');
const codes = new Set([randomBytes(8).toString('hex')]);
const session = randomBytes(16).toString('hex');
const data = [];
const uploads = new Map();
const runs = [];

const kinds = [
  ['fastq', 'text', ['.fastq', '.fastq.gz', '.fq', '.fq.gz']],
  ['fasta', 'text', ['.fa', '.fasta', '.fa.gz']],
  ['vcf', 'text', ['.vcf', '.vcf.gz']],
  ['molecules', 'molecules', ['.smi', '.smiles']],
  ['table', 'table', ['.tsv', '.csv']],
  ['json', 'json', ['.json']],
  ['report', 'html', ['.html']],
  ['image', 'image', ['.png', '.svg']],
  ['text', 'text', ['.txt']],
];
const now = () => new Date().toISOString().replace(/\.\d+Z$/, 'Z');
const newId = () => randomBytes(8).toString('hex');

function addData(name, bytes, size = bytes.length) {
  const [kind, viewer] = kinds.find(([, , endings]) => endings.some((ending) => name.endsWith(ending))) ?? ['', 'none'];
  const item = { id: newId(), name, sha256: createHash('sha256').update(bytes).digest('hex'), bytes: size, kind, viewer, created: now() };
  data.unshift(item);
  contents.set(item.id, bytes);
  return item;
}
const contents = new Map();
addData('sample_1.fastq.gz', Buffer.from(someReads), 3_912_442);
addData('sample_2.fastq.gz', Buffer.from(someReads), 4_018_210);
const variantCount = 250;
addData('mock_calls.vcf', Buffer.from('##fileformat=VCFv4.2\n#CHROM\tPOS\n'));
addData('candidates.smi', Buffer.from(manyMolecules(60).map(({ smiles, name }) => `${smiles} ${name}\n`).join('')));
addData('notes.txt', Buffer.from('Bases of the second lane are a little worse.\n'));

class Refusal extends Error {
  constructor(status, code, message, mistakes) {
    super(message);
    Object.assign(this, { status, code, mistakes });
  }
}
const missing = (what) => new Refusal(404, 'NotFound', `there is no ${what}`);
const find = (list, id, what) => {
  const item = list.find((other) => other.id === id);
  if (!item) throw missing(`${what} ${id}`);
  return item;
};

function page(list, query, name) {
  const from = Number(query.get('cursor') ?? 0) || 0;
  const limit = Number(query.get('limit') ?? 100);
  return { [name]: list.slice(from, from + limit), next: from + limit < list.length ? String(from + limit) : null };
}

// Runs.

function mistakesIn(app, request) {
  const mistakes = [];
  const say = (pointer, message) => mistakes.push({ pointer, message });
  for (const input of app.inputs) {
    const given = request.inputs?.[input.name];
    if (given === undefined && input.required) say(`/inputs/${input.name}`, 'is required');
    for (const [at, id] of [given ?? []].flat().entries()) {
      if (!data.some((item) => item.id === id)) say(`/inputs/${input.name}${Array.isArray(given) ? `/${at}` : ''}`, `there is no data ${id}`);
    }
  }
  for (const [name, value] of Object.entries(request.options ?? {})) {
    const option = app.options.find((other) => other.name === name);
    const pointer = `/options/${name}`;
    if (!option) say(pointer, 'is no option of this app');
    else if (['integer', 'number'].includes(option.type) && typeof value !== 'number') say(pointer, `must be a number, not ${JSON.stringify(value)}`);
    else if (option.minimum !== null && value < option.minimum) say(pointer, `must be at least ${option.minimum}, not ${value}`);
    else if (option.maximum !== null && value > option.maximum) say(pointer, `must be at most ${option.maximum}, not ${value}`);
  }
  return mistakes;
}

function startRun(request) {
  const app = apps.find((other) => other.name === request.app);
  if (!app) throw new Refusal(422, 'InvalidArgument', 'the request has mistakes', [{ pointer: '/app', message: 'is no app of this hub' }]);
  const mistakes = mistakesIn(app, request);
  if (mistakes.length > 0) throw new Refusal(422, 'InvalidArgument', 'the request has mistakes', mistakes);
  const inputs = Object.fromEntries(
    Object.entries(request.inputs ?? {}).map(([name, ids]) => [name, [ids].flat().map((id) => ({ id, name: find(data, id, 'data').name }))]),
  );
  const run = {
    id: newId(),
    app: app.name,
    state: 'queued',
    attempt: 1,
    created: now(),
    started: null,
    finished: null,
    inputs,
    options: request.options ?? {},
    progress: null,
    outputs: [],
    metrics: {},
    warnings: [],
    seconds: null,
    cpu_seconds: null,
    peak_rss_mb: null,
    error: null,
  };
  runs.unshift(run);
  hidden.set(run, { events: [], files: new Map(), listeners: new Set() });
  setTimeout(() => work(run), 300);
  return run;
}
const hidden = new Map();

function tell(run, event, value) {
  const side = hidden.get(run);
  const entry = { id: side.events.length + 1, event, value };
  side.events.push(entry);
  for (const listener of side.listeners) listener(entry);
}

function setState(run, state) {
  run.state = state;
  tell(run, 'state', { state });
}

function work(run) {
  if (run.state !== 'queued') return;
  run.started = now();
  setState(run, 'running');
  const began = Date.now();
  const total = 7_930_652;
  tell(run, 'log', { time: now(), level: 'info', event: 'run.started', fields: { app: run.app, threads: 8 } });
  hidden.get(run).timer = setInterval(() => {
    const share = (Date.now() - began) / 1000 / runSeconds;
    const progress = { stage: share < 0.9 ? 'reads' : 'report', unit: share < 0.9 ? 'bytes' : '', done: 0, total: 0, seconds: (Date.now() - began) / 1000 };
    if (share < 0.9) Object.assign(progress, { done: Math.round((total * share) / 0.9), total });
    run.progress = progress;
    tell(run, 'progress', progress);
    if (trains(run)) tellStep(run, Math.ceil(share * 100));
    else if (Math.random() < 0.2) {
      const level = Math.random() < 0.2 ? 'warn' : 'info';
      tell(run, 'log', { time: now(), level, event: level === 'warn' ? 'reads.slow' : 'reads.batch', fields: { batch: hidden.get(run).events.length, file: 'sample_1.fastq.gz' } });
    }
    if (share >= 1) finish(run);
  }, 100);
}

const trains = (run) => run.app === 'molecules properties';

/// As a training tells them: a loss each step, and the held-out one now and then.
function tellStep(run, step) {
  const loss = 1.2 + 2.4 * Math.exp(-step / 18) + 0.05 * Math.sin(step * 1.7);
  const say = (fields) => tell(run, 'log', { time: now(), level: 'INFO', event: 'training.step', fields: { step, ...fields } });
  say({ loss, learning_rate: 0.001 * Math.min(1, step / 10), gradient_norm: 0.7 });
  if (step % 10 < 2) say({ held_out_loss: loss + 0.12 });
}

function end(run, state, error) {
  clearInterval(hidden.get(run).timer);
  Object.assign(run, { finished: now(), progress: null, error: error ?? null });
  run.seconds = run.started ? Math.max(0.1, (Date.parse(run.finished) - Date.parse(run.started)) / 1000) : 0;
  run.cpu_seconds = run.seconds * 5.2;
  run.peak_rss_mb = 212.4;
  setState(run, state);
  tell(run, 'end', run);
}

function finish(run) {
  if (run.options.label === 'fail') {
    end(run, 'failed', { code: 'CorruptData', message: 'sample_1.fastq.gz: record 8123: quality has 71 letters, sequence has 72' });
    return;
  }
  run.metrics = { before: { reads: 100000, bases: 15000000, q30: 0.9312 }, after: { reads: 96412, bases: 14191846, q30: 0.9431 }, duplication: 0.0184 };
  run.warnings = [{ kind: 'fastq.lower_case', count: 12, examples: ['sample_1.fastq.gz: record 17 has lower-case bases'] }];
  run.seconds = runSeconds;
  run.cpu_seconds = runSeconds * 5;
  run.peak_rss_mb = 212.4;
  const inputs = Object.values(run.inputs).flat().map(({ id }) => find(data, id, 'data'));
  const report = reportOf(run, inputs);
  const add = (name, kind, viewer, file, media, bytes) => {
    hidden.get(run).files.set(name, Buffer.from(bytes));
    run.outputs.push({ name, kind, viewer, file_name: file, media_type: media, bytes: Buffer.byteLength(bytes) });
  };
  if (trains(run)) {
    report.sections = picturesOf();
    const rows = manyMolecules(100_000).map(({ smiles, name }, at) => `${name},${smiles},${((at * 7919) % 10007) / 1000},${at % 9}`);
    add('predictions', 'table', 'table', 'predictions.csv', 'text/csv', `name,smiles,logp,rings\n${rows.join('\n')}\n`);
  } else {
    add('trimmed', 'fastq', 'text', 'trimmed.fastq', 'text/plain', someReads);
    add('per_position', 'table', 'table', 'per_position.tsv', 'text/tab-separated-values', perPosition);
  }
  add('report', 'report', 'html', 'report.html', 'text/html', pageOf(report));
  add('report_json', 'json', 'json', 'report.json', 'application/json', JSON.stringify(report));
  end(run, 'succeeded');
}

function pageOf(report) {
  const asset = (name) => readFileSync(join(dist, 'report', name), 'utf8');
  const json = JSON.stringify(report).replaceAll('<', '\\u003c');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${report.app}</title>
<style>${asset('report.css')}</style></head><body><div id="report"></div>
<script type="application/json" id="report-data">${json}</script><script>${asset('report.js')}</script></body></html>`;
}

function follow(run, request, response, query) {
  const side = hidden.get(run);
  const after = Number(request.headers['last-event-id'] ?? query.get('after') ?? 0) || 0;
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  const send = ({ id, event, value }) => {
    response.write(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(value)}\n\n`);
    if (event === 'end') response.end();
  };
  if (!side.events.some((entry) => entry.event === 'state')) response.write(`event: state\ndata: ${JSON.stringify({ state: run.state })}\n\n`);
  for (const entry of side.events.slice(after)) send(entry);
  side.listeners.add(send);
  response.on('close', () => side.listeners.delete(send));
}

// Previews.

const rowsOf = {
  noun: 'variants',
  filters: [
    { name: 'region', label: 'Region', placeholder: 'chr1:1,000-2,000', choices: [] },
    { name: 'kind', label: 'Kind', placeholder: '', choices: ['SNV', 'deletion'] },
  ],
};

/// As a hub does: a page ends before it is full, and the console asks for the rest of it.
function rowsPage(query) {
  const all = Array.from({ length: variantCount }, (_, at) => ['chr1', String(1000 + at), at % 5 === 0 ? 'deletion' : 'SNV']);
  const begin = Number(query.get('cursor') ?? 0);
  const end = Math.min(begin + Math.min(Number(query.get('limit')), 60), all.length);
  const rows = all.slice(begin, end).filter((row) => !query.has('kind') || row[2] === query.get('kind'));
  return { columns: ['Contig', 'Position', 'Kind'], rows, next: end < all.length ? String(end) : null, share: end / all.length };
}

function previewOf(kindOfView, name, bytes) {
  const preview = plainPreviewOf(kindOfView, name, bytes);
  return name.endsWith('.vcf') ? { ...preview, rows_of: rowsOf } : preview;
}

function plainPreviewOf(kindOfView, name, bytes) {
  const viewer = kindOfView === 'molecules' ? 'text' : kindOfView;
  const text = bytes.toString('utf8').slice(0, 65536);
  if (viewer === 'text' || viewer === 'json') return { viewer, text, truncated: bytes.length > text.length };
  if (viewer === 'table') {
    const [columns, ...rows] = text.trim().split('\n').map((line) => line.split(name.endsWith('.csv') ? ',' : '\t'));
    return { viewer, columns, rows: rows.slice(0, 200), truncated: rows.length > 200 };
  }
  return { viewer };
}

// Requests.

const policy = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const workerPolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const sandbox = "sandbox allow-scripts allow-downloads; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:";
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.wasm': 'application/wasm' };

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}

async function jsonOf(request) {
  try {
    return JSON.parse((await bodyOf(request)).toString() || '{}');
  } catch {
    throw new Refusal(400, 'InvalidArgument', 'the body is not JSON');
  }
}

async function answer(request, response) {
  const { pathname, searchParams: query } = new URL(request.url, 'http://localhost');
  const path = pathname.split('/').slice(1).map(decodeURIComponent);
  const is = (method, ...shape) =>
    request.method === method && shape.length === path.length && shape.every((word, at) => word === '*' || word === path[at]);
  const send = (status, value) => {
    response.writeHead(status, { 'Content-Type': 'application/json', 'X-Content-Type-Options': 'nosniff' });
    response.end(value === undefined ? '' : JSON.stringify(value));
  };
  const sendBytes = (type, bytes) => {
    response.writeHead(200, { 'Content-Type': type, 'Content-Security-Policy': sandbox, 'X-Content-Type-Options': 'nosniff' });
    response.end(bytes);
  };
  const cookie = `aceso_session=${session}; Path=/; HttpOnly; SameSite=Strict`;

  if (is('GET', 'login') && query.has('code')) {
    const good = codes.delete(query.get('code'));
    response.writeHead(303, good ? { 'Set-Cookie': cookie, Location: '/' } : { Location: '/#/login?failed=1' });
    return response.end();
  }
  if (is('POST', 'login')) {
    if ((await jsonOf(request)).token !== token) throw new Refusal(401, 'InvalidArgument', 'this is not the token of the hub');
    response.writeHead(204, { 'Set-Cookie': cookie });
    return response.end();
  }
  if (path[0] !== 'v1' && path[0] !== 'logout') return sendFile(pathname, response);
  if (!(request.headers.cookie ?? '').includes(session)) throw new Refusal(401, 'InvalidArgument', 'nobody is logged in');
  if (is('POST', 'logout')) {
    response.writeHead(204, { 'Set-Cookie': 'aceso_session=; Path=/; Max-Age=0' });
    return response.end();
  }
  if (is('GET', 'v1', 'session')) return send(200, { version: '0.1.0' });
  if (is('GET', 'v1', 'apps')) return send(200, { apps });

  if (is('GET', 'v1', 'data')) return send(200, page(data.filter((item) => !query.has('name') || item.name === query.get('name')), query, 'data'));
  if (is('POST', 'v1', 'data')) return send(201, addData(query.get('name'), await bodyOf(request)));
  if (path[1] === 'data' && path.length > 2) {
    const item = find(data, path[2], 'data');
    if (is('GET', 'v1', 'data', '*')) return send(200, item);
    if (is('GET', 'v1', 'data', '*', 'content')) return sendBytes('application/octet-stream', contents.get(item.id));
    if (is('GET', 'v1', 'data', '*', 'rows')) return send(200, rowsPage(query));
    if (is('GET', 'v1', 'data', '*', 'preview')) return send(200, previewOf(item.viewer, item.name, contents.get(item.id)));
    if (is('DELETE', 'v1', 'data', '*')) {
      const user = runs.find((run) => ['queued', 'running'].includes(run.state) && JSON.stringify(run.inputs).includes(item.id));
      if (user) throw new Refusal(409, 'InvalidArgument', `run ${user.id} needs it`);
      data.splice(data.indexOf(item), 1);
      return send(204);
    }
  }

  if (is('POST', 'v1', 'uploads')) {
    const { name, bytes } = await jsonOf(request);
    const upload = { upload: newId(), name, bytes, parts: [], offset: 0 };
    uploads.set(upload.upload, upload);
    return send(201, { upload: upload.upload, offset: 0, bytes });
  }
  if (path[1] === 'uploads') {
    const upload = uploads.get(path[2]);
    if (!upload) throw missing(`upload ${path[2]}`);
    const state = () => ({ upload: upload.upload, offset: upload.offset, bytes: upload.bytes });
    if (request.method === 'GET') return send(200, state());
    if (request.method === 'DELETE') return send(uploads.delete(upload.upload) && 204);
    const part = await bodyOf(request);
    if (Number(request.headers['upload-offset']) !== upload.offset) {
      throw new Refusal(409, 'InvalidArgument', `the upload has ${upload.offset} bytes`);
    }
    upload.parts.push(part);
    upload.offset += part.length;
    if (upload.offset < upload.bytes) return send(200, state());
    uploads.delete(upload.upload);
    return send(201, addData(upload.name, Buffer.concat(upload.parts)));
  }

  if (is('GET', 'v1', 'runs')) {
    const wanted = runs.filter((run) => (!query.has('app') || run.app === query.get('app')) && (!query.has('state') || run.state === query.get('state')));
    return send(200, page(wanted, query, 'runs'));
  }
  if (is('POST', 'v1', 'runs')) return send(201, startRun(await jsonOf(request)));
  if (path[1] === 'runs' && path.length > 2) {
    const run = find(runs, path[2], 'run');
    const over = !['queued', 'running'].includes(run.state);
    if (is('GET', 'v1', 'runs', '*')) return send(200, run);
    if (is('GET', 'v1', 'runs', '*', 'events')) return follow(run, request, response, query);
    if (is('GET', 'v1', 'runs', '*', 'log')) return sendBytes('text/plain', run.state === 'failed' ? 'record 8123 is broken\n' : '');
    if (is('POST', 'v1', 'runs', '*', 'cancel')) {
      if (over) throw new Refusal(409, 'InvalidArgument', `the run has ended: ${run.state}`);
      end(run, 'cancelled', { code: 'Cancelled', message: 'the run was cancelled' });
      return send(200, run);
    }
    if (is('POST', 'v1', 'runs', '*', 'retry')) {
      if (!['failed', 'cancelled', 'interrupted'].includes(run.state)) throw new Refusal(409, 'InvalidArgument', `the run is ${run.state}`);
      Object.assign(run, { state: 'queued', attempt: run.attempt + 1, started: null, finished: null, error: null, seconds: null });
      hidden.get(run).events = [];
      setTimeout(() => work(run), 300);
      return send(200, run);
    }
    if (is('DELETE', 'v1', 'runs', '*')) {
      if (run.state === 'running') throw new Refusal(409, 'InvalidArgument', 'the run is running');
      runs.splice(runs.indexOf(run), 1);
      return send(204);
    }
    const output = run.outputs.find((other) => other.name === path[4]);
    if (path[3] === 'outputs' && !output) throw missing(`output ${path[4]}`);
    const bytes = hidden.get(run).files.get(path[4]);
    if (is('GET', 'v1', 'runs', '*', 'outputs', '*')) return sendBytes(output.media_type, bytes);
    if (is('GET', 'v1', 'runs', '*', 'outputs', '*', 'preview')) return send(200, previewOf(output.viewer, output.file_name, bytes));
    if (is('POST', 'v1', 'runs', '*', 'outputs', '*', 'keep')) return send(201, addData((await jsonOf(request)).name ?? output.file_name, bytes));
  }
  throw missing(`page ${pathname}`);
}

function sendFile(pathname, response) {
  const file = join(dist, 'console', normalize(pathname === '/' ? '/index.html' : pathname));
  if (!existsSync(file)) throw missing(`file ${pathname}`);
  response.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream', 'Content-Security-Policy': pathname.startsWith('/workers/') ? workerPolicy : policy });
  response.end(readFileSync(file));
}

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    const { status = 500, code = 'Internal', mistakes = [] } = error;
    if (status === 500) console.error(error);
    if (response.headersSent) return response.end();
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ error: { code, message: error.message, mistakes } }));
  });
});
server.listen(port, '127.0.0.1', () => {
  const url = `http://127.0.0.1:${server.address().port}`;
  console.log(JSON.stringify({ url, login_url: `${url}/login?code=${[...codes][0]}`, token }));
});
