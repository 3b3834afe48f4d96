// The report of a capture: verdicts, rules, copies, who lost most, and why a frame was dropped.

import { button, count, h, labelled, table } from "./dom.js";
import { badge, whyButton } from "./explain.js";
import { Panel, lineLink, problem } from "./panel.js";
import { ask, letGo, upload } from "./server.js";

const number = (value) => value.toLocaleString("en");

export class CapturePanel extends Panel {
  constructor(context) {
    const file = h("input", { type: "file", onchange: () => this.taken(file) });
    const form = h("div", { class: "drop" }, labelled("Capture", file), h("p", { class: "help" }, "A pcap or pcapng, plain or compressed: choose it, or drop it here. It stays on this machine."));
    super("capture", "Capture", form, context);
    this.capture = null;
    this.takeDrops(form);
  }

  takeDrops(form) {
    for (const name of ["dragover", "dragleave", "drop"]) {
      this.element.addEventListener(name, (event) => {
        event.preventDefault();
        form.classList.toggle("over", name === "dragover");
        if (name === "drop" && event.dataTransfer.files.length) this.open(event.dataTransfer.files[0]);
      });
    }
  }

  taken(input) {
    this.open(input.files[0]);
    input.value = ""; // so that the same file can be chosen again
  }

  async open(file) {
    if (!file) return;
    const most = this.context.start.most_upload;
    try {
      if (file.size > most) throw new Error(`${file.name} has ${number(file.size)} bytes, and ${number(most)} are taken (--max-upload)`);
      this.result.replaceChildren((this.progress = h("progress", { max: 1, value: 0, "aria-label": "Reading the capture" })));
      const before = this.capture;
      const { capture } = await upload(file, (part) => (this.progress.value = part));
      this.capture = { name: capture, file: file.name };
      if (before) letGo(before.name).catch(() => {});
      await this.refresh();
    } catch (error) {
      this.result.replaceChildren(problem(error, this.context));
    }
  }

  close() {
    letGo(this.capture.name).catch(() => {});
    Object.assign(this, { capture: null, wanted: false, stale: false });
    this.result.replaceChildren();
  }

  question() {
    return { rules: this.context.editor.text(), capture: this.capture.name, file: this.capture.file };
  }

  ask(signal) {
    return this.capture && ask("capture", this.question(), signal);
  }

  render(answer) {
    const verdicts = Object.entries(answer.verdicts).filter(([, one]) => one.frames);
    return [
      h("p", {}, h("strong", {}, this.capture.file), `: ${count(answer.frames, "frame")}, ${number(answer.bytes)} bytes. `, button("Close", () => this.close())),
      h("p", { class: "verdicts" }, verdicts.map(([name, one]) => [badge(name), ` ${number(one.frames)} `])),
      answer.unjudged ? h("p", { class: "help" }, `${count(answer.unjudged, "frame")} of an unknown link type.`) : null,
      answer.uncertain ? h("p", { class: "help" }, `${count(answer.uncertain, "verdict")} asked for bytes that were not captured.`) : null,
      answer.problems.length ? h("p", { class: "problem" }, `The capture is damaged: ${answer.problems.join("; ")}. What was read before counts.`) : null,
      this.report(), this.rules(answer.rules), this.copies(answer.copies), this.pairs(answer.pairs), ...this.dropped(answer.dropped, answer.verdicts.drop.frames),
    ];
  }

  // The page that `ztfast filter --report` writes, in a frame without scripts.
  report() {
    const shown = h("div", { "aria-live": "polite" });
    const asked = this.question();
    const make = button("Report page", async () => {
      make.disabled = true;
      try {
        const { report } = await ask("report", asked);
        const src = `/report/${report}`;
        shown.replaceChildren(
          h("iframe", { src, sandbox: "allow-popups", class: "report", title: `Report of ${asked.file}` }),
          h("p", {}, h("a", { href: src, target: "_blank", rel: "noopener" }, "In a tab of its own"), " · ", h("a", { href: src, download: `${asked.file}.html` }, "Save")),
        );
      } catch (error) {
        shown.replaceChildren(problem(error, this.context));
      }
      make.disabled = false;
    });
    return h("div", {}, h("p", {}, make), shown);
  }

  rules(rows) {
    return table("What each rule did", ["verdict", ">frames", ">bytes", "by", "line", "rule"], rows.map((row) => [
      row.verdict, number(row.frames), number(row.bytes), row.capability ? `${row.side}, cap ${row.capability}` : row.side,
      lineLink(row.line, this.context), h("code", {}, row.rule),
    ]));
  }

  copies(rows) {
    if (!rows.length) return null;
    return table("Copies and redirects", ["kind", "to", ">frames", ">bytes", "sent by"], rows.map((row) => [
      row.kind, row.name ?? row.to, number(row.frames), number(row.bytes), row.side,
    ]));
  }

  pairs(rows) {
    if (!rows.length) return null;
    return table("Who lost most", ["from", "to", ">dropped frames"], rows.map((row) => [row.from, row.to, number(row.frames)]));
  }

  dropped(rows, all) {
    if (!rows.length) return [];
    const why = h("div", { class: "why", "aria-live": "polite" });
    const shown = rows.map((row) => {
      const asked = () => ({ ...this.question(), number: row.number });
      return [
        number(row.number), row.from_name ?? row.source ?? "?", row.to_name ?? row.dest ?? "?", row.frame,
        lineLink(row.line, this.context), whyButton(why, "explain", asked, this.context, `Why was frame ${row.number} dropped?`),
      ];
    });
    const caption = rows.length < all ? `The first ${rows.length} of ${number(all)} dropped frames` : "Dropped frames";
    return [table(caption, [">number", "from", "to", "frame", "line", "why"], shown), why];
  }
}
