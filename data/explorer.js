"use strict";
// What is changed on the page is sent as the move that it carries; of the answer only what differs is changed on the page.
const words = document.body.dataset, busy = document.getElementById("busy"), waiting = [], shown = {};
let working = false, idle = null, taking = 0, half = null; // half: the field that is being written in

function ask(one) {
  const last = waiting.at(-1), same = (a, b) => JSON.stringify(a.slice(0, -1)) === JSON.stringify(b.slice(0, -1));
  if (last?.field && one.field && same(one.move, last.move)) waiting.pop();
  waiting.push(one);
  if (!working) idle = next();
}

async function next() {
  working = true;
  try {
    while (waiting.length) {
      const one = waiting.shift();
      const reply = await answer(one.path ?? "move", one.file ?? JSON.stringify(one.move));
      if (reply) show(reply, one);
      if (reply?.more && !waiting.length) waiting.push({ move: ["explain"] });
    }
  } finally {
    working = false;
  }
}

async function answer(path, body) {
  const slow = setTimeout(() => { busy.textContent = words.working }, 400);
  let told = words.lost;
  try {
    const reply = await fetch(path, { method: "POST", body });
    if (reply.ok) {
      const parts = await reply.json();
      told = taking ? words.working : "";
      return parts;
    }
    told = words.failed;
  } catch { /* the server has been stopped */ } finally {
    clearTimeout(slow);
    busy.textContent = told;
  }
  return null;
}

const writtenIn = form => JSON.stringify([...new FormData(form)]);

function show(reply, { form, field, sent }) {
  const isDone = form && !reply.refused && writtenIn(form) === sent; // else the next one is begun in it
  const typed = [...document.querySelectorAll("form")].filter(one => one !== form || !isDone);
  const focused = document.activeElement;
  for (const [name, html] of Object.entries(reply.parts)) {
    const part = document.getElementById(name);
    // What was typed and is not in force, such as 1.0 for 1, goes back.
    if (shown[name] === html && !reply.refused && !part.contains(form ?? field ?? null)) continue;
    shown[name] = html;
    const made = document.createElement("div");
    made.innerHTML = html;
    const stops = stopsOf(part), at = stops.indexOf(focused);
    children(part, made, typed);
    if (at >= 0 && !focused.isConnected) goOn(focused, part, at);
  }
  if (isDone && form.isConnected) form.reset();
  const failed = reply.stale && !document.body.classList.contains("is-stale");
  document.body.classList.toggle("is-stale", reply.stale);
  if (reply.refused || failed) document.getElementById(reply.refused ? "notice" : "message").scrollIntoView({ block: "nearest" });
}

const stopsOf = part => [...part.querySelectorAll("input, select, button, a, [tabindex]")];

// Who had the focus on what is no longer there goes on from its place.
function goOn(focused, part, at) {
  const left = stopsOf(part);
  (document.getElementById(focused.id) ?? left[Math.min(at, left.length - 1)] ?? document.getElementById("notice")).focus();
}

// An element becomes like another: focus, places of scrolling, folds and half-filled forms stay.
function like(old, made, typed) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== made.data) old.data = made.data;
    return;
  }
  for (const { name } of [...old.attributes]) if (!made.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of made.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const field = old.closest("input:not([type=file]), select");
  if (field && field !== half && !typed.includes(field.form) && waiting.every(one => one.field !== field)) {
    if (old.nodeName === "INPUT" && old.value !== made.value) old.value = made.value;
    if (old.nodeName === "INPUT" && old.checked !== made.checked) old.checked = made.checked;
    if (old.nodeName === "OPTION" && made.hasAttribute("selected")) old.selected = true;
  }
  children(old, made, typed);
}

// What an element is, whatever stands before it.
const keyOf = one => one.id || one.dataset?.do || (one.nodeName === "OPTION" && one.value) || "";

function children(old, made, typed) {
  const before = [...old.childNodes];
  for (const one of [...made.childNodes]) {
    const at = before.findIndex(other => other.nodeName === one.nodeName && keyOf(other) === keyOf(one));
    if (at < 0) old.insertBefore(one, before[0] ?? null);
    else {
      before.splice(0, at).forEach(other => other.remove());
      like(before.shift(), one, typed);
    }
  }
  before.forEach(one => one.remove());
}

const moveOf = element => JSON.parse(element.dataset.do);

document.addEventListener("input", event => { half = event.target });

document.addEventListener("change", event => {
  const field = event.target;
  half = null;
  if (field.id === "upload" && field.files.length) return upload(field);
  if (field.dataset.do) ask({ move: [...moveOf(field), field.type === "checkbox" ? field.checked : field.value], field });
});

document.addEventListener("submit", event => {
  event.preventDefault();
  const form = event.target, given = new FormData(form);
  const of = name => (Array.isArray(name) ? name.map(of) : given.get(name));
  ask({ move: [...moveOf(form), ...JSON.parse(form.dataset.fields).map(of)], form, sent: writtenIn(form) });
});

document.addEventListener("click", event => {
  const button = event.target.closest("button[data-do]"), link = event.target.closest("a[data-leave]");
  const unit = event.target.closest("[data-unit]");
  if (button) ask({ move: moveOf(button) });
  else if (link) {
    event.preventDefault();
    take(link);
  } else if (unit) ask({ move: ["unit", unit.dataset.unit] });
});

function upload(field) {
  const [file] = field.files;
  if (file.size > words.most) busy.textContent = words.heavy;
  else ask({ path: "upload?name=" + encodeURIComponent(file.name), file });
  field.value = "";
}

async function take(link) {
  taking++;
  busy.textContent = words.working;
  try {
    await idle; // the file is of what was asked for before it
    const reply = await fetch(link.href);
    if (!reply.ok) return void (busy.textContent = await reply.text());
    const held = document.createElement("a");
    held.href = URL.createObjectURL(await reply.blob());
    held.download = decodeURIComponent(reply.headers.get("X-Name"));
    held.click();
    setTimeout(() => URL.revokeObjectURL(held.href), 60000);
    busy.textContent = held.download;
  } catch {
    busy.textContent = words.lost;
  } finally {
    taking--;
  }
}

// The workbench is one, whatever pages are open; it may also have been stopped.
addEventListener("focus", () => { if (!working) ask({ move: ["look"] }) });

if (words.more) ask({ move: ["explain"] });

// On a telephone the controls would push everything else out of sight.
if (matchMedia("(max-width: 800px)").matches) {
  document.querySelectorAll(".controls details").forEach((one, at) => { one.open = at === 1 });
}
