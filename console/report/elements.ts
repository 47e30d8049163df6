// Making elements without a framework. Text is always text: nothing of a report is read as HTML.

type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | boolean | ((event: Event) => void) | undefined>;

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, '');
    else if (typeof value === 'string') element.setAttribute(name, value);
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

/// A list of labels and values.
export function pairs(entries: [string, Child][]): HTMLElement {
  const list = make('dl', { class: 'pairs' });
  for (const [label, value] of entries) {
    if (value === '' || !value) continue;
    list.append(make('div', {}, make('dt', {}, label), make('dd', {}, value)));
  }
  return list;
}
