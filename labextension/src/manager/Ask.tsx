import { t } from "../words";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Icon, IconButton } from "../ui/icons";
import { Marked } from "../ui/Marked";

/** A question in a row, before something is gone. */
export function Ask(props: { question: string; yes: string; no: string; onYes: () => void; onNo: () => void }) {
  const box = useRef<HTMLDivElement>(null);
  // What does no harm has the focus.
  useLayoutEffect(() => box.current?.querySelector<HTMLElement>("[data-no]")?.focus(), []);
  const keys = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    props.onNo();
  };
  return (
    <div class="ask" role="group" aria-label={props.question} ref={box} onKeyDown={keys}>
      <p>{props.question}</p>
      <div class="buttons">
        <button type="button" class="danger" onClick={props.onYes}>
          {props.yes}
        </button>
        <button type="button" data-no onClick={props.onNo}>
          {props.no}
        </button>
      </div>
    </div>
  );
}

/** Why something could not be done. */
export function Failed({ text, onClose }: { text: string | undefined; onClose?: (() => void) | undefined }) {
  if (!text) return null;
  return (
    <p class="failure" role="alert">
      <Icon name="warn" />
      <span>
        <Marked text={text} />
      </span>
      {onClose && <IconButton icon="close" label={t("Dismiss")} onClick={onClose} />}
    </p>
  );
}
