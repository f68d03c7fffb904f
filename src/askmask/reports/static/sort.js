// Sort a table by the column whose heading is pressed. Cells without a value stay at the end.
"use strict";

function ordered(values, low) {
  const given = values.map((value, place) => ({ value, place }));
  const known = given.filter(({ value }) => value !== null);
  const numbers = known.every(({ value }) => value.trim() !== "" && !Number.isNaN(Number(value)));
  const compared = (a, b) => (numbers ? a - b : a < b ? -1 : a > b ? 1 : 0);
  known.sort((a, b) => (low ? 1 : -1) * compared(a.value, b.value) || a.place - b.place);
  const unknown = given.filter(({ value }) => value === null);
  return [...known, ...unknown].map(({ place }) => place);
}

function sortBy(button) {
  const heading = button.parentElement;
  const table = heading.closest("table");
  const column = [...heading.parentElement.children].indexOf(heading);
  const before = heading.getAttribute("aria-sort");
  const low = before ? before === "descending" : button.dataset.first === "low";
  for (const other of heading.parentElement.children) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", low ? "ascending" : "descending");
  const rows = [...table.tBodies[0].rows];
  const values = rows.map((row) => row.cells[column].dataset.value ?? null);
  table.tBodies[0].append(...ordered(values, low).map((place) => rows[place]));
}

if (typeof document !== "undefined") {
  for (const button of document.querySelectorAll("th button"))
    button.addEventListener("click", () => sortBy(button));
} else module.exports = { ordered };
