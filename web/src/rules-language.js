// What the words of a rules text look like; the meaning is the language server's.

import { HighlightStyle, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { tags } from "@lezer/highlight";

const NUMBER = /^(?:[0-9a-f]{10}|0x[0-9a-f]+|-?[0-9][0-9a-f.:/-]*)$/i;
const BLOCKS = new Set(["macro", "tag", "cap"]);
const SETTINGS = new Set(["id", "default", "enum", "flag"]);
const JOINS = new Set(["and", "or", "not"]);

export function rulesLanguage(actions, matches) {
  const kinds = { actions: new Set(actions), matches: new Set(matches) };
  return [StreamLanguage.define({ name: "ztrules", token: (stream) => token(stream, kinds) }), syntaxHighlighting(style)];
}

function token(stream, { actions, matches }) {
  if (stream.eatSpace()) return null;
  if (stream.peek() === "#") {
    stream.skipToEnd();
    return "comment";
  }
  if (stream.eat(";")) return "punctuation";
  stream.eatWhile(/[^\s;]/);
  const word = stream.current().toLowerCase();
  if (BLOCKS.has(word) || SETTINGS.has(word)) return "definitionKeyword";
  if (actions.has(word)) return "keyword";
  if (JOINS.has(word)) return "operatorKeyword";
  if (matches.has(word)) return "typeName";
  if (word.startsWith("$")) return "variableName";
  return NUMBER.test(word) ? "number" : "name";
}

const style = HighlightStyle.define([
  { tag: tags.comment, color: "var(--comment)", fontStyle: "italic" },
  { tag: tags.keyword, color: "var(--action)", fontWeight: "600" },
  { tag: tags.definitionKeyword, color: "var(--block)", fontWeight: "600" },
  { tag: tags.operatorKeyword, color: "var(--soft)" },
  { tag: tags.typeName, color: "var(--match)" },
  { tag: tags.number, color: "var(--value)" },
  { tag: tags.variableName, color: "var(--block)" },
]);
