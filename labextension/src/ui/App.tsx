import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Queries } from "../protocol";
import type { Session } from "../session";
import { act } from "./act";
import { copy } from "./clipboard";
import { Composer } from "./Composer";
import { ChatContext, useChat, useSession } from "./context";
import { exported } from "./commands";
import { IconButton } from "./icons";
import { Marked } from "./Marked";
import type { Proposal } from "../host";
import { around, t } from "../words";
import { ProposalView } from "./ProposalView";
import { type Side, useOpened } from "./opened";
import { SettingsPanel } from "./Settings";
import { ThreadsPanel, TitleEditor } from "./Threads";
import { Images, TurnView } from "./Turn";

export function App({ session, root }: { session: Session; root: HTMLElement }) {
  const live = useRef<HTMLDivElement>(null);
  const say = (text: string) => {
    if (live.current) live.current.textContent = text;
  };
  return (
    <ChatContext.Provider value={{ session, root, say, opened: useOpened(root) }}>
      <Panel>
        <div class="spoken" aria-live="polite" ref={live} />
      </Panel>
    </ChatContext.Provider>
  );
}

function Panel({ children }: { children: ComponentChildren }) {
  const session = useSession();
  const { root, say, opened } = useChat();
  const { side } = opened;
  const frame = useRef<HTMLDivElement>(null);
  const close = (which: Side) => {
    opened.close(which);
    frame.current?.querySelector<HTMLElement>(`[data-opens=${which}] button`)?.focus();
  };
  const onClick = (event: MouseEvent) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-act]");
    if (button) act(button, say, (code, answer) => session.host.insertCell(root, code, answer), replace);
  };
  const [proposal, setProposal] = useState<Proposal | null>(null);
  const asked = useRef<Element | null>(null);
  const replace = async (code: string, answer: string) => {
    asked.current = root.shadowRoot!.activeElement;
    const found = await session.host.replace?.(code, questionOf(session, answer));
    if (typeof found === "string") return found;
    setProposal(found ?? null);
    return "";
  };
  const decided = (said: string) => {
    setProposal(null);
    say(said);
    if (!said) (asked.current as HTMLElement | null)?.focus();
  };
  return (
    <div class="panel" ref={frame} onClick={onClick} data-side={side ?? ""}>
      <Header />
      {side === "threads" && <ThreadsPanel onClose={() => close("threads")} />}
      <main aria-label={t("Conversation")}>
        <Log />
        {proposal && <ProposalView proposal={proposal} onDone={decided} />}
        <Notice />
        <Lost />
        <Composer />
      </main>
      {side === "settings" && <SettingsPanel onClose={() => close("settings")} />}
      {children}
    </div>
  );
}

/** The question that an answer on the path is one of. */
function questionOf(session: Session, answer: string): string {
  const at = session.path.findIndex((turn) => turn.id === answer || turn.columns.includes(answer));
  return session.path.slice(0, Math.max(0, at)).findLast((turn) => turn.role === "user")?.id ?? "";
}

function Header() {
  const session = useSession();
  const { opened } = useChat();
  const [editing, setEditing] = useState(false);
  const { thread } = session.state;
  const title = thread?.title || t("New thread");
  const toggle = (side: Side) => (opened.side === side ? opened.close(side) : opened.open(side));
  return (
    <header class="head">
      <span data-opens="threads">
        <IconButton icon="list" label={t("Threads")} expanded={opened.side === "threads"} onClick={() => toggle("threads")} />
      </span>
      <IconButton icon="add" label={t("New thread")} onClick={() => session.do({ type: "thread", id: "" })} />
      {editing && thread ? (
        <TitleEditor
          title={thread.title}
          onDone={(value) => {
            setEditing(false);
            if (value?.trim()) session.do({ type: "rename", id: thread.id, title: value.trim() });
          }}
        />
      ) : (
        <h1>
          <button type="button" class="title" title={thread ? t("Rename") : ""} disabled={!thread} onClick={() => setEditing(true)}>
            {title}
          </button>
        </h1>
      )}
      <IconButton
        icon="export"
        label={t("Save as Markdown")}
        disabled={!session.state.path.length}
        onClick={() => exported(session, "markdown")}
      />
      <span data-opens="settings">
        <IconButton icon="tune" label={t("Settings")} expanded={opened.side === "settings"} onClick={() => toggle("settings")} />
      </span>
    </header>
  );
}

