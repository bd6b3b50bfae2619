import { useEffect, useRef, useState } from "preact/hooks";
import { Marked } from "../ui/Marked";
import { t } from "../words";
import { useLooking } from "./context";
import type { ModelName } from "./place";
import type { Reply } from "./protocol";
import { compareLine, others } from "./others";

/** The models that may answer the same; a click asks one of them, in a cell below. */
export function Compare({ reply, onDone }: { reply: Reply; onDone: () => void }) {
  const { place, say } = useLooking();
  const [models, setModels] = useState<ModelName[] | null>(null);
  const [wrong, setWrong] = useState("");
  const [pattern, setPattern] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    place
      .deeds()
      .models?.()
      .then(
        (found) => setModels(others(found, reply)),
        (error: Error) => setWrong(error.message),
      );
    field.current?.focus();
  }, []);
  const word = pattern.trim().toLowerCase();
  const shown = models?.filter(({ id, name, engine }) => `${id} ${name} ${engine}`.toLowerCase().includes(word)) ?? [];
  const choose = ({ id }: ModelName) => {
    place.deeds().run?.(compareLine(id, reply.name));
    say(t("%1 is asked in a cell below.", id));
    onDone();
  };
  const keys = (event: KeyboardEvent) => {
    const buttons = [...list.current!.querySelectorAll("button")];
    const at = buttons.findIndex((one) => one === (event.target as Element).closest("button"));
    if (event.key === "ArrowDown") (buttons[at + 1] ?? buttons.at(-1))?.focus();
    else if (event.key === "ArrowUp") (at > 0 ? buttons[at - 1] : field.current)?.focus();
    else if (event.key === "Enter" && at < 0 && shown.length === 1) choose(shown[0]!);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="compare-with" role="group" aria-label={t("Compare with …")} onKeyDown={keys}>
      <input
        ref={field}
        type="search"
        placeholder={t("Compare with …")}
        aria-label={t("Compare with which model")}
        value={pattern}
        onInput={(event) => setPattern(event.currentTarget.value)}
      />
      <ul ref={list}>
        {shown.map((one) => (
          <li key={one.id}>
            <button type="button" onClick={() => choose(one)}>
              <span class="model-name">{one.id}</span>
              <small>{one.engine}</small>
            </button>
          </li>
        ))}
      </ul>
      <p class="remark" role="status">
        <Marked text={wrong || (models === null ? t("Looking for models …") : remark(models.length, shown.length))} />
      </p>
    </div>
  );
}

function remark(all: number, shown: number): string {
  if (!all) return t("No other model is ready: `%jan models` tells what there is.");
  return shown ? t("A cell below asks it, and runs at once.") : t("No model has that in its name.");
}
