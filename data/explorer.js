"use strict";
// What is changed on the page is sent as the move that it carries; of the answer only what differs is changed on the page.
const words = document.body.dataset, busy = document.getElementById("busy"), waiting = [], shown = {};
let working = false;

function ask(move, form) {
  const last = waiting.at(-1), same = (a, b) => JSON.stringify(a.slice(0, -1)) === JSON.stringify(b.slice(0, -1));
  if (last && !form && !last.form && move[0] === "weight" && same(move, last.move)) waiting.pop();
  waiting.push({ move, form });
  if (!working) next();
}

async function next() {
  working = true;
  while (waiting.length) {
    const { move, form } = waiting.shift();
    const reply = await answer("move", JSON.stringify(move));
    show(reply, form);
    if (reply?.more && !waiting.length) waiting.push({ move: ["explain"] });
  }
  working = false;
}

async function answer(path, body) {
  const slow = setTimeout(() => { busy.textContent = words.working }, 400);
  try {
    const reply = await fetch(path, { method: "POST", body });
    if (reply.ok) return await reply.json();
  } catch { /* the server has been stopped */ } finally {
    clearTimeout(slow);
    busy.textContent = "";
  }
  busy.textContent = words.lost;
  return null;
}

function show(reply, form) {
  if (!reply) return;
  const typed = [...document.querySelectorAll("form")].filter(one => one !== form || reply.refused);
  for (const [name, html] of Object.entries(reply.parts)) {
    if (shown[name] === html && !reply.refused && !form) continue; // what was typed and refused goes back
    shown[name] = html;
    const made = document.createElement("div");
    made.innerHTML = html;
    const part = document.getElementById(name);
    children(part, made, typed);
  }
  if (form && !reply.refused && form.isConnected) form.reset();
  document.body.classList.toggle("is-stale", reply.stale);
  if (reply.refused) document.getElementById("notice").scrollIntoView({ block: "nearest" });
}

// An element becomes like another: focus, places of scrolling, folds and half-filled forms stay.
function like(old, made, typed) {
  if (old.nodeType !== made.nodeType || old.nodeName !== made.nodeName || old.id !== made.id) return old.replaceWith(made);
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== made.data) old.data = made.data;
    return;
  }
  for (const { name } of [...old.attributes]) if (!made.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of made.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  if (!typed.includes(old.form ?? old.closest("form"))) {
    if (old.nodeName === "INPUT" && old.type !== "file") {
      if (old.value !== made.value) old.value = made.value;
      if (old.checked !== made.checked) old.checked = made.checked;
    }
    if (old.nodeName === "OPTION" && old.selected !== made.hasAttribute("selected") && made.hasAttribute("selected")) old.selected = true;
  }
  children(old, made, typed);
}

function children(old, made, typed) {
  const before = [...old.childNodes], after = [...made.childNodes];
  after.forEach((one, at) => (at < before.length ? like(before[at], one, typed) : old.append(one)));
  before.slice(after.length).forEach(one => one.remove());
}

const moveOf = element => JSON.parse(element.dataset.do);

document.addEventListener("change", event => {
  const one = event.target;
  if (one.id === "upload" && one.files.length) return upload(one);
  if (one.dataset.do) ask([...moveOf(one), one.type === "checkbox" ? one.checked : one.value]);
});

document.addEventListener("submit", event => {
  event.preventDefault();
  const form = event.target, given = new FormData(form);
  const of = name => (Array.isArray(name) ? name.map(of) : given.get(name));
  ask([...moveOf(form), ...JSON.parse(form.dataset.fields).map(of)], form);
});

document.addEventListener("click", event => {
  const button = event.target.closest("button[data-do]"), link = event.target.closest("a[data-leave]");
  const unit = event.target.closest("[data-unit]");
  if (button) ask(moveOf(button));
  else if (link) {
    event.preventDefault();
    take(link);
  } else if (unit) ask(["unit", unit.dataset.unit]);
});

async function upload(field) {
  const [file] = field.files;
  const reply = await answer("upload?name=" + encodeURIComponent(file.name), file);
  show(reply);
  if (reply?.more) ask(["explain"]);
  field.value = "";
}

async function take(link) {
  busy.textContent = words.working;
  try {
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
  }
}

if (words.more) ask(["explain"]);

// On a telephone the controls would push everything else out of sight.
if (matchMedia("(max-width: 800px)").matches) {
  document.querySelectorAll(".controls details").forEach((one, at) => { one.open = at === 1 });
}
