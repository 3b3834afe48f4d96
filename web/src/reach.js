// Who reaches whom: the grid, and why a cell is open or closed.

import { count, h, labelled, lines, table } from "./dom.js";
import { whyButton } from "./explain.js";
import { Panel, lineLink } from "./panel.js";
import { ask } from "./server.js";

const NAMES = 3;

export class ReachPanel extends Panel {
  constructor(context) {
    const services = h("input", { value: "ping, ssh, https, smb, rdp, dns", autocomplete: "off", spellcheck: "false" });
    const form = h("form", { onsubmit: (event) => (event.preventDefault(), this.refresh()) },
      h("div", { class: "fields" }, labelled("Services", services), h("button", { type: "submit", class: "main" }, "Show the grid")));
    super("reach", "Reach", form, context);
    this.services = services;
    this.wanted = this.stale = Boolean(context.start.network); // shown at once where members are known
    if (!context.start.network) this.result.append(h("p", { class: "help" }, "Needs the members: start with --network FILE."));
  }

  ask(signal) {
    return ask("reach", { rules: this.context.editor.text(), services: this.services.value }, signal);
  }

  render(answer) {
    const summary = h("p", {}, `${answer.open.toLocaleString("en")} of ${count(answer.ways, "way")} are open (${count(answer.members, "member")}).`);
    if (answer.lines) return [summary, lines(answer.lines.join("\n"), "Who reaches whom")];
    this.detail = h("div", { class: "detail", "aria-live": "polite" });
    const how = h("p", { class: "help" }, "Members that fare alike share a row and a column. Choose a cell for the reasons.");
    return [summary, this.grid(answer), how, this.detail];
  }

  grid({ clients, servers, cells, services }) {
    const head = h("tr", {}, h("th", { scope: "col" }, "from \\ to"), servers.map((group) => h("th", { scope: "col", title: group.join(", ") }, names(group))));
    const rows = clients.map((group, row) =>
      h("tr", {}, h("th", { scope: "row", title: group.join(", ") }, names(group)),
        servers.map((_, column) => h("td", {}, this.cell(cells[row][column], services)))));
    return h("div", { class: "wide", tabindex: 0, role: "region", "aria-label": "Who reaches whom" },
      h("table", { class: "grid" },
        h("caption", {}, "Who reaches whom"),
        h("thead", {}, head), h("tbody", {}, rows)));
  }

  cell(cell, services) {
    if (cell === null) return "";
    const open = services.filter((_, index) => cell.services[index].open);
    const state = open.length === services.length ? "all" : open.length ? "some" : "none";
    const text = state === "all" ? (services.length > 1 ? "all" : services[0]) : open.join(" ") || "none";
    const label = `${text} open, ${cell.from} to ${cell.to}: why?`;
    const attributes = { type: "button", class: `cell cell-${state}`, "aria-label": label };
    return h("button", { ...attributes, onclick: (event) => this.choose(event.target, cell, services) }, text);
  }

  choose(button, cell, services) {
    this.element.querySelectorAll(".cell[aria-pressed]").forEach((one) => one.removeAttribute("aria-pressed"));
    button.setAttribute("aria-pressed", "true");
    const why = h("div", { class: "why" });
    const rows = services.map((service, index) => {
      const one = cell.services[index];
      const asked = () => ({ rules: this.context.editor.text(), from: cell.from, to: cell.to, service });
      const reason = one.open ? "open" : [one.why, one.at ? ` at ${one.at}` : ""].join("");
      return [service, reason, lineLink(one.line, this.context), whyButton(why, "why", asked, this.context, `Why is ${service} ${reason}?`)];
    });
    this.detail.replaceChildren(table(`${cell.from} to ${cell.to}`, ["service", "what", "by", "why"], rows), why);
    this.detail.scrollIntoView({ block: "nearest" });
  }
}

const names = (group) => group.slice(0, NAMES).join(", ") + (group.length > NAMES ? ` +${group.length - NAMES}` : "");
