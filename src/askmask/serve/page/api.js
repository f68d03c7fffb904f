/** The server's routes, as docs/openapi.json describes them. */

const BASE = new URL("../v1/", import.meta.url);

/** What a request was refused with; `code` is one word for programs. */
export class Refused extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** Speaks to the server. */
export class Api {
  /** @param {{value: string, ask: function(boolean): Promise<void>}} token as of token.js */
  constructor(token) {
    this.token = token;
  }

  /** Name of the model. */
  async model() {
    return (await this.#json("models")).data[0].id;
  }

  /** Have a picture encoded: `{id, height, width, candidates}`; harmless to repeat. */
  keep(file) {
    const body = new FormData();
    body.append("image", file);
    return this.#json("images", { method: "POST", body });
  }

  /** What was found in a picture, or nothing for a model that does not look for objects. */
  async candidates(id) {
    try {
      return (await this.#json(`images/${id}/candidates`)).candidates;
    } catch (error) {
      if (error.code === "not_supported") return [];
      throw error;
    }
  }

  /** Ask about a picture: a prediction record with `candidate_scores`. */
  answer(id, question, signal) {
    return this.#json(`images/${id}/answers`, {
      method: "POST",
      body: JSON.stringify(question),
      headers: { "content-type": "application/json" },
      signal,
    });
  }

  async #json(path, options = {}) {
    let response = await this.#send(path, options);
    while (response.status === 401) {
      await this.token.ask();
      response = await this.#send(path, options);
    }
    const content = await response.json().catch(() => null);
    if (response.ok && content) return content;
    const said = content?.error ?? { code: "unexpected", message: `status ${response.status}` };
    throw new Refused(said.code, said.message);
  }

  async #send(path, options) {
    const headers = { ...options.headers };
    if (this.token.value) headers.authorization = `Bearer ${this.token.value}`;
    try {
      return await fetch(new URL(path, BASE), { ...options, headers });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Refused("unreachable", "the server does not answer");
    }
  }
}
