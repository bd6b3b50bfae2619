import { useState } from "preact/hooks";
import { Fold } from "./Answer";
import { count } from "./numbers";
import type { Case } from "./protocol";
import { t } from "../words";

/** What was asked: the last question, and behind a fold what stands before it. */
export function Prompt({ one }: { one: Case }) {
  const [open, setOpen] = useState(false);
  const last = one.messages[one.messages.length - 1];
  const before = one.messages.slice(0, -1);
  return (
    <section class="prompt" aria-label={t("Prompt")}>
      {before.length > 0 && (
        <>
          <Fold open={open} onClick={() => setOpen(!open)}>
            {count(before.length, "message before", "messages before")}
          </Fold>
          {open &&
            before.map((message, at) => (
              <p key={at} class="said">
                <b>{message.role}</b> {message.text}
              </p>
            ))}
        </>
      )}
      <p class="said">{last?.text}</p>
      {last && last.images > 0 && <p class="remark">{t("with %1", count(last.images, "image"))}</p>}
      {one.expected !== null && (
        <p class="expected">
          <b>{t("Expected")}</b> <span>{one.expected}</span>
        </p>
      )}
    </section>
  );
}
