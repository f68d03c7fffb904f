// Filters and pages over the list that queries.js brings. Only one page of cards is in the
// document at any time, so that thousands of queries stay quick. Texts of the benchmark become
// text nodes, never markup.
"use strict";

const PER_PAGE = 24;
const FACETS = ["type", "tag", "split", "targets"];
// Tags that name one wording or one query are shown, but no choice to filter by.
const NAMED_ONCE = /^(twin|pattern|frame):/;

const valuesOf = {
  type: (query) => [query.type || "not said"],
  tag: (query) => query.tags.filter((tag) => !NAMED_ONCE.test(tag)),
  split: (query) => [query.split],
  targets: (query) => [query.targets.length > 2 ? "3+" : String(query.targets.length)],
};

function searched(query) {
  return [query.id, query.text, ...query.targets].join("\n").toLowerCase();
}

function matching(queries, filters) {
  const words = filters.text.toLowerCase().split(/\s+/).filter(Boolean);
  return queries.filter(
    (query) =>
      FACETS.every((facet) => !filters[facet] || valuesOf[facet](query).includes(filters[facet])) &&
      words.every((word) => searched(query).includes(word)),
  );
}

function counted(queries, facet) {
  const counts = new Map();
  for (const query of queries)
    for (const value of valuesOf[facet](query)) counts.set(value, (counts.get(value) || 0) + 1);
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
}

function pageOf(found, page) {
  const last = Math.max(0, Math.ceil(found.length / PER_PAGE) - 1);
  const shown = Math.min(Math.max(page, 0), last);
  return { last, shown, queries: found.slice(shown * PER_PAGE, (shown + 1) * PER_PAGE) };
}

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function card(query) {
  const made = element("article");
  const picture = element("img");
  Object.assign(picture, { src: query.drawn, loading: "lazy", alt: `Masks of: ${query.text}` });
  const press = element("button");
  press.type = "button";
  press.title = "Show the picture without masks, or with them";
  press.append(picture);
  press.addEventListener("click", () => {
    picture.src = picture.getAttribute("src") === query.drawn ? query.plain : query.drawn;
  });
  const facts = element("p", "facts");
  facts.append(element("span", `type-${query.type}`, query.type || "mask type not said"));
  const answer = query.targets.map((noun, place) => `${place + 1} ${noun}`).join(", ");
  facts.append(` · ${answer || "nothing fits"} · ${query.id} · ${query.split}`);
  const tags = element("p", "tags");
  tags.append(...query.tags.map((tag) => element("span", "", tag)));
  made.append(press, element("p", "sentence", query.text), facts, tags);
  return made;
}

function start() {
  const byId = (id) => document.getElementById(id);
  const all = BENCHMARK.queries;
  const controls = ["text", ...FACETS].map(byId);
  const state = new URLSearchParams(location.hash.slice(1));
  let page = Number(state.get("page") || 1) - 1;

  byId("name").textContent = document.title = BENCHMARK.name;
  for (const facet of FACETS) {
    byId(facet).append(new Option("any", ""));
    for (const [value, count] of counted(all, facet))
      byId(facet).append(new Option(`${value} (${count})`, value));
  }
  for (const control of controls) control.value = state.get(control.id) || "";

  function show() {
    const filters = Object.fromEntries(controls.map((control) => [control.id, control.value]));
    const found = matching(all, filters);
    const { last, shown, queries } = pageOf(found, page);
    page = shown;
    byId("cards").replaceChildren(...queries.map(card));
    byId("count").textContent = `${found.length} of ${all.length} queries`;
    byId("page").textContent = `Page ${page + 1} of ${last + 1}`;
    byId("previous").disabled = page === 0;
    byId("next").disabled = page === last;
    const kept = Object.entries({ ...filters, page: page ? page + 1 : "" });
    const hash = new URLSearchParams(kept.filter(([, value]) => value)).toString();
    history.replaceState(null, "", `#${hash}`);
  }

  function turn(by) {
    page += by;
    show();
    scrollTo(0, 0);
  }

  byId("filters").addEventListener("input", () => {
    page = 0;
    show();
  });
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("previous").addEventListener("click", () => turn(-1));
  byId("next").addEventListener("click", () => turn(1));
  show();
}

if (typeof document !== "undefined") start();
else module.exports = { counted, matching, pageOf };
