// The tests' coverage in the editor's margin: a mark a line, in words where it is pointed at.

import { RangeSetBuilder, StateEffect, StateField } from "@codemirror/state";
import { GutterMarker, gutter } from "@codemirror/view";

export const setCoverage = StateEffect.define(); // {line: {state, missing}}, or {}

const SIGNS = { all: "✓", some: "◐", none: "✗" };
const WORDS = { all: "covered by the tests", some: "covered in part", none: "not covered by any test" };

class Mark extends GutterMarker {
  constructor(line) {
    super();
    this.line = line;
  }

  eq(other) {
    return this.line.state === other.line.state && String(this.line.missing) === String(other.line.missing);
  }

  toDOM() {
    const made = document.createElement("span");
    made.className = `coverage coverage-${this.line.state}`;
    made.textContent = SIGNS[this.line.state];
    made.title = [WORDS[this.line.state], ...this.line.missing].join("\n");
    return made;
  }
}

function marks(doc, lines) {
  const made = new RangeSetBuilder();
  for (const number of Object.keys(lines).map(Number).sort((a, b) => a - b)) {
    if (number > doc.lines) break;
    const { from } = doc.line(number);
    made.add(from, from, new Mark(lines[number]));
  }
  return made.finish();
}

const field = StateField.define({
  create: (state) => marks(state.doc, {}),
  update(value, transaction) {
    for (const effect of transaction.effects) if (effect.is(setCoverage)) return marks(transaction.newDoc, effect.value);
    return value.map(transaction.changes);
  },
});

export const coverage = [field, gutter({ class: "cm-coverage", markers: (view) => view.state.field(field) })];
