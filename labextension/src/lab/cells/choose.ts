// Which models, and to do what: a dialog of JupyterLab's with a list to tick.

import { isPlain } from "../../names";
import type { Packages, Widget } from "../jupyter";
import type { Server } from "../server";

/** As `GET /models` lists one. */
interface Row {
  id: string;
  name: string;
  engine: string;
}

export interface Choice {
  models: string[];
  /** One of the tasks that were offered. */
  task: string;
}

export interface Offer {
  title: string;
  accept: string;
  models: string;
  search: string;
  /** What may be done with them, by its name; nothing to choose if there is one alone. */
  tasks: { label: string; names: Record<string, string> } | null;
  /** How many have to be chosen. */
  least: number;
  few: string;
}

/** From so many models on there is a box that searches among them. */
const MANY = 9;

/** What was chosen last is chosen at first. */
let last: string[] = [];

/** `null`: it was left. Throws `Refused` or what the network says. */
export async function choose(packages: Packages, server: Server, offer: Offer): Promise<Choice | null> {
  const Dialog = packages.apputils!.Dialog!;
  const { data: all } = await server.get<{ data: Row[] }>("models");
  const data = all.filter(({ id }) => isPlain(id));
  const node = document.createElement("div");
  node.className = "jan-choose";
  const chosen = new Set(last.filter((id) => data.some((row) => row.id === id)));
  const tasks = offer.tasks && taskList(offer.tasks);
  if (tasks) node.append(tasks.label);
  const list = modelList(data, chosen, offer);
  if (data.length >= MANY) node.append(searchBox(list, offer.search));
  node.append(list);
  const body = new packages.lumino.Widget({ node }) as Widget & { getValue(): Choice };
  body.getValue = () => ({
    models: data.map(({ id }) => id).filter((id) => chosen.has(id)),
    task: tasks?.select.value ?? "",
  });
  const buttons = [Dialog.cancelButton(), Dialog.okButton({ label: offer.accept })];
  const dialog = new Dialog<Choice>({ title: offer.title, body, buttons, focusNodeSelector: "select, input" });
  const shown = dialog.launch();
  await dialog.ready;
  list.dispatchEvent(new Event("input", { bubbles: true })); // whether enough are chosen already
  const { button, value } = await shown;
  if (!button.accept || !value || value.models.length < offer.least) return null;
  last = value.models;
  return value;
}

function taskList({ label, names }: NonNullable<Offer["tasks"]>) {
  const select = document.createElement("select");
  select.className = "jp-mod-styled";
  for (const [value, text] of Object.entries(names)) select.add(new Option(text, value));
  const around = document.createElement("label");
  around.className = "jan-choose-task";
  around.append(label, select);
  return { label: around, select };
}

function modelList(rows: readonly Row[], chosen: Set<string>, { models, least, few }: Offer): HTMLFieldSetElement {
  const list = document.createElement("fieldset");
  list.className = "jan-choose-models";
  const legend = document.createElement("legend");
  legend.textContent = models;
  list.append(legend);
  for (const { id, name, engine } of rows) {
    const label = document.createElement("label");
    label.className = "jan-choose-model";
    const box = document.createElement("input");
    box.type = "checkbox";
    box.value = id;
    box.checked = chosen.has(id);
    const about = document.createElement("span");
    about.textContent = engine;
    label.append(box, name && name !== id ? `${name} (${id})` : id, about);
    list.append(label);
  }
  // JupyterLab lets nobody accept what is not valid, and looks when the event of an input begins: after this.
  const weigh = () => list.querySelector("input")?.setCustomValidity(chosen.size < least ? few : "");
  list.addEventListener("click", ({ target }) => {
    if (!(target instanceof HTMLInputElement)) return;
    chosen[target.checked ? "add" : "delete"](target.value);
    weigh();
  });
  weigh();
  return list;
}

function searchBox(list: HTMLFieldSetElement, label: string): HTMLInputElement {
  const box = document.createElement("input");
  box.type = "search";
  box.className = "jp-mod-styled";
  box.placeholder = label;
  box.setAttribute("aria-label", label);
  box.addEventListener("input", () => {
    const words = box.value.toLowerCase().split(/\s+/);
    for (const row of list.querySelectorAll<HTMLElement>(".jan-choose-model")) {
      row.hidden = !words.every((word) => row.textContent!.toLowerCase().includes(word));
    }
  });
  return box;
}
