// A person's way through the console, in a real browser: logging in, trying an app with its sample,
// reading the report, correcting mistakes, uploading data; on a laptop, a phone, in light and dark.
//
//   URL=http://127.0.0.1:PORT LOGIN_URL=… node tests/journey.mjs
//
// Without URL it starts the mock hub. SCREENSHOTS names a folder for pictures; CHROMIUM a browser;
// RUN_SECONDS how long a sample run may take (default 300).
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const axe = createRequire(import.meta.url)('axe-core');
const kApp = 'genomics reads';
const kRunMs = 1000 * Number(process.env.RUN_SECONDS ?? 300);
const folder = process.env.SCREENSHOTS;
if (folder) mkdirSync(folder, { recursive: true });

let { URL: url, LOGIN_URL: loginUrl } = process.env;
let mock = null;
if (!url) {
  mock = spawn(process.execPath, [fileURLToPath(new URL('mock_hub.mjs', import.meta.url))], { stdio: ['ignore', 'pipe', 'inherit'] });
  const line = await new Promise((done) => mock.stdout.once('data', (bytes) => done(String(bytes))));
  ({ url, login_url: loginUrl } = JSON.parse(line));
}
const origin = new URL(url).origin;

let passed = 0;
const failures = [];
const complaints = new Set(); // of the browser: foreign requests, broken policies, uncaught errors

async function finish() {
  await browser.close();
  mock?.kill();
  console.log(`${passed} passed, ${failures.length} failed`);
  process.exit(failures.length === 0 ? 0 : 1);
}

async function check(name, act) {
  try {
    await act();
    passed += 1;
    console.log(`ok    ${name}`);
  } catch (error) {
    failures.push(name);
    console.log(`FAIL  ${name}\n      ${String(error.message ?? error).split('\n').slice(0, 12).join('\n      ')}`);
    await shoot(page, `failure_${failures.length}`).catch(() => undefined);
    // Without a hub all that follows would only wait.
    if (!(await fetch(`${url}/healthz`).then(() => true, () => false))) {
      console.log(`The hub at ${url} no longer answers.`);
      await finish();
    }
  }
}

function assert(condition, message) {
  if (!condition) throw new Error(message);
}

function watch(context) {
  context.on('request', (request) => {
    const address = request.url();
    if (!/^(data|blob|about):/.test(address) && new URL(address).origin !== origin) complaints.add(`a request left the origin: ${address}`);
  });
  context.on('weberror', (error) => complaints.add(`uncaught: ${error.error().message}`));
  context.on('console', (message) => {
    if (message.type() !== 'error') return;
    // Refusals that this journey asks for.
    if (/Failed to load resource/.test(message.text())) return;
    complaints.add(`console: ${message.text()}`);
  });
}

/// A picture of the whole page, as on a screen that is tall enough for it: parts that stick to an
/// edge stand where they belong, and frames are drawn to their end.
async function shoot(where, name) {
  if (!folder) return;
  const size = where.viewportSize();
  const height = await where.evaluate(() => document.documentElement.scrollHeight);
  await where.setViewportSize({ ...size, height: Math.max(size.height, height) });
  await where.waitForTimeout(200);
  await where.screenshot({ path: join(folder, `${name}.png`) });
  await where.setViewportSize(size);
}

