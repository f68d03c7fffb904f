/** The token of a server that asks for one: kept until the tab closes. */

import { byId } from "./dom.js";

const NAME = "askmask-token";

function stored() {
  try {
    return sessionStorage.getItem(NAME) ?? "";
  } catch {
    return "";
  }
}

class Token {
  value = stored();
  #asking = null;

  /** Ask the user, once for all requests that wait; `value` is set afterwards. */
  ask() {
    this.#asking ??= this.#asked().finally(() => (this.#asking = null));
    return this.#asking;
  }

  #asked() {
    const dialog = byId("token-dialog");
    const field = byId("token");
    byId("token-wrong").textContent = this.value ? "This is not the token of this server." : "";
    field.value = "";
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.oncancel = (event) => event.preventDefault(); // nothing works without it
      byId("token-form").onsubmit = (event) => {
        event.preventDefault();
        this.value = field.value;
        try {
          sessionStorage.setItem(NAME, this.value);
        } catch {
          // In memory only.
        }
        dialog.close();
        resolve();
      };
    });
  }
}

export const token = new Token();