/** The turns. Stays at the end while one is there; a reader who scrolls up is left in peace. */
function Log() {
  const session = useSession();
  const { path } = session;
  const busy = session.busy || session.deaf;
  // What stands in the place of another question has no second one below it.
  const pending = session.pending?.action.type === "edit" && !session.pending.late ? null : session.pending;
  const compared = path.findLastIndex((turn) => turn.compared);
  const node = useRef<HTMLDivElement>(null);
  const inner = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const [away, setAway] = useState(false);
  const toEnd = () => {
    node.current!.scrollTop = node.current!.scrollHeight;
  };
  useLayoutEffect(() => {
    const watch = new ResizeObserver(() => {
      if (atEnd.current) toEnd();
    });
    watch.observe(inner.current!);
    watch.observe(node.current!);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    if (pending) {
      atEnd.current = true;
      toEnd();
    }
  }, [pending]);
  const onScroll = () => {
    const { scrollTop, scrollHeight, clientHeight } = node.current!;
    atEnd.current = scrollHeight - scrollTop - clientHeight < 40;
    setAway(!atEnd.current);
  };
  return (
    <div class="log-frame">
      <div class="log" ref={node} onScroll={onScroll} tabIndex={0} role="region" aria-label={t("Messages")}>
        <div class="turns" ref={inner}>
          {!path.length && !pending && <Welcome />}
          {path.map((turn, index) => (
            <TurnView
              key={turn.columns.length > 1 ? `row ${index}` : turn.id}
              turn={turn}
              last={index === path.length - 1}
              compared={index === compared}
              busy={busy}
            />
          ))}
          {pending && (
            <article class="turn user pending" aria-label={t("You")}>
              <div class="bubble">
                <Images images={pending.images} />
                <div class="said">{pending.text}</div>
              </div>
              {pending.late && (
                <p class="remark" role="status">
                  {session.host.words.waiting[session.lost ? "away" : session.writing ? "open" : session.host.idle ? "idle" : "busy"]}
                </p>
              )}
            </article>
          )}
        </div>
      </div>
      {away && (
        <button
          type="button"
          class="to-end"
          aria-label={t("To the end")}
          title={t("To the end")}
          onClick={() => {
            atEnd.current = true;
            toEnd();
          }}
        >
          ↓
        </button>
      )}
    </div>
  );
}

function Welcome() {
  const session = useSession();
  const { models, model } = session.state;
  const row = models.find((one) => one.id === model);
  const { words } = session.host;
  if (!session.ready) {
    return (
      <p class="welcome">
        {words.connecting}
        {session.slow && ` ${words.slow}`}
      </p>
    );
  }
  return (
    <div class="welcome">
      <h2>{t("What would you like to know?")}</h2>
      <p>
        {row ? (
          around(row.local ? "%1 answers, on this machine." : "%1 answers, through %2.", <strong>{row.name}</strong>, <>{row.engine}</>)
        ) : (
          t("Choose a model to begin.")
        )}
      </p>
      <Starters />
      <ul>
        <li>
          {around("%1 sends, %2 begins a new line, %3 recalls what you asked.", <Keys all={["Enter"]} />, <Keys all={["Shift", "Enter"]} />, <Keys all={["↑"]} />)}
        </li>
        <li>
          <kbd>@</kbd> {words.brings}; {around("%1 shows the commands.", <kbd>/</kbd>)}
        </li>
      </ul>
    </div>
  );
}

