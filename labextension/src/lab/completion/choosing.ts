// The dialog in which the models of inline completion are chosen, and the question before the first
// text goes to another machine.

import { t } from "../../words";
import type { Apputils, Lumino } from "../jupyter";
import { reader, type Model } from "./models";
import type { Chosen } from "./types";

export type Choice = Pick<Chosen, "model" | "secondModel">;

/** Whom to ask; `null`: as it was. */
export async function choose(
  { showDialog, Dialog }: Apputils,
  { Widget }: Lumino,
  models: Model[],
  now: Choice,
): Promise<Choice | null> {
  const node = document.createElement("form");
  node.style.cssText = "display: grid; gap: 8px; max-width: 36em";
  node.addEventListener("submit", (event) => event.preventDefault());
  const select = (label: string, none: string, chosen: string) => {
    const around = document.createElement("label");
    around.style.cssText = "display: grid; gap: 4px";
    const field = document.createElement("select");
    field.className = "jp-mod-styled";
    field.style.width = "100%";
    const known = models.some(({ id }) => id === chosen) || !chosen;
    const options = models.map((one) => [one.id, named(one)]);
    for (const [value, text] of [["", none], ...(known ? [] : [[chosen, chosen]]), ...options]) {
      field.add(new Option(text!, value!, false, value === chosen));
    }
    around.append(label, field);
    node.append(around);
    return field;
  };
  const first = select(t("Model"), t("Off"), now.model);
  const second = select(t("Second model, to compare it with"), t("None"), now.secondModel);
  const note = document.createElement("p");
  note.style.margin = "0";
  note.textContent = t(
    "What it proposes is shown in grey: Tab takes it, and with two models Alt+] shows that of the other. Which one you take is counted on this machine, without a word of your text.",
  );
  node.append(note);
  const body = Object.assign(new Widget({ node }), {
    getValue: (): Choice => ({ model: first.value, secondModel: second.value }),
  });
  const { button, value } = await showDialog<Choice>({
    title: t("Inline completion"),
    body,
    focusNodeSelector: "select",
    buttons: [Dialog.cancelButton({ label: t("Cancel") }), Dialog.okButton({ label: t("Choose") })],
  });
  return button.accept ? value : null;
}

const named = (model: Model) =>
  model.local ? model.id : t("%1 (at %2)", model.id, reader(model));

/** Whether the user wants that; asked once for each host. */
export async function agree({ showDialog, Dialog }: Apputils, model: Model): Promise<boolean> {
  const { button } = await showDialog({
    title: t("Send your code to %1?", reader(model)),
    body: t(
      "While you type, the code around the cursor goes to %1, and what stands in the other cells of the notebook. Cells that hold a key stay here.",
      reader(model),
    ),
    buttons: [Dialog.cancelButton({ label: t("No") }), Dialog.okButton({ label: t("Send it") })],
  });
  return button.accept;
}
