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

/** A name by its beginning and its end, where it is longer than that many characters. */
export function shortened(name: string, most: number): string {
  const letters = [...name];
  if (letters.length <= most) return name;
  const end = Math.floor((most - 1) / 3);
  return `${letters.slice(0, most - 1 - end).join("")}…${letters.slice(-end).join("")}`;
}

/** Three significant digits at most; a dash for what is not a number. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "–";
  return Number.isInteger(value) ? count(value) : String(Number(value.toPrecision(3)));
}
