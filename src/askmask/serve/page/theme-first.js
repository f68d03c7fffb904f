// Runs before the first paint, so that the page never flashes in the other theme.
try {
  document.documentElement.dataset.theme = localStorage.getItem("askmask-theme") ?? "";
} catch {
  // Storage may be forbidden: then the system's theme it is.
}
