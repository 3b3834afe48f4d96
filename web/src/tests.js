// The tests' cases, and which lines none of them puts to the test: in the editor's margin.

import { count, h, lines } from "./dom.js";
import { Panel } from "./panel.js";
import { ask } from "./server.js";

export class TestsPanel extends Panel {
  constructor(context) {
    const form = h("form", { onsubmit: (event) => (event.preventDefault(), this.refresh()) },
      h("p", { class: "help" }, context.start.tests.length ? `Cases of ${context.start.tests.join(", ")}.` : "Needs cases: start with --tests FILE."),
      h("button", { type: "submit", class: "main" }, "Run"));
    super("tests", "Tests", form, context);
    this.wanted = this.stale = context.start.tests.length > 0;
  }

  ask(signal) {
    return ask("tests", { rules: this.context.editor.text() }, signal);
  }

  render(answer) {
    this.context.editor.cover(answer.lines);
    const failed = answer.cases.length - answer.passed;
    return [
      h("p", { class: failed ? "problem" : "good" }, failed ? `${failed} of ${count(answer.cases.length, "case")} failed.` : `${count(answer.cases.length, "case")} passed.`),
      h("p", {}, `Coverage: ${answer.percent} % (${answer.covered} of ${count(answer.outcomes, "outcome")}). The margin shows ✓ covered, ◐ in part, ✗ not.`),
      h("ul", { class: "cases" }, answer.cases.map(caseItem)),
    ];
  }
}

function caseItem(one) {
  const head = [h("span", { class: one.passed ? "good" : "bad" }, one.passed ? "passed" : "failed"), ` ${one.name}: ${one.got}`];
  if (one.passed) return h("li", {}, head, one.unresolved.map((text) => h("p", { class: "help" }, text)));
  return h("li", {}, h("details", {}, h("summary", {}, head, ` (${one.failures.join("; ")})`),
    one.explanation ? lines(one.explanation, `Why ${one.name} failed`) : null));
}
