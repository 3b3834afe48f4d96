// Elements out of names, attributes and children; text is always text.

export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "class") element.className = value;
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

export const byId = (id) => document.getElementById(id);

export const button = (text, onclick, attributes = {}) => h("button", { type: "button", onclick, ...attributes }, text);

let numbered = 0;

// A labelled field: {label, field} where the field may be any input.
export function labelled(text, field) {
  field.id ||= `field-${++numbered}`;
  return h("div", { class: "field" }, h("label", { for: field.id }, text), field);
}

// A table with a caption and heads for its columns; rows are arrays of children.
export function table(caption, heads, rows, attributes = {}) {
  const right = (index) => (heads[index].startsWith(">") ? "number" : null);
  const head = heads.map((text, index) => h("th", { scope: "col", class: right(index) }, text.replace(/^>/, "")));
  const body = rows.map((row) => h("tr", {}, row.map((cell, index) => h("td", { class: right(index) }, cell ?? ""))));
  return h(
    "div",
    { class: "wide", tabindex: 0, role: "region", "aria-label": caption },
    h("table", attributes, h("caption", {}, caption), h("thead", {}, h("tr", {}, head)), h("tbody", {}, body)),
  );
}

// Text that keeps its lines; it scrolls, so it can be reached by the keyboard.
export const lines = (text, label) => h("pre", { tabindex: 0, role: "region", "aria-label": label }, text);

// Text with its `code` as code.
export const prose = (text) => text.split("`").map((part, index) => (index % 2 ? h("code", {}, part) : part));

export const count = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
