// The buttons inside a code block.

import { t } from "../words";
import { copy } from "./clipboard";

/** Do what a button says; `insert` tells whether there was a notebook. `replace` tells what is in the way. */
export function act(
  button: HTMLElement,
  say: (text: string) => void,
  insert: (code: string, answer: string) => boolean,
  replace: (code: string, answer: string) => Promise<string> = async () => "",
): void {
  const code = button.closest(".code")?.querySelector("code")?.textContent?.replace(/\n$/, "") ?? "";
  const tell = (text: string) => {
    const before = button.dataset.label ?? button.textContent ?? "";
    button.dataset.label = before;
    button.textContent = text;
    say(text);
    setTimeout(() => (button.textContent = before), 1500);
  };
  const answer = button.closest<HTMLElement>("[data-id]")?.dataset.id ?? "";
  if (button.dataset.act === "copy") {
    void copy(code).then((copied) => tell(copied ? t("Copied") : t("Not allowed")));
  } else if (button.dataset.act === "insert") {
    if (insert(code, answer)) tell(t("Inserted"));
    else void copy(code).then((copied) => tell(copied ? t("Copied: no notebook here") : t("No notebook here")));
  } else if (button.dataset.act === "replace") {
    void replace(code, answer)
      .catch((error: Error) => error.message)
      .then((why) => why && tell(why));
  }
}
