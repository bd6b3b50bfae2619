import { t } from "../words";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Marked } from "../ui/Marked";
import { Ask, Failed } from "./Ask";
import { useStore } from "./context";
import { Waiting } from "./Installed";
import type { KeyRow } from "./protocol";

/** Where keys come from. A key goes to the server, and is never shown again. */
export function Keys() {
  const store = useStore();
  if (!store.keys) return <Waiting what="keys" />;
  const have = store.keys.filter(({ source }) => source);
  const need = store.keys.filter(({ source }) => !source);
  return (
    <>
      <Failed text={store.failed.get("keys")} onClose={() => store.dismiss("keys")} />
      <p class="remark">
        {t("A key is kept on the server (keyring, or a file that only you can read), goes to its own host alone, and is never shown.")}{" "}
        {t("What a notebook’s kernel alone has in its environment is not known here.")}
      </p>
      {[
        { title: t("Keys"), rows: have },
        { title: t("No key"), rows: need },
      ].map(({ title, rows }) =>
        rows.length ? (
          <section key={title} aria-label={title}>
            <h2>{title}</h2>
            <ul class="rows">
              {rows.map((row) => (
                <Row key={`${row.engine} ${row.host}`} row={row} />
              ))}
            </ul>
          </section>
        ) : null,
      )}
      {!store.keys.length && <p class="empty">{t("No engine here needs a key.")}</p>}
    </>
  );
}

function Row({ row }: { row: KeyRow }) {
  const store = useStore();
  const [open, setOpen] = useState<"" | "set" | "remove">(store.wanted === row.engine && !row.host ? "set" : "");
  const item = useRef<HTMLLIElement>(null);
  const to = `key ${row.engine} ${row.host}`;
  const label = row.host ? t("%1 for %2", row.engine, row.host) : row.engine;
  const busy = store.doing.has(to);
  const close = () => {
    setOpen("");
    item.current?.querySelector<HTMLElement>(".set")?.focus();
  };
  return (
    <li class="row" ref={item} data-key={row.engine}>
      <div class="line">
        <div class="about">
          <h3>{label}</h3>
          <p class="note">{row.source ? t("from %1", row.source) : <Marked text={row.hint || t("none")} />}</p>
        </div>
        <div class="do">
          <button type="button" class="quiet-button set" aria-disabled={busy} aria-expanded={open === "set"} aria-label={row.kept ? t("Replace the key of %1", label) : t("Set the key of %1", label)} onClick={() => setOpen(open === "set" ? "" : "set")}>
            {row.kept ? t("Replace") : t("Set")}
          </button>
          {row.kept && (
            <button type="button" class="quiet-button" aria-disabled={busy} aria-label={t("Remove the key of %1", label)} onClick={() => !busy && setOpen("remove")}>
              {t("Remove")}
            </button>
          )}
        </div>
      </div>
      {open === "set" && <KeyForm label={label} onClose={close} onSend={(take) => store.setKey(row, take)} />}
      {open === "remove" && (
        <Ask
          question={t("Remove the key of %1?", label)}
          yes={t("Remove")}
          no={t("Keep")}
          onYes={() => {
            setOpen("");
            void store.removeKey(row);
          }}
          onNo={close}
        />
      )}
      <Failed text={store.failed.get(to)} onClose={() => store.dismiss(to)} />
    </li>
  );
}

/** The field is written into and emptied; what was typed is in no state. */
function KeyForm({ label, onClose, onSend }: { label: string; onClose: () => void; onSend: (take: () => string) => Promise<boolean> }) {
  const field = useRef<HTMLInputElement>(null);
  const [empty, setEmpty] = useState(true);
  useLayoutEffect(() => field.current?.focus(), []);
  const submit = (event: Event) => {
    event.preventDefault();
    const input = field.current!;
    if (!input.value.trim()) return;
    const take = () => {
      const key = input.value;
      input.value = "";
      return key;
    };
    setEmpty(true);
    void onSend(take).then((kept) => (kept ? onClose() : input.focus()));
  };
  return (
    <form
      class="key-form"
      autocomplete="off"
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        onClose();
      }}
    >
      <input
        ref={field}
        type="password"
        autocomplete="new-password"
        spellcheck={false}
        aria-label={t("Key of %1", label)}
        placeholder={t("The key; it is not shown again")}
        onInput={(event) => setEmpty(!event.currentTarget.value.trim())}
      />
      <div class="buttons">
        <button type="submit" class="primary" disabled={empty}>
          {t("Keep it")}
        </button>
        <button type="button" onClick={onClose}>
          {t("Cancel")}
        </button>
      </div>
    </form>
  );
}
