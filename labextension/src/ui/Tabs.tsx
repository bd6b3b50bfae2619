import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";

/** Tabs over one panel, `#shown`: arrows, Home and End go to another one, which is opened at once. */
export function Tabs<Name extends string>(props: {
  label: string;
  tabs: readonly (readonly [Name, ComponentChildren])[];
  open: Name;
  onOpen(name: Name): void;
}) {
  const { label, tabs, open, onOpen } = props;
  const list = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    const at = tabs.findIndex(([name]) => name === open);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const next = (to + tabs.length) % tabs.length;
    onOpen(tabs[next]![0]);
    list.current!.querySelectorAll<HTMLElement>("[role=tab]")[next]!.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label={label} ref={list} onKeyDown={onKeyDown}>
      {tabs.map(([name, face]) => (
        <button
          type="button"
          key={name}
          role="tab"
          id={`tab-${name}`}
          aria-selected={name === open}
          aria-controls="shown"
          tabIndex={name === open ? 0 : -1}
          onClick={() => onOpen(name)}
        >
          {face}
        </button>
      ))}
    </div>
  );
}
