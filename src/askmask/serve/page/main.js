/** The page: one picture at a time, and questions about it. */

import { answerPanel, beforeAnswer, inWords, remark, timeInWords } from "./answer.js";
import { Api } from "./api.js";
import { byId, count, fill, make } from "./dom.js";
import { save } from "./export.js";
import { whenPictureComes } from "./files.js";
import { History } from "./history.js";
import { Objects, objectButtons } from "./objects.js";
import { clearProblem, showProblem } from "./problem.js";
import { MOST, chips, insert, names, without } from "./references.js";
import { sampleCards } from "./samples.js";
import { shape } from "./shapes.js";
import { Stage } from "./stage.js";
import { letChoose } from "./theme.js";
import { token } from "./token.js";

const api = new Api(token);
const text = byId("text");
const stage = new Stage({ move: pointAt, leave: () => point(null), click: useAt });

/** What is open: `{file, name, id, width, height, bitmap, objects, history, references}`. */
let picture = null;
let pointed = null;
let opening = 0;
let asking = new AbortController();

const say = (words) => (byId("said").textContent = words);

// Pictures ------------------------------------------------------------------------------------

async function open(file, sentences = []) {
  const turn = ++opening;
  clearProblem();
  busy(true);
  try {
    const [kept, bitmap] = await Promise.all([api.keep(file), decoded(file)]);
    const records = await api.candidates(kept.id);
    if (turn !== opening) return;
    // Also when the two disagree about which side is up.
    if (bitmap?.width !== kept.width || bitmap.height !== kept.height) {
      throw new Error("the server can read this picture, but this browser cannot: save it as PNG");
    }
    asking.abort();
    const objects = new Objects(records, kept.width, kept.height);
    const name = file.name || "picture.png";
    picture = { ...kept, file, name, bitmap, objects, history: new History(), references: [] };
    showPicture(sentences);
  } catch (error) {
    if (turn === opening) showProblem(error, () => open(file, sentences));
  } finally {
    if (turn === opening) busy(false);
  }
}

const decoded = (file) => createImageBitmap(file).catch(() => null);

function busy(yes) {
  document.body.ariaBusy = yes;
  byId("looking").hidden = !yes;
  if (yes) say("Looking at the picture");
}

function showPicture(sentences) {
  turnTo("work");
  pointed = null;
  text.value = "";
  stage.picture = picture.bitmap;
  fill(byId("suggestions"), ...sentences.map((words) =>
    make("li", {}, make("button", { type: "button", class: "suggestion", onclick: () => suggest(words) }, words))));
  fill(byId("answer"), ...beforeAnswer(picture.objects.all.length));
  refresh();
  say(`${picture.name}: ${count(picture.objects.all.length, "object")} found.`);
  text.focus({ preventScroll: true });
}

/** Show one of the two views, "start" and "work", from its top. */
function turnTo(view) {
  byId("start").hidden = view !== "start";
  byId("work").hidden = byId("another").hidden = view !== "work";
  scrollTo(0, 0);
}

function startAgain() {
  opening++;
  busy(false);
  clearProblem();
  turnTo("start");
  byId("choose").focus();
}

// Questions -----------------------------------------------------------------------------------

/** Ask; the answer takes the place of the entry `instead`, or is a new one. */
async function ask(question, references, instead = null) {
  const from = performance.now();
  asking.abort();
  const { signal } = (asking = new AbortController());
  const about = picture;
  if (pointed) point(null); // its card would hide the answer
  byId("ask").ariaBusy = true;
  try {
    const answer = await answered(about, question, references, signal);
    if (signal.aborted) return;
    const shapes = answer.masks.map((mask) => shape(mask.segmentation, mask.modal));
    const entry = { question, references, answer, shapes, milliseconds: null };
    about.history.add(entry, instead);
    clearProblem();
    refresh();
    say(inWords(entry));
    painted().then(() => {
      entry.milliseconds = performance.measure("askmask:answer", { start: from }).duration;
      if (shown() === entry) byId("time").textContent = timeInWords(entry);
    });
  } catch (error) {
    if (!signal.aborted) showProblem(error, () => ask(question, references, instead));
  } finally {
    if (signal === asking.signal) byId("ask").ariaBusy = false;
  }
}

/** Resolves when what was changed can be seen. */
const painted = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));

async function answered({ id, file, name }, question, references, signal) {
  const sent = { ...question, references: references.map((one) => one.modal), id: name.slice(0, 200) };
  try {
    return await api.answer(id, sent, signal);
  } catch (error) {
    if (error.code !== "unknown_image") throw error;
    await api.keep(file); // the server keeps a picture for a while only
    return api.answer(id, sent, signal);
  }
}

function suggest(words) {
  text.value = words;
  byId("ask").requestSubmit();
}

const shown = () => picture.history.shown;

