// Light or dark: as the system says, or as the button says.  Nothing is stored.

import { button } from "./dom.js";

export function lookButton() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.look ?? (dark.matches ? "dark" : "light")) === "dark";
  const made = button("", () => {
    document.documentElement.dataset.look = isDark() ? "light" : "dark";
    name();
  });
  const name = () => (made.textContent = isDark() ? "Light" : "Dark");
  dark.addEventListener("change", name);
  name();
  return made;
}
