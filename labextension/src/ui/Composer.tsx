import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useChat, useSession } from "./context";
import { commandOf, commandsOf } from "./commands";
import { IconButton } from "./icons";
import { breakLine } from "./lines";
import { ModelPicker } from "./Models";
import { AlongView, Gauge } from "./Along";
import type { Context } from "../protocol";
import type { Along } from "../session";
import { t } from "../words";

interface Choice {
  insert: string;
  label: string;
  detail: string;
}

/** A reference before the cursor. */
const BEGUN = /(?<=\s|^)@(?:file:(?:'[^'\n]*|"[^"\n]*)|\S*)$/;
const LARGEST_IMAGE = 8 * 2 ** 20;

/** Where a question is written. */
export function Composer() {
  const session = useSession();
  const { say, opened } = useChat();
  const area = useRef<HTMLTextAreaElement>(null);
  const [draft, setDraft] = useState(session.draft);
  const [images, setImages] = useState(session.images);
  const [attached, setAttached] = useState(session.attached);
  const [choices, setChoices] = useState<Choice[]>([]);
  const [note, setNote] = useState("");
  const [at, setAt] = useState(0);
  const [wrong, setWrong] = useState("");
  const [done, setDone] = useState("");
  const [back, setBack] = useState(0);
  const [preview, setPreview] = useState<Along | null>(null);
  const [dropping, setDropping] = useState(false);
  const { busy } = session;
  const looking = opened.popup === "request";
  const shown = opened.popup === "choices" ? choices : [];
  const model = session.state.models.find((one) => one.id === session.state.model);

  const write = (text: string) => {
    session.draft = text;
    setDraft(text);
    setWrong("");
    setDone("");
  };
  const attach = (list: string[]) => {
    session.images = list;
    setImages(list);
  };
  const bringAlong = (list: Context[]) => {
    session.attached = list;
    setAttached(list);
  };

  const { returned, suggested } = session;
  useEffect(() => {
    if (!returned || returned !== session.returned) return; // another view has taken it
    session.returned = null;
    write([returned.text, session.draft].filter(Boolean).join("\n\n"));
    attach([...returned.images, ...session.images]);
    bringAlong(distinct([...returned.attached, ...session.attached]));
    area.current!.focus();
  }, [returned]);
  useEffect(() => {
    if (!suggested || suggested !== session.suggested) return;
    session.suggested = "";
    if (session.draft || session.images.length) return;
    write(suggested);
    area.current!.focus();
  }, [suggested]);

  useEffect(() => {
    const node = area.current!;
    node.style.height = "0";
    node.style.height = `${Math.min(node.scrollHeight, 220)}px`;
  }, [draft]);

  // What may stand at the cursor: commands, or context of the notebook. Known before the next key:
  // later it would close what that key has opened.
  useLayoutEffect(() => {
    const head = draft.slice(0, area.current!.selectionStart);
    const reference = BEGUN.exec(head)?.[0];
    setNote("");
    if (/^\/\w*$/.test(head)) {
      opened.open("choices");
      const word = head.slice(1);
      setChoices(
        commandsOf(session).filter((one) => one.name.startsWith(word)).map((one) => ({
          insert: `/${one.name} `,
          label: `/${one.name} ${one.argument}`,
          detail: one.help,
        })),
      );
      setAt(0);
      return;
    }
    if (!reference) {
      setChoices([]);
      return opened.close("choices");
    }
    opened.open("choices");
    let current = true;
    session.complete(reference).then(
      (found) => {
        if (!current) return;
        setChoices(found.candidates);
        setNote(found.note);
        setAt(0);
      },
      () => {},
    );
    return () => {
      current = false;
    };
  }, [draft]);

  // Its context, and about how many tokens it is.
  const wantsPreview = looking || attached.length > 0 || /(?:^|\s)@\w/.test(draft);
  useEffect(() => {
    if (!wantsPreview) return setPreview(null);
    let current = true;
    const timer = setTimeout(() => {
      session.preview({ text: draft, images, attached }).then(
        (found) => current && setPreview(found),
        (error: Error) => current && setPreview(failed(error)),
      );
    }, 250);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [draft, looking, wantsPreview, images.length, attached, session.state.model, session.state.path.length, session.state.settings]);

  const accept = (choice: Choice) => {
    const node = area.current!;
    const before = draft.slice(0, node.selectionStart);
    const head = before.replace(BEGUN.test(before) ? BEGUN : /\/\w*$/, "");
    const rest = draft.slice(node.selectionStart);
    write(head + choice.insert + rest);
    setChoices([]);
    // At once, not with the next frame: whoever types fast is in the middle of the next word by then.
    node.value = session.draft;
    node.focus();
    node.setSelectionRange(head.length + choice.insert.length, head.length + choice.insert.length);
  };

  const submit = () => {
    const { draft, images, attached, busy } = session; // as they are, also what is not drawn yet
    const text = draft.trim();
    const typed = commandOf(session, draft);
    if (typed instanceof Error) return setWrong(typed.message);
    if (typed) {
      const left = typed.command.run(session, typed.argument, opened.open);
      if (left instanceof Error) return setWrong(left.message);
      write("");
      setDone(left);
      return;
    }
    if ((!text && !images.length) || busy || session.deaf) return;
    session.send(draft.trimEnd(), images, attached);
    write("");
    attach([]);
    bringAlong([]);
    setBack(0);
    opened.close("request");
  };

  const recall = (step: number) => {
    const said = session.path.filter((turn) => turn.role === "user").map((turn) => turn.text);
    const to = Math.max(0, Math.min(said.length, back + step));
    if (to === back) return;
    setBack(to);
    write(to ? said[said.length - to]! : "");
  };

  const keys = (event: KeyboardEvent & { currentTarget: HTMLTextAreaElement }) => {
    if (event.isComposing) return;
    if (event.key === "Enter" && event.shiftKey) return breakLine(event);
    if (shown.length) {
      if (event.key === "ArrowDown") setAt((at + 1) % shown.length);
      else if (event.key === "ArrowUp") setAt((at + shown.length - 1) % shown.length);
      else if (event.key === "Escape") opened.close("choices");
      else if (event.key === "Tab" || (event.key === "Enter" && !complete())) accept(shown[at]!);
      else return enter(event);
      event.preventDefault();
      return;
    }
    enter(event);
  };
  /** Whether the draft is already what would be chosen. */
  const complete = () => shown.some((choice) => choice.insert.trim() === draft.trim());
  const enter = (event: KeyboardEvent) => {
    if (event.key === "Enter") {
      event.preventDefault();
      submit();
    } else if (event.key === "Escape" && looking) {
      opened.close("request");
    } else if (event.key === "Escape" && busy) {
      session.stop();
    } else if (event.key === "ArrowUp" && (!draft || back) && area.current!.selectionStart === 0) {
      event.preventDefault();
      recall(1);
    } else if (event.key === "ArrowDown" && back) {
      event.preventDefault();
      recall(-1);
    }
  };

  const take = (files: Iterable<File>) => {
    for (const file of files) {
      if (!file.type.startsWith("image/")) continue;
      if (file.size > LARGEST_IMAGE) {
        setWrong(t("%1 is larger than 8 MB.", file.name));
        continue;
      }
      const reader = new FileReader();
      reader.onload = () => attach([...session.images, String(reader.result)]);
      reader.onerror = () => setWrong(t("%1 could not be read: %2", file.name, reader.error?.message));
      reader.readAsDataURL(file);
    }
  };
  const pick = () => {
    const input = document.createElement("input");
    input.type = "file";
    input.accept = "image/*";
    input.multiple = true;
    input.onchange = () => take(input.files ?? []);
    input.click();
  };

  return (
    <div
      class={`composer ${dropping ? "dropping" : ""}`}
      onDragOver={(event) => {
        event.preventDefault();
        setDropping(true);
      }}
      onDragLeave={() => setDropping(false)}
      onDrop={(event) => {
        event.preventDefault();
        setDropping(false);
        take(event.dataTransfer?.files ?? []);
      }}
    >
      {shown.length > 0 && (
        <div class="popup choices">
          <ul role="listbox" id="choices" aria-label={t("Suggestions")}>
            {shown.map((choice, index) => (
              <li
                key={choice.label}
                id={`choice-${index}`}
                role="option"
                aria-selected={index === at}
                class={index === at ? "at" : ""}
                onPointerDown={(event) => {
                  event.preventDefault();
                  accept(choice);
                }}
              >
                <code>{choice.label}</code>
                <span>{choice.detail}</span>
              </li>
            ))}
          </ul>
          {note && <p class="remark">{note}</p>}
        </div>
      )}
      {looking && preview && <Look preview={preview} onClose={() => opened.close("request")} />}
      {images.length > 0 && (
        <div class="attached">
          {images.map((image, index) => (
            <span class="thumb" key={index}>
              <img src={image} alt={t("Image %1", index + 1)} />
              <IconButton icon="close" label={t("Remove image %1", index + 1)} onClick={() => attach(images.filter((_, i) => i !== index))} />
            </span>
          ))}
          {model && !model.vision && <span class="remark">{t("%1 may not see images.", model.name)}</span>}
        </div>
      )}
      <AlongView along={preview} attached={attached} onRemove={(one) => bringAlong(attached.filter((other) => other !== one))} />
      <Asked />
      <textarea
        ref={area}
        rows={1}
        aria-label={t("Message")}
        disabled={session.deaf}
        placeholder={session.deaf ? "" : t("Ask something …   / commands   @ context")}
        value={draft}
        aria-haspopup="listbox"
        aria-controls={shown.length ? "choices" : undefined}
        aria-autocomplete="list"
        aria-activedescendant={shown.length ? `choice-${at}` : undefined}
        onInput={(event) => {
          write(event.currentTarget.value);
          setBack(0);
        }}
        onKeyDown={keys}
        onPaste={(event) => {
          const files = [...(event.clipboardData?.files ?? [])];
          if (files.length) {
            event.preventDefault();
            take(files);
          }
        }}
      />
      {wrong && (
        <p class="wrong" role="alert">
          {wrong}
        </p>
      )}
      {done && (
        <p class="remark" role="status">
          {done}
        </p>
      )}
      <div class="tools">
        <ModelPicker />
        <IconButton icon="image" label={t("Add an image")} onClick={pick} />
        <IconButton
          icon="eye"
          label={t("Look at the exact request")}
          pressed={looking}
          onClick={() => (looking ? opened.close("request") : opened.open("request"))}
        />
        <Gauge along={preview} />
        {busy ? (
          <button
            type="button"
            class="round stop"
            aria-label={t("Stop")}
            title={t("Stop (Esc)")}
            onClick={() => {
              session.stop();
              say(t("Stopped."));
              area.current!.focus();
            }}
          >
            <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
              <rect x="4" y="4" width="8" height="8" rx="1.5" />
            </svg>
          </button>
        ) : (
          <button type="button" class="round send" aria-label={t("Send")} title={t("Send (Enter)")} disabled={session.deaf || (!draft.trim() && !images.length)} onClick={submit}>
            <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
              <path d="M8 13V3.500M3.500 8 8 3.500 12.500 8" />
            </svg>
          </button>
        )}
      </div>
    </div>
  );
}

/** Whom a question goes to, where not all columns are asked. */
function Asked() {
  const { columns } = useSession().state;
  const asked = columns.filter((one) => one.next).map((one) => one.name);
  if (asked.length === columns.length) return null;
  return <p class="remark">{asked.length ? t("Asks %1.", asked.join(", ")) : t("Choose a column to ask.")}</p>;
}

const failed = (error: Error): Along => ({
  request: error.message,
  tokens: 0,
  counted: false,
  length: null,
  context: [],
  missing: [],
});

/** Each with a label of its own, by which it is known. */
function distinct(attached: Context[]): Context[] {
  const found = new Map<string, Context>();
  for (const one of attached) {
    let { label } = one;
    for (let i = 2; found.has(label) && found.get(label)!.text !== one.text; i++) label = `${one.label} (${i})`;
    found.set(label, { label, text: one.text });
  }
  return [...found.values()];
}

function Look({ preview, onClose }: { preview: Along; onClose: () => void }) {
  return (
    <section class="popup look" aria-label={t("The exact request")}>
      <header>
        <h3>{t("The exact request")}</h3>
        <IconButton icon="close" label={t("Close")} onClick={onClose} />
      </header>
      <pre tabIndex={0}>{preview.request}</pre>
    </section>
  );
}