/** Keys that are pressed together. */
function Keys({ all }: { all: string[] }) {
  return <>{all.flatMap((key, at) => [at ? "+" : "", <kbd>{key}</kbd>])}</>;
}

type Thing = Queries["complete"]["answer"][number];

/** What may be described, the most telling first. */
const KINDS = ["DataFrame", "Series", "ndarray", "dict", "list"];
const SEARCH = "%load_ext jan_jupyter\n%jan search";

/** Beginnings that know the notebook; they are written into the composer, and sent by whoever reads them. */
function Starters() {
  const session = useSession();
  const { root } = useChat();
  const [things, setThings] = useState<Thing[]>([]);
  const [said, setSaid] = useState("");
  useEffect(() => {
    // Cells run while the panel is there: it looks again when somebody comes to it.
    const look = () => {
      const asked = ["@error", "@"].map((text) => session.complete(text));
      Promise.all(asked).then((found) => setThings(found.flatMap((one) => one.candidates)), () => {});
    };
    look();
    for (const event of ["pointerenter", "focusin"]) root.addEventListener(event, look);
    return () => {
      for (const event of ["pointerenter", "focusin"]) root.removeEventListener(event, look);
    };
  }, []);
  const failed = things.some((one) => one.label === "@error");
  const table = KINDS.flatMap((kind) => things.filter((one) => one.detail === kind))[0]?.label;
  const usable = session.state.models.filter((one) => one.usable);
  const starters = [
    ...(failed ? [[t("Explain the last error"), `${t("Explain this error, and how to mend it: @error")} `]] : []),
    ...(table ? [[t("Describe %1", table.slice(1)), `${t("Describe %1", table)} `]] : []),
    [t("Write a function"), `${t("Write a Python function that")} `],
    [t("Explain an idea"), `${t("Explain in simple words:")} `],
  ];
  const search = async () => {
    if (session.host.getModels) session.host.getModels();
    else if (session.host.insertCell(root, SEARCH)) setSaid(t("The cell below lists good models: run it, then fetch one with `%jan pull NAME`."));
    else if (await copy(SEARCH)) setSaid(t("Copied: run it in a cell, it lists good models; then fetch one with `%jan pull NAME`."));
    else setSaid(t("Run `%jan search` in a cell: it lists good models; then fetch one with `%jan pull NAME`."));
  };
  return (
    <>
      <div class="buttons starters">
        {starters.map(([label, text]) => (
          <button type="button" key={label} disabled={session.deaf} onClick={() => session.suggest(text!)}>
            {label}
          </button>
        ))}
        {usable.length > 0 && usable.every((one) => one.id === "jan-mini") && (
          <button type="button" class="primary" onClick={() => void search()}>
            {t("Get a real model")}
          </button>
        )}
      </div>
      {said && (
        <p class="remark" role="status">
          <Marked text={said} />
        </p>
      )}
    </>
  );
}

/** Nobody hears what is said here: why, and what to do. */
function Lost() {
  const session = useSession();
  const { lost, deaf } = session;
  const { root } = useChat();
  useLayoutEffect(() => {
    const button = deaf ? session.host.runButton(root) : null;
    if (!button) return;
    button.slot = "run";
    button.textContent = t("Run the cell");
    root.append(button);
    return () => button.remove();
  }, [deaf]);
  if (!lost) return null;
  return (
    <div class="notice lost" role="alert">
      <span>{session.host.words.lost[lost]}</span>
      <slot name="run" />
    </div>
  );
}

function Notice() {
  const session = useSession();
  const { notice } = session.state;
  if (!notice) return null;
  return (
    <div class="notice" role="alert">
      <span>
        <Marked text={notice} />
      </span>
      <IconButton icon="close" label={t("Dismiss")} onClick={() => session.do({ type: "dismiss" })} />
    </div>
  );
}
