// One tool beside the editor: it asks, shows the answer, and asks again when the rules change.

import { button, h, prose } from "./dom.js";
import { Problem } from "./server.js";

export class Panel {
  // render(answer) gives elements; ask(signal) gives a promise of an answer, or null for nothing to ask.
  constructor(id, title, form, context) {
    Object.assign(this, { id, title, context, live: true, wanted: false, stale: false });
    this.result = h("div", { class: "result", "aria-live": "polite", "aria-busy": "false" });
    this.element = h("section", { class: "panel" }, h("h3", {}, title), form, this.result);
  }

  // The tab was chosen, or the rules changed while it is open.
  shown() {
    if (this.stale && this.live) this.refresh();
    else this.element.classList.toggle("stale", this.stale);
  }

  changed(isOpen) {
    this.stale = this.wanted && this.asked !== this.context.editor.text();
    if (isOpen) this.shown();
  }

  async refresh() {
    this.asking?.abort();
    const asking = (this.asking = new AbortController());
    const question = this.ask(asking.signal);
    if (question === null) return;
    Object.assign(this, { wanted: true, stale: false, asked: this.context.editor.text() });
    this.element.classList.remove("stale");
    this.result.setAttribute("aria-busy", "true");
    try {
      const answer = await question;
      if (!asking.signal.aborted) this.result.replaceChildren(...[this.render(answer)].flat().filter(Boolean));
    } catch (error) {
      if (error.name !== "AbortError" && !asking.signal.aborted) this.result.replaceChildren(problem(error, this.context));
    } finally {
      if (this.asking === asking) this.result.setAttribute("aria-busy", "false");
    }
  }
}

// What went wrong, with the line to go to.
export function problem(error, context) {
  const errors = error instanceof Problem ? error.errors : [{ message: String(error) }];
  return h(
    "ul",
    { class: "problem" },
    errors.map((one) =>
      h("li", {}, one.line ? [lineLink(one.line, context), " "] : null, prose(one.message), one.help ? h("span", { class: "help" }, " ", prose(one.help)) : null)),
  );
}

export const lineLink = (line, context) =>
  line ? button(`line ${line}`, () => context.editor.goTo(line), { class: "link" }) : "–";