function choose(type) {
  const entry = shown();
  ask({ ...entry.question, mask_type: type }, entry.references, entry);
}

function showAgain(entry) {
  asking.abort();
  picture.history.shown = entry;
  picture.references = [...entry.references];
  text.value = entry.question.text;
  clearProblem();
  refresh();
  say(inWords(entry));
}

// References ----------------------------------------------------------------------------------

/** Make an object a reference, unless it is one, and name it where the caret stands. */
function use(object) {
  const { references } = picture;
  let number = references.indexOf(object) + 1;
  if (!number && references.length === MOST) {
    showProblem(new Error(`a sentence has at most ${MOST} references: remove one`));
    return;
  }
  number ||= references.push(object);
  const written = insert(text.value, text.selectionStart, text.selectionEnd, number);
  text.value = written.text;
  text.setSelectionRange(written.caret, written.caret);
  refresh();
  say(`${object.name} is [${number}].`);
}

function remove(number) {
  forget(number);
  pointed = null;
  refresh();
  say(`Reference [${number}] removed.`);
  text.focus();
}

function forget(number) {
  picture.references = picture.references.toSpliced(number - 1, 1);
  text.value = without(text.value, number);
}

function useAt(x, y, { pointerType }) {
  const object = picture.objects.at(x, y);
  if (object) {
    use(object);
    // A finger would call up the keyboard, which hides the picture.
    if (pointerType === "mouse") text.focus({ preventScroll: true });
  } else if (picture.objects.all.length) {
    say("No object was found there.");
  }
}

// Pointing ------------------------------------------------------------------------------------

function pointAt(x, y) {
  const object = picture.objects.at(x, y);
  if (object !== pointed) point(object);
}

function point(object) {
  pointed = object;
  redraw();
}

// Showing -------------------------------------------------------------------------------------

/** Draw the picture with the answer that is shown, and the references of the sentence. */
function redraw() {
  const entry = shown();
  stage.show({
    masks: entry?.shapes ?? [],
    references: picture.references.map((object) => object.reference),
    pointed: pointed?.shape ?? null,
  });
  const number = picture.references.indexOf(pointed) + 1;
  const hint = number ? `Click to write [${number}] once more.` : "Click to make it a reference.";
  stage.card(pointed, entry?.answer, hint);
}

/** Show all that belongs to the picture and to the answer that is shown. */
function refresh() {
  const giveBack = focusToGiveBack();
  const { objects, bitmap, history, references } = picture;
  const entry = shown();
  redraw();
  stage.words = `${picture.name}. ${entry ? inWords(entry) : "Not asked yet."}`;
  stage.remark(entry ? remark(entry) : "");
  showChips();
  if (entry) {
    const on = { type: choose, auto: () => choose(null), point: pointMask, save: (kind) => saved(kind, entry) };
    fill(byId("answer"), ...answerPanel(entry, on));
  }
  byId("objects-help").textContent = !objects.all.length
    ? "None, so there is nothing to click."
    : `${entry ? "Each with how well it fits the sentence. " : ""}Choose one to make it a reference.`;
  fill(byId("objects"), ...objectButtons(objects, bitmap, entry?.answer, { use, point }));
  byId("history-block").hidden = !history.entries.length;
  fill(byId("history"), ...history.items(showAgain));
  giveBack();
}

/** Remembers where the focus is, to give it to the element that comes in the place of that one. */
function focusToGiveBack() {
  const focused = document.activeElement;
  const successors = {
    answer: "#answer :checked",
    objects: `[data-object="${focused.dataset.object}"]`,
    history: '.asked[aria-current="true"]',
  };
  const successor = successors[focused.closest("#answer, #objects, #history")?.id];
  return () => successor && document.querySelector(successor)?.focus({ preventScroll: true });
}

function showChips() {
  fill(byId("references"), ...chips(picture.references, text.value, picture.bitmap, { remove, point }));
}

function pointMask(mask) {
  point(picture.objects.all.find((object) => object.modal.counts === mask?.modal?.counts) ?? null);
}

async function saved(kind, entry) {
  await save(kind, picture, entry);
  say("Saved.");
}

// Events --------------------------------------------------------------------------------------

whenPictureComes(open);
byId("another").addEventListener("click", startAgain);
byId("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  // References that the sentence does not name would still be looked at.
  for (let number = picture.references.length; number > 0; number--) {
    if (!names(text.value, number)) forget(number);
  }
  showChips();
  ask({ text: text.value, mask_type: null }, [...picture.references]);
});
text.addEventListener("input", showChips);
text.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  byId("ask").requestSubmit();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && pointed) point(null);
});
letChoose(byId("theme"));
fill(byId("samples"), ...sampleCards(open, showProblem));
api.model().then((id) => (byId("model").textContent = id), showProblem);
