// Why a frame gets its verdict: the form that writes one down, and the answer.

import { button, h, labelled, lines, prose } from "./dom.js";
import { Panel, lineLink, problem } from "./panel.js";
import { ask } from "./server.js";

const VERDICTS = { accept: "accepted", drop: "dropped", redirect: "redirected" };
const KINDS = {
  tcp: (form) => `tcp ${form.from} > ${form.to}:${form.port || "443"}${form.opens ? " syn" : " ack"}`,
  udp: (form) => `udp ${form.from} > ${form.to}:${form.port || "53"}`,
  icmp: (form) => `icmp ${form.from} > ${form.to} echo`,
  arp: (form) => `arp ${form.from} > ${form.to}`,
};

export class ExplainPanel extends Panel {
  constructor(context) {
    const members = h("datalist", { id: "members" }, context.start.members.map((name) => h("option", { value: name })));
    const [first, second] = context.start.members.length > 1 ? context.start.members : ["10.1.1.2", "10.1.1.7"];
    const fields = {
      kind: h("select", {}, Object.keys(KINDS).map((kind) => h("option", {}, kind))),
      from: h("input", { list: "members", value: first, autocomplete: "off", spellcheck: "false" }),
      to: h("input", { list: "members", value: second, autocomplete: "off", spellcheck: "false" }),
      port: h("input", { value: "443", inputmode: "numeric", autocomplete: "off", size: 7 }),
      opens: h("input", { type: "checkbox", checked: true }),
      frame: h("input", { class: "mono", autocomplete: "off", spellcheck: "false" }),
    };
    const form = h("form", { onsubmit: (event) => (event.preventDefault(), this.refresh()) },
      members,
      h("div", { class: "fields" },
        labelled("Kind", fields.kind), labelled("From", fields.from), labelled("To", fields.to), labelled("Port", fields.port),
        labelled("Opens a connection", fields.opens)),
      h("div", { class: "fields" }, labelled("Frame", fields.frame), h("button", { type: "submit", class: "main" }, "Explain")));
    super("explain", "Explain", form, context);
    this.fields = fields;
    for (const name of ["kind", "from", "to", "port", "opens"]) fields[name].addEventListener("input", () => this.compose());
    this.compose();
  }

  compose() {
    const { kind, from, to, port, opens, frame } = this.fields;
    port.disabled = !["tcp", "udp"].includes(kind.value);
    opens.disabled = kind.value !== "tcp";
    frame.value = KINDS[kind.value]({ from: from.value.trim(), to: to.value.trim(), port: port.value.trim(), opens: opens.checked });
  }

  ask(signal) {
    return ask("explain", { rules: this.context.editor.text(), frame: this.fields.frame.value }, signal);
  }

  render(answer) {
    return explanation(answer, this.context);
  }
}

// An explanation as elements: the verdict, who decided by which line, then each entry.
export function explanation(answer, context) {
  const [frame, said, ...rest] = answer.text.split("\n");
  const lined = answer.sides.filter((side) => side.by?.line).map((side) => side.by.line);
  const other = answer.deployed && answer.deployed !== answer.verdict;
  return h("div", { class: "explanation" },
    h("p", { class: "mono frame" }, frame),
    h("p", {}, badge(answer.verdict), prose(said.slice(VERDICTS[answer.verdict].length)), " ", [...new Set(lined)].map((line) => [lineLink(line, context), " "])),
    other ? h("p", { class: "changes" }, "The deployed rules say: ", badge(answer.deployed)) : null,
    lines(rest.join("\n").trim(), "Each entry and what became of it"));
}

export const badge = (verdict) => h("strong", { class: `badge badge-${verdict}` }, VERDICTS[verdict]);

// A button that shows an explanation in a place beside it.
export function whyButton(place, question, asked, context, label) {
  return button("Why?", async () => {
    place.replaceChildren(h("p", {}, "…"));
    try {
      place.replaceChildren(explanation(await ask(question, asked()), context));
    } catch (error) {
      place.replaceChildren(problem(error, context));
    }
    place.scrollIntoView({ block: "nearest" });
  }, { "aria-label": label });
}
