/** Pictures that come from outside: chosen, dropped or pasted. */

import { byId } from "./dom.js";

/** Call `open(file)` with each of them. */
export function whenPictureComes(open) {
  const take = ({ files }) => files[0] && open(files[0]);
  const dropping = (yes) => document.body.classList.toggle("dropping", yes);
  const carriesFile = (event) => event.dataTransfer.types.includes("Files");

  byId("choose").addEventListener("click", () => byId("file").click());
  byId("file").addEventListener("change", ({ target }) => {
    take(target);
    target.value = ""; // so that the same file can be chosen again
  });
  document.addEventListener("dragover", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    dropping(true);
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) dropping(false);
  });
  document.addEventListener("drop", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    dropping(false);
    take(event.dataTransfer);
  });
  document.addEventListener("paste", ({ clipboardData }) => take(clipboardData));
}
