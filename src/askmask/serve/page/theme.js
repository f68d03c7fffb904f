/** Light or dark: as the system says, until the user chooses. */

const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");

function isDark() {
  return root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
}

/** Let `button` change the theme; the choice is kept. */
export function letChoose(button) {
  const name = () => {
    const words = `Switch to the ${isDark() ? "light" : "dark"} theme`;
    button.ariaLabel = button.title = words;
  };
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try {
      localStorage.setItem("askmask-theme", root.dataset.theme);
    } catch {
      // Not kept, but in force.
    }
    name();
  });
  system.addEventListener("change", name);
  name();
}
