const PATHS = {
  send: "M8 13V3M3.5 7.5 8 3l4.5 4.5",
  stop: "M4.5 4.5h7v7h-7z",
  copy: "M5.5 5.5h7v7h-7zM3.5 10.5v-7h7",
  done: "m3 8.5 3.5 3.5L13 4.5",
  edit: "M3 13h2.5L13 5.5 10.5 3 3 10.5z",
  again: "M13 8a5 5 0 1 1-1.6-3.7M13 2.5v3h-3",
  remove: "M3 4.5h10M6 4.5V3h4v1.5M4.5 4.5l.5 8.5h6l.5-8.5",
  left: "M10 3.5 5.5 8l4.5 4.5",
  right: "M6 3.5 10.5 8 6 12.5",
  down: "M4 6.5 8 10.5l4-4",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  list: "M3 4.5h10M3 8h10M3 11.5h6",
  add: "M8 3v10M3 8h10",
  close: "m4 4 8 8M12 4l-8 8",
  tune: "M3 5h5m4 0h1M3 11h1m4 0h5M10 3.2v3.6M6 9.2v3.6",
  eye: "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8zM8 9.8a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6z",
  image: "M2.5 3.5h11v9h-11zM2.5 10.5l3-3 3 3 2-2 3 3M10.5 6h.01",
  reset: "M4 6.5h5.5a3 3 0 0 1 0 6H7M6.5 4 4 6.5 6.5 9",
  columns: "M2.5 3.5h11v9h-11zM8 3.5v9",
  warn: "M8 2.5 14 13H2zM8 6.5v3M8 11.3h.01",
  about: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 7.5v3.5M8 5.2h.01",
  markdown: "M1.5 4h13v8h-13zM4 10V6.2L6 8.5 8 6.2V10M11 6v4M9.6 8.6 11 10l1.4-1.4",
  panel: "M2.5 3.5h11v9h-11zM10 3.5v9",
  export: "M8 10V2.5M5 5l3-3 3 3M3 9.5V13h10V9.5",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** A button that shows an icon; `label` is its name for everybody who does not see it. */
export function IconButton(props: {
  icon: IconName;
  label: string;
  onClick: () => void;
  class?: string;
  disabled?: boolean;
  pressed?: boolean;
  expanded?: boolean;
}) {
  return (
    <button
      type="button"
      class={`icon-button ${props.class ?? ""}`}
      aria-label={props.label}
      title={props.label}
      disabled={props.disabled}
      aria-pressed={props.pressed}
      aria-expanded={props.expanded}
      onClick={props.onClick}
    >
      <Icon name={props.icon} />
    </button>
  );
}
