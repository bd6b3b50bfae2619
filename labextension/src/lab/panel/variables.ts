// What only a kernel knows: its variables. It is asked when it is idle, beside its cells, and nothing
// of that stands in its history. Its end: `jan_jupyter/panel/variables.py`.

import { t } from "../../words";
import type { SessionContext } from "../jupyter";

/** Milliseconds that it may take. */
const PATIENCE = 5000;
/** Milliseconds after its last answer in which a kernel still looks busy, at most. */
const AFTER = 300;
const NAME = "jan";

export interface Told {
  complete: { insert: string; label: string; detail: string }[];
  resolve: { label: string; text: string; cut: number }[];
}

/** What a kernel says, or why it does not. */
export type Answer<Value> = { value: Value } | { why: string };

interface Evaluated {
  status?: string;
  ename?: string;
  evalue?: string;
  data?: Record<string, unknown>;
}

/** One after the other: while one is answered the kernel looks busy. */
let before: Promise<unknown> = Promise.resolve();

export function askKernel<Name extends keyof Told>(
  session: SessionContext | undefined,
  name: Name,
  text: string,
): Promise<Answer<Told[Name]>> {
  const answer = before.then(() => asked(session, name, text));
  before = answer.catch(() => {});
  return answer;
}

async function asked<Name extends keyof Told>(
  session: SessionContext | undefined,
  name: Name,
  text: string,
): Promise<Answer<Told[Name]>> {
  const kernel = session?.session?.kernel;
  if (!kernel) return { why: t("The notebook has no kernel: start one to bring its variables along.") };
  if (kernel.connectionStatus !== "connected") return { why: t("The notebook's kernel is away.") };
  if (!(await isIdle(session!))) return { why: t("The kernel is busy: its variables can be brought along when it is idle.") };
  const info = await soon(kernel.info);
  const language = info?.language_info?.name ?? "python";
  if (language.toLowerCase() !== "python") return { why: t("This kernel runs %1: variables are brought along from Python's alone.", language) };
  const code = `__import__('jan_jupyter.panel.variables', fromlist=['${name}']).${name}(${JSON.stringify(text)})`;
  const request = { code: "", silent: true, store_history: false, user_expressions: { [NAME]: code } };
  const reply = await soon(kernel.requestExecute(request).done);
  if (!reply) return { why: t("The kernel does not answer: its variables are left out.") };
  const found = reply.content.user_expressions?.[NAME] as Evaluated | undefined;
  const value = found?.data?.["application/json"] as Told[Name] | undefined;
  if (value) return { value };
  if (found?.ename === "ModuleNotFoundError" && /No module named 'jan_jupyter'/.test(found.evalue ?? "")) {
    return { why: t("The kernel does not know jan_jupyter: install it in its environment to bring variables along.") };
  }
  if (found?.ename === "ModuleNotFoundError" || found?.ename === "AttributeError") {
    return { why: t("The kernel has another version of jan_jupyter, which cannot tell its variables.") };
  }
  return { why: t("The kernel cannot tell its variables: %1.", found?.ename ?? t("no answer")) };
}

function isIdle(session: SessionContext): Promise<boolean> {
  const idle = () => session.session?.kernel?.status === "idle";
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      session.statusChanged.disconnect(look);
      resolve(idle());
    };
    const look = () => idle() && end();
    const timer = setTimeout(end, AFTER);
    session.statusChanged.connect(look);
    look();
  });
}

function soon<Value>(promise: Promise<Value> | undefined): Promise<Value | undefined> {
  const late = new Promise<undefined>((resolve) => setTimeout(resolve, PATIENCE));
  return Promise.race([promise?.catch(() => undefined), late]);
}
