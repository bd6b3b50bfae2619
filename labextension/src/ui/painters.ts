// The parts that paint code and formulas, shared by all texts of a session.

import type { Painters } from "../markdown/view";
import type { Session } from "../session";
import type { Parts } from "../host";

const known = new WeakMap<Session, Painters>();

export function paintersOf(session: Session): Painters {
  let painters = known.get(session);
  if (!painters) known.set(session, (painters = make(session)));
  return painters;
}

function make(session: Session): Painters {
  let code: Parts["code"] | null = null;
  let math: Parts["math"] | null = null;
  const formulas = new Map<string, string>();
  const waiting = { code: [] as (() => void)[], math: [] as (() => void)[] };
  return {
    highlighter: () => code?.highlighter ?? null,
    mathml: () => {
      if (!math) return null;
      const render = math.mathml;
      return (source, display) => {
        const key = `${display}${source}`;
        let found = formulas.get(key);
        if (found === undefined) {
          found = render(source, display);
          if (formulas.size > 500) formulas.clear();
          formulas.set(key, found);
        }
        return found;
      };
    },
    want(part, then) {
      waiting[part].push(then);
      if (waiting[part].length > 1) return;
      session.part(part).then(
        (loaded) => {
          if (part === "code") code = loaded as Parts["code"];
          else math = loaded as Parts["math"];
          for (const paint of waiting[part].splice(0)) paint();
        },
        () => waiting[part].splice(0), // it stays plain
      );
    },
  };
}
