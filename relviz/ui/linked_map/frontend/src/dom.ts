// Making elements in one line each.

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  options: { class?: string; text?: string; parent?: Node; attributes?: Record<string, string> } = {},
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (options.class) made.className = options.class;
  if (options.text !== undefined) made.textContent = options.text;
  for (const [name, value] of Object.entries(options.attributes ?? {})) made.setAttribute(name, value);
  options.parent?.appendChild(made);
  return made;
}

export function button(parent: Node, text: string, title: string, press: () => void): HTMLButtonElement {
  const made = element("button", { text, parent, attributes: { type: "button", title } });
  made.onclick = press;
  return made;
}

export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** Three significant digits at most; a dash for what is not a number. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "–";
  return Number.isInteger(value) ? count(value) : String(Number(value.toPrecision(3)));
}