/// Serious and critical findings of axe, in this page and the frames in it.
async function assertAccessible(where, name) {
  // What is half faded in has another contrast.
  await where.waitForTimeout(250);
  for (const frame of where.frames()) {
    // evaluate() is no script of the page, so the content security policy stays on.
    await frame.evaluate(axe.source);
    const { violations } = await frame.evaluate(() => globalThis.axe.run(document, { iframes: false, resultTypes: ['violations'] }));
    const grave = violations.filter((finding) => finding.impact === 'serious' || finding.impact === 'critical');
    assert(
      grave.length === 0,
      `${name}: ${grave.map((finding) => `${finding.id}: ${finding.nodes.map((node) => `${node.html} ${node.any[0]?.message ?? ''}`).slice(0, 3).join(' | ')}`).join('\n')}`,
    );
    const width = await frame.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert(width <= 1, `${name}: is ${width} px wider than the screen`);
  }
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  args: [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
const kLaptop = { viewport: { width: 1280, height: 800 }, colorScheme: 'light' };
const kPhone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };
const context = await browser.newContext(kLaptop);
watch(context);
const page = await context.newPage();
page.setDefaultTimeout(15000);

/// Groups of options may be folded.
async function unfold() {
  const folded = page.locator('details.fold:not([open]) > summary');
  while ((await folded.count()) > 0) await folded.first().click();
}
const goTo = (hash) => page.goto(`${url}/${hash}`);
const runUrl = () => page.url().match(/#\/runs\/([^?]+)/)?.[1];
const stateIs = (state, timeout = 15000) => page.locator('[data-test=state]', { hasText: state }).waitFor({ timeout });

// Logging in

await check('someone who is not logged in is asked to', async () => {
  await page.goto(`${url}/#/runs`);
  await page.getByRole('heading', { name: 'Log in to Aceso' }).waitFor();
  await shoot(page, 'login');
  await assertAccessible(page, 'login');
});

await check('a wrong token is answered in words', async () => {
  await page.getByLabel('Token').fill('not the token');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('alert').waitFor();
});

await check('the login link leads to the apps', async () => {
  await page.goto(loginUrl);
  await page.getByRole('heading', { name: 'Apps', level: 1 }).waitFor();
});

await check('the login link works once, and says so', async () => {
  const other = await browser.newContext(kLaptop);
  watch(other);
  const second = await other.newPage();
  await second.goto(loginUrl);
  await second.getByText('This link has been used already').waitFor();
  await other.close();
});

// What the hub says of the app: the journey fits any version of it.
const app = await page.evaluate(async (name) => (await (await fetch('/v1/apps')).json()).apps.find((other) => other.name === name), kApp);
const bounded = app?.options.find((option) => ['integer', 'number'].includes(option.type) && option.maximum !== null && !option.advanced);
const required = app?.inputs.find((input) => input.required);

// Apps

await check('apps can be searched', async () => {
  const cards = page.locator('.card');
  const all = await cards.count();
  await page.getByLabel('Search apps').fill('reads fastq');
  await page.locator('.card', { hasText: kApp }).waitFor();
  await page.getByLabel('Search apps').fill('zzzz');
  await page.getByText('No app matches').waitFor();
  await page.getByRole('button', { name: 'Show all apps' }).click();
  assert((await cards.count()) === all, 'all apps should be shown again');
  await shoot(page, 'apps');
  await assertAccessible(page, 'apps');
});

await check('an app is opened by keyboard', async () => {
  await page.locator('.card', { hasText: kApp }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: kApp, level: 1 }).waitFor();
  await page.getByRole('button', { name: /^Use sample/ }).first().waitFor();
  await shoot(page, 'app');
  await assertAccessible(page, 'app');
});

// Mistakes

await check('a missing input is said at its field, which takes the focus', async () => {
  await page.locator('[data-test=run]').click();
  await page.locator('[data-test=mistakes]').waitFor();
  await page.locator(`[data-test=input-${required.name}] .mistake`).waitFor();
  await page.waitForFunction((name) => document.activeElement?.id === `field-inputs-${name}`, required.name);
});

await check('a number out of range is said at its field', async () => {
  const field = page.locator(`#field-options-${bounded.name}`);
  await unfold();
  await field.fill(String(bounded.maximum + 1));
  await page.locator('[data-test=run]').click();
  assert((await field.getAttribute('aria-invalid')) === 'true', 'the field should be marked');
  await page.locator(`#field-options-${bounded.name}-mistake`).waitFor();
  await shoot(page, 'app_mistakes');
  await assertAccessible(page, 'app with mistakes');
  await field.fill('');
  assert((await page.locator(`#field-options-${bounded.name}-mistake`).count()) === 0, 'a corrected mistake should go');
});

await check('the sample fills in the form, command line and request', async () => {
  await page.locator('[data-test=sample]:not([disabled])').first().click();
  await page.locator('.chosen li').first().waitFor();
  const name = await page.locator('.chosen .file-name').first().innerText();
  const command = await page.locator('.code pre').innerText();
  assert(command.includes(`aceso ${kApp}`) && command.includes(name), `the command line should name the file: ${command}`);
  await page.getByRole('tab', { name: 'Request' }).click();
  const request = JSON.parse(await page.locator('.code pre').innerText());
  assert(request.app === kApp && request.inputs[required.name], 'the request should have the input');
  await page.getByRole('tab', { name: 'Command line' }).click();
  await shoot(page, 'app_filled');
});

await check("the hub's mistakes are shown at their fields", async () => {
  // The form itself would not let this pass, so the request is changed on its way.
  await page.route('**/v1/runs', (route) => {
    const request = route.request().postDataJSON();
    request.options[bounded.name] = bounded.maximum + 1;
    return route.continue({ postData: JSON.stringify(request) });
  });
  await page.locator('[data-test=run]').click();
  await page.locator(`#field-options-${bounded.name}-mistake`).waitFor();
  await page.waitForFunction((name) => document.activeElement?.id === `field-options-${name}`, bounded.name);
  await page.unroute('**/v1/runs');
});

// A run

let firstRun = '';
await check('a run starts, and is followed although the connection breaks', async () => {
  let broken = 0;
  await page.route('**/events*', (route) => (broken++ === 0 ? route.abort() : route.continue()));
  await page.locator('[data-test=run]').click();
  await page.waitForURL(/#\/runs\/./);
  firstRun = runUrl();
  // The browser waits a few seconds before it connects again; a quick run may have ended by then.
  await page.locator('.progress-card .percent, iframe[title=Report]').first().waitFor();
  await shoot(page, 'run_live');
  await assertAccessible(page, 'a live run');
  await stateIs('succeeded', kRunMs);
  await page.unroute('**/events*');
});

await check('its report is shown in the frame', async () => {
  const report = page.frameLocator('iframe[title=Report]');
  await report.getByRole('heading', { name: 'Provenance' }).waitFor();
  await report.locator('canvas').first().waitFor();
  await page.waitForTimeout(600);
  const height = await page.locator('iframe[title=Report]').evaluate((frame) => frame.clientHeight);
  assert(height > 800, `the frame should have the report's height, not ${height}`);
  await shoot(page, 'run_report');
  await assertAccessible(page, 'a run with its report');
});

await check('a plot can be read as a table and downloaded', async () => {
  const report = page.frameLocator('iframe[title=Report]');
  await report.getByRole('button', { name: 'Show as table' }).first().click();
  await report.locator('.plot-table td').first().waitFor();
  const [download] = await Promise.all([page.waitForEvent('download'), report.getByRole('button', { name: /^Download the values/ }).first().click()]);
  assert(download.suggestedFilename().endsWith('.csv'), download.suggestedFilename());
  await report.locator('.canvas').first().focus();
  await page.keyboard.press('ArrowRight');
  await report.locator('[aria-live]', { hasText: /\d/ }).first().waitFor({ state: 'attached' });
});

await check('a report cannot reach the console', async () => {
  const frame = page.frames().find((other) => other !== page.mainFrame());
  const reached = await frame.evaluate(() => {
    try {
      return window.parent.document.title;
    } catch {
      return null;
    }
  });
  assert(reached === null, 'the frame should be sandboxed');
});

await check('every output that has a viewer is previewed', async () => {
  await page.getByRole('tab', { name: /^Outputs/ }).click();
  const buttons = page.getByRole('button', { name: /^Preview/ });
  const count = await buttons.count();
  assert(count > 0, 'there should be outputs to preview');
  for (let at = 0; at < count; ++at) {
    await page.locator('.output-list > li').getByRole('button', { name: /^(Preview|Hide)/ }).nth(at).click();
    await page.locator('[data-test=preview]').waitFor();
  }
  await page.locator('.output-list > li').getByRole('button', { name: /^(Preview|Hide)/ }).first().click();
  await page.locator('[data-test=preview]').waitFor();
  await shoot(page, 'run_outputs');
  await assertAccessible(page, 'outputs');
});

await check('an output is kept as data', async () => {
  await page.getByRole('button', { name: /^Keep as data/ }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: 'Keep', exact: true }).click();
  await page.getByText(/^Kept as/).waitFor();
});

await check('details and log are there', async () => {
  await page.getByRole('tab', { name: /^Outputs/ }).press('ArrowRight');
  await page.getByRole('heading', { name: 'Inputs and options' }).waitFor();
  await shoot(page, 'run_details');
  await assertAccessible(page, 'details');
  await page.getByRole('tab', { name: 'Log' }).click();
  await page.locator('.log-view').waitFor();
  await shoot(page, 'run_log');
  await assertAccessible(page, 'log');
});

await check('run again with changes fills in the same data', async () => {
  await page.getByRole('link', { name: 'Run again with changes' }).click();
  await page.getByText('Filled in from run').waitFor();
  await page.locator('.chosen li').first().waitFor();
});

await check('a run can be cancelled, retried and deleted', async () => {
  await page.locator('[data-test=run]').click();
  await page.waitForURL(/#\/runs\/./);
  // A quick run may have ended by then, which is all right as well.
  await page.getByRole('button', { name: 'Cancel' }).click({ timeout: 4000 }).catch(() => undefined);
  await page.locator('[data-test=state]', { hasText: /cancelled|succeeded/ }).waitFor({ timeout: kRunMs });
  const retry = page.getByRole('button', { name: 'Retry' });
  if ((await retry.count()) > 0) {
    await shoot(page, 'run_cancelled');
    await retry.click();
    await stateIs('succeeded', kRunMs);
  }
  const id = runUrl();
  await page.getByRole('button', { name: 'Delete this run' }).click();
  await page.getByRole('dialog').waitFor();
  await assertAccessible(page, 'a question');
  await page.keyboard.press('Escape');
  assert((await page.getByRole('dialog').count()) === 0, 'Escape should close the question');
  await page.getByRole('button', { name: 'Delete this run' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('heading', { name: 'Runs', level: 1 }).waitFor();
  assert((await page.locator(`a[href$="${id}"]`).count()) === 0, 'the run should be gone');
});

if (mock) {
  await check('a failed run says why', async () => {
    await goTo(`#/apps/${encodeURIComponent(kApp)}`);
    await page.locator('[data-test=sample]:not([disabled])').first().click();
    await unfold();
    await page.getByLabel('Label').fill('fail');
    await page.locator('[data-test=run]').click();
    await stateIs('failed');
    await page.getByRole('alert').getByText('CorruptData').waitFor();
    await shoot(page, 'run_failed');
    await assertAccessible(page, 'a failed run');
  });
}

await check('a run that does not exist says so', async () => {
  await goTo('#/runs/no-such-run');
  await page.getByRole('alert').waitFor();
});

let modelRun = '';
if (mock) {
  await check('a training is followed by its curve', async () => {
    await goTo(`#/apps/${encodeURIComponent('molecules properties')}`);
    await page.locator('[data-test=sample]:not([disabled])').first().click();
    await page.locator('[data-test=run]').click();
    await page.waitForURL(/#\/runs\/./);
    modelRun = runUrl();
    const curve = page.locator('[data-test=loss-curve]');
    await curve.locator('canvas').first().waitFor();
    const step = () => curve.locator('.section-head p').innerText();
    const before = await step();
    await page.waitForFunction((text) => document.querySelector('[data-test=loss-curve] .section-head p')?.textContent !== text, before);
    assert(/^Step \d+ · loss [\d.]+ · held out [\d.]+ · learning rate/.test(await step()), await step());
    await shoot(page, 'training_live');
    await assertAccessible(page, 'a live training');
    await curve.getByRole('button', { name: 'Logarithmic' }).click();
    await curve.locator('.canvas').focus();
    await page.keyboard.press('End');
    await curve.locator('[aria-live]', { hasText: /held out/ }).waitFor({ state: 'attached' });
    await stateIs('succeeded');
    await page.getByRole('tab', { name: 'Training' }).click();
    await curve.getByText('Ended at step').waitFor();
    await curve.locator('.u-over').hover();
    await curve.locator('.u-value', { hasText: /\d/ }).first().waitFor();
    await shoot(page, 'training');
    await assertAccessible(page, 'a training that has ended');
  });

  await check('a scatter plot names its points', async () => {
    await page.getByRole('tab', { name: 'Report' }).click();
    const report = page.frameLocator('iframe[title=Report]');
    const plot = report.locator('.block', { hasText: 'Sequences by length' });
    await plot.locator('canvas').waitFor();
    await plot.locator('.canvas').focus();
    await page.keyboard.press('Home');
    await plot.locator('.tip', { hasText: /P\d+.*length/ }).waitFor();
    await report.locator('.legend', { hasText: 'kinase (80)' }).waitFor();
    await plot.getByRole('button', { name: 'Show as table' }).click();
    await plot.locator('.plot-table th', { hasText: 'length' }).waitFor();
    await plot.getByRole('button', { name: 'Hide table' }).click();
  });

  await check('a heat map is read cell by cell, scrolled and zoomed', async () => {
    const report = page.frameLocator('iframe[title=Report]');
    const map = report.locator('.block', { hasText: 'Every substitution' });
    await map.locator('canvas').first().hover({ position: { x: 200, y: 100 } });
    await map.locator('.tip', { hasText: /[A-Z]\d+[A-Z]/ }).waitFor();
    await map.locator('.heat-map').focus();
    await page.keyboard.press('End');
    await map.locator('.tip', { hasText: /[A-Z]600[A-Z]/ }).waitFor();
    const left = () => map.locator('.heat-map').evaluate((element) => element.scrollLeft);
    assert((await left()) > 0, 'the last column should have been scrolled to');
    await map.getByRole('button', { name: 'Show all columns' }).click();
    assert((await left()) <= 600 * 2, 'all columns should be as small as they get');
    await map.getByRole('button', { name: 'Larger cells' }).click();
    await page.keyboard.press('Escape');
    await page.waitForTimeout(600);
    await shoot(page, 'run_pictures');
    await assertAccessible(page, 'a report with pictures');
  });

  await check('a table with structures is shown as structures', async () => {
    await page.getByRole('tab', { name: /^Outputs/ }).click();
    await page.getByRole('button', { name: 'Preview predictions.csv' }).click();
    await page.locator('.molecule img').nth(5).waitFor({ timeout: 30000 });
    await page.getByLabel('Sort by').selectOption({ label: 'Sort by logp' });
    await page.locator('.molecule').first().locator('dl > div').first().getByText('logp').waitFor();
    await page.waitForFunction(() => document.querySelectorAll('.molecule-waiting').length === 0);
    await shoot(page, 'run_molecules');
    await assertAccessible(page, 'an output of molecules');
    await page.getByRole('tab', { name: 'Table' }).click();
    await page.locator('table.values').waitFor();
  });
}

// Runs

await check('runs are listed, filtered and opened', async () => {
  await goTo('#/runs');
  await page.locator(`a[href$="${firstRun}"]`).waitFor();
  await shoot(page, 'runs');
  await assertAccessible(page, 'runs');
  await page.getByLabel('State').selectOption('interrupted');
  await page.getByText('No run matches').waitFor();
  await page.getByLabel('State').selectOption('succeeded');
  await page.locator(`a[href$="${firstRun}"]`).click();
  await stateIs('succeeded');
});

// Data

await check('files are uploaded in parts, paused and resumed', async () => {
  await goTo('#/data');
  let parts = 0;
  await page.route('**/v1/uploads/*', async (route) => {
    if (route.request().method() !== 'PATCH') return route.continue();
    parts += 1;
    if (parts === 2) return route.abort(); // a broken connection must not matter
    await new Promise((done) => setTimeout(done, 700));
    return route.continue();
  });
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Choose files' }).click();
  await (await chooser).setFiles([
    { name: 'journey.txt', mimeType: 'text/plain', buffer: Buffer.from('a line of text\n'.repeat(1_200_000)) },
    { name: 'journey_table.csv', mimeType: 'text/csv', buffer: Buffer.from('name,count\nA,1\nB,2\n') },
    { name: 'journey_empty.txt', mimeType: 'text/plain', buffer: Buffer.alloc(0) },
  ], { timeout: 60000 });
  await page.getByRole('button', { name: 'Pause journey.txt' }).click();
  await page.getByText(/^Paused at/).waitFor();
  await shoot(page, 'data_uploading');
  await assertAccessible(page, 'data with uploads');
  await page.getByRole('button', { name: 'Resume journey.txt' }).click();
  await page.waitForFunction(() => document.querySelectorAll('.upload.done').length === 3, undefined, { timeout: 60000 });
  await page.unroute('**/v1/uploads/*');
  assert(parts >= 4, `18 MB should be sent in at least three parts and one for the table, not ${parts}`);
});

if (mock) {
  await check('a file is looked through row by row', async () => {
    await page.getByRole('button', { name: 'Look at mock_calls.vcf' }).click();
    const rows = page.locator('[data-test=rows]');
    await rows.getByText('Page 1: 100 rows').waitFor();
    await rows.getByRole('button', { name: 'Next' }).click();
    await rows.getByText('Page 2: 100 rows').waitFor();
    await rows.getByLabel('Kind').selectOption('deletion');
    await rows.getByText('Page 1: 50 rows, 100 %').waitFor();
    await assertAccessible(page, 'rows');
    await page.keyboard.press('Escape');
  });
}

await check('data are listed and looked at', async () => {
  await page.getByRole('button', { name: 'Clear finished' }).click();
  await page.getByRole('button', { name: 'Look at journey_table.csv' }).first().click();
  await page.getByRole('dialog').getByRole('table').waitFor();
  await shoot(page, 'data_preview');
  await assertAccessible(page, 'a preview');
  await page.keyboard.press('Escape');
  await shoot(page, 'data');
  await assertAccessible(page, 'data');
});

await check('the bytes that were uploaded are the bytes that are there', async () => {
  const bytes = await page.evaluate(async () => {
    const { data } = await (await fetch('/v1/data?name=journey.txt')).json();
    const content = await (await fetch(`/v1/data/${data[0].id}/content`)).text();
    return [data[0].bytes, content.length, content === 'a line of text\n'.repeat(1_200_000)];
  });
  assert(bytes[0] === 18_000_000 && bytes[1] === 18_000_000 && bytes[2], `18,000,000 bytes expected: ${bytes}`);
});

// Genomes: igv.js reads parts of the reference by the index that the hub makes of it.

const hasAlign = await page.evaluate(async () => (await (await fetch('/v1/apps')).json()).apps.some((app) => app.name === 'genomics align'));

/// Aligns pairs of reads to a reference, both made up, and returns the run. `width` is of the reference's lines.
const alignMadeUp = (name, width) =>
  page.evaluate(
    async ([name, width]) => {
      let state = 1;
      const base = () => 'ACGT'[(state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 30];
      const bases = Array.from({ length: 3_000_000 }, base).join('');
      const lines = bases.slice(0, 2_999_940).match(new RegExp(`.{${width}}`, 'g'));
      const second = width === 60 ? bases.slice(0, 3000).match(/.{60}/g).join('\n') : 'ACGT\nAC\nACGT';
      const complement = (text) => [...text].reverse().map((letter) => ({ A: 'T', C: 'G', G: 'C', T: 'A' })[letter]).join('');
      const read = (text, at) => `@r${at}\n${text}\n+\n${'I'.repeat(text.length)}\n`;
      const pairs = Array.from({ length: 300 }, (_, at) => 1_500_000 + 10 * at);
      const packed = (text) => new Response(new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'))).blob();
      const add = async (file, text) => (await (await fetch(`/v1/data?name=${file}`, { method: 'POST', body: file.endsWith('.gz') ? await packed(text) : text })).json()).id;
      const send = async (path, body) => (await fetch(path, { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } })).json();
      const inputs = {
        reference: await add(name, `>one\n${lines.join('\n')}\n>two\n${second}\n`),
        reads: [await add('journey_genome_1.fastq', pairs.map((at) => read(bases.slice(at, at + 100), at)).join(''))],
        reads2: [await add('journey_genome_2.fastq', pairs.map((at) => read(complement(bases.slice(at + 200, at + 300)), at)).join(''))],
      };
      let run = await send('/v1/runs', { app: 'genomics align', inputs, options: {} });
      while (['queued', 'running'].includes(run.state)) {
        await new Promise((done) => setTimeout(done, 200));
        run = await (await fetch(`/v1/runs/${run.id}`)).json();
      }
      return { id: run.id, state: run.state, error: run.error?.message ?? '', bases: bases.slice(1_500_000, 1_500_040) };
    },
    [name, width],
  );

async function lookAlongGenome(run) {
  assert(run.state === 'succeeded', `the run has ${run.state}: ${run.error}`);
  await goTo(`#/runs/${run.id}?tab=outputs`);
  await page.locator('.output-list').getByRole('button', { name: 'Preview' }).first().click();
  await page.locator('[data-test=genome]').waitFor();
}

if (hasAlign) {
  const isReference = (response) => /\/content$|\/index\/bgz$/.test(response.url());
  const bytesOf = (response) => Number(response.headers()['content-length']);

  /// Goes to a place, and returns what was read of the reference then. (igv.js asks for its first byte alone before.)
  async function lookAt(place) {
    const answered = page.waitForResponse((response) => isReference(response) && bytesOf(response) > 1, { timeout: 30000 });
    const field = page.locator('.genome input:not([type=range])').first();
    // igv.js writes the place that it has drawn into the field, sometimes just before Enter.
    for (let there = false; !there; ) {
      await field.fill(place);
      await field.press('Enter');
      there = await Promise.race([answered.then(() => true), page.waitForTimeout(3000).then(() => false)]);
    }
    return answered;
  }

  for (const name of ['journey_genome.fa', 'journey_genome.fa.gz']) {
    await check(`alignments are seen along ${name}, of which only parts are read`, async () => {
      const run = await alignMadeUp(name, 60);
      const read = [];
      const note = (response) => isReference(response) && read.push([response.status(), bytesOf(response)]);
      page.on('response', note);
      await lookAlongGenome(run);
      await page.locator('[data-test=genome][data-ready=true]').waitFor({ timeout: 30000 });
      const answer = await lookAt('one:1,500,001-1,500,040');
      if (!name.endsWith('.gz')) {
        assert((await answer.text()).replaceAll('\n', '').includes(run.bases), 'the part of the reference that is looked at should be read');
      }
      await page.waitForTimeout(1000);
      await shoot(page, `genome_${name}`);
      // The end of the last contig: of a packed file in its last block.
      await lookAt('two:2,961-3,000');
      await page.waitForTimeout(1000);
      await shoot(page, `genome_end_of_${name}`);
      await assertAccessible(page, 'genome');
      page.off('response', note);
      assert(read.every(([status, bytes]) => status === 206 && bytes < 500_000), `parts of the reference expected: ${JSON.stringify(read)}`);
      assert(![...complaints].some((complaint) => complaint.includes('No sequence')), 'all that is looked at should be found');
    });
  }

  await check('a reference that has no index says why', async () => {
    await lookAlongGenome(await alignMadeUp('journey_uneven.fa', 30));
    await page.getByText('journey_uneven.fa: contig two, line 100002: has 2 bases in 3 bytes').waitFor();
    await shoot(page, 'genome_uneven');
    await assertAccessible(page, 'a reference without index');
  });
  await goTo('#/data');
}

// Molecules: the structures are drawn by WebAssembly in a worker, under the hub's own policy.

const molecules = (within) => within.locator('[data-test=molecules]');
const count = (within) => within.locator('.molecules-count');

await check('a file of a hundred thousand molecules is shown as structures', async () => {
  const kinds = ['CCCO', 'c1ccccc1CC', 'CC(=O)O', 'CN1CCOCC1', 'noSMILES('];
  const lines = Array.from({ length: 100_000 }, (_, at) => `${kinds[at % 5]} mol-${at + 1}\n`).join('');
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Choose files' }).click();
  await (await chooser).setFiles([{ name: 'journey.smi', mimeType: 'text/plain', buffer: Buffer.from(lines) }]);
  await page.waitForFunction(() => document.querySelectorAll('.upload.done').length === 1, undefined, { timeout: 60000 });
  await page.getByRole('button', { name: 'Clear finished' }).click();
  await page.getByRole('button', { name: 'Look at journey.smi' }).first().click();
  const grid = molecules(page.getByRole('dialog'));
  await grid.locator('.molecule img').nth(3).waitFor({ timeout: 30000 });
  await grid.getByText('Not a valid SMILES').first().waitFor();
  await count(grid).getByText('100,000 molecules').waitFor();
  await page.waitForFunction(() => document.querySelectorAll('.molecule-waiting').length === 0);
  await shoot(page, 'molecules');
  await assertAccessible(page, 'molecules');
});

await check('molecules are searched by text and turned over by page', async () => {
  const grid = molecules(page.getByRole('dialog'));
  await grid.getByRole('button', { name: 'Next' }).click();
  await grid.locator('.molecule', { hasText: 'mol-25' }).waitFor();
  await grid.getByLabel('Page, of 4167').fill('4167');
  await page.keyboard.press('Enter');
  await grid.locator('.molecule', { hasText: 'mol-100000' }).waitFor();
  await grid.getByLabel('Search text').fill('mol-777');
  await count(grid).getByText('111 of 100,000 molecules').waitFor();
});

await check('molecules are found by their substructure, while the page stays alive', async () => {
  const grid = molecules(page.getByRole('dialog'));
  await grid.getByLabel('Search text').fill('');
  await grid.getByLabel('Substructure (SMARTS)').fill('c1ccccc1');
  await count(grid).getByText('looked through').waitFor();
  // What a person would notice as a stutter.
  const longest = await page.evaluate(async () => {
    let worst = 0;
    let last = performance.now();
    for (let at = 0; at < 60; ++at) {
      await new Promise((done) => requestAnimationFrame(done));
      worst = Math.max(worst, performance.now() - last);
      last = performance.now();
    }
    return worst;
  });
  assert(longest < 1000, `the page stood still for ${Math.round(longest)} ms`);
  await grid.getByLabel('Search text').fill('mol-77');
  await count(grid).getByText(/^223 of 100,000/).waitFor({ timeout: 60000 });
  await page.waitForFunction(() => document.querySelectorAll('.molecule img').length === 24);
  await shoot(page, 'molecules_found');
  await grid.getByLabel('Substructure (SMARTS)').fill('c1ccc');
  await grid.getByText('This is no SMARTS pattern.').waitFor();
  await assertAccessible(page, 'a wrong pattern');
  await grid.getByLabel('Substructure (SMARTS)').fill('');
  await grid.getByText('This is no SMARTS pattern.').waitFor({ state: 'detached' });
});

await check('molecules are sorted, and one is looked at', async () => {
  const grid = molecules(page.getByRole('dialog'));
  await grid.getByLabel('Search text').fill('mol-9999');
  await grid.getByLabel('Sort by').selectOption({ label: 'Sort by name' });
  await grid.getByRole('button', { name: 'Ascending: sort descending' }).click();
  await grid.locator('.molecule').first().getByText('mol-99999').waitFor();
  await grid.locator('.molecule').nth(1).getByRole('button').click();
  await page.getByRole('heading', { name: 'Molecule 99,998' }).waitFor();
  await shoot(page, 'molecule');
  await assertAccessible(page, 'one molecule');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
});

await check('only the worker may run WebAssembly', async () => {
  const allowed = await page.evaluate(() => {
    try {
      new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
      return true;
    } catch {
      return false;
    }
  });
  assert(!allowed, 'the page itself should not be able to');
});

await check('data are deleted after a question', async () => {
  for (const name of ['journey.txt', 'journey_table.csv', 'journey_empty.txt', 'journey.smi']) {
    await page.getByRole('button', { name: `Delete ${name}` }).first().click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  }
});

await check('a file dropped on an input is uploaded and chosen', async () => {
  await goTo(`#/apps/${encodeURIComponent(kApp)}`);
  const zone = page.locator(`[data-test=input-${required.name}] .input-zone`);
  await zone.waitFor();
  const files = await page.evaluateHandle(() => {
    const transfer = new DataTransfer();
    for (const name of ['journey_10.fastq', 'journey_2.fastq']) transfer.items.add(new File(['@r\nACGT\n+\nIIII\n'], name));
    return transfer;
  });
  await zone.dispatchEvent('dragover', { dataTransfer: files });
  await zone.dispatchEvent('drop', { dataTransfer: files });
  await page.locator('.chosen li').nth(required.many ? 1 : 0).waitFor();
  if (required.many) {
    const names = await page.locator('.chosen .file-name').allInnerTexts();
    assert(names.join() === 'journey_2.fastq,journey_10.fastq', `files should be in their natural order: ${names}`);
    await page.getByRole('button', { name: 'Move journey_10.fastq up' }).click();
    assert((await page.locator('.chosen .file-name').first().innerText()) === 'journey_10.fastq', 'files can be reordered');
  }
});

await check('data are picked from those of the hub', async () => {
  await page.locator(`#field-inputs-${required.name}`).click();
  const dialog = page.getByRole('dialog');
  await dialog.locator('.picker button').first().click();
  await shoot(page, 'app_picker');
  await assertAccessible(page, 'choosing data');
  if (required.many) await dialog.getByRole('button', { name: 'Use 1 file' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.evaluate(async () => {
    for (const name of ['journey_2.fastq', 'journey_10.fastq']) {
      const { data } = await (await fetch(`/v1/data?name=${name}`)).json();
      for (const item of data) await fetch(`/v1/data/${item.id}`, { method: 'DELETE' });
    }
  });
});

await check('an address that leads nowhere says so', async () => {
  await goTo('#/nowhere');
  await page.getByRole('heading', { name: 'No such page' }).waitFor();
});

await check('colours can be chosen, and are remembered', async () => {
  const button = page.getByRole('button', { name: /change colours$/ });
  await button.click();
  await button.click();
  await page.reload();
  assert((await page.evaluate(() => document.documentElement.dataset.theme)) === 'dark', 'dark should be remembered');
  await button.click();
});

// The same pages elsewhere

const kPages = [
  ['apps', '#/apps', '.card'],
  ['app', `#/apps/${encodeURIComponent(kApp)}`, '[data-test=sample]'],
  ['run', `#/runs/${firstRun}`, 'iframe'],
  ['run_outputs', `#/runs/${firstRun}?tab=outputs`, '.output-list'],
  ...(modelRun === ''
    ? []
    : [
        ['pictures', `#/runs/${modelRun}`, 'iframe'],
        ['training', `#/runs/${modelRun}?tab=training`, '[data-test=loss-curve] canvas'],
      ]),
  ['runs', '#/runs', '.run-list'],
  ['data', '#/data', '.data-list'],
];
const session = await context.storageState();
for (const [look, options] of [
  ['phone', { ...kPhone, colorScheme: 'light' }],
  ['dark', { ...kLaptop, colorScheme: 'dark' }],
  ['phone_dark', { ...kPhone, colorScheme: 'dark' }],
]) {
  const other = await browser.newContext({ ...options, storageState: session });
  watch(other);
  const tab = await other.newPage();
  for (const [name, hash, sign] of kPages) {
    await check(`${name} is well on ${look.replace('_', ' and ')}`, async () => {
      await tab.goto(`${url}/${hash}`);
      await tab.locator(sign).first().waitFor({ timeout: 15000 });
      await tab.waitForTimeout(sign === 'iframe' ? 900 : 150);
      await shoot(tab, `${name}_${look}`);
      await assertAccessible(tab, name);
    });
  }
  await other.close();
}

await check('a report printed or opened alone stands by itself', async () => {
  for (const colorScheme of ['light', 'dark']) {
    const other = await browser.newContext({ ...kLaptop, colorScheme, storageState: session });
    watch(other);
    const tab = await other.newPage();
    await tab.goto(`${url}/v1/runs/${firstRun}/outputs/report`);
    await tab.locator('canvas').first().waitFor();
    await tab.waitForTimeout(300);
    await shoot(tab, `report_${colorScheme}`);
    await assertAccessible(tab, `the report in ${colorScheme}`);
    await other.close();
  }
});

await check('logging out asks to log in again', async () => {
  await goTo('#/apps');
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByRole('heading', { name: 'Log in to Aceso' }).waitFor();
});

await check('nothing left the origin, and the browser had no complaint', async () => {
  assert(complaints.size === 0, [...complaints].join('\n'));
});

await finish();
