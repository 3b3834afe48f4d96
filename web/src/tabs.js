// Tabs by the keyboard as people know them: arrows, Home, End (WAI-ARIA's pattern).

import { byId, h } from "./dom.js";

// panels: [{id, title, element, shown()}]; gives {current()}
export function makeTabs(panels) {
  let current = panels[0];
  const tabs = panels.map((panel) => {
    panel.element.id = `panel-${panel.id}`;
    panel.element.setAttribute("role", "tabpanel");
    panel.element.setAttribute("aria-labelledby", `tab-${panel.id}`);
    panel.element.tabIndex = 0;
    const attributes = { id: `tab-${panel.id}`, role: "tab", type: "button", "aria-controls": `panel-${panel.id}` };
    return h("button", { ...attributes, onclick: () => choose(panel), onkeydown: (event) => move(event) }, panel.title);
  });

  function choose(panel, focus = false) {
    current = panel;
    panels.forEach((one, index) => {
      const chosen = one === panel;
      tabs[index].setAttribute("aria-selected", String(chosen));
      tabs[index].tabIndex = chosen ? 0 : -1;
      one.element.hidden = !chosen;
      if (chosen && focus) tabs[index].focus();
    });
    panel.shown();
  }

  function move(event) {
    const at = panels.indexOf(current);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: panels.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(panels[(to + panels.length) % panels.length], true);
  }

  byId("tabs").replaceChildren(...tabs);
  byId("panels").replaceChildren(...panels.map((panel) => panel.element));
  choose(current);
  return { current: () => current };
}
