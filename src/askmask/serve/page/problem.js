/** What went wrong, and what to do next. */

import { byId, fill, make, sentence } from "./dom.js";

const TITLES = {
  invalid_image: "This picture cannot be used",
  body_too_large: "This picture is too large",
  invalid_query: "This cannot be asked",
  not_supported: "This model cannot do that",
  queue_full: "The server is busy",
  too_slow: "The server is busy",
  too_many_requests: "The server is busy",
  out_of_room: "The server is busy",
  stopping: "The server is stopping",
  unreachable: "No answer",
};

const ADVICE = {
  invalid_image: "Choose another file: PNG, JPEG or WebP.",
  unreachable: "See that askmask serve is running, then try again.",
};

/** Codes of refusals that the same request will always meet. */
const FINAL = ["invalid_image", "body_too_large", "invalid_query", "not_supported"];

/**
 * Show an error until the next success, or until it is dismissed.
 * @param {Error} error
 * @param {?function} again tries the same once more; offered where that may help
 */
export function showProblem(error, again = null) {
  const retry = () => {
    clearProblem();
    again();
  };
  fill(byId("problem"),
    make("div", {},
      make("b", {}, TITLES[error.code] ?? "That did not work"),
      make("p", {}, sentence(error.message), " ", ADVICE[error.code] ?? null)),
    again && !FINAL.includes(error.code) && make("button", { type: "button", class: "quiet", onclick: retry }, "Try again"),
    make("button", { type: "button", class: "quiet icon", "aria-label": "Dismiss", onclick: clearProblem },
      make("span", { "aria-hidden": "true" }, "×")));
}

/** Take the message away. */
export function clearProblem() {
  fill(byId("problem"));
}
