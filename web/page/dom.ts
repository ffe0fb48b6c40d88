/**
 * The only place that makes elements. Whatever comes from a room (its name, its
 * speakers') goes in as a string and becomes a text node or an attribute's value:
 * nothing here, and nothing elsewhere in the page, parses HTML.
 */

type Child = Node | string;

/** Makes an element. Attributes are set as they are; false leaves one out, true sets it empty. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | boolean>> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(made, name, value);
  made.append(...children);
  return made;
}

/** Sets an attribute, or takes it away, if it differs: one that is set to what it was makes the browser look at its styles again. */
export function setAttribute(of: Element, name: string, value: string | boolean): void {
  const wanted = value === false ? null : value === true ? "" : value;
  if (of.getAttribute(name) === wanted) return;
  if (wanted === null) of.removeAttribute(name);
  else of.setAttribute(name, wanted);
}

/** Shows an element or hides it, if it differs. */
export function setHidden(of: HTMLElement, hidden: boolean): void {
  if (of.hidden !== hidden) of.hidden = hidden;
}

/** Changes a text only if it differs: a live region speaks up at each change. */
export function setText(of: Element, text: string): void {
  if (of.textContent !== text) of.textContent = text;
}

/** A drawing of 24 by 24 out of paths, which nobody reads out. */
export function icon(...paths: string[]): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "icon");
  for (const d of paths) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

/** The element of a page's skeleton; it is there, or the page and its script do not belong together. */
export function find<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found as T;
}
