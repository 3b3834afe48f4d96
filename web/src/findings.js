// The findings as a list: where, what, and a button for each fix.

import { byId, button, count, h, prose } from "./dom.js";

const WORDS = { error: "error", warning: "warning", info: "note", hint: "note" };
const MOST = 100;

export function showFindings(found, editor) {
  const words = found.map((one) => WORDS[one.severity]);
  const parts = ["error", "warning", "note"].map((word) => [words.filter((one) => one === word).length, word]);
  const said = parts.filter(([number]) => number).map(([number, word]) => count(number, word)).join(", ") || "none";
  const counted = byId("findings-count");
  if (counted.textContent !== said) counted.textContent = said;
  byId("findings-list").replaceChildren(...found.slice(0, MOST).map((one) => item(one, editor)));
}

function item(one, editor) {
  const [message, ...help] = one.message.split("\n");
  const line = editor.lineOf(one.from);
  return h(
    "li",
    { class: `finding finding-${one.severity}` },
    h("p", {},
      button(`line ${line}`, () => editor.goToOffset(one.from), { class: "link" }),
      " ", h("strong", {}, WORDS[one.severity]), ` ${one.code}: `, prose(message)),
    help.length ? h("p", { class: "help" }, prose(help.join(" "))) : null,
    one.actions.length
      ? h("p", { class: "fixes" }, one.actions.map((fix) => button(fix.name, () => (fix.apply(editor.view), editor.view.focus()))))
      : null,
  );
}
