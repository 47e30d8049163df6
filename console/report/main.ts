// Draws the report.json that stands in the page: figures, tables, plots, and where they come from.
import { formatBytes, formatNumber, formatSeconds, formatTime } from '../src/ui/format';
import { drawBlock, tableElement } from './blocks';
import { make, pairs } from './elements';
import './report.css';
import { followTheme } from './theme';
import type { Report, Section } from './types';

const kContentsFrom = 3; // fewer sections are seen at a glance

function draw(report: Report, root: HTMLElement): void {
  const sections = (report.sections ?? []).map(drawSection);
  const provenance = drawProvenance(report);
  const parts = [...sections, provenance];
  const titles = [...(report.sections ?? []).map((section) => section.title), 'Provenance'];

  root.append(
    drawHead(report),
    parts.length >= kContentsFrom ? contents(parts, titles) : '',
    make('main', {}, report.error ? failure(report) : null, warnings(report), ...parts),
  );
}

function drawHead(report: Report): HTMLElement {
  const facts = [
    report.started ? formatTime(report.started) : '',
    report.seconds === undefined ? '' : formatSeconds(report.seconds),
    report.version ? `version ${report.version}` : '',
  ].filter((fact) => fact !== '');
  const status = report.status && report.status !== 'succeeded' ? make('span', { class: 'status' }, report.status) : null;
  return make('header', {}, make('h1', {}, report.app, status), make('p', { class: 'muted' }, facts.join(' · ')));
}

function contents(parts: HTMLElement[], titles: string[]): HTMLElement {
  const list = make('ol');
  parts.forEach((part, index) => {
    const link = make('a', { href: `#${part.id}`, click: (event) => show(event, part) }, titles[index]);
    list.append(make('li', {}, link));
  });
  return make('nav', { 'aria-label': 'Contents' }, list);
}

/// The part behind '#' names the colours, so links scroll by themselves.
function show(event: Event, part: HTMLElement): void {
  event.preventDefault();
  part.querySelector('h2')?.focus({ preventScroll: true });
  part.scrollIntoView();
  tellFrame({ scrollTo: part.getBoundingClientRect().top + window.scrollY });
}

function drawSection(section: Section, index: number): HTMLElement {
  const element = make('section', { id: `section-${index + 1}` }, make('h2', { tabindex: '-1' }, section.title));
  for (const paragraph of (section.text ?? '').split(/\n\s*\n/)) {
    if (paragraph.trim() !== '') element.append(make('p', { class: 'text' }, paragraph));
  }
  for (const block of section.blocks ?? []) element.append(drawBlock(block) ?? '');
  return element;
}

function failure(report: Report): HTMLElement {
  return make('section', { class: 'callout danger', role: 'alert' }, make('strong', {}, 'The run did not succeed'), make('p', {}, report.error?.message ?? ''));
}

function warnings(report: Report): HTMLElement | null {
  const list = report.warnings ?? [];
  if (list.length === 0) return null;
  const items = make('ul');
  for (const warning of list) {
    const examples = make('ul');
    for (const example of warning.examples ?? []) examples.append(make('li', {}, example));
    items.append(make('li', {}, make('details', {}, make('summary', {}, make('code', {}, warning.kind), ` × ${formatNumber(warning.count)}`), examples)));
  }
  return make('section', { class: 'callout warn', 'aria-label': 'Warnings' }, make('strong', {}, 'Warnings'), items);
}

function drawProvenance(report: Report): HTMLElement {
  const element = make('section', { id: 'provenance' }, make('h2', { tabindex: '-1' }, 'Provenance'));
  element.append(
    pairs([
      ['App', `${report.app} ${report.version ?? ''}`],
      ['Started', report.started ? formatTime(report.started) : ''],
      ['Duration', report.seconds === undefined ? '' : formatSeconds(report.seconds)],
      ['CPU time', report.cpu_seconds === undefined ? '' : formatSeconds(report.cpu_seconds)],
      ['Peak memory', report.peak_rss_mb === undefined ? '' : `${formatNumber(Math.round(report.peak_rss_mb))} MB`],
      ['Processor', report.cpu ?? ''],
      ['Threads', report.threads === undefined ? '' : String(report.threads)],
    ]),
  );
  if (report.command) element.append(make('h3', {}, 'Command'), make('pre', { tabindex: '0', role: 'region', 'aria-label': 'Command' }, report.command));
  const inputs = report.inputs ?? [];
  if (inputs.length > 0) {
    const columns = ['Input', 'File', 'Size', 'SHA-256'].map((label) => ({ label }));
    const rows = inputs.map((input) => [input.name, input.file, formatBytes(input.bytes), input.sha256]);
    element.append(make('h3', {}, 'Inputs'), tableElement({ type: 'table', columns, rows }, 'Inputs'));
  }
  const options = Object.entries(report.options ?? {});
  if (options.length > 0) {
    element.append(make('h3', {}, 'Options'), pairs(options.map(([name, value]) => [name.replaceAll('_', ' '), typeof value === 'string' ? value : JSON.stringify(value)])));
  }
  const outputs = report.outputs ?? [];
  if (outputs.length > 0) {
    const columns = ['Output', 'File', 'Size'].map((label) => ({ label }));
    const rows = outputs.map((output) => [output.name, output.file, formatBytes(output.bytes)]);
    element.append(make('h3', {}, 'Outputs'), tableElement({ type: 'table', columns, rows }, 'Outputs'));
  }
  return element;
}

/// The console gives the frame its whole height, so that one scroll bar is enough.
function tellFrame(message: { height?: number; scrollTo?: number }): void {
  if (window.parent !== window) window.parent.postMessage({ acesoReport: message }, '*');
}

function start(): void {
  const root = document.getElementById('report');
  const data = document.getElementById('report-data');
  if (!root || !data) return;
  if (window.parent !== window) document.documentElement.classList.add('framed');
  followTheme();
  try {
    draw(JSON.parse(data.textContent ?? '') as Report, root);
  } catch (error) {
    root.replaceChildren(make('p', { role: 'alert' }, `This report cannot be drawn: ${String(error)}`));
  }
  new ResizeObserver(() => tellFrame({ height: document.documentElement.offsetHeight })).observe(document.documentElement);
}

start();
