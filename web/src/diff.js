// What the rules change against the deployed ones, proved, and for members.

import { h, lines, prose } from "./dom.js";
import { Panel } from "./panel.js";
import { ask } from "./server.js";

export class DiffPanel extends Panel {
  constructor(context) {
    const deployed = context.start.against;
    const against = deployed ? `${deployed}, as it was when the server started` : "the rules as they were when the server started";
    const form = h("form", { onsubmit: (event) => (event.preventDefault(), this.refresh()) },
      h("p", { class: "help" }, `Compares with ${against}.`),
      h("button", { type: "submit", class: "main" }, "Compare"));
    super("diff", "Diff", form, context);
    this.live = false; // a proof takes its time: asked for by hand
  }

  ask(signal) {
    return ask("diff", { rules: this.context.editor.text() }, signal);
  }

  render(answer) {
    const edits = answer.lines.map((line) =>
      h("li", {}, h("strong", {}, line.head), ": ", prose(line.body), line.rule ? h("code", { class: "rule" }, line.rule) : null));
    return [
      h("p", { class: answer.same ? "good" : null }, answer.closing),
      answer.missing && !answer.closing.includes(answer.missing) ? h("p", { class: "problem" }, answer.missing) : null,
      edits.length ? h("ul", { class: "edits" }, edits) : null,
      answer.members.length ? [h("h4", {}, "For members"), lines(answer.members.join("\n"), "What changes for members")] : null,
    ].flat();
  }
}
