// The parts that paint code and formulas, shared by all texts of a session.

import type { Painters } from "../markdown/view";
import type { Parts } from "../host";

/** What brings the parts: a session, or a comparison's store. */
export interface Source {
  part<Name extends keyof Parts>(name: Name): Promise<Parts[Name]>;
}

const known = new WeakMap<Source, Painters>();

export function paintersOf(source: Source): Painters {
  let painters = known.get(source);
  if (!painters) known.set(source, (painters = make(source)));
  return painters;
}

function make(source: Source): Painters {
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
      source.part(part).then(
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
